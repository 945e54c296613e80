"""The views: plain sync ones, which serve whole and streamed answers under WSGI and ASGI alike."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from asgiref.sync import async_to_sync
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponse
from rest_framework.metadata import SimpleMetadata
from rest_framework.parsers import JSONParser
from rest_framework.response import Response
from rest_framework.views import APIView

from creative_services.adapters import get_client, get_sync_client
from creative_services.adapters.budget_notices import noting_exceeded
from creative_services.adapters.clients import get_registry
from creative_services.adapters.connections import holding_none, outside_transactions
from creative_services.adapters.machine_keys import token_just_read
from creative_services.adapters.probe import first_callable
from creative_services.adapters.registry import one_look
from creative_services.api.bodies import llm_body, llm_name
from creative_services.api.dialects.own import OWN
from creative_services.api.dialects.sse import to_json
from creative_services.api.errors import exception_handler
from creative_services.api.headers import budget_headers, call_headers
from creative_services.api.naming import target_of
from creative_services.api.policies import (
    KeysBeforeProjects,
    MayGenerate,
    ProjectSetting,
    ThrottleScope,
    allowed_tiers,
    caller_of,
    challenge,
    check_tier,
    is_staff,
    make_throttles,
)
from creative_services.api.reading import read_object
from creative_services.api.rendering import JSONRenderer, OnlyJSON
from creative_services.api.streaming import BegunAsyncEvents, BegunEvents, event_stream
from creative_services.core.errors import LLMNotFoundError
from creative_services.core.llm_registry import rank
from creative_services.core.types import LLMTier

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpResponseBase
    from rest_framework.request import Request
    from rest_framework.throttling import BaseThrottle

    from creative_services.api.dialects.base import Asked, Dialect, Form


class CreativeServicesView(APIView):
    """What all views here share: the contract's own bodies and errors, the project's authentication and throttles."""

    renderer_classes = (JSONRenderer,)
    parser_classes = (JSONParser,)
    permission_classes = (MayGenerate,)
    content_negotiation_class = OnlyJSON
    metadata_class = SimpleMetadata
    versioning_class = None
    authentication_classes = KeysBeforeProjects()
    throttle_classes = ProjectSetting("DEFAULT_THROTTLE_CLASSES")
    throttle_scope: str | ThrottleScope | None = None
    dialect: Form = OWN

    def get_throttles(self) -> list[BaseThrottle]:
        return make_throttles(self.throttle_classes, self.throttle_scope)

    def get_authenticate_header(self, request: Request) -> str:
        return challenge(self.get_authenticators(), request)

    def get_exception_handler(self) -> Callable[..., Response | None]:
        return exception_handler

    def finalize_response(self, request: Request, response: Any, *args: Any, **_: Any) -> Response:
        final = super().finalize_response(request, response, *args)
        # Caches that many share know users by cookies, and not by the header `x-api-key`.
        final.setdefault("Cache-Control", "private")
        return final


class OutsideTransactions(APIView):
    """A view that ATOMIC_REQUESTS leaves alone."""

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        # Once, where a decorated `dispatch` would be decorated anew by every request.
        return outside_transactions(super().as_view(**initkwargs))


class WholeCallView(OutsideTransactions, CreativeServicesView):
    """A call of an LLM, asked for and answered in one form; `asks` is the client's method for it."""

    throttle_scope = ThrottleScope()
    asks = "generate"

    def post(self, request: Request) -> HttpResponseBase:
        asked = self.dialect.read(read_object(request._request))  # noqa: SLF001  (the only way to Django's request)
        tiers = allowed_tiers(request.user)
        call = asked.call | {"caller": caller_of(request), "tiers": tiers}
        with holding_none(), one_look(token_just_read(request.auth)), noting_exceeded() as exceeded:
            if asked.model is not None:
                call |= target_of(asked.model, tiers)
            answer = self._answer(asked, call)
        for name, value in budget_headers(exceeded).items():
            answer[name] = value
        return answer

    def finalize_response(self, request: Request, response: Any, *args: Any, **_: Any) -> Response:
        # Parsers ask for it, and none is left to: it leads back to the request, and with it all that belongs to an
        # answer would wait for the garbage collector, which then stops every other answer.
        request.parser_context = {}
        return super().finalize_response(request, response, *args)

    @property
    def _is_asgi(self) -> bool:
        return isinstance(self.request._request, ASGIRequest)  # noqa: SLF001

    def _answer(self, asked: Asked, call: dict[str, Any]) -> HttpResponseBase:
        # Under ASGI too this has a thread of its own to the end, and needs no way to the loop and back. So the answer
        # is awaited although its client has left: it is paid for, and is booked as what it came to.
        answer = getattr(get_sync_client(), self.asks)(**call)
        headers = call_headers(answer.request_id, answer.llm.name, len(answer.attempts), answer.cost)
        # REST framework's own response is rendered later, under ASGI in a thread of its own.
        body = to_json(self.dialect.whole(asked, answer))
        return HttpResponse(body, content_type=JSONRenderer.media_type, headers=headers)


class CallView(WholeCallView):
    """A call of an LLM, asked for and answered in one dialect, whole or as server-sent events."""

    dialect: Dialect = OWN

    def _answer(self, asked: Asked, call: dict[str, Any]) -> HttpResponseBase:
        if not asked.stream:
            return super()._answer(asked, call)
        writing = partial(self.dialect.writer, asked)
        if not self._is_asgi:
            return event_stream(BegunEvents(get_sync_client().stream(**call), writing))
        return event_stream(async_to_sync(BegunAsyncEvents.begin)(get_client().stream(**call), writing))


class GenerateView(CallView):
    """`POST generate/`: one answer, whole or as server-sent events."""


class LLMListView(CreativeServicesView):
    """`GET llms/`: the active LLMs of the tiers that the user may use."""

    def get(self, request: Request) -> Response:
        tiers = allowed_tiers(request.user)
        entries = [entry for entry in get_registry().list_active() if entry.tier in tiers]
        return Response([llm_body(entry, for_staff=is_staff(request)) for entry in entries])


class LLMDetailView(CreativeServicesView):
    """`GET llms/<id>/`: one active LLM."""

    def get(self, request: Request, llm_id: int) -> Response:
        entry = get_registry().get_by_id(llm_id)
        if entry is None:
            raise LLMNotFoundError(f"There is no active LLM with the id {llm_id}.")
        check_tier(request.user, entry.tier)
        return Response(llm_body(entry, for_staff=is_staff(request)))


class TierListView(CreativeServicesView):
    """`GET tiers/`: each tier that the user may use and the LLM that a call for it asks first, or null."""

    def get(self, request: Request) -> Response:
        allowed = allowed_tiers(request.user)
        firsts = first_callable(rank(get_registry().list_active()))
        tiers = [tier for tier in LLMTier if tier in allowed]
        return Response(
            [{"tier": tier.value, "llm": llm_name(firsts[tier]) if tier in firsts else None} for tier in tiers]
        )
