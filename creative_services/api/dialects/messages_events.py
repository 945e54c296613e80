"""The events of the Messages API: each block is opened, filled and closed before the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from creative_services.api.dialects.messages_body import STOP_REASONS, arguments, frame, tool_use, usage_body
from creative_services.api.dialects.messages_errors import error_body
from creative_services.api.dialects.sealing import seal
from creative_services.api.dialects.sse import event, to_json

if TYPE_CHECKING:
    from creative_services.api.dialects.base import Fault
    from creative_services.api.dialects.messages_body import Block
    from creative_services.core.types import LLMChunk, LLMEntry, LLMResponse


class MessagesWriter:
    """Writes one stream."""

    def __init__(self, request_id: str, llm: LLMEntry) -> None:
        self._request_id = request_id
        self._llm = llm
        self._index = -1
        self._open: str | None = None  # the kind of block that pieces are going into

    def begin(self) -> bytes:
        return _event("message_start", {"message": frame(self._request_id, self._llm.model)})

    def chunk(self, chunk: LLMChunk) -> bytes:
        written = b""
        if chunk.reasoning:
            written += self._filling({"type": "thinking", "thinking": "", "signature": ""})
            written += self._delta({"type": "thinking_delta", "thinking": chunk.reasoning})
        if chunk.text:
            written += self._filling({"type": "text", "text": ""})
            written += self._delta({"type": "text_delta", "text": chunk.text})
        for call in chunk.tool_calls:
            written += self._begun(tool_use(call))
            written += self._delta({"type": "input_json_delta", "partial_json": to_json(arguments(call)).decode()})
        return written

    def done(self, response: LLMResponse) -> bytes:
        written = b""
        if sealed := seal(response):
            written += self._begun({"type": "redacted_thinking", "data": sealed})
        written += self._closed()
        ending = {"stop_reason": STOP_REASONS[response.finish_reason], "stop_sequence": None}
        written += _event("message_delta", {"delta": ending, "usage": usage_body(response.usage)})
        return written + _event("message_stop", {})

    def error(self, fault: Fault) -> bytes:
        return event("error", error_body(fault))

    def _filling(self, block: Block) -> bytes:
        """What opens this block; nothing where one of its kind is open."""
        return b"" if self._open == block["type"] else self._begun(block)

    def _begun(self, block: Block) -> bytes:
        written = self._closed()
        self._open = block["type"]
        self._index += 1
        return written + _event("content_block_start", {"index": self._index, "content_block": block})

    def _delta(self, delta: dict[str, Any]) -> bytes:
        return _event("content_block_delta", {"index": self._index, "delta": delta})

    def _closed(self) -> bytes:
        if self._open is None:
            return b""
        self._open = None
        return _event("content_block_stop", {"index": self._index})


def _event(name: str, fields: dict[str, Any]) -> bytes:
    return event(name, {"type": name} | fields)
