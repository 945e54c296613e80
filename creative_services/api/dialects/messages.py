"""Anthropic's Messages API, `POST v1/messages`.

https://docs.anthropic.com/en/api/messages
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from creative_services.api.dialects import messages_conversation as translate
from creative_services.api.dialects import messages_errors, reading
from creative_services.api.dialects.base import Asked
from creative_services.api.dialects.fields import flag, refusal, sort_out
from creative_services.api.dialects.messages_body import message
from creative_services.api.dialects.messages_events import MessagesWriter

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from creative_services.api.dialects.base import Fault
    from creative_services.core.types import LLMEntry, LLMResponse

TAKEN = frozenset({
    "model", "messages", "max_tokens", "system", "temperature", "stop_sequences", "stream", "tools", "tool_choice",
    "output_config", "output_format", "cache_control", "top_p",
})  # fmt: skip
NEUTRAL: Mapping[str, Collection[Any]] = MappingProxyType({"mcp_servers": ([],)})
# What these ask for changes nothing that an answer says, or is for the LLM's row to say: how much a model thinks.
IGNORED = frozenset({
    "diagnostics", "metadata", "service_tier", "speed", "thinking", "user_profile_id", "workspace_id",
})  # fmt: skip


class Messages:
    """The dialect."""

    def read(self, body: dict[str, Any]) -> Asked:
        fields = sort_out(body, TAKEN, NEUTRAL, IGNORED)
        stream = flag(fields, "stream")
        return Asked(reading.a_string(fields, "model", ""), stream, _call(fields))

    def whole(self, asked: Asked, response: LLMResponse) -> Mapping[str, Any]:
        return message(response)

    def writer(self, asked: Asked, request_id: str, llm: LLMEntry) -> MessagesWriter:
        return MessagesWriter(request_id, llm)

    def error_body(self, fault: Fault) -> Mapping[str, Any]:
        return messages_errors.error_body(fault)


def _call(fields: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `generate`."""
    call: dict[str, Any] = {"max_tokens": reading.whole_number(fields.get("max_tokens"), "max_tokens"), "messages": []}
    if fields.get("system"):
        call |= translate.system(fields["system"])
    call["messages"] += translate.messages(fields.get("messages"))
    if "cache_control" in fields:
        translate.mark_last(call["messages"], fields["cache_control"])
    if "temperature" in fields:
        call["temperature"] = fields["temperature"]
    if "stop_sequences" in fields:
        call["stop"] = fields["stop_sequences"]
    if form := _response_format(fields):
        call["response_format"] = form
    if options := _options(fields):
        call["options"] = options
    return call | _tools(fields)


def _options(fields: dict[str, Any]) -> dict[str, Any]:
    """What other APIs have as fields of their own."""
    options = {"top_p": fields["top_p"]} if "top_p" in fields else {}
    if fields.get("tools") and translate.wants_single_calls(fields.get("tool_choice")):
        options["parallel_tool_calls"] = False
    return options


def _response_format(fields: dict[str, Any]) -> dict[str, Any] | None:
    """What the text must look like; `output_format` is the older word for it. `effort` is for the LLM's row to say."""
    if "output_format" in fields:
        return translate.response_format(fields["output_format"], "output_format")
    config = reading.an_object(fields.get("output_config", {}), "output_config")
    unknown = [name for name in config if name not in {"format", "effort"}]
    if unknown:
        raise refusal(f"output_config.{unknown[0]}", "is not supported here. Leave it out.")
    form = config.get("format")
    return None if form is None else translate.response_format(form, "output_config.format")


def _tools(fields: dict[str, Any]) -> dict[str, Any]:
    """The tools and which of them to call; a choice without tools chooses nothing, and several APIs refuse it."""
    choice = translate.tool_choice(fields.get("tool_choice", {"type": "auto"}))
    tools = translate.tools(fields.get("tools", []))
    if not tools:
        return {}
    return {"tools": tools} | ({"tool_choice": choice} if "tool_choice" in fields else {})


MESSAGES = Messages()
