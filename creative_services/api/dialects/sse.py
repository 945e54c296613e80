"""JSON, and server-sent events of it, as bytes."""

from __future__ import annotations

import json
from typing import Any

# Legal inside JSON strings, yet many readers of lines and of JavaScript break there.
_LINE_ENDS = {ord(char): f"\\u{ord(char):04x}" for char in "\u0085\u2028\u2029"}


def to_json(value: Any) -> bytes:
    """`value` as compact UTF-8 JSON on one line; half characters that a provider sent are escaped, never refused."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        return text.translate(_LINE_ENDS).encode()
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()


def event(name: str, value: Any) -> bytes:
    """One server-sent event with a name."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), to_json(value))


def data(value: Any) -> bytes:
    """One server-sent event without a name."""
    return b"data: %s\n\n" % to_json(value)
