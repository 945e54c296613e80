"""Embeddings in OpenAI's form, which most providers speak.

https://platform.openai.com/docs/api-reference/embeddings
"""

from __future__ import annotations

import struct
from base64 import b64decode
from typing import TYPE_CHECKING, Any

from creative_services.core.wire import json_text
from creative_services.core.wire.base import Vectors
from creative_services.core.wire.errors import in_stream_error, malformed
from creative_services.core.wire.json_text import mapping, objects, text
from creative_services.core.wire.openai_answer import read_usage

if TYPE_CHECKING:
    from creative_services.core.request import EmbedRequest
    from creative_services.core.types import LLMEntry


def body_of(entry: LLMEntry, request: EmbedRequest) -> dict[str, Any]:
    """The JSON of a request."""
    body: dict[str, Any] = {"model": entry.model, "input": list(request.texts), "encoding_format": "float"}
    if request.dimensions is not None:
        body["dimensions"] = request.dimensions
    return body


def read(entry: LLMEntry, body: bytes) -> Vectors:
    """The vectors in the order of their texts. Raises MalformedResponseError."""
    try:
        answer = mapping(json_text.load(body))
        if answer.get("error"):
            raise in_stream_error(entry, dict(answer))
        items = sorted(enumerate(objects(answer.get("data"))), key=_place)
        vectors = [_vector(item.get("embedding")) for _, item in items]
    except (ValueError, struct.error):
        raise malformed(entry) from None
    if not vectors:
        raise malformed(entry)
    return Vectors(vectors, read_usage(answer.get("usage")), text(answer.get("model")) or None)


def _place(numbered: tuple[int, dict[str, Any]]) -> int:
    number, item = numbered
    index = item.get("index")
    return index if isinstance(index, int) else number


def _vector(value: Any) -> list[float]:
    if isinstance(value, str):  # some servers answer base64 of little-endian floats, whatever was asked
        packed = b64decode(value, validate=True)
        value = list(struct.unpack(f"<{len(packed) // 4}f", packed))
    return json_text.vector(value)
