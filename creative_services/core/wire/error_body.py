"""What an error response says, whichever of the many body shapes it has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from creative_services.core.wire import json_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MAX_BODY = 256 * 1024
_IDENTIFIER = re.compile(r"[\w.:\-\[\]]{1,80}", re.ASCII)
# Linear even for 256 KB of what never closes: a search that fails must not begin again at the next "<".
_MARKUP = re.compile(r"<(script|style)\b.*?(?:</\1>|\Z)|<[^<>]*>", re.DOTALL | re.IGNORECASE)
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s?(ms|h|m|s)")
_RETRY_HINT = re.compile(r"(?:try again|retry) (?:in|after) ((?:\d{1,9}(?:\.\d{1,9})?\s?(?:ms|h|m|s))+)", re.IGNORECASE)
_HTTP_DATE = re.compile(r"\w{3}, (\d\d) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_WORD_FIELDS = ("type", "code", "status", "reason", "error_type", "error_code", "__type")
_INNER_FIELDS = ("error", "innererror", "inner_error", "details", "metadata", "detail")
_REQUEST_ID_HEADERS = (
    "x-request-id", "request-id", "apim-request-id", "x-amzn-requestid", "mistral-correlation-id",
    "x-generation-id", "x-goog-request-id", "cf-ray",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ErrorFacts:
    """What a body said: its sentence, its identifiers, and all words of it that may classify it, lower case.

    `status` is the HTTP status that the body itself names; `delay` the seconds that it asks to wait.
    """

    message: str = ""
    type: str | None = None
    code: str | None = None
    param: str | None = None
    words: frozenset[str] = frozenset()
    status: int | None = None
    delay: float | None = None
    request_id: str | None = None


def read_error(body: bytes) -> ErrorFacts:
    """The facts of an error body: JSON of any shape, HTML, plain text, or nothing."""
    body = body[:_MAX_BODY]
    try:
        value = json_text.load(body)
    except ValueError:
        return ErrorFacts(message=_squeeze(_MARKUP.sub(" ", body.decode(errors="replace"))))
    return error_facts(value)


def error_facts(value: Any) -> ErrorFacts:
    """The facts of an error that has been parsed: an object, a list around one, or a bare string."""
    while isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict):
        return ErrorFacts(message=_squeeze(json_text.text(value)))
    layers = list(_layers(value))
    sentences = [sentence for layer in layers for sentence in _sentences(layer)]
    message = " ".join(dict.fromkeys(sentences))
    return ErrorFacts(
        message=_squeeze(message),
        type=_first(layers, "type", "status", skip="error"),
        code=_first(layers, "code", "error_code"),
        param=_first(layers, "param"),
        words=frozenset(word for layer in layers for word in _words(layer)),
        status=_status(layers),
        delay=_delay(layers, message),
        request_id=_first([value], "request_id"),
    )


def _layers(value: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """The error object and what is nested in it, the object that carries the sentence first."""
    if depth > 6 or not isinstance(value, dict):
        return
    inner = [item for name in _INNER_FIELDS for item in _items(value.get(name))]
    named = value.get("error")
    if isinstance(named, dict):
        yield from _layers(named, depth + 1)
        inner = [item for item in inner if item is not named]
    yield value
    inner += _items(value.get("errors")) + _items(_nested_json(value.get("raw"))) + _items(value.get("message"))
    for item in inner:
        yield from _layers(item, depth + 1)


def _items(value: Any) -> list[dict[str, Any]]:
    return [value] if isinstance(value, dict) else json_text.objects(value)[:20]


def _nested_json(value: Any) -> Any:
    if not isinstance(value, str) or not value.lstrip().startswith("{"):
        return value
    try:
        return json_text.load(value)
    except ValueError:
        return None


def _sentences(layer: Mapping[str, Any]) -> Iterator[str]:
    for name in ("message", "error", "detail", "msg", "raw"):
        value = layer.get(name)
        if isinstance(value, str) and value and not value.lstrip().startswith("{"):
            yield json_text.text(value)


def _words(layer: Mapping[str, Any]) -> Iterator[str]:
    for name in _WORD_FIELDS:
        value = layer.get(name)
        if isinstance(value, str | int):
            yield str(value)[:100].lower()
    for quota in json_text.objects(layer.get("violations")):
        if "perday" in json_text.text(quota.get("quotaId")).lower():
            yield "quota_per_day"
    if layer.get("reasons") and "flagged_input" in layer:
        yield "flagged_input"


def _first(layers: list[dict[str, Any]], *names: str, skip: str = "") -> str | None:
    for layer in layers:
        for name in names:
            value = layer.get(name)
            found = identifier(str(value)) if isinstance(value, str | int) else None
            if found and found != skip:
                return found
    return None


def identifier(value: str) -> str | None:
    """`value` if it can only be an identifier, never a sentence; else None."""
    return value if _IDENTIFIER.fullmatch(value) else None


def _status(layers: list[dict[str, Any]]) -> int | None:
    for layer in layers:
        for name in ("status_code", "raw_status_code", "status", "code"):
            value = layer.get(name)
            if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) == 3:
                value = int(value)
            if isinstance(value, int) and 400 <= value < 600:
                return value
    return None


def _delay(layers: list[dict[str, Any]], message: str) -> float | None:
    for layer in layers:
        if isinstance(delay := layer.get("retryDelay"), str):
            return _seconds(delay)
    hint = _RETRY_HINT.search(message[:4000])
    return _seconds(hint[1]) if hint else None


def _seconds(duration: str) -> float | None:
    """Seconds of a duration such as "12m57.6s" or "700ms"."""
    parts = _DURATION.findall(duration[:60])
    return sum(float(number) * _UNITS[unit] for number, unit in parts) if parts else None


def retry_delay(headers: Mapping[str, str]) -> float | None:
    """Seconds that the headers ask to wait: the first positive of `retry-after-ms` and `retry-after`."""
    found = [_number(headers.get("retry-after-ms"), 0.001), _number(headers.get("retry-after"), 1.0), _until(headers)]
    delays = [delay for delay in found if delay is not None]
    return next((delay for delay in delays if delay > 0), 0.0 if delays else None)


def _number(value: str | None, unit: float) -> float | None:
    if value is None or not re.fullmatch(r"\d{1,12}(?:\.\d{1,12})?", value.strip(), re.ASCII):
        return None
    return float(value) * unit


def _until(headers: Mapping[str, str]) -> float | None:
    when = _http_date(headers.get("retry-after"))
    if when is None:
        return None
    # The server's own clock, where it tells it: ours may differ from the one that the date was made by.
    now = _http_date(headers.get("date")) or datetime.now(UTC)
    return max((when - now).total_seconds(), 0.0)


def _http_date(value: str | None) -> datetime | None:
    found = _HTTP_DATE.fullmatch((value or "").strip())
    if found is None or found[2] not in _MONTHS:
        return None
    day, year, hour, minute, second = (int(found[index]) for index in (1, 3, 4, 5, 6))
    try:
        return datetime(year, _MONTHS.index(found[2]) + 1, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None


def request_id(headers: Mapping[str, str]) -> str | None:
    """The provider's own id of this request, if a header carries one."""
    return next((found for name in _REQUEST_ID_HEADERS if (found := identifier(headers.get(name, "")))), None)


def _squeeze(message: str) -> str:
    return " ".join(message[:8000].split())
