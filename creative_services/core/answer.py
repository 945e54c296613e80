"""One answer, whole or streamed: the same fold over the same deltas, so the two cannot disagree."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from creative_services.core.request import REPLAY_KEY
from creative_services.core.types import LLMChunk, ToolCall, Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from creative_services.core.types import FinishReason
    from creative_services.core.wire.base import Delta, ToolCallPart

USAGE_FIELDS = tuple(field.name for field in fields(Usage))


class Answer:
    """What an attempt has brought so far."""

    __slots__ = (
        "_calls", "_reasoning", "_replay", "_text", "ended", "reason", "response_id", "response_model", "usage",
    )  # fmt: skip

    def __init__(self) -> None:
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._calls: dict[int | str, ToolCall] = {}
        self._replay: list[Any] = []
        self.reason: FinishReason | None = None
        self.usage = Usage()
        self.response_id: str | None = None
        self.response_model: str | None = None
        self.ended = False

    @property
    def text(self) -> str:
        """All text so far."""
        return "".join(self._text)

    @property
    def reasoning(self) -> str:
        """All reasoning so far."""
        return "".join(self._reasoning)

    @property
    def is_complete(self) -> bool:
        """Whether the provider said in any way that this is all."""
        return self.ended or self.reason is not None

    @property
    def finish_reason(self) -> FinishReason | None:
        """Why the model stopped. Several APIs say `stop` where it stopped to have tools called."""
        return "tool_call" if self._calls and self.reason == "stop" else self.reason

    @property
    def tool_calls(self) -> list[ToolCall]:
        """The tool calls, whole."""
        return list(self._calls.values())

    def add(self, delta: Delta) -> LLMChunk | None:
        """Take a delta in; the chunk to hand on at once, if it brings text or reasoning."""
        if delta.text:
            self._text.append(delta.text)
        if delta.reasoning:
            self._reasoning.append(delta.reasoning)
        if delta.tool_calls:
            self._add_calls(delta.tool_calls)
        if delta.usage is not None:
            self._add_usage(delta.usage)
        if delta.replay:
            self._replay.extend(delta.replay)
        self.reason = delta.finish_reason or self.reason
        self.response_id = delta.response_id or self.response_id
        self.response_model = delta.response_model or self.response_model
        self.ended = delta.ended or self.ended
        if delta.text or delta.reasoning:
            return LLMChunk(delta.text, delta.reasoning)
        return None

    def last_chunk(self) -> LLMChunk:
        """What a stream ends with: tool calls, finish reason, usage."""
        return LLMChunk(tool_calls=self.tool_calls, finish_reason=self.finish_reason, usage=self.usage)

    def message(self, wire: str) -> dict[str, Any]:
        """The assistant turn to append to `messages`, in OpenAI chat form."""
        message: dict[str, Any] = {"role": "assistant", "content": self.text or None}
        if self._calls:
            message["tool_calls"] = [
                {
                    "id": call["id"],
                    "type": "function",
                    "function": {"name": call["name"], "arguments": call["arguments"]},
                }
                for call in self._calls.values()
            ]
        elif message["content"] is None:
            message["content"] = ""
        if self._replay:
            message[REPLAY_KEY] = {"wire": wire, "blocks": list(self._replay)}
        return message

    def _add_calls(self, parts: Sequence[ToolCallPart]) -> None:
        for part in parts:
            call = self._calls.setdefault(part.key, {"id": "", "name": "", "arguments": ""})
            call["id"] = call["id"] or part.id
            call["name"] = call["name"] or part.name
            call["arguments"] += part.arguments

    def _add_usage(self, usage: Usage) -> None:
        for name in USAGE_FIELDS:
            value = getattr(usage, name)
            if value is not None:
                setattr(self.usage, name, value)
