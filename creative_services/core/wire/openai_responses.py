"""OpenAI's Responses API, used without state: nothing is stored, the whole conversation is sent each time.

https://platform.openai.com/docs/api-reference/responses
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from creative_services.core.options import spell
from creative_services.core.wire import json_text
from creative_services.core.wire import responses_conversation as translate
from creative_services.core.wire.base import CHAT_OPTIONS, DEVELOPER_ROLE
from creative_services.core.wire.errors import malformed, provider_error
from creative_services.core.wire.models import encrypts_reasoning
from creative_services.core.wire.openai_host import OpenAIHost
from creative_services.core.wire.responses_answer import ResponsesReader
from creative_services.core.wire.sending import post, temperature

if TYPE_CHECKING:
    from collections.abc import Mapping

    from creative_services.core.errors import ProviderError
    from creative_services.core.http import HttpRequest
    from creative_services.core.request import LLMRequest
    from creative_services.core.types import LLMEntry
    from creative_services.core.wire.base import Delta, Reader, Route


_WORDS = {"top_p": "top_p", "parallel_tool_calls": "parallel_tool_calls", "seed": None}


class OpenAIResponses(OpenAIHost):
    """The wire `openai_responses`."""

    name = "openai_responses"

    def build(self, entry: LLMEntry, route: Route, request: LLMRequest, *, stream: bool) -> HttpRequest:
        body: dict[str, Any] = {"model": entry.model}
        if request.system:
            body["instructions"] = request.system
        body["input"] = translate.input_items(request, knows_developer=DEVELOPER_ROLE in route.quirks)
        body["max_output_tokens"] = request.max_tokens or entry.max_tokens
        if (warmth := temperature(entry, route, request)) is not None:
            body["temperature"] = warmth
        body |= _tools(request) | _limits(request, has_chat_options=CHAT_OPTIONS in route.quirks)
        body |= spell(request.options, _WORDS, translate.refuse)
        body["store"] = False
        if encrypts_reasoning(entry.model):
            body["include"] = ["reasoning.encrypted_content"]
        if stream:
            body["stream"] = True
        return post(entry, f"{route.base_url}/responses", self.key_header(route), body, request)

    def parse(self, entry: LLMEntry, body: bytes) -> Delta:
        try:
            answer = json_text.load(body)
        except ValueError:
            raise malformed(entry) from None
        return ResponsesReader(entry).whole(answer)

    def reader(self, entry: LLMEntry) -> Reader:
        return ResponsesReader(entry)

    def parse_error(self, entry: LLMEntry, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
        return provider_error(entry, status, headers, body)


def _tools(request: LLMRequest) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if request.tools:
        options["tools"] = translate.tools(request.tools)
    if request.tool_choice is not None:
        options["tool_choice"] = translate.tool_choice(request.tool_choice)
    return options


def _limits(request: LLMRequest, *, has_chat_options: bool) -> dict[str, Any]:
    """What the text must look like, and where it ends."""
    if has_chat_options:
        options = {"stop": request.stop, "response_format": request.response_format}
        return {name: value for name, value in options.items() if value}
    if request.stop:
        raise translate.refuse("`stop`", "Leave it out, or ask an LLM of another API.")
    if request.response_format is not None and (form := translate.text_format(request.response_format)):
        return {"text": {"format": form}}
    return {}
