"""What no provider can take, found wherever it is nested: in prompts, tools, schemas and extra parameters alike."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from creative_services.core.errors import InvalidRequestError

MOST = sys.float_info.max  # readers of JSON take every number for a float
MOST_DEPTH = 64  # levels; beyond some hundreds JSON parsers give up


def check_content(value: Any, where: str, left: int, depth: int = 0) -> int:
    """How much of `left`, a number of characters, remains after `value`; raises InvalidRequestError naming `where`."""
    if isinstance(value, str):
        return _check_text(value, where, left)
    if value is None:
        return left
    if isinstance(value, int | float):
        if not -MOST <= value <= MOST:
            raise InvalidRequestError(f"`{where}` holds a number that JSON does not have.")
        return left
    if depth == MOST_DEPTH:
        raise InvalidRequestError(f"`{where}` is nested deeper than {MOST_DEPTH} levels.")
    for item in _items(value, where):
        left = check_content(item, where, left, depth + 1)
    return left


def utf8_length(value: Any) -> int:
    """Bytes of all text in `value`, which `check_content` has found to be good."""
    if isinstance(value, str):
        return len(value) if value.isascii() else len(value.encode())
    if value is None or isinstance(value, int | float):
        return 0
    return sum(map(utf8_length, _items(value, "")))


def _items(value: Any, where: str) -> Iterable[Any]:
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise InvalidRequestError(f"`{where}` has a key that is not a string.")
        return (part for pair in value.items() for part in pair)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return value
    raise InvalidRequestError(f"`{where}` holds a {type(value).__name__}, which JSON does not have.")


def _check_text(text: str, where: str, left: int) -> int:
    if len(text) > left:
        raise InvalidRequestError(f"`{where}` makes the request too long. Send less text, or raise MAX_PROMPT_CHARS.")
    if "\0" in text:
        raise InvalidRequestError(f"`{where}` holds a NUL character.")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            pass
        else:
            return left - len(text)
        raise InvalidRequestError(f"`{where}` holds half a character (a lone surrogate).")
    return left - len(text)
