"""What a request's body says, read once and no further than it may be long."""

from __future__ import annotations

import json
from http import HTTPStatus
from math import isinf
from typing import TYPE_CHECKING, Any, NoReturn

from rest_framework.exceptions import APIException, ParseError, UnsupportedMediaType

from creative_services.conf import app_settings
from creative_services.core.content import MOST_DEPTH

if TYPE_CHECKING:
    from django.http import HttpRequest

JSON = "application/json"


class BodyTooLarge(APIException):
    """The body is longer than it may be."""

    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_code = "invalid_request"


def read_object(request: HttpRequest) -> dict[str, Any]:
    """The JSON object in the body.

    Raises UnsupportedMediaType, BodyTooLarge, or ParseError, whose text names the fault and quotes no value.
    """
    _check_type(request)
    body = _parse(_read(request, app_settings.max_body_bytes))
    if not isinstance(body, dict):
        raise ParseError("The body must be a JSON object.")
    for name, value in body.items():
        _check_depth(name, value)
    return body


def _check_type(request: HttpRequest) -> None:
    charset = (request.content_params or {}).get("charset", "utf-8")
    if request.content_type == JSON and charset.lower() == "utf-8":
        return
    if request.content_type or _announced(request):  # else there is nothing to have a type, and that is what is told
        detail = f"Send the body as JSON in UTF-8, with `Content-Type: {JSON}`."
        raise UnsupportedMediaType(request.content_type or "", detail=detail)


def _read(request: HttpRequest, limit: int) -> bytes:
    """The raw body.

    Django's own limit (DATA_UPLOAD_MAX_MEMORY_SIZE) is meant for forms, answers in HTML and is too small for images
    in prompts, so the stream is read here, by our limit; a body without a Content-Length is read too.
    """
    if not hasattr(request, "_body"):
        _check_length(_announced(request), limit)
        try:
            body = request.read(limit + 1)
        except OSError:
            raise ParseError("The body ended before it was complete.") from None
        request._body = body  # noqa: SLF001  (where Django keeps it, so that middleware may still ask for `request.body`)
    _check_length(len(request.body), limit)
    return request.body


def _announced(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _check_length(length: int, limit: int) -> None:
    if length > limit:
        raise BodyTooLarge(f"The body has more than {limit} bytes. Send less, or raise MAX_BODY_BYTES.")


def _parse(body: bytes) -> Any:
    if not body:
        raise ParseError("The body is empty. Send a JSON object.")
    try:
        return json.loads(body.decode(), parse_constant=_refuse_constant, parse_float=_to_float)
    except UnicodeDecodeError:
        raise ParseError("The body is not UTF-8.") from None
    except json.JSONDecodeError as error:
        raise ParseError(f"The body is not JSON: line {error.lineno}, column {error.colno}.") from None
    except RecursionError:
        raise ParseError(f"The body is nested deeper than {MOST_DEPTH} levels.") from None
    except ValueError:
        raise ParseError("The body holds a number that cannot be read.") from None


def _check_depth(name: str, value: Any) -> None:
    """Refuse what code that follows it by calling itself could not, before any such code sees it."""
    depth, level = 0, [value] if isinstance(value, dict | list) else []
    while level:
        depth += 1
        if depth > MOST_DEPTH:
            raise ParseError(f"`{name[:40]}` is nested deeper than {MOST_DEPTH} levels.")
        parts = (part for one in level for part in (one.values() if isinstance(one, dict) else one))
        level = [part for part in parts if isinstance(part, dict | list)]


def _to_float(digits: str) -> float:
    number = float(digits)
    if isinf(number):  # more than a float can hold, and so no number that could be passed on
        raise ValueError(digits)
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and the infinities are Python's, not JSON's
