"""How providers write their answers: the other side of `core.wire`, written on its own so that both must agree."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from creative_services.core.types import Usage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from creative_services.testing.replies import Failure, Reply

Json = Mapping[str, Any]


class Spelling(Protocol):
    """One API's side of the wire. Streams are written event by event; `number` tells answers apart."""

    request_id_header: str

    def __init__(self, request: Json, number: int) -> None: ...
    def whole(self, reply: Reply) -> Json: ...
    def opening(self, reply: Reply) -> Iterator[bytes]: ...
    def piece(self, reply: Reply, text: str) -> bytes: ...
    def closing(self, reply: Reply) -> Iterator[bytes]: ...
    def failure(self, failure: Failure) -> Json: ...
    def failure_event(self, failure: Failure) -> bytes: ...


def compact(value: Json) -> bytes:
    """The value as JSON, as providers send it: without spaces, text as UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


class ChatSpelling:
    """OpenAI chat completions."""

    request_id_header = "x-request-id"
    reasons: Mapping[str, str] = {"tool_call": "tool_calls"}
    codes: Mapping[int, str] = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}

    def __init__(self, request: Json, number: int) -> None:
        self.request = request
        self.number = number

    def whole(self, reply: Reply) -> Json:
        message: dict[str, Any] = {"role": "assistant", "content": "".join(reply.pieces) or None}
        if reply.reasoning:
            message["reasoning_content"] = reply.reasoning
        if reply.tool_calls:
            message["tool_calls"] = self._tool_calls(reply)
        choice = {"index": 0, "message": message, "finish_reason": self._reason(reply)}
        body = self._frame("chat.completion") | {"choices": [choice]}
        return body | {"usage": chat_usage(reply.usage)} if reply.usage else body

    def opening(self, reply: Reply) -> Iterator[bytes]:
        yield self._event({"role": "assistant", "content": ""})
        if reply.reasoning:
            yield self._event({"reasoning_content": reply.reasoning})

    def piece(self, reply: Reply, text: str) -> bytes:
        return self._event({"content": text})

    def closing(self, reply: Reply) -> Iterator[bytes]:
        for index, call in enumerate(self._tool_calls(reply)):
            # The arguments follow the name in pieces of their own, as OpenAI sends them.
            function, arguments = call["function"], call["function"]["arguments"]
            first = call | {"index": index, "function": function | {"arguments": ""}}
            yield self._event({"tool_calls": [first]})
            for part in (arguments[: len(arguments) // 2], arguments[len(arguments) // 2 :]):
                piece = {"index": index, "function": {"arguments": part}}
                yield self._event({"tool_calls": [piece]})
        yield self._event({}, self._reason(reply))
        if reply.usage and (self.request.get("stream_options") or {}).get("include_usage"):
            frame = self._frame("chat.completion.chunk")
            yield data_event(frame | {"choices": [], "usage": chat_usage(reply.usage)})
        yield b"data: [DONE]\n\n"

    def failure(self, failure: Failure) -> Json:
        kind = "server_error" if failure.status >= 500 else "invalid_request_error"
        code = failure.code or self.codes.get(failure.status)
        return {"error": {"message": failure.message, "type": kind, "param": None, "code": code}}

    def failure_event(self, failure: Failure) -> bytes:
        return data_event(self.failure(failure))

    def _frame(self, kind: str) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-fake-{self.number}",
            "object": kind,
            "created": 1_750_000_000,
            "model": self.request.get("model"),
        }

    def _event(self, delta: Json, reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return data_event(self._frame("chat.completion.chunk") | {"choices": [choice]})

    def _reason(self, reply: Reply) -> str:
        return self.reasons.get(reply.reason, reply.reason)

    def _tool_calls(self, reply: Reply) -> list[dict[str, Any]]:
        return [
            {
                "id": call["id"],
                "type": "function",
                "function": {"name": call["name"], "arguments": call["arguments"]},
            }
            for call in reply.tool_calls
        ]


class MessagesSpelling:
    """Anthropic Messages."""

    request_id_header = "request-id"
    reasons: Mapping[str, str] = {
        "stop": "end_turn",
        "length": "max_tokens",
        "content_filter": "refusal",
        "tool_call": "tool_use",
    }
    codes: Mapping[int, str] = {
        400: "invalid_request_error",
        401: "authentication_error",
        402: "billing_error",
        403: "permission_error",
        404: "not_found_error",
        413: "request_too_large",
        429: "rate_limit_error",
        529: "overloaded_error",
    }

    def __init__(self, request: Json, number: int) -> None:
        self.request = request
        self.number = number

    def whole(self, reply: Reply) -> Json:
        content: list[Json] = []
        if reply.reasoning:
            content.append({"type": "thinking", "thinking": reply.reasoning, "signature": "ZmFrZQ=="})
        if text := "".join(reply.pieces):
            content.append({"type": "text", "text": text})
        for call in reply.tool_calls:
            arguments = json.loads(call["arguments"])
            content.append({"type": "tool_use", "id": call["id"], "name": call["name"], "input": arguments})
        ending = {"content": content, "stop_reason": self._reason(reply), "usage": messages_usage(reply.usage)}
        return self._frame() | ending

    def opening(self, reply: Reply) -> Iterator[bytes]:
        usage = messages_usage(reply.usage) | {"output_tokens": 1} if reply.usage else {}
        started = self._frame() | {"content": [], "stop_reason": None, "usage": usage}
        yield named_event("message_start", {"message": started})
        yield named_event("ping", {})
        if reply.reasoning:
            thought = {"type": "thinking", "thinking": "", "signature": ""}
            yield named_event("content_block_start", {"index": 0, "content_block": thought})
            yield self._delta(0, {"type": "thinking_delta", "thinking": reply.reasoning})
            yield self._delta(0, {"type": "signature_delta", "signature": "ZmFrZQ=="})
            yield named_event("content_block_stop", {"index": 0})
        text = {"type": "text", "text": ""}
        yield named_event("content_block_start", {"index": self._text_index(reply), "content_block": text})

    def piece(self, reply: Reply, text: str) -> bytes:
        return self._delta(self._text_index(reply), {"type": "text_delta", "text": text})

    def closing(self, reply: Reply) -> Iterator[bytes]:
        yield named_event("content_block_stop", {"index": self._text_index(reply)})
        for index, call in enumerate(reply.tool_calls, start=self._text_index(reply) + 1):
            block = {"type": "tool_use", "id": call["id"], "name": call["name"], "input": {}}
            yield named_event("content_block_start", {"index": index, "content_block": block})
            yield self._delta(index, {"type": "input_json_delta", "partial_json": call["arguments"]})
            yield named_event("content_block_stop", {"index": index})
        ending = {"stop_reason": self._reason(reply), "stop_sequence": None}
        yield named_event("message_delta", {"delta": ending, "usage": messages_usage(reply.usage)})
        yield named_event("message_stop", {})

    def failure(self, failure: Failure) -> Json:
        code = failure.code or self.codes.get(failure.status, "api_error")
        return {"type": "error", "error": {"type": code, "message": failure.message}}

    def failure_event(self, failure: Failure) -> bytes:
        return named_event("error", self.failure(failure))

    def _frame(self) -> dict[str, Any]:
        return {
            "id": f"msg_fake_{self.number}",
            "type": "message",
            "role": "assistant",
            "model": self.request.get("model"),
        }

    def _text_index(self, reply: Reply) -> int:
        return 1 if reply.reasoning else 0

    def _delta(self, index: int, delta: Json) -> bytes:
        return named_event("content_block_delta", {"index": index, "delta": delta})

    def _reason(self, reply: Reply) -> str:
        return self.reasons.get(reply.reason, reply.reason)


def data_event(value: Json) -> bytes:
    """A server-sent event without a name."""
    return b"data: " + compact(value) + b"\n\n"


def named_event(name: str, value: Json) -> bytes:
    """A server-sent event whose name is also its `type`, as Anthropic and OpenAI's newer API write them."""
    return b"event: " + name.encode() + b"\ndata: " + compact({"type": name, **value}) + b"\n\n"


def chat_usage(usage: Usage) -> Json:
    """The known counts in OpenAI's words; input includes cached tokens, output includes reasoning.

    The cost is where OpenRouter has it.
    """
    counts: dict[str, Any] = {}
    if usage.input_tokens is not None:
        counts["prompt_tokens"] = usage.input_tokens
    if usage.output_tokens is not None:
        counts["completion_tokens"] = usage.output_tokens
    cached = {"cached_tokens": usage.cache_read_tokens, "cache_write_tokens": usage.cache_write_tokens}
    if details := {name: count for name, count in cached.items() if count is not None}:
        counts["prompt_tokens_details"] = details
    if usage.reasoning_tokens is not None:
        counts["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning_tokens}
    return counts | billed(usage)


def billed(usage: Usage) -> dict[str, float]:
    """The cost by the provider's own word, if it has one."""
    return {} if usage.cost is None else {"cost": float(usage.cost)}


def messages_usage(usage: Usage | None) -> dict[str, Any]:
    """The known counts in Anthropic's words; input excludes what was read from or written to the cache."""
    usage = usage or Usage()
    uncached = usage.input_tokens
    if uncached is not None:
        uncached -= (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0)
    counts = {
        "input_tokens": uncached,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "output_tokens": usage.output_tokens,
    }
    known: dict[str, Any] = {name: count for name, count in counts.items() if count is not None}
    if usage.cache_write_1h_tokens is not None:
        known["cache_creation"] = {"ephemeral_1h_input_tokens": usage.cache_write_1h_tokens}
    return known | billed(usage)
