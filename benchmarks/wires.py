"""What reading a stream costs beside `json.loads` over its events: bytes in, one answer out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from benchmarks.rounds import Comparison, compare
from creative_services import LLMEntry, LLMTier
from creative_services.core.answer import Answer
from creative_services.core.providers import wire_for
from creative_services.core.wire.sse import SSEDecoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

TOKENS = 200
WORDS = [f" word{number}" for number in range(TOKENS)]
TEXT = "".join(WORDS)
Json = dict[str, Any]


def compare_readings(wire: str, streams: int, rounds: int) -> tuple[Comparison, Comparison]:
    """The events' JSON alone, and the whole reading of the same stream."""
    events = list(STREAMS[wire]())
    found = compare({"json": Loads(events), "ours": Reading(wire, events)}, streams, 1, rounds)
    return found["json"], found["ours"]


class Loads:
    """`json.loads` over the events, which somebody else has cut out."""

    def __init__(self, events: list[Json]) -> None:
        self._events = [compact(event) for event in events]

    def run(self, calls: int, in_flight: int) -> None:
        for _ in range(calls):
            for event in self._events:
                json.loads(event)

    def close(self) -> None:
        """Nothing is held."""


class Reading:
    """The bytes of each event, as they would come, through decoder, reader and answer."""

    def __init__(self, wire: str, events: list[Json]) -> None:
        self._entry = LLMEntry(1, "Some LLM", "acme", "some-model", LLMTier.STANDARD, wire=wire)
        self._wire = wire_for(self._entry)
        self._pieces = [named(event) if wire in NAMED_EVENTS else data(event) for event in events]

    def run(self, calls: int, in_flight: int) -> None:
        for _ in range(calls):
            decoder, reader, answer = SSEDecoder(), self._wire.reader(self._entry), Answer()
            for piece in self._pieces:
                for event, found in decoder.feed(piece):
                    delta = reader.read(event, found)
                    if delta is not None:
                        answer.add(delta)
            assert answer.is_complete
            assert answer.usage.output_tokens == TOKENS
            assert answer.text == TEXT

    def close(self) -> None:
        """Nothing is held."""


def compact(event: Json) -> bytes:
    """The event's JSON as providers write it."""
    return json.dumps(event, separators=(",", ":")).encode()


def data(event: Json) -> bytes:
    """An event without a name."""
    return b"data: " + compact(event) + b"\n\n"


def named(event: Json) -> bytes:
    """An event with its name."""
    return b"event: " + event["type"].encode() + b"\n" + data(event)


NAMED_EVENTS = {"anthropic_messages", "openai_responses"}


def chat() -> Iterator[Json]:
    """As OpenAI sends it."""
    frame = {
        "id": "chatcmpl-CbT3yPZ0aYQm0xq1s1ZbJ6W9hQ2dK",
        "object": "chat.completion.chunk",
        "created": 1763800000,
        "model": "gpt-4o-mini-2024-07-18",
        "service_tier": "default",
        "system_fingerprint": "fp_51db84afab",
    }

    def chunk(delta: Json, reason: str | None = None) -> Json:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return frame | {"choices": [choice], "usage": None}

    yield chunk({"role": "assistant", "content": "", "refusal": None})
    for word in WORDS:
        yield chunk({"content": word})
    yield chunk({}, "stop")
    usage = {"prompt_tokens": 12, "completion_tokens": TOKENS, "total_tokens": 12 + TOKENS}
    yield frame | {"choices": [], "usage": usage}


def responses() -> Iterator[Json]:
    """As OpenAI sends it; the answer stands four times in it, in pieces and whole."""
    response: Json = {
        "id": "resp_68af4030592c81938ec0a5fbab4a3e9f05438e46b5f69a3b",
        "object": "response",
        "created_at": 1763800000,
        "status": "in_progress",
        "model": "gpt-4o-mini-2024-07-18",
        "output": [],
        "usage": None,
    }
    part = {"type": "output_text", "annotations": [], "logprobs": [], "text": TEXT}
    item = {"id": "msg_1", "type": "message", "status": "completed", "content": [part], "role": "assistant"}
    place = {"item_id": "msg_68af4030baa48193b0b43b4c2a176a1a05438e46b5f69a3b", "output_index": 0, "content_index": 0}
    numbers = iter(range(TOKENS + 20))

    def event(kind: str, fields: Json) -> Json:
        return {"type": kind, "sequence_number": next(numbers), **fields}

    yield event("response.created", {"response": response})
    yield event("response.in_progress", {"response": response})
    yield event("response.output_item.added", {"output_index": 0, "item": item | {"content": []}})
    yield event("response.content_part.added", place | {"part": part | {"text": ""}})
    for word in WORDS:
        yield event("response.output_text.delta", place | {"delta": word, "logprobs": [], "obfuscation": "q7Kd0aX2mLp"})
    yield event("response.output_text.done", place | {"text": TEXT, "logprobs": []})
    yield event("response.content_part.done", place | {"part": part})
    yield event("response.output_item.done", {"output_index": 0, "item": item})
    usage = {"input_tokens": 12, "output_tokens": TOKENS, "total_tokens": 12 + TOKENS}
    ended = response | {"status": "completed", "output": [item], "usage": usage}
    yield event("response.completed", {"response": ended})


def messages() -> Iterator[Json]:
    """As Anthropic sends it."""
    message = {
        "model": "claude-sonnet-4-5-20250929",
        "id": "msg_01QfyCFBh4nTwYGfAVYpPq1H",
        "type": "message",
        "role": "assistant",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {
            "input_tokens": 12,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": 1,
        },
    }
    yield {"type": "message_start", "message": message}
    yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    yield {"type": "ping"}
    for word in WORDS:
        yield {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}}
    yield {"type": "content_block_stop", "index": 0}
    ending = {"stop_reason": "end_turn", "stop_sequence": None}
    yield {"type": "message_delta", "delta": ending, "usage": {"output_tokens": TOKENS}}
    yield {"type": "message_stop"}


def generate_content() -> Iterator[Json]:
    """As Gemini sends it, but one token at a time; Gemini itself sends dozens together."""
    for number, word in enumerate(WORDS, 1):
        reason = {"finishReason": "STOP"} if number == TOKENS else {}
        usage = {"promptTokenCount": 12, "candidatesTokenCount": number, "totalTokenCount": 12 + number}
        details = [{"modality": "TEXT", "tokenCount": 12}]
        candidate = {"content": {"parts": [{"text": word}], "role": "model"}, **reason, "index": 0}
        yield {
            "candidates": [candidate],
            "usageMetadata": usage | {"promptTokensDetails": details},
            "modelVersion": "gemini-2.5-flash",
            "responseId": "8e97asPMLaS4qtsP7oGv4Ag",
        }


STREAMS: Mapping[str, Callable[[], Iterator[Json]]] = {
    "openai_chat": chat,
    "openai_responses": responses,
    "anthropic_messages": messages,
    "gemini": generate_content,
}
