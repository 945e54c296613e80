"""Authentication by machine keys: `Authorization: Bearer` from OpenAI's clients, `x-api-key` from Anthropic's."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed

from creative_services.adapters.machine_keys import find, note_use
from creative_services.core.secret import Secret
from creative_services.models import MachineKey
from creative_services.models.keys import MARK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rest_framework.request import Request

# Only who has the whole key is told more than that it is not known.
FAULTS: Mapping[str, str] = MappingProxyType(
    {
        MachineKey.State.EXPIRED: "This machine key has expired. Ask for a new one.",
        MachineKey.State.REVOKED: "This machine key was revoked. Ask for a new one.",
    }
)


class MachineKeyAuthentication(BaseAuthentication):
    """Lets the key's user ask; `request.auth` is the MachineKey. What is no machine key is left to other classes."""

    def authenticate(self, request: Request) -> tuple[Any, MachineKey] | None:
        text = _sent(request)
        if text is None:
            return None
        row = find(text)
        if row is None:
            raise AuthenticationFailed("This machine key is not known.")
        if fault := FAULTS.get(row.state):
            raise AuthenticationFailed(fault)
        if not getattr(row.user, "is_active", False):
            raise AuthenticationFailed("The user of this machine key is not active.")
        note_use(row)
        return row.user, row

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


def _sent(request: Request) -> Secret | None:
    scheme, _space, bearer = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    tokens = (bearer.strip() if scheme.lower() == "bearer" else "", request.META.get("HTTP_X_API_KEY", "").strip())
    return next((Secret(token) for token in tokens if token.startswith(MARK)), None)
