"""OpenAI chat completions, which most providers speak.

https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from creative_services.core.request import REPLAY_KEY
from creative_services.core.wire import json_text
from creative_services.core.wire.base import (
    CACHE_MARKS,
    DEVELOPER_ROLE,
    MAX_COMPLETION_TOKENS,
    NO_STREAM_USAGE,
    RANDOM_SEED,
    Delta,
    Route,
)
from creative_services.core.wire.errors import malformed, provider_error
from creative_services.core.wire.models import needs_max_completion_tokens
from creative_services.core.wire.openai_answer import OpenAIChatReader
from creative_services.core.wire.openai_host import OpenAIHost
from creative_services.core.wire.sending import post, temperature

if TYPE_CHECKING:
    from collections.abc import Mapping

    from creative_services.core.errors import ProviderError
    from creative_services.core.http import HttpRequest
    from creative_services.core.request import LLMRequest, Message
    from creative_services.core.types import LLMEntry
    from creative_services.core.wire.base import Reader


class OpenAIChat(OpenAIHost):
    """The wire `openai_chat`. Messages, tools and formats are already in its form; they go out as they came."""

    name = "openai_chat"

    def build(self, entry: LLMEntry, route: Route, request: LLMRequest, *, stream: bool) -> HttpRequest:
        body: dict[str, Any] = {"model": entry.model, "messages": self._messages(request, route)}
        capped = MAX_COMPLETION_TOKENS in route.quirks or needs_max_completion_tokens(entry.model)
        body["max_completion_tokens" if capped else "max_tokens"] = request.max_tokens or entry.max_tokens
        if (warmth := temperature(entry, route, request)) is not None:
            body["temperature"] = warmth
        for name in ("stop", "tools", "tool_choice", "response_format"):
            if value := getattr(request, name):
                body[name] = value
        if request.tools and CACHE_MARKS not in route.quirks:
            body["tools"] = [_without_mark(tool) for tool in request.tools]
        body |= request.options
        if RANDOM_SEED in route.quirks and "seed" in body:
            body["random_seed"] = body.pop("seed")
        if stream:
            body["stream"] = True
            if NO_STREAM_USAGE not in route.quirks:
                body["stream_options"] = {"include_usage": True}
        return post(entry, f"{route.base_url}/chat/completions", self.key_header(route), body, request)

    def parse(self, entry: LLMEntry, body: bytes) -> Delta:
        try:
            answer = json_text.load(body)
        except ValueError:
            raise malformed(entry) from None
        return OpenAIChatReader(entry).whole(answer)

    def reader(self, entry: LLMEntry) -> Reader:
        return OpenAIChatReader(entry)

    def parse_error(self, entry: LLMEntry, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
        return provider_error(entry, status, headers, body)

    def _messages(self, request: LLMRequest, route: Route) -> list[Message]:
        messages = [self._message(message, route) for message in request.messages]
        return [{"role": "system", "content": request.system}, *messages] if request.system else messages

    def _message(self, message: Message, route: Route) -> Message:
        if CACHE_MARKS not in route.quirks:
            message = _unmarked(message)
        if message["role"] == "developer" and DEVELOPER_ROLE not in route.quirks:
            return {**message, "role": "system"}
        if REPLAY_KEY not in message:
            return message
        replay = json_text.mapping(message[REPLAY_KEY])
        plain = {key: value for key, value in message.items() if key != REPLAY_KEY}
        if replay.get("wire") != self.name:
            return plain
        fields = [block for block in json_text.objects(replay.get("blocks")) if block.keys() <= _REPLAYED]
        return {**plain, **{key: value for block in fields for key, value in block.items()}}


_MARK = "cache_control"


def _unmarked(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """A message without what only some servers take: marks of what may be kept in the provider's cache."""
    content = given.get("content")
    parts = content if isinstance(content, list | tuple) else ()
    if any(_MARK in part for part in (given, *parts)):
        given = _without_mark(given)
        return given | ({"content": [_without_mark(part) for part in parts]} if parts else {})
    return given


def _without_mark(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name != _MARK}


_REPLAYED = {"reasoning_content", "reasoning_details"}
