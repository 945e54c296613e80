"""Anthropic's Messages API.

https://docs.anthropic.com/en/api/messages
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from creative_services.core.errors import ConfigurationError, InvalidRequestError
from creative_services.core.options import spell
from creative_services.core.secret import Secret
from creative_services.core.wire import anthropic_conversation as translate
from creative_services.core.wire import json_text, listings
from creative_services.core.wire.anthropic_answer import AnthropicReader, whole
from creative_services.core.wire.base import CHAT_OPTIONS
from creative_services.core.wire.errors import malformed, provider_error
from creative_services.core.wire.sending import get, post, temperature

if TYPE_CHECKING:
    from collections.abc import Mapping

    from creative_services.core.errors import ProviderError
    from creative_services.core.http import HttpRequest
    from creative_services.core.request import LLMRequest
    from creative_services.core.types import LLMEntry
    from creative_services.core.wire.base import Delta, Reader, Route

_WORDS = {"top_p": "top_p", "parallel_tool_calls": None, "seed": None}
VERSION = "2023-06-01"


class AnthropicMessages:
    """The wire `anthropic_messages`."""

    name = "anthropic_messages"

    def build(self, entry: LLMEntry, route: Route, request: LLMRequest, *, stream: bool) -> HttpRequest:
        system = translate.system_text(request)
        body: dict[str, Any] = {"model": entry.model, "max_tokens": request.max_tokens or entry.max_tokens}
        if system:
            body["system"] = system
        body["messages"] = translate.conversation(request)
        if (warmth := _temperature(entry, route, request)) is not None:
            body["temperature"] = warmth
        body |= _options(request)
        if CHAT_OPTIONS in route.quirks and "output_config" in body:
            raise translate.refuse("`response_format` at this server", "Take the wire openai_chat.")
        if stream:
            body["stream"] = True
        return post(entry, f"{route.base_url}/messages", _headers(route), body, request)

    def parse(self, entry: LLMEntry, body: bytes) -> Delta:
        try:
            answer = json_text.load(body)
        except ValueError:
            raise malformed(entry) from None
        return whole(entry, answer)

    def reader(self, entry: LLMEntry) -> Reader:
        return AnthropicReader(entry)

    def parse_error(self, entry: LLMEntry, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
        return provider_error(entry, status, headers, body)

    def build_listing(self, entry: LLMEntry, route: Route) -> HttpRequest:
        return get(entry, f"{route.base_url}/models?limit=1000", _headers(route))

    def parse_listing(self, entry: LLMEntry, body: bytes) -> list[str]:
        return listings.read(entry, body)


def _headers(route: Route) -> dict[str, str]:
    headers = {"anthropic-version": VERSION}
    if route.api_key:
        headers["x-api-key"] = Secret(route.api_key)
    return headers


def _options(request: LLMRequest) -> dict[str, Any]:
    options = spell(request.options, _WORDS, translate.refuse)
    if request.stop:
        options["stop_sequences"] = list(request.stop)
    if request.tools:
        options["tools"] = translate.tools(request.tools)
    if choice := _tool_choice(request):
        options["tool_choice"] = choice
    if request.response_format is not None and (form := translate.output_format(request.response_format)):
        options["output_config"] = {"format": form}
    return options


def _tool_choice(request: LLMRequest) -> dict[str, Any] | None:
    choice = None if request.tool_choice is None else translate.tool_choice(request.tool_choice)
    if not request.tools or "parallel_tool_calls" not in request.options or choice == {"type": "none"}:
        return choice
    return {"type": "auto"} | (choice or {}) | {"disable_parallel_tool_use": True}


def _temperature(entry: LLMEntry, route: Route, request: LLMRequest) -> float | None:
    if "top_p" in request.options and request.temperature is None:
        return None  # newer models take one of the two only, and this one was asked for
    warmth = temperature(entry, route, request)
    if warmth is None or warmth <= 1:
        return warmth
    if request.temperature is not None:
        raise InvalidRequestError("The Anthropic Messages API takes a `temperature` from 0 to 1. Give a lower one.")
    raise ConfigurationError(
        f"LLM {entry.id} ({entry.name}) has temperature {warmth}, and Anthropic takes 0 to 1. Lower it."
    )
