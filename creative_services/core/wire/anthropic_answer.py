"""What the Anthropic Messages API answers, whole and streamed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from creative_services.core.types import Usage
from creative_services.core.wire import json_text
from creative_services.core.wire.base import Delta, ToolCallPart
from creative_services.core.wire.bill import reported_cost
from creative_services.core.wire.errors import in_stream_error, malformed
from creative_services.core.wire.json_text import count, mapping, objects, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from creative_services.core.types import FinishReason, LLMEntry

_FINISH_REASONS: Mapping[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_call",
    "refusal": "content_filter",
}
_PLAIN_BLOCKS = {"text", "tool_use"}


def finish_reason(value: Any) -> FinishReason | None:
    """Our word for a stop reason; None for an unknown one."""
    return _FINISH_REASONS.get(value) if isinstance(value, str) else None


def read_usage(raw: Mapping[str, Any]) -> Usage | None:
    """Tokens as billed. The API counts cached input apart, so the parts are added up."""
    fresh, read = count(raw.get("input_tokens")), count(raw.get("cache_read_input_tokens"))
    written, split = count(raw.get("cache_creation_input_tokens")), mapping(raw.get("cache_creation"))
    if written is None and split:
        written = sum(count(value) or 0 for value in split.values())
    given = None if fresh is None else fresh + (read or 0) + (written or 0)
    thinking = count(mapping(raw.get("output_tokens_details")).get("thinking_tokens"))
    usage = Usage(
        given,
        count(raw.get("output_tokens")),
        read,
        written,
        thinking,
        cache_write_1h_tokens=count(split.get("ephemeral_1h_input_tokens")),
        cost=reported_cost(raw),
    )
    return None if usage == Usage() else usage


class AnthropicReader:
    """Reads one stream of events; puts blocks together that must be sent back as they came."""

    __slots__ = ("_blocks", "_entry", "_halves", "_number", "_parts", "_usage")

    def __init__(self, entry: LLMEntry) -> None:
        self._entry = entry
        self._usage: dict[str, Any] = {}
        self._number = 0
        self._halves = json_text.Pieces()
        self._blocks: dict[int | str, dict[str, Any]] = {}
        self._parts: dict[int | str, list[str]] = {}

    def read(self, event: str, data: bytes) -> Delta | None:
        """What this event adds. Raises what an error event stands for, and MalformedResponseError for no event."""
        try:
            value = json_text.load(data)
        except ValueError:
            if event == "error":
                raise in_stream_error(self._entry, data) from None
            if not data.strip():
                return None  # a proxy's way to keep the line open
            raise malformed(self._entry) from None
        if not isinstance(value, dict):
            raise malformed(self._entry)
        kind = value.get("type")
        if kind == "content_block_delta":
            return self._block_delta(value)
        if event == "error" or kind == "error" or value.get("error"):
            raise in_stream_error(self._entry, value)
        return self._frame(kind, value)

    def _frame(self, kind: Any, value: Mapping[str, Any]) -> Delta | None:
        match kind:
            case "message_start":
                return self._start(value)
            case "content_block_start":
                return self._block_start(value)
            case "content_block_stop":
                return self._block_stop(value)
            case "message_delta":
                return self._message_delta(value)
            case "message_stop":
                return Delta(replay=replay(list(self._blocks.values())), ended=True)
        return None

    def _start(self, value: Mapping[str, Any]) -> Delta:
        # Some gateways begin again when their upstream broke: blocks that did not end will not come back.
        self._blocks, self._parts = {}, {}
        message = mapping(value.get("message"))
        return Delta(
            usage=self._counted(message.get("usage")),
            response_id=text(message.get("id")) or None,
            response_model=text(message.get("model")) or None,
        )

    def _block_start(self, value: Mapping[str, Any]) -> Delta | None:
        index, block = _key(value.get("index")), dict(mapping(value.get("content_block")))
        self._blocks[index] = block
        self._parts[index] = []
        return None if block.get("type") == "tool_use" else _block(block, index)

    def _block_delta(self, value: Mapping[str, Any]) -> Delta | None:
        index, delta = _key(value.get("index")), mapping(value.get("delta"))
        kind = delta.get("type")
        if kind == "signature_delta":
            self._block(index)["signature"] = delta.get("signature")
        elif kind == "citations_delta":
            block = self._block(index)
            block["citations"] = [*(block.get("citations") or ()), delta.get("citation")]
        elif isinstance(kind, str) and (name := _DELTA_FIELDS.get(kind)):
            given = delta.get(name)
            piece = self._halves.add(given) if isinstance(given, str) else ""
            self._parts.setdefault(index, []).append(piece)
            if name == "partial_json":
                return Delta(working=True)
            return Delta(piece) if name == "text" else Delta(reasoning=piece)
        return None

    def _block(self, index: int | str) -> dict[str, Any]:
        return self._blocks.setdefault(index, {"type": "text", "text": ""})

    def _block_stop(self, value: Mapping[str, Any]) -> Delta | None:
        """The tool call that this block was, whole; nothing for other blocks, whose pieces have gone out."""
        index = _key(value.get("index"))
        block, gathered = self._blocks.get(index, {}), "".join(self._parts.pop(index, []))
        kind = text(block.get("type"))
        if kind in {"text", "thinking"}:
            block[kind] = text(block.get(kind)) + gathered
            return None
        if gathered:
            try:
                block["input"] = json_text.load(gathered)
            except ValueError:
                block["input"] = {}  # what the model wrote goes to the caller as it is; only an object can be sent back
        if kind != "tool_use":
            return None
        delta = _block(block, f"{index}/{self._number}")
        self._number += 1
        for part in delta.tool_calls:
            part.arguments = gathered or part.arguments
        return delta

    def _message_delta(self, value: Mapping[str, Any]) -> Delta:
        return Delta(
            usage=self._counted(value.get("usage")),
            finish_reason=finish_reason(mapping(value.get("delta")).get("stop_reason")),
        )

    def _counted(self, usage: Any) -> Usage | None:
        """Counts are cumulative: a later event's value stands for the earlier one's, where it has one."""
        self._usage.update((key, value) for key, value in mapping(usage).items() if value is not None)
        return read_usage(self._usage)


_DELTA_FIELDS = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}


def whole(entry: LLMEntry, answer: Any) -> Delta:
    """A whole answer as one delta."""
    if not isinstance(answer, dict):
        raise malformed(entry)
    if answer.get("type") == "error" or answer.get("error"):
        raise in_stream_error(entry, answer)
    if not isinstance(answer.get("content"), list):
        raise malformed(entry)
    blocks = objects(answer["content"])
    deltas = [_block(block, index) for index, block in enumerate(blocks)]
    return Delta(
        text="".join(delta.text for delta in deltas),
        reasoning="".join(delta.reasoning for delta in deltas),
        tool_calls=[part for delta in deltas for part in delta.tool_calls],
        finish_reason=finish_reason(answer.get("stop_reason")),
        usage=read_usage(mapping(answer.get("usage"))),
        response_id=text(answer.get("id")) or None,
        response_model=text(answer.get("model")) or None,
        replay=replay(blocks),
        ended=True,
    )


def replay(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All blocks, in order, if any must be sent back untouched (thinking, server tools); else none.

    Signatures and results are only accepted in their place among the others.
    """
    return (
        blocks if any(text(block.get("type")) not in _PLAIN_BLOCKS or "citations" in block for block in blocks) else []
    )


def _block(block: Mapping[str, Any], index: int | str) -> Delta:
    kind = block.get("type")
    if kind == "text":
        return Delta(text(block.get("text")))
    if kind == "thinking":
        return Delta(reasoning=text(block.get("thinking")))
    if kind == "tool_use":
        call = ToolCallPart(index, text(block.get("id")), text(block.get("name")), _input_text(block))
        return Delta(tool_calls=(call,))
    return Delta()


def _input_text(block: Mapping[str, Any]) -> str:
    return json_text.written(dict(mapping(block.get("input"))))


def _key(index: Any) -> int | str:
    return index if isinstance(index, int | str) else 0
