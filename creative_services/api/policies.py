"""Who may ask, and what of the project's REST framework settings holds here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.permissions import IsAuthenticated
from rest_framework.settings import api_settings
from rest_framework.throttling import ScopedRateThrottle, SimpleRateThrottle

from creative_services.adapters.permissions import GENERATE, held, may_generate
from creative_services.api.keys import MachineKeyAuthentication
from creative_services.conf import app_settings
from creative_services.core.errors import TierNotAllowedError
from creative_services.core.ledger import Caller
from creative_services.core.types import LLMTier
from creative_services.models import MachineKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rest_framework.authentication import BaseAuthentication
    from rest_framework.request import Request
    from rest_framework.throttling import BaseThrottle
    from rest_framework.views import APIView

SCOPE = "llm-generate"
ALL_TIERS = frozenset(LLMTier)


class MayGenerate(IsAuthenticated):
    """Authenticated, and holding the permission `creative_services.generate`."""

    message = f"This needs the permission {GENERATE}."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return super().has_permission(request, view) and may_generate(request.user)


def allowed_tiers(user: Any) -> frozenset[LLMTier]:
    """The tiers that this user may use, by TIER_PERMISSIONS; a tier that is not in it is open to all who may ask."""
    needed = app_settings.tier_permissions
    if not needed:
        return ALL_TIERS
    has = held(user, set(needed.values()))
    return frozenset(tier for tier in LLMTier if tier not in needed or needed[tier] in has)


def check_tier(user: Any, tier: LLMTier) -> None:
    """Raise TierNotAllowedError if this user may not use this tier."""
    if tier not in allowed_tiers(user):
        raise TierNotAllowedError(f"You may not use the tier {tier.value!r}.")


def caller_of(request: Request) -> Caller:
    """Who asks, as the books have it."""
    key = request.auth
    return Caller(user_id=request.user.pk, machine_key_id=key.pk if isinstance(key, MachineKey) else None, source="api")


def is_staff(request: Request) -> bool:
    """Whether the user is staff; a project's own user model may know no staff."""
    return bool(getattr(request.user, "is_staff", False))


class ProjectSetting:
    """A view's attribute that is the project's REST framework setting, read on access.

    REST framework itself reads it once, when the view's module is imported. A subclass, an instance or `as_view` may
    still set the attribute to something else.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return getattr(api_settings, self._name)


class KeysBeforeProjects(ProjectSetting):
    """A view's authentication classes: that of machine keys, then the project's."""

    def __init__(self) -> None:
        super().__init__("DEFAULT_AUTHENTICATION_CLASSES")

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        return [MachineKeyAuthentication, *super().__get__(instance, owner)]


def challenge(authenticators: Sequence[BaseAuthentication], request: Request) -> str:
    """How a stranger may say who he is, for `WWW-Authenticate`; empty if only by logging in.

    REST framework asks the first class; where that is ours, the project's first is asked too.
    """
    is_ours = bool(authenticators) and isinstance(authenticators[0], MachineKeyAuthentication)
    asked = [one.authenticate_header(request) for one in authenticators[: 2 if is_ours else 1]]
    return ", ".join(dict.fromkeys(filter(None, asked)))


class ThrottleScope:
    """A view's `throttle_scope`: `llm-generate` where the project has a rate for it; None throttles nobody."""

    def __get__(self, instance: object, owner: type | None = None) -> str | None:
        return SCOPE if SCOPE in api_settings.DEFAULT_THROTTLE_RATES else None


def make_throttles(kinds: Iterable[type[BaseThrottle]], scope: str | None) -> list[BaseThrottle]:
    """The throttles of a view that has this scope, one by scope among them."""
    wanted = list(kinds)
    if scope and not any(issubclass(kind, ScopedRateThrottle) for kind in wanted):
        wanted.append(ScopedRateThrottle)
    return [_make(kind) for kind in wanted]


def _make(kind: type[BaseThrottle]) -> BaseThrottle:
    """A throttle by the rates that hold now, where REST framework's own would keep those it was imported with."""
    rates = api_settings.DEFAULT_THROTTLE_RATES
    own_rates = getattr(kind, "THROTTLE_RATES", rates)
    if own_rates == rates or own_rates is not SimpleRateThrottle.THROTTLE_RATES:
        return kind()
    current: type[BaseThrottle] = type(kind.__name__, (kind,), {"THROTTLE_RATES": rates})
    return current()
