"""JSON out, whatever the project's REST framework settings and the request's Accept header say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from creative_services.api.dialects.sse import to_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rest_framework.request import Request


class JSONRenderer(BaseRenderer):
    """Renders every body of this API."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return b"" if data is None else to_json(data)


class OnlyJSON(BaseContentNegotiation):
    """Answers in JSON whatever is accepted: a client that asks for an event stream must still be told its errors."""

    def select_parser(self, request: Request, parsers: Sequence[BaseParser]) -> BaseParser | None:  # type: ignore[override]
        kind = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == kind), None)

    def select_renderer(  # type: ignore[override]
        self, request: Request, renderers: Sequence[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], JSONRenderer.media_type
