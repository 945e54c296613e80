"""The views: plain sync ones, which serve whole and streamed answers under WSGI and ASGI alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgiref.sync import async_to_sync
from django.core.handlers.asgi import ASGIRequest
from django.utils.decorators import method_decorator
from rest_framework.exceptions import ParseError
from rest_framework.metadata import SimpleMetadata
from rest_framework.parsers import JSONParser
from rest_framework.response import Response
from rest_framework.views import APIView

from creative_services.adapters import get_client, get_sync_client
from creative_services.adapters.clients import get_registry
from creative_services.adapters.connections import holding_none, outside_transactions
from creative_services.adapters.probe import first_callable
from creative_services.api.bodies import answer_body, llm_body, llm_name
from creative_services.api.errors import exception_handler
from creative_services.api.policies import MayGenerate, ProjectSetting, is_staff, make_throttle
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

    from creative_services.core.types import LLMResponse

FIELDS = frozenset({
    "prompt", "messages", "system", "tier", "llm_id", "max_tokens", "temperature", "stop", "tools", "tool_choice",
    "response_format", "stream", "on_interrupt",
})  # fmt: skip


class CreativeServicesView(APIView):
    """What all views here share: the contract's own bodies and errors, the project's authentication and throttles."""

    renderer_classes = (JSONRenderer,)
    parser_classes = (JSONParser,)
    permission_classes = (MayGenerate,)
    content_negotiation_class = OnlyJSON
    metadata_class = SimpleMetadata
    versioning_class = None
    authentication_classes = ProjectSetting("DEFAULT_AUTHENTICATION_CLASSES")
    throttle_classes = ProjectSetting("DEFAULT_THROTTLE_CLASSES")

    def get_throttles(self) -> list[BaseThrottle]:
        return [make_throttle(kind) for kind in self.throttle_classes]

    def get_exception_handler(self) -> Callable[..., Response | None]:
        return exception_handler


@method_decorator(outside_transactions, name="dispatch")
class GenerateView(CreativeServicesView):
    """`POST generate/`: one answer, whole or as server-sent events."""

    def post(self, request: Request) -> HttpResponseBase:
        call = read_object(request._request, FIELDS)  # noqa: SLF001  (REST framework's only way to Django's request)
        stream = call.pop("stream", None)
        if not isinstance(stream, bool | None):
            raise ParseError("`stream` must be true or false.")
        if call.get("on_interrupt") is None:
            call.pop("on_interrupt", None)
        elif not stream:
            raise ParseError("`on_interrupt` is only for streams: send it with `stream` true.")
        with holding_none():
            return self._stream(call) if stream else Response(answer_body(self._generate(call)))

    @property
    def _is_asgi(self) -> bool:
        return isinstance(self.request._request, ASGIRequest)  # noqa: SLF001

    def _generate(self, call: dict[str, Any]) -> LLMResponse:
        if self._is_asgi:
            return async_to_sync(get_client().generate)(**call)
        return get_sync_client().generate(**call)

    def _stream(self, call: dict[str, Any]) -> HttpResponseBase:
        if self._is_asgi:
            return event_stream(async_to_sync(self._begin)(call))
        return event_stream(BegunEvents(get_sync_client().stream(**call)))

    async def _begin(self, call: dict[str, Any]) -> BegunAsyncEvents:
        return await BegunAsyncEvents.begin(get_client().stream(**call))


class LLMListView(CreativeServicesView):
    """`GET llms/`: the active LLMs."""

    def get(self, request: Request) -> Response:
        entries = get_registry().list_active()
        return Response([llm_body(entry, for_staff=is_staff(request)) for entry in entries])


class LLMDetailView(CreativeServicesView):
    """`GET llms/<id>/`: one active LLM."""

    def get(self, request: Request, llm_id: int) -> Response:
        entry = get_registry().get_by_id(llm_id)
        if entry is None:
            raise LLMNotFoundError(f"There is no active LLM with the id {llm_id}.")
        return Response(llm_body(entry, for_staff=is_staff(request)))


class TierListView(CreativeServicesView):
    """`GET tiers/`: each tier and the LLM that a call for it asks first, or null."""

    def get(self, request: Request) -> Response:
        firsts = first_callable(rank(get_registry().list_active()))
        return Response(
            [{"tier": tier.value, "llm": llm_name(firsts[tier]) if tier in firsts else None} for tier in LLMTier]
        )
