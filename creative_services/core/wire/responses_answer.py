"""What the OpenAI Responses API answers, whole and streamed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from creative_services.core.types import Usage
from creative_services.core.wire import json_text
from creative_services.core.wire.base import Delta, ToolCallPart
from creative_services.core.wire.bill import reported_cost
from creative_services.core.wire.errors import in_stream_error, malformed
from creative_services.core.wire.json_text import count, mapping, objects, text
from creative_services.core.wire.openai_answer import arguments_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from creative_services.core.types import FinishReason, LLMEntry

Item = dict[str, Any]

_INCOMPLETE: Mapping[str, FinishReason] = {
    "max_output_tokens": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
}
# Kinds of items that are tool calls, with the field of what the model wrote.
_CALLS = {"function_call": "arguments", "custom_tool_call": "input"}
# Event names, without their last word, of what callers read, with the field of the whole piece.
_TEXTS = {"response.output_text": "text", "response.refusal": "refusal"}
_THOUGHTS = {"response.reasoning_summary_text": "text", "response.reasoning_text": "text"}
_WRITTEN = {**_TEXTS, **_THOUGHTS}
_ENDINGS = {"response.completed", "response.incomplete", "response.failed", "response.cancelled"}

Place = tuple[str, int | str, int | str]


def read_usage(value: Any) -> Usage | None:
    """Tokens as billed; input includes cached ones and output reasoning, at every provider seen."""
    raw = mapping(value)
    asked, told = mapping(raw.get("input_tokens_details")), mapping(raw.get("output_tokens_details"))
    usage = Usage(
        count(raw.get("input_tokens")),
        count(raw.get("output_tokens")),
        count(asked.get("cached_tokens")),
        count(asked.get("cache_write_tokens")),
        count(told.get("reasoning_tokens")),
        cost=reported_cost(raw),
    )
    return None if usage == Usage() else usage


def said(items: Iterable[Mapping[str, Any]]) -> tuple[str, str, bool]:
    """Text, reasoning, and whether any of the text is a refusal."""
    words, thoughts, refused = [], [], False
    for item in items:
        content = objects(item.get("content"))
        if item.get("type") == "message":
            for part in content:
                refusal = text(part.get("refusal"))
                words.append(refusal or text(part.get("text")))
                refused = refused or bool(refusal)
        elif item.get("type") == "reasoning":
            thoughts += [text(part.get("text")) for part in (*objects(item.get("summary")), *content)]
    return "".join(words), "".join(thoughts), refused


def replay(items: Iterable[Item]) -> list[Item]:
    """All items, in order, if any says more than text and calls do; else none.

    The API keeps nothing for us (`store` is false), so reasoning that came neither readable nor encrypted is left out:
    it could not be found again.
    """
    kept = [
        item
        for item in items
        if item.get("type") != "reasoning" or item.get("encrypted_content") or item.get("content")
    ]
    return kept if any(map(_says_more, kept)) else []


def _says_more(item: Item) -> bool:
    return text(item.get("type")) not in {"message", "function_call"} or bool(item.get("phase"))


class ResponsesReader:
    """Reads one stream of events. The last one repeats the answer; what no earlier event brought is taken from it."""

    __slots__ = ("_called", "_entry", "_halves", "_id", "_items", "_written")

    def __init__(self, entry: LLMEntry) -> None:
        self._entry = entry
        self._id = ""
        self._items: list[Item] = []
        self._called = 0
        self._written: dict[Place, list[str]] = {}
        self._halves = json_text.Pieces()

    def read(self, event: str, data: bytes) -> Delta | None:
        """What this event adds. Raises what an error event stands for, and MalformedResponseError for no event."""
        try:
            value = json_text.load(data)
        except ValueError:
            if event == "error":
                raise in_stream_error(self._entry, data) from None
            if data.strip() in {b"", b"[DONE]"}:
                return None  # a proxy's way to keep the line open, and a router's way to end a stream that has ended
            raise malformed(self._entry) from None
        if not isinstance(value, dict):
            raise malformed(self._entry)
        kind = text(value.get("type")) or event
        stem, _, verb = kind.rpartition(".")
        if verb == "delta":
            return self._piece(stem, value)
        if kind == "error" or event == "error" or value.get("error"):
            raise in_stream_error(self._entry, value)
        return self._frame(kind, value)

    def _frame(self, kind: str, value: Mapping[str, Any]) -> Delta | None:
        if kind in _ENDINGS:
            response = mapping(value.get("response"))
            return self._end({"status": kind.removeprefix("response."), **response})
        if kind == "response.created":
            return self._begin(mapping(value.get("response")))
        if kind == "response.output_item.done":
            return self._item_done(dict(mapping(value.get("item"))))
        stem, _, verb = kind.rpartition(".")
        return self._rest_of_piece(stem, value) if verb == "done" and stem in _WRITTEN else None

    def _begin(self, response: Mapping[str, Any]) -> Delta:
        self._id = text(response.get("id"))
        return Delta(response_id=self._id or None, response_model=text(response.get("model")) or None)

    def _piece(self, stem: str, value: Mapping[str, Any]) -> Delta:
        given = value.get("delta")
        if stem not in _WRITTEN or not isinstance(given, str):
            return Delta(working=True)  # a tool call's arguments, which come whole with their item
        piece = self._halves.add(given)
        self._written.setdefault(_place(stem, value), []).append(piece)
        return Delta(piece) if stem in _TEXTS else Delta(reasoning=piece)

    def _rest_of_piece(self, stem: str, value: Mapping[str, Any]) -> Delta:
        """What the deltas of this piece left out of it: all of it, at servers that send none."""
        pieces = self._written.setdefault(_place(stem, value), [])
        rest = _rest(text(value.get(_WRITTEN[stem])), pieces)
        pieces.append(rest)
        return Delta(rest) if stem in _TEXTS else Delta(reasoning=rest)

    def _item_done(self, item: Item) -> Delta | None:
        self._items.append(item)
        return Delta(tool_calls=self._new_calls(self._items)) if text(item.get("type")) in _CALLS else None

    def _new_calls(self, items: Iterable[Item]) -> list[ToolCallPart]:
        calls = [item for item in items if text(item.get("type")) in _CALLS][self._called :]
        parts = [self._call(item, self._called + index) for index, item in enumerate(calls)]
        self._called += len(parts)
        return parts

    def _call(self, item: Item, number: int) -> ToolCallPart:
        call_id = text(item.get("call_id")) or text(item.get("id")) or f"call_{self._id}_{number}"
        written = arguments_text(item.get(_CALLS[item["type"]]))
        return ToolCallPart(number, call_id, text(item.get("name")), written)

    def _end(self, response: Mapping[str, Any]) -> Delta:
        status = response.get("status")
        if response.get("error") or status in ("failed", "cancelled"):
            raise in_stream_error(self._entry, {"error": response.get("error")})
        self._id = self._id or text(response.get("id"))
        items = objects(response.get("output")) or self._items  # some gateways send an empty list at the end
        words, thoughts, refused = said(items)
        return Delta(
            text=_rest(words, self._all(_TEXTS)),
            reasoning=_rest(thoughts, self._all(_THOUGHTS)),
            tool_calls=self._new_calls(items),
            finish_reason=_finish_reason(response, refused=refused or self._has_refused()),
            usage=read_usage(response.get("usage")),
            response_id=self._id or None,
            response_model=text(response.get("model")) or None,
            replay=replay(items),
            ended=True,
        )

    def _all(self, stems: Mapping[str, str]) -> list[str]:
        return [piece for place, pieces in self._written.items() if place[0] in stems for piece in pieces]

    def _has_refused(self) -> bool:
        return any(place[0] == "response.refusal" and any(pieces) for place, pieces in self._written.items())

    def whole(self, answer: Any) -> Delta:
        """A whole answer as one delta."""
        if not isinstance(answer, dict):
            raise malformed(self._entry)
        if "output" not in answer and (answer.get("error") or answer.get("object") == "error"):
            raise in_stream_error(self._entry, answer)
        delta = self._end(answer)
        if not isinstance(answer.get("output"), list) or answer.get("status") in ("queued", "in_progress"):
            raise malformed(self._entry)
        return delta


def _finish_reason(response: Mapping[str, Any], *, refused: bool) -> FinishReason | None:
    if refused:
        return "content_filter"
    if response.get("status") != "incomplete":
        return "stop"
    reason = mapping(response.get("incomplete_details")).get("reason")
    return "length" if reason is None else _INCOMPLETE.get(text(reason))


def _rest(whole: str, pieces: list[str]) -> str:
    """What is left of `whole` after `pieces`; nothing where they are not its beginning, for they have gone out."""
    spoken = "".join(pieces)
    return whole[len(spoken) :] if whole.startswith(spoken) else ""


def _place(stem: str, value: Mapping[str, Any]) -> Place:
    # The output's number first: Copilot gives one item another id in each event.
    output = value.get("output_index", value.get("item_id"))
    part = value.get("content_index", value.get("summary_index"))
    return stem, output if isinstance(output, int | str) else 0, part if isinstance(part, int | str) else 0
