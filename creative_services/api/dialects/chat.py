"""OpenAI's chat completions.

https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import json
import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from creative_services.api.dialects.base import Asked, Fault
from creative_services.api.dialects.fields import flag, refusal, sort_out
from creative_services.api.dialects.openai_errors import error_body, error_object
from creative_services.api.dialects.sse import data, to_json
from creative_services.core.request import REPLAY_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from creative_services.core.types import FinishReason, LLMChunk, LLMEntry, LLMResponse, ToolCall, Usage

OPTIONS = frozenset({"top_p", "presence_penalty", "frequency_penalty", "seed", "parallel_tool_calls"})
# As `generate` takes them.
PASSED_ON = frozenset({"messages", "max_tokens", "temperature", "stop", "tools", "tool_choice", "response_format"})
TAKEN = PASSED_ON | OPTIONS | {"model", "stream", "stream_options", "max_completion_tokens"}
# What changes nothing, as it is often sent; any other value would have to be passed on to APIs that have no such field.
NEUTRAL: Mapping[str, tuple[Any, ...]] = MappingProxyType(
    {
        "n": (1,),
        "logit_bias": ({},),
        "logprobs": (False,),
        "top_logprobs": (0,),
        "modalities": (["text"],),
        "functions": ([],),
        "function_call": ("auto", "none"),
        "store": (False,),
        "service_tier": ("auto", "default"),
    }
)
# For the provider's own accounts, or to be answered sooner; and how much a model thinks, which its row says.
IGNORED = frozenset({
    "user", "metadata", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "prediction",
    "reasoning_effort",
})  # fmt: skip
DONE = b"data: [DONE]\n\n"


class Chat:
    """`chat/completions`."""

    def read(self, body: dict[str, Any]) -> Asked:
        fields = sort_out(body, TAKEN, NEUTRAL, IGNORED)
        stream = flag(fields, "stream")
        call = {name: fields[name] for name in PASSED_ON if name in fields}
        call["messages"] = _messages(fields)
        if (most := fields.get("max_completion_tokens")) is not None:
            call["max_tokens"] = most
        if options := {name: fields[name] for name in OPTIONS if name in fields}:
            call["options"] = options
        return Asked(fields.get("model", ""), stream, call, options=_includes_usage(fields))

    def whole(self, asked: Asked, response: LLMResponse) -> dict[str, Any]:
        message = response.message
        told = {"role": "assistant", "content": message["content"], "refusal": None}
        if response.tool_calls:
            told["tool_calls"] = message["tool_calls"]
        if response.reasoning:
            told["reasoning_content"] = response.reasoning
        if REPLAY_KEY in message:
            told[REPLAY_KEY] = message[REPLAY_KEY]
        choice = {
            "index": 0,
            "message": told,
            "logprobs": None,
            "finish_reason": finish_reason(response.finish_reason),
        }
        return {
            "id": f"chatcmpl-{response.request_id}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": response.llm.model,
            "choices": [choice],
            "usage": usage_object(response.usage),
        }

    def writer(self, asked: Asked, request_id: str, llm: LLMEntry) -> ChatWriter:
        return ChatWriter(request_id, llm, includes_usage=asked.options)

    def error_body(self, fault: Fault) -> dict[str, Any]:
        return error_body(fault)


class ChatWriter:
    """Chunks, of which only the delta differs: the rest is made once."""

    def __init__(self, request_id: str, llm: LLMEntry, *, includes_usage: bool) -> None:
        head = {
            "id": f"chatcmpl-{request_id}",
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": llm.model,
        }
        self._includes_usage = includes_usage
        self._head = b"data: " + to_json(head)[:-1]
        self._before = self._head + b',"choices":[{"index":0,"delta":'
        self._after = b',"logprobs":null,"finish_reason":null}]'
        self._after += b',"usage":null}\n\n' if includes_usage else b"}\n\n"
        self._before_text = self._before + b'{"content":'
        self._after_text = b"}" + self._after

    def begin(self) -> bytes:
        return self._delta({"role": "assistant", "content": "", "refusal": None})

    def chunk(self, chunk: LLMChunk) -> bytes:
        told = b""
        if chunk.reasoning:
            told = self._delta({"reasoning_content": chunk.reasoning})
        if chunk.text:
            told += self._before_text + json.dumps(chunk.text).encode() + self._after_text
        if chunk.tool_calls:
            told += self._delta({"tool_calls": [_tool_call(call, at) for at, call in enumerate(chunk.tool_calls)]})
        return told

    def done(self, response: LLMResponse) -> bytes:
        replay = response.message.get(REPLAY_KEY)
        told = self._delta({REPLAY_KEY: replay}) if replay else b""
        reason = to_json(finish_reason(response.finish_reason))
        told += self._before + b"{}" + self._after.replace(b'"finish_reason":null', b'"finish_reason":' + reason)
        usage = usage_object(response.usage)
        if self._includes_usage and usage:
            told += self._head + b',"choices":[],"usage":' + to_json(usage) + b"}\n\n"
        return told + DONE

    def error(self, fault: Fault) -> bytes:
        return data({"error": error_object(fault)})

    def _delta(self, delta: dict[str, Any]) -> bytes:
        return self._before + to_json(delta) + self._after


def finish_reason(reason: FinishReason | None) -> str:
    """OpenAI's word; an answer whose provider gave no reason has stopped."""
    return "tool_calls" if reason == "tool_call" else reason or "stop"


def usage_object(usage: Usage) -> dict[str, Any] | None:
    """The counts of tokens; None where the provider did not report them."""
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    told: dict[str, Any] = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }
    prompt = {"cached_tokens": usage.cache_read_tokens, "cache_write_tokens": usage.cache_write_tokens}
    if known := {name: count for name, count in prompt.items() if count is not None}:
        told["prompt_tokens_details"] = known
    if usage.reasoning_tokens is not None:
        told["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning_tokens}
    return told


def _tool_call(call: ToolCall, at: int) -> dict[str, Any]:
    function = {"name": call["name"], "arguments": call["arguments"]}
    return {"index": at, "id": call["id"], "type": "function", "function": function}


def _messages(fields: Mapping[str, Any]) -> Any:
    """The messages, without their nulls, as the SDKs send them."""
    given = fields.get("messages")
    if not isinstance(given, list):
        raise refusal("messages", "must be a list of messages.")
    for index, message in enumerate(given):
        if isinstance(message, dict) and message.get("function_call") is not None:
            raise refusal(f"messages[{index}].function_call", "is not supported. Use `tool_calls`.")
    return given


def _includes_usage(fields: Mapping[str, Any]) -> bool:
    options = fields.get("stream_options", {})
    if not isinstance(options, dict) or not isinstance(options.get("include_usage"), bool | None):
        raise refusal("stream_options", "must be an object, with `include_usage` true or false.")
    return bool(options.get("include_usage"))
