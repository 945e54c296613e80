"""What the wire tests share: an entry, and the fold of a stream's deltas into one answer."""

from __future__ import annotations

from dataclasses import dataclass, field

from creative_services.core.providers import WIRE_NAMES, wire_for
from creative_services.core.types import LLMEntry, LLMTier, Usage
from creative_services.core.wire.sse import SSEDecoder

KEY = "sk-test-0123456789abcdef"


def entry(model="some-model", **fields):
    fields = {"provider": "acme", "tier": LLMTier.STANDARD, "api_key": KEY, **fields}
    return LLMEntry(7, "Some LLM", model=model, **fields)


WIRES = {name: wire_for(entry(wire=name)) for name in WIRE_NAMES}


@dataclass
class Answer:
    text: str = ""
    reasoning: str = ""
    calls: dict = field(default_factory=dict)
    finish_reason: str | None = None
    usage: Usage = field(default_factory=Usage)
    response_id: str | None = None
    response_model: str | None = None
    replay: list = field(default_factory=list)
    ended: bool = False

    def add(self, delta):
        self.text += delta.text
        self.reasoning += delta.reasoning
        for part in delta.tool_calls:
            call = self.calls.setdefault(part.key, {"id": "", "name": "", "arguments": ""})
            call["id"] = call["id"] or part.id
            call["name"] = call["name"] or part.name
            call["arguments"] += part.arguments
        self.finish_reason = delta.finish_reason or self.finish_reason
        for name in Usage.__slots__:
            if delta.usage is not None and getattr(delta.usage, name) is not None:
                setattr(self.usage, name, getattr(delta.usage, name))
        self.response_id = self.response_id or delta.response_id
        self.response_model = self.response_model or delta.response_model
        self.replay += delta.replay
        self.ended = self.ended or delta.ended

    @property
    def tool_calls(self):
        return list(self.calls.values())


def events(*pieces):
    decoder = SSEDecoder()
    return [event for piece in pieces for event in decoder.feed(piece)] + decoder.flush()


def streamed(wire, *pieces, llm=None):
    answer, reader = Answer(), WIRES[wire].reader(llm or entry())
    for event, data in events(*pieces):
        if delta := reader.read(event, data):
            answer.add(delta)
    return answer


def whole(wire, body, llm=None):
    answer = Answer()
    answer.add(WIRES[wire].parse(llm or entry(), body))
    return answer
