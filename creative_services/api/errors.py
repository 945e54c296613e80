"""How each error is told over HTTP: a status, a code and a sentence, in the form of the view's dialect."""

from __future__ import annotations

from math import ceil
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

from creative_services.api.dialects.base import Fault
from creative_services.api.dialects.own import OWN
from creative_services.api.headers import call_headers
from creative_services.api.reading import BodyTooLarge
from creative_services.core.errors import (
    BudgetExceededError,
    ConfigurationError,
    CreativeServicesError,
    DeadlineExceededError,
    InvalidRequestError,
    LedgerUnavailableError,
    LimitExceededError,
    LLMNotFoundError,
    NoLLMAvailableError,
    ProviderError,
    ProviderTimeoutError,
    RateLimitError,
    TierNotAllowedError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from creative_services.api.dialects.base import Form

# A class that is not listed is told as its nearest listed base.
ANSWERS: Mapping[type[Exception], tuple[int, str]] = MappingProxyType(
    {
        InvalidRequestError: (400, "invalid_request"),
        BudgetExceededError: (402, "budget_exceeded"),
        TierNotAllowedError: (403, "permission_denied"),
        LLMNotFoundError: (404, "llm_not_found"),
        LimitExceededError: (429, "throttled"),
        ProviderError: (502, "provider_error"),
        LedgerUnavailableError: (503, "ledger_unavailable"),
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


def call_fault(error: CreativeServicesError) -> Fault:
    """What the caller is told of a call that failed: never a key, a prompt or a provider's own words."""
    status, code = next(ANSWERS[kind] for kind in type(error).__mro__ if kind in ANSWERS)
    return Fault(status, code, str(error), error.request_id or str(uuid4()), error)


def exception_handler(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """The response for an error that callers may meet; None for a bug, which Django reports."""
    if isinstance(error, CreativeServicesError):
        fault, headers = call_fault(error), _patience(error)
        headers |= call_headers(None, error.attempts[-1].llm_name if error.attempts else None, len(error.attempts))
    else:
        known = _as_api_exception(error)
        if known is None:
            return None
        code = CODES.get(known.status_code, known.default_code)
        fault, headers = Fault(known.status_code, code, _sentence(known), str(uuid4())), _headers(known)
    dialect: Form = getattr(context.get("view"), "dialect", OWN)
    headers["x-request-id"] = str(fault.request_id)
    return Response(dialect.error_body(fault), status=fault.status, headers=headers)


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
    if not isinstance(error, RateLimitError | LimitExceededError):
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
