"""The routes of the APIs that remember nothing: OpenAI's Responses and Anthropic's Messages."""

from __future__ import annotations

from creative_services.api.dialects.messages import MESSAGES
from creative_services.api.dialects.responses import RESPONSES
from creative_services.api.views import CallView


class ResponsesView(CallView):
    """`POST v1/responses`."""

    dialect = RESPONSES


class MessagesView(CallView):
    """`POST v1/messages`."""

    dialect = MESSAGES
