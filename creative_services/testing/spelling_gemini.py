"""How Google's Gemini API writes its answers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from creative_services.testing.spelling import Json, compact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from creative_services.core.types import Usage
    from creative_services.testing.replies import Failure, Reply


class GeminiSpelling:
    """Gemini's generateContent; `model` is the one that the address names."""

    request_id_header = "x-goog-request-id"
    reasons: Mapping[str, str] = {"length": "MAX_TOKENS", "content_filter": "SAFETY", "error": "OTHER"}
    codes: Mapping[int, str] = {
        400: "INVALID_ARGUMENT",
        401: "UNAUTHENTICATED",
        403: "PERMISSION_DENIED",
        404: "NOT_FOUND",
        429: "RESOURCE_EXHAUSTED",
        503: "UNAVAILABLE",
        504: "DEADLINE_EXCEEDED",
    }

    def __init__(self, model: str, number: int) -> None:
        self.model = model
        self.number = number

    def whole(self, reply: Reply) -> Json:
        text = "".join(reply.pieces)
        parts = [*_thoughts(reply), *([{"text": text}] if text else []), *_calls(reply)]
        return self._last(reply, parts)

    def opening(self, reply: Reply) -> Iterator[bytes]:
        if thoughts := _thoughts(reply):
            yield _event(self._frame(thoughts))

    def piece(self, reply: Reply, text: str) -> bytes:
        return _event(self._frame([{"text": text}]))

    def closing(self, reply: Reply) -> Iterator[bytes]:
        yield _event(self._last(reply, [*_calls(reply), {"text": ""}]))

    def failure(self, failure: Failure) -> Json:
        status = failure.code or self.codes.get(failure.status, "INTERNAL")
        return {"error": {"code": failure.status, "message": failure.message, "status": status}}

    def failure_event(self, failure: Failure) -> bytes:
        return _event(self.failure(failure))

    def _last(self, reply: Reply, parts: list[Json]) -> Json:
        frame = self._frame(parts)
        frame["candidates"][0]["finishReason"] = self.reasons.get(reply.reason, "STOP")
        return frame | ({"usageMetadata": gemini_usage(reply.usage)} if reply.usage else {})

    def _frame(self, parts: list[Json]) -> dict[str, Any]:
        return {
            "candidates": [{"content": {"role": "model", "parts": parts}, "index": 0}],
            "modelVersion": self.model,
            "responseId": f"fake-{self.number}",
        }


def model_in(url: str) -> str:
    """The model that an address of this API names; empty for other addresses."""
    named = re.search(r"/models/([^/?]+):\w+(?:\?|$)", url)
    return unquote(named[1]) if named else ""


def gemini_usage(usage: Usage) -> Json:
    """The known counts in Gemini's words; input includes cached tokens, output excludes thoughts."""
    said = usage.output_tokens
    if said is not None:
        said -= usage.reasoning_tokens or 0
    counts = {
        "promptTokenCount": usage.input_tokens,
        "cachedContentTokenCount": usage.cache_read_tokens,
        "candidatesTokenCount": said,
        "thoughtsTokenCount": usage.reasoning_tokens,
    }
    return {name: count for name, count in counts.items() if count is not None}


def _thoughts(reply: Reply) -> list[Json]:
    return [{"text": reply.reasoning, "thought": True}] if reply.reasoning else []


def _calls(reply: Reply) -> list[Json]:
    return [
        {"functionCall": {"id": call["id"], "name": call["name"], "args": json.loads(call["arguments"])}}
        for call in reply.tool_calls
    ]


def _event(value: Json) -> bytes:
    return b"data: " + compact(value) + b"\r\n\r\n"
