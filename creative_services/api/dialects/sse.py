"""JSON, and server-sent events of it, as bytes."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any

# Legal inside JSON strings, yet many readers of lines and of JavaScript break there.
_LINE_ENDS = {ord(char): f"\\u{ord(char):04x}" for char in "\u0085\u2028\u2029"}
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def to_json(value: Any) -> bytes:
    """`value` as compact UTF-8 JSON on one line.

    What a provider sent is never refused: half characters are escaped, and numbers that JSON does not have are null.
    """
    try:
        text = _encode(value)
    except ValueError:
        value = _with_json_numbers(value)
        text = _encode(value)
    try:
        return text.translate(_LINE_ENDS).encode()
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()


def _with_json_numbers(value: Any) -> Any:
    match value:
        case dict():
            return {name: _with_json_numbers(part) for name, part in value.items()}
        case list() | tuple():
            return [_with_json_numbers(part) for part in value]
        case float() if not isfinite(value):
            return None
        case _:
            return value


def event(name: str, value: Any) -> bytes:
    """One server-sent event with a name."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), to_json(value))


def data(value: Any) -> bytes:
    """One server-sent event without a name."""
    return b"data: %s\n\n" % to_json(value)
