"""JSON out and in: compact UTF-8 for bodies, and careful readings of what providers send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from json import JSONDecodeError, JSONDecoder, JSONEncoder
from math import isfinite
from typing import Any

from creative_services.core.types import NO_PARAMS


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return list(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


_encode = JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain).encode
_encode_received = JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_decoder = JSONDecoder()
_decode = _decoder.decode
_decode_begin = _decoder.raw_decode


def dump(value: Any) -> bytes:
    """Compact UTF-8 JSON; raises TypeError, ValueError or RecursionError for what JSON cannot hold."""
    return _encode(value).encode()


def written(value: Any) -> str:
    """JSON text of a value that was read from JSON, whatever a provider had put in it."""
    try:
        return mend(_encode_received(value))
    except RecursionError:
        return ""


def load(data: bytes | str) -> Any:
    """The value of a JSON text; raises ValueError for anything else, nesting beyond the parser's depth included."""
    try:
        source = data.decode() if isinstance(data, bytes) else data
        try:
            # Once for every token of a stream: `decode` would first look for white space around the value.
            value, end = _decode_begin(source)
        except JSONDecodeError:
            end = -1
        return value if end == len(source) else _decode(source.removeprefix("\ufeff"))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def text(value: Any) -> str:
    """`value` if it is a string, without lone surrogates; else the empty string."""
    if not isinstance(value, str):
        return ""
    return value if value.isascii() else mend(value)


def mend(value: str) -> str:
    """`value` with surrogate pairs joined and lone ones replaced, so that it can be encoded."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return value


class Pieces:
    """Joins characters that a provider's pieces cut in half (between the two surrogates of a pair)."""

    __slots__ = ("half",)

    def __init__(self) -> None:
        self.half = ""

    def add(self, piece: str) -> str:
        """The text to hand on after this piece."""
        if piece.isascii() and not self.half:
            return piece
        whole = self.half + piece
        self.half = whole[-1:] if "\ud800" <= whole[-1:] <= "\udbff" else ""
        return mend(whole[:-1] if self.half else whole)


def count(value: Any) -> int | None:
    """A number of tokens, or None for what cannot be one."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
        return None
    return int(value)


def vector(value: Any) -> list[float]:
    """The numbers in a list; raises ValueError for anything else, and where one of them is no number to reckon with."""
    if not isinstance(value, list) or not value:
        raise ValueError("no list of numbers")
    try:
        numbers = [float(number) for number in value]
    except (TypeError, OverflowError):
        raise ValueError("no number") from None
    if not all(map(isfinite, numbers)):
        raise ValueError("not a finite number")
    return numbers


def mapping(value: Any) -> Mapping[str, Any]:
    """`value` if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else NO_PARAMS


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects in `value`, if it is a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `over` laid on it; objects on both sides are merged, anything else is replaced."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        result[key] = merged(below, value) if both else value  # type: ignore[arg-type]  # `both` has checked it
    return result
