"""How each error is told over HTTP: `{"code", "detail"}` and a status."""

from __future__ import annotations

from math import ceil
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

from creative_services.api.reading import BodyTooLarge
from creative_services.core.errors import (
    BudgetExceededError,
    ConfigurationError,
    CreativeServicesError,
    DeadlineExceededError,
    InvalidRequestError,
    LLMNotFoundError,
    NoLLMAvailableError,
    ProviderError,
    ProviderTimeoutError,
    RateLimitError,
    TierNotAllowedError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

# A class that is not listed is told as its nearest listed base.
ANSWERS: Mapping[type[Exception], tuple[int, str]] = MappingProxyType(
    {
        InvalidRequestError: (400, "invalid_request"),
        BudgetExceededError: (402, "budget_exceeded"),
        TierNotAllowedError: (403, "permission_denied"),
        LLMNotFoundError: (404, "llm_not_found"),
        ProviderError: (502, "provider_error"),
        NoLLMAvailableError: (503, "no_llm_available"),
        RateLimitError: (503, "provider_rate_limited"),
        ConfigurationError: (503, "misconfigured"),
        DeadlineExceededError: (504, "timeout"),
        ProviderTimeoutError: (504, "timeout"),
    }
)
# REST framework and authentication classes have many codes of their own for these.
CODES: Mapping[int, str] = MappingProxyType(
    {
        400: "invalid_request",
        401: "not_authenticated",
        403: "permission_denied",
        429: "throttled",
    }
)
PATIENCE = 5
"""Seconds to wait that are advised where a provider that is busy gave no advice."""
LONGEST_PATIENCE = 24 * 60 * 60


def error_body(error: CreativeServicesError) -> dict[str, str]:
    """What the caller is told: never a key, a prompt or a provider's own words."""
    return {"code": _answer(error)[1], "detail": str(error)}


def _answer(error: CreativeServicesError) -> tuple[int, str]:
    return next(ANSWERS[kind] for kind in type(error).__mro__ if kind in ANSWERS)


def exception_handler(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """The response for an error that callers may meet; None for a bug, which Django reports."""
    if isinstance(error, CreativeServicesError):
        return Response(error_body(error), status=_answer(error)[0], headers=_patience(error))
    known = _as_api_exception(error)
    if known is None:
        return None
    code = CODES.get(known.status_code, known.default_code)
    body = {"code": code, "detail": _sentence(known)}
    return Response(body, status=known.status_code, headers=_headers(known))


def _as_api_exception(error: Exception) -> exceptions.APIException | None:
    match error:
        case exceptions.APIException():
            return error
        case Http404():
            return exceptions.NotFound()
        case PermissionDenied():
            return exceptions.PermissionDenied()
        case RequestDataTooBig():  # somebody read the body before us, by Django's limit
            return BodyTooLarge("The body has more bytes than DATA_UPLOAD_MAX_MEMORY_SIZE allows.")
        case _:
            return None


def _sentence(error: exceptions.APIException) -> str:
    detail: Any = error.detail
    if isinstance(detail, dict):
        detail = detail.get("detail", error.default_detail)
    if isinstance(detail, list):
        detail = " ".join(str(part) for part in detail)
    return str(detail)


def _patience(error: CreativeServicesError) -> dict[str, str]:
    if not isinstance(error, RateLimitError):
        return {}
    seconds = PATIENCE if error.retry_after is None else min(error.retry_after, LONGEST_PATIENCE)
    return {"Retry-After": str(max(1, ceil(seconds)))}


def _headers(error: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if (wait := getattr(error, "wait", None)) is not None:
        headers["Retry-After"] = str(max(1, ceil(wait)))
    return headers
