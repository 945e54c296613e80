"""What OpenAI chat completions answer, and the dialects of it that other providers speak."""

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
    **dict.fromkeys(("stop", "eos", "end_turn", "stop_sequence", "completed"), "stop"),
    **dict.fromkeys(("length", "model_length", "max_tokens", "max_output_tokens"), "length"),
    **dict.fromkeys(("tool_calls", "function_call", "tool_use"), "tool_call"),
    **dict.fromkeys(("content_filter", "sensitive", "refusal"), "content_filter"),
    **dict.fromkeys(("error", "network_error", "insufficient_system_resource"), "error"),
}

_BESIDE_CONTENT = ("reasoning_content", "reasoning", "reasoning_details", "tool_calls", "function_call", "refusal")


def finish_reason(value: Any) -> FinishReason | None:
    """Our word for a provider's; None for an unknown one."""
    return _FINISH_REASONS.get(value.lower()) if isinstance(value, str) else None


def read_usage(value: Any) -> Usage | None:
    """Tokens as billed: input with cached, output with reasoning; None where nothing was reported."""
    if not value or not isinstance(value, dict):
        return None
    asked, told = mapping(value.get("prompt_tokens_details")), mapping(value.get("completion_tokens_details"))
    given, cached = count(value.get("prompt_tokens")), _cached(value, asked)
    output, reasoning = count(value.get("completion_tokens")), count(told.get("reasoning_tokens"))
    if reasoning is None:
        reasoning = count(value.get("reasoning_tokens"))
    if output is not None and reasoning and given is not None:
        # xAI counts reasoning apart from completion_tokens, everybody else within; the total tells.
        output += reasoning if count(value.get("total_tokens")) == given + output + reasoning else 0
    if cached is not None and given is not None:
        cached = min(cached, given)  # Azure's Grok reports more cached tokens than prompt tokens
    written = count(asked.get("cache_write_tokens"))
    if written is None:
        written = count(value.get("cache_creation_input_tokens"))
    return Usage(given, output, cached, written, reasoning, cost=reported_cost(value))


def _cached(value: Mapping[str, Any], details: Mapping[str, Any]) -> int | None:
    names = ("prompt_cache_hit_tokens", "cache_read_input_tokens", "cached_tokens")
    found = (count(details.get("cached_tokens")), *(count(value.get(name)) for name in names))
    return next((number for number in found if number is not None), None)


def read_content(content: Any) -> tuple[str, str]:
    """Text and reasoning of a message's content that is no string: nothing, a list of parts, or an object."""
    if isinstance(content, list):
        words, thoughts = [], []
        for part in content:
            kind = text(part.get("type")) if isinstance(part, dict) else None
            if kind in {"text", "output_text"}:
                words.append(text(part.get("text")))
            elif kind == "refusal":
                words.append(text(part.get("refusal")))
            elif kind == "thinking":
                thoughts.append(_thinking(part.get("thinking")))
            elif isinstance(part, str):
                words.append(text(part))
        return "".join(words), "".join(thoughts)
    if isinstance(content, dict):
        return json_text.written(content), ""  # Cloudflare parses a JSON answer itself
    return "", ""


def _thinking(value: Any) -> str:
    if isinstance(value, str):
        return text(value)
    return "".join(text(part.get("text")) for part in objects(value))


def read_reasoning(message: Mapping[str, Any]) -> str:
    """The reasoning that stands beside the content; some providers give it under both names, so only one is taken."""
    return text(message.get("reasoning_content")) or text(message.get("reasoning"))


def arguments_text(value: Any) -> str:
    """A call's arguments as JSON text; some providers send the object itself."""
    if isinstance(value, str):
        return text(value)
    return "" if value is None else json_text.written(value)


def raise_if_error(entry: LLMEntry, answer: Mapping[str, Any], choice: Mapping[str, Any]) -> None:
    """Raise the error that an answer with status 200 carries at its top, in its choice, or in Groq's own field."""
    if answer.get("error") or answer.get("object") == "error":
        raise in_stream_error(entry, dict(answer))
    for holder in (choice, mapping(answer.get("x_groq"))):
        if holder.get("error"):
            raise in_stream_error(entry, {"error": holder["error"]})


class OpenAIChatReader:
    """Reads one stream of chunks. Only the first choice is ours; usage may come anywhere, the last one counts."""

    __slots__ = (
        "_at", "_blank_finish", "_called", "_calls", "_details", "_entry", "_has_refused", "_id", "_last_key", "_named",
        "_pieces", "_reasoning",
    )  # fmt: skip

    def __init__(self, entry: LLMEntry) -> None:
        self._entry = entry
        self._named = False
        self._id = ""
        self._calls: dict[int | str, str] = {}
        self._called: set[int | str] = set()
        self._at: dict[int, int | str] = {}
        self._last_key: int | str = 0
        self._pieces = json_text.Pieces()
        self._blank_finish = False
        self._has_refused = False
        self._reasoning: list[str] = []
        self._details: list[dict[str, Any]] = []

    def read(self, event: str, data: bytes) -> Delta | None:
        """What this chunk adds. Raises what an error chunk stands for, and MalformedResponseError for no chunk."""
        if event == "error":
            raise in_stream_error(self._entry, data)
        if data == b"[DONE]" or data.strip() == b"[DONE]":
            return Delta(
                finish_reason=self._reason("") if self._blank_finish else None, replay=self._replay(), ended=True
            )
        try:
            chunk = json_text.load(data)
        except ValueError:
            if not data.strip():
                return None  # a proxy's way to keep the line open
            raise malformed(self._entry) from None
        try:
            # The ordinary token, alone in its chunk, many times a second.
            (choice,) = chunk["choices"]
            delta = choice["delta"]
            content = delta["content"]
            if (
                self._named
                and type(content) is str
                and (len(delta) == 1 or not any(map(delta.get, _BESIDE_CONTENT)))
                and choice["finish_reason"] is None
                and chunk.get("usage") is None
                and "error" not in chunk
                and not choice.get("index")
            ):
                return Delta(content if content.isascii() and not self._pieces.half else self._pieces.add(content))
        except (KeyError, TypeError, ValueError, AttributeError):
            pass
        return self._read(chunk)

    def _read(self, chunk: Any) -> Delta:
        if not isinstance(chunk, dict):
            raise malformed(self._entry)
        choices = objects(chunk.get("choices"))
        choice = next((item for item in choices if not item.get("index")), {})
        raise_if_error(self._entry, chunk, choice)
        self._id = self._id or text(chunk.get("id"))
        delta = self._message(mapping(choice.get("delta")))
        raw = choice.get("finish_reason")
        self._blank_finish = raw == "" or (self._blank_finish and raw is None)
        delta.finish_reason = self._reason(raw) if raw else None
        if delta.finish_reason is not None:
            delta.replay = self._replay()
        delta.usage = read_usage(chunk.get("usage")) or read_usage(mapping(chunk.get("x_groq")).get("usage"))
        if not self._named:
            delta.response_id, delta.response_model = self._id or None, text(chunk.get("model")) or None
            self._named = delta.response_id is not None and delta.response_model is not None
        return delta

    def _message(self, message: Mapping[str, Any]) -> Delta:
        """What a message or a piece of one holds."""
        content = message.get("content")
        words, thoughts = (self._pieces.add(content), "") if isinstance(content, str) else read_content(content)
        if beside := read_reasoning(message):
            thoughts += beside
            if message.get("reasoning_content"):
                self._reasoning.append(beside)
        self._details += objects(message.get("reasoning_details"))
        refusal = text(message.get("refusal"))
        self._has_refused = self._has_refused or bool(refusal)
        calls = message.get("tool_calls")
        parts = [self._call(call) for call in objects(calls)] if calls else []
        if any(mapping(message.get("function_call")).values()):
            parts.append(self._call({"index": 0, "function": message["function_call"]}))
        return Delta(
            text=words + refusal,
            reasoning=thoughts,
            tool_calls=parts,
        )

    def _reason(self, raw: Any) -> FinishReason | None:
        """Our word for the reason that ends this answer: a refusal is said beside `stop`."""
        return "content_filter" if self._has_refused else "stop" if raw == "" else finish_reason(raw)

    def _call(self, call: Mapping[str, Any]) -> ToolCallPart:
        """A piece of a call; id and name come once, since providers repeat, change or blank them."""
        function = mapping(call.get("function")) or mapping(call.get("custom"))
        name, call_id = text(function.get("name")), text(call.get("id"))
        part = ToolCallPart(self._key(call.get("index"), call_id, name))
        part.arguments = arguments_text(function.get("arguments", function.get("input")))
        if part.key not in self._calls:
            part.id = self._calls[part.key] = call_id or f"call_{self._id}_{len(self._calls)}"
        if part.key not in self._called and name:
            self._called.add(part.key)
            part.name = name
        return part

    def _key(self, index: Any, call_id: str, name: str) -> int | str:
        """What tells this call from the others: its index, except where a provider omits it or uses it twice."""
        if isinstance(index, int):
            key = self._at.get(index, index)
            if name and call_id and self._calls.get(key, call_id) != call_id:
                key = call_id
            self._at[index] = key
        elif call_id:
            key = call_id
        else:
            key = f"call {len(self._calls)}" if name else self._last_key
        self._last_key = key
        return key

    def _replay(self) -> list[dict[str, Any]]:
        """What must stand in the assistant's turn when it is sent back; given out once."""
        fields: dict[str, Any] = {}
        if self._reasoning and self._calls:
            fields["reasoning_content"] = "".join(self._reasoning)
        if self._details:
            fields["reasoning_details"] = _joined(self._details)
        self._reasoning, self._details = [], []
        return [fields] if fields else []

    def whole(self, answer: Any) -> Delta:
        """A whole answer as one delta."""
        if not isinstance(answer, dict):
            raise malformed(self._entry)
        choices = objects(answer.get("choices"))
        choice = next((item for item in choices if not item.get("index")), {})
        raise_if_error(self._entry, answer, choice)
        if not choices:
            raise malformed(self._entry)
        self._id = text(answer.get("id"))
        message = dict(mapping(choice.get("message")))
        message["tool_calls"] = [{**call, "index": n} for n, call in enumerate(objects(message.get("tool_calls")))]
        delta = self._message(message)
        delta.finish_reason = self._reason(choice.get("finish_reason"))
        delta.usage = read_usage(answer.get("usage"))
        delta.response_id, delta.response_model = self._id or None, text(answer.get("model")) or None
        delta.replay, delta.ended = self._replay(), True
        return delta


def _joined(details: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Reasoning details with the fragments of a stream put together again."""
    whole: list[dict[str, Any]] = []
    for piece in details:
        last = whole[-1] if whole else {}
        if "index" in piece and (piece["index"], piece.get("type")) == (last.get("index"), last.get("type")):
            for name, value in piece.items():
                text_like = name in {"text", "summary", "data"} and isinstance(value, str)
                if text_like and isinstance(last.get(name), str):
                    last[name] += value
                elif value is not None:
                    last[name] = value
        else:
            whole.append(dict(piece))
    return whole
