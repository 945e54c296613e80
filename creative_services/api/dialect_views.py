"""The routes of the APIs that remember nothing: OpenAI's Responses and Anthropic's Messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from creative_services.api.dialects.messages import MESSAGES
from creative_services.api.dialects.responses import RESPONSES
from creative_services.api.views import CallView

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.response import Response


class ResponsesView(CallView):
    """`POST v1/responses`."""

    dialect = RESPONSES


class MessagesView(CallView):
    """`POST v1/messages`; its header `request-id` is where Anthropic's clients look for the call's id."""

    dialect = MESSAGES

    def finalize_response(self, request: Request, response: Any, *args: Any, **_: Any) -> Response:
        final = super().finalize_response(request, response, *args)
        if told := final.headers.get("x-request-id"):
            final.headers["request-id"] = told
        return final
