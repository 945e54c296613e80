"""What Gemini's generateContent answers, whole and streamed: the same objects, one or many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from creative_services.core.types import Usage
from creative_services.core.wire import json_text
from creative_services.core.wire.base import Delta, ToolCallPart
from creative_services.core.wire.errors import in_stream_error, malformed
from creative_services.core.wire.gemini_arguments import PartialArguments
from creative_services.core.wire.json_text import count, mapping, objects, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from creative_services.core.types import FinishReason, LLMEntry

# Numbers are what Vertex AI sends for `enum-encoding=int`.
_FINISH_REASONS: Mapping[str | int, FinishReason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",
    **dict.fromkeys(
        (
            "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "ESCALATION",
            "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION",
        ),
        "content_filter",
    ),
    1: "stop",
    2: "length",
    **dict.fromkeys((3, 4, 6, 7, 8), "content_filter"),
}  # fmt: skip
_NOTHING_SAID = (None, "", 0, "FINISH_REASON_UNSPECIFIED", "BLOCK_REASON_UNSPECIFIED", "BLOCKED_REASON_UNSPECIFIED")


def finish_reason(value: Any) -> FinishReason | None:
    """Our word for a finish reason. There are many more for failures than are documented, so unknown ones mean one."""
    if not isinstance(value, str | int) or value in _NOTHING_SAID:
        return None
    return _FINISH_REASONS.get(value, "error")


def read_usage(raw: Mapping[str, Any]) -> Usage | None:
    """Tokens as billed: the input includes what was cached and what tools brought, the output what was thought.

    Counts of 0 are left out of the answer; the total tells that from counts that are not known.
    """
    asked, tools = count(raw.get("promptTokenCount")), count(raw.get("toolUsePromptTokenCount"))
    said, thought = count(raw.get("candidatesTokenCount")), count(raw.get("thoughtsTokenCount"))
    given = None if asked is None else asked + (tools or 0)
    output = None if said is None and thought is None else (said or 0) + (thought or 0)
    if output is None and given is not None and count(raw.get("totalTokenCount")) == given:
        output = 0
    usage = Usage(given, output, count(raw.get("cachedContentTokenCount")), None, thought)
    return None if usage == Usage() else usage


class GeminiReader:
    """Reads one answer's objects. Only the first candidate is ours; usage is cumulative, the last one counts."""

    __slots__ = (
        "_arguments", "_begun", "_calls", "_entry", "_id", "_is_begun", "_parts", "_pieces", "_replays",
    )  # fmt: skip

    def __init__(self, entry: LLMEntry) -> None:
        self._entry = entry
        self._id = ""
        self._calls = 0
        self._pieces = json_text.Pieces()
        self._begun: dict[str, Any] = {}
        self._arguments: PartialArguments | None = None
        self._parts: list[dict[str, Any]] = []
        self._replays = False
        self._is_begun = False

    def read(self, event: str, data: bytes) -> Delta | None:
        """What this event adds. Raises what an error event stands for, and MalformedResponseError for no event."""
        try:
            value = json_text.load(data)
        except ValueError:
            if event == "error":
                raise in_stream_error(self._entry, data) from None
            if not data.strip():
                return None  # a proxy's way to keep the line open
            if data.strip() == b"[DONE]":
                return Delta(ended=True)  # not Google's own, but what gateways are used to
            raise malformed(self._entry) from None
        if event == "error":
            raise in_stream_error(self._entry, value)
        try:
            # The ordinary piece of text, alone in its chunk, many times an answer.
            (candidate,) = value["candidates"]
            (part,) = candidate["content"]["parts"]
            words = part["text"]
            if (
                self._is_begun
                and type(words) is str
                and len(part) == 1
                and not self._replays
                and "finishReason" not in candidate
                and not candidate.get("index")
                and "error" not in value
                and "promptFeedback" not in value
            ):
                self._parts.append(part)
                return Delta(self._pieces.add(words), usage=read_usage(mapping(value.get("usageMetadata"))))
        except (KeyError, TypeError, ValueError, AttributeError):
            pass
        return self._together(value) if isinstance(value, list) else self._read(value)

    def whole(self, answer: Any) -> Delta:
        """A whole answer as one delta; without `alt=sse` a stream is one list of all its objects."""
        answers = answer if isinstance(answer, list) else [answer]
        delta = self._together(answers)
        if not any(objects(item.get("candidates")) or _is_blocked(item) for item in answers):
            raise malformed(self._entry)
        delta.ended = True
        return delta

    def _together(self, answers: list[Any]) -> Delta:
        deltas = [self._read(value) for value in answers]
        whole = Delta(
            text="".join(delta.text for delta in deltas),
            reasoning="".join(delta.reasoning for delta in deltas),
            tool_calls=[part for delta in deltas for part in delta.tool_calls],
            replay=[part for delta in deltas for part in delta.replay],
        )
        for delta in deltas:
            whole.finish_reason = delta.finish_reason or whole.finish_reason
            whole.usage = delta.usage or whole.usage
            whole.response_id = delta.response_id or whole.response_id
            whole.response_model = delta.response_model or whole.response_model
        return whole

    def _read(self, value: Any) -> Delta:
        if not isinstance(value, dict):
            raise malformed(self._entry)
        if value.get("error"):
            raise in_stream_error(self._entry, value)
        self._id = self._id or text(value.get("responseId"))
        candidate = next((item for item in objects(value.get("candidates")) if not item.get("index")), {})
        parts = objects(mapping(candidate.get("content")).get("parts"))
        reason = finish_reason(candidate.get("finishReason"))
        if reason is None and _is_blocked(value):
            reason = "content_filter"
        delta = self._content(parts, is_last=reason is not None)
        delta.finish_reason = reason
        delta.usage = read_usage(mapping(value.get("usageMetadata")))
        self._is_begun = True
        delta.response_id, delta.response_model = self._id or None, text(value.get("modelVersion")) or None
        return delta

    def _content(self, parts: list[dict[str, Any]], *, is_last: bool) -> Delta:
        delta, texts, thoughts, calls, kept = Delta(), [], [], [], []
        for part in [*parts, *self._closing(parts)] if is_last else parts:
            call = part.get("functionCall")
            if isinstance(call, dict):
                whole = self._call(part, call)
                if whole is None:
                    delta.working = True
                    continue
                part = whole  # noqa: PLW2901 -- what is kept is the call with its id and all its arguments
                calls.append(self._tool_call(whole["functionCall"]))
            elif part.get("thought"):
                thoughts.append(text(part.get("text")))
            elif isinstance(part.get("text"), str):
                texts.append(self._pieces.add(part["text"]))
            kept.append(part)
        delta.text, delta.reasoning = "".join(texts), "".join(thoughts)
        delta.tool_calls, delta.replay = calls, self._replay(kept)
        return delta

    def _closing(self, parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """What ends a call that the answer's end cuts off."""
        calls = [part["functionCall"] for part in parts if isinstance(part.get("functionCall"), dict)]
        is_open = calls[-1].get("willContinue") if calls else self._arguments is not None
        return [{"functionCall": {}}] if is_open else []

    def _call(self, part: dict[str, Any], call: dict[str, Any]) -> dict[str, Any] | None:
        """The part of a call that is whole now, with an id; None while more of it is to come."""
        if self._arguments is None:
            if not text(call.get("name")):
                return None
            self._begun, self._arguments = part, PartialArguments(mapping(call.get("args")))
        self._arguments.add(call.get("partialArgs"))
        if call.get("willContinue"):
            return None
        first = mapping(self._begun.get("functionCall"))
        call_id = text(first.get("id")) or f"call_{self._id}_{self._calls}"
        made = {"id": call_id, "name": text(first.get("name")), "args": self._arguments.whole}
        whole = {**self._begun, "functionCall": made}
        self._arguments = None
        return whole

    def _tool_call(self, call: Mapping[str, Any]) -> ToolCallPart:
        self._calls += 1
        return ToolCallPart(self._calls, call["id"], call["name"], json_text.written(call["args"]))

    def _replay(self, parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """All parts, in order, from when one must be sent back untouched (a signature, a tool's result); else none."""
        self._parts += parts
        self._replays = self._replays or not all(map(_is_plain, parts))
        if not self._replays:
            return []
        kept, self._parts = self._parts, []
        return _joined(kept)


def read_vectors(entry: LLMEntry, answer: Any) -> list[list[float]]:
    """The vectors of a batch, in the order of its texts. Raises MalformedResponseError."""
    if mapping(answer).get("error"):
        raise in_stream_error(entry, answer)
    values = [item.get("values") for item in objects(mapping(answer).get("embeddings"))]
    try:
        vectors = [json_text.vector(vector) for vector in values]
    except ValueError:
        raise malformed(entry) from None
    if not vectors:
        raise malformed(entry)
    return vectors


def _is_blocked(answer: Mapping[str, Any]) -> bool:
    return mapping(answer.get("promptFeedback")).get("blockReason") not in _NOTHING_SAID


def _is_plain(part: Mapping[str, Any]) -> bool:
    return part.keys() <= {"text", "thought"} or part.keys() == {"functionCall"}


def _joined(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The parts with the pieces of one text put together."""
    whole: list[dict[str, Any]] = []
    run: list[str] = []
    for part in parts:
        if part.keys() == {"text"} and isinstance(part["text"], str):
            run.append(part["text"])
            continue
        if run:
            whole.append({"text": json_text.mend("".join(run))})
            run = []
        whole.append(part)
    return [*whole, {"text": json_text.mend("".join(run))}] if run else whole
