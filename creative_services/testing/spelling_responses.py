"""How OpenAI's Responses API writes its answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from creative_services.core.types import Usage
from creative_services.testing.spelling import Json, billed, named_event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from creative_services.testing.replies import Failure, Reply


class ResponsesSpelling:
    """OpenAI Responses."""

    request_id_header = "x-request-id"
    reasons: Mapping[str, str] = {"length": "max_output_tokens", "content_filter": "content_filter"}
    codes: Mapping[int, str] = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}

    def __init__(self, request: Json, number: int) -> None:
        self.request = request
        self.number = number

    def whole(self, reply: Reply) -> Json:
        reason = self.reasons.get(reply.reason)
        return self._frame() | {
            "status": "incomplete" if reason else "completed",
            "incomplete_details": {"reason": reason} if reason else None,
            "output": self._output(reply),
            "usage": responses_usage(reply.usage) if reply.usage else None,
        }

    def opening(self, reply: Reply) -> Iterator[bytes]:
        started = self._frame() | {"status": "in_progress", "output": [], "usage": None}
        yield named_event("response.created", {"response": started})
        yield named_event("response.in_progress", {"response": started})
        if reply.reasoning:
            piece = {"output_index": 0, "summary_index": 0, "delta": reply.reasoning}
            yield named_event("response.reasoning_summary_text.delta", piece)
            yield named_event("response.output_item.done", {"output_index": 0, "item": self._output(reply)[0]})

    def piece(self, reply: Reply, text: str) -> bytes:
        piece = {"output_index": 1 if reply.reasoning else 0, "content_index": 0, "delta": text}
        return named_event("response.output_text.delta", piece)

    def closing(self, reply: Reply) -> Iterator[bytes]:
        for index, item in enumerate(self._output(reply)):
            if item["type"] == "function_call":
                piece = {"output_index": index, "delta": item["arguments"]}
                yield named_event("response.function_call_arguments.delta", piece)
            if item["type"] != "reasoning":
                yield named_event("response.output_item.done", {"output_index": index, "item": item})
        response = self.whole(reply)
        yield named_event(f"response.{response['status']}", {"response": response})

    def failure(self, failure: Failure) -> Json:
        kind = "server_error" if failure.status >= 500 else "invalid_request_error"
        code = failure.code or self.codes.get(failure.status)
        return {"error": {"message": failure.message, "type": kind, "param": None, "code": code}}

    def failure_event(self, failure: Failure) -> bytes:
        return named_event("error", self.failure(failure))

    def _frame(self) -> dict[str, Any]:
        return {
            "id": f"resp_fake_{self.number}",
            "object": "response",
            "created_at": 1_750_000_000,
            "error": None,
            "model": self.request.get("model"),
        }

    def _output(self, reply: Reply) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        if reply.reasoning:
            summary = [{"type": "summary_text", "text": reply.reasoning}]
            items.append({"id": "rs_fake", "type": "reasoning", "summary": summary, "encrypted_content": "ZmFrZQ=="})
        if text := "".join(reply.pieces):
            part = {"type": "output_text", "text": text, "annotations": []}
            items.append({"id": "msg_fake", "type": "message", "role": "assistant", "content": [part]})
        for call in reply.tool_calls:
            called = {"call_id": call["id"], "name": call["name"], "arguments": call["arguments"]}
            items.append({"id": f"fc_{call['id']}", "type": "function_call", "status": "completed", **called})
        return items


def responses_usage(usage: Usage) -> Json:
    """The known counts in the Responses API's words; input includes cached tokens, output includes reasoning."""
    counts = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    cached = {"cached_tokens": usage.cache_read_tokens, "cache_write_tokens": usage.cache_write_tokens}
    details = {
        "input_tokens_details": known(cached),
        "output_tokens_details": known({"reasoning_tokens": usage.reasoning_tokens}),
    }
    return known(counts) | {name: value for name, value in details.items() if value} | billed(usage)


def known(counts: Mapping[str, int | None]) -> dict[str, int]:
    """Those counts that are known."""
    return {name: count for name, count in counts.items() if count is not None}
