"""The events of the Messages API: each block is opened, filled and closed before the next one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from creative_services.api.dialects.messages_body import STOP_REASONS, arguments, frame, tool_use, usage_body
from creative_services.api.dialects.messages_errors import error_body
from creative_services.api.dialects.sealing import seal
from creative_services.api.dialects.sse import event, to_json

if TYPE_CHECKING:
    from creative_services.api.dialects.base import Fault
    from creative_services.api.dialects.messages_body import Block
    from creative_services.core.types import LLMChunk, LLMEntry, LLMResponse

_AFTER = b"}}\n\n"


class MessagesWriter:
    """Writes one stream."""

    def __init__(self, request_id: str, llm: LLMEntry) -> None:
        self._request_id = request_id
        self._llm = llm
        self._index = -1
        self._open: str | None = None  # the kind of block that pieces are going into
        self._before = b""  # what stands before each of them

    def begin(self) -> bytes:
        return _event("message_start", {"message": frame(self._request_id, self._llm.model)})

    def chunk(self, chunk: LLMChunk) -> bytes:
        written = b""
        if chunk.reasoning:
            written += self._piece({"type": "thinking", "thinking": "", "signature": ""}, chunk.reasoning)
        if chunk.text:
            written += self._piece({"type": "text", "text": ""}, chunk.text)
        for call in chunk.tool_calls:
            written += self._begun(tool_use(call))
            delta = {"type": "input_json_delta", "partial_json": to_json(arguments(call)).decode()}
            written += _event("content_block_delta", {"index": self._index, "delta": delta})
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

    def _piece(self, block: Block, words: str) -> bytes:
        """Words for a block of this kind; made once a token, so only they are encoded each time."""
        kind = block["type"]
        written = b""
        if self._open != kind:
            written = self._begun(block)
            head = {"type": "content_block_delta", "index": self._index, "delta": {"type": f"{kind}_delta", kind: ""}}
            self._before = event("content_block_delta", head).removesuffix(b'""' + _AFTER)
        return written + self._before + json.dumps(words).encode() + _AFTER

    def _begun(self, block: Block) -> bytes:
        written = self._closed()
        self._open = block["type"]
        self._index += 1
        return written + _event("content_block_start", {"index": self._index, "content_block": block})

    def _closed(self) -> bytes:
        if self._open is None:
            return b""
        self._open = None
        return _event("content_block_stop", {"index": self._index})


def _event(name: str, fields: dict[str, Any]) -> bytes:
    return event(name, {"type": name} | fields)
