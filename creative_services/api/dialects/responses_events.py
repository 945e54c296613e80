"""The events of the Responses API: each item is opened, filled and closed before the next one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from creative_services.api.dialects.openai_errors import error_object
from creative_services.api.dialects.responses_body import said_status, status_of, text_part
from creative_services.api.dialects.sealing import seal
from creative_services.api.dialects.sse import event

if TYPE_CHECKING:
    from creative_services.api.dialects.base import Fault
    from creative_services.api.dialects.responses_body import Frame, Item
    from creative_services.core.types import LLMChunk, LLMEntry, LLMResponse, ToolCall

_PART: dict[str, Any] = {"content_index": 0}
_TEXT: dict[str, Any] = {"content_index": 0, "logprobs": []}
_SUMMARY: dict[str, Any] = {"summary_index": 0}
_DELTAS: dict[str, tuple[str, dict[str, Any]]] = {
    "message": ("response.output_text.delta", _TEXT),
    "reasoning": ("response.reasoning_summary_text.delta", _SUMMARY),
}


class ResponsesWriter:
    """Writes one stream; keeps its items, since the last event repeats them all."""

    def __init__(self, frame: Frame, llm: LLMEntry) -> None:
        self._frame = frame
        self._model = llm.model
        self._items: list[Item] = []
        self._open: str | None = None  # the kind of item that pieces are going into
        self._pieces: list[str] = []
        self._before = b""  # what stands before each of them
        self._number = 0

    def begin(self) -> bytes:
        started = self._frame.snapshot("in_progress", self._model, [])
        return self._event("response.created", {"response": started}) + self._event(
            "response.in_progress", {"response": started}
        )

    def chunk(self, chunk: LLMChunk) -> bytes:
        written = b""
        if chunk.reasoning:
            written += self._opened("reasoning") + self._piece(chunk.reasoning)
        if chunk.text:
            written += self._opened("message") + self._piece(chunk.text)
        for call in chunk.tool_calls:
            written += self._closed("completed") + self._call(call)
        return written

    def done(self, response: LLMResponse) -> bytes:
        status = status_of(response.finish_reason)
        written = b"" if response.text or response.tool_calls else self._opened("message")
        written += self._closed(said_status(response.finish_reason))
        if sealed := seal(response):
            written += self._whole(self._frame.reasoning(len(self._items), "", sealed))
        return written + self._event(f"response.{status}", {"response": self._frame.ended(response, self._items)})

    def error(self, fault: Fault) -> bytes:
        """The error, which makes OpenAI's SDKs raise, and then the response that failed."""
        told = error_object(fault)
        error = {"code": "server_error", "message": told["message"]}
        failed = self._frame.snapshot("failed", self._model, self._items, {"error": error})
        return self._event("error", {"error": told}) + self._event("response.failed", {"response": failed})

    def _event(self, name: str, fields: dict[str, Any]) -> bytes:
        number, self._number = self._number, self._number + 1
        return event(name, {"type": name, "sequence_number": number} | fields)

    def _place(self, item: Item) -> dict[str, Any]:
        return {"item_id": item["id"], "output_index": len(self._items)}

    def _item(self, text: str | None, status: str) -> Item:
        if self._open == "message":
            return self._frame.message(len(self._items), text, status)
        return self._frame.reasoning(len(self._items), text or "") | {"status": status}

    def _piece(self, words: str) -> bytes:
        """Words for the item that is open; made once a token, so only they are encoded each time."""
        self._pieces.append(words)
        number, self._number = self._number, self._number + 1
        return b'%s"sequence_number":%d,"delta":%s}\n\n' % (self._before, number, json.dumps(words).encode())

    def _opened(self, kind: str) -> bytes:
        """What opens an item of this kind; nothing where one is open."""
        if self._open == kind:
            return b""
        written = self._closed("completed")
        self._open = kind
        item = self._item(None, "in_progress")
        place = self._place(item)
        written += self._event("response.output_item.added", {"output_index": len(self._items), "item": item})
        name, more = _DELTAS[kind]
        self._before = event(name, {"type": name} | place | more).removesuffix(b"}\n\n") + b","
        if kind == "message":
            return written + self._event("response.content_part.added", place | _PART | {"part": text_part("")})
        part = {"type": "summary_text", "text": ""}
        return written + self._event("response.reasoning_summary_part.added", place | _SUMMARY | {"part": part})

    def _closed(self, status: str) -> bytes:
        """What closes the item that is open, if one is."""
        if self._open is None:
            return b""
        text = "".join(self._pieces)
        item = self._item(text, status)
        place = self._place(item)
        if self._open == "message":
            written = self._event("response.output_text.done", place | _TEXT | {"text": text})
            written += self._event("response.content_part.done", place | _PART | {"part": text_part(text)})
        else:
            part = {"type": "summary_text", "text": text}
            written = self._event("response.reasoning_summary_text.done", place | _SUMMARY | {"text": text})
            written += self._event("response.reasoning_summary_part.done", place | _SUMMARY | {"part": part})
        self._open, self._pieces = None, []
        return written + self._ended(item)

    def _call(self, call: ToolCall) -> bytes:
        begun = self._frame.call(len(self._items), call | {"arguments": ""}, "in_progress")
        whole, place = self._frame.call(len(self._items), call), self._place(begun)
        name = "response.function_call_arguments"
        written = self._event("response.output_item.added", {"output_index": len(self._items), "item": begun})
        written += self._event(f"{name}.delta", place | {"delta": call["arguments"]})
        written += self._event(f"{name}.done", place | {"name": call["name"], "arguments": call["arguments"]})
        return written + self._ended(whole)

    def _whole(self, item: Item) -> bytes:
        written = self._event("response.output_item.added", {"output_index": len(self._items), "item": item})
        return written + self._ended(item)

    def _ended(self, item: Item) -> bytes:
        written = self._event("response.output_item.done", {"output_index": len(self._items), "item": item})
        self._items.append(item)
        return written
