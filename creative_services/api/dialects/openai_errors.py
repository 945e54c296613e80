"""Errors as OpenAI's APIs tell them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from creative_services.core.errors import ContentFilterError, ContextLengthError, InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from creative_services.api.dialects.base import Fault

# Our codes: OpenAI's type and code. What is not listed keeps its code, with the type of its status.
KINDS: Mapping[str, tuple[str, str | None]] = MappingProxyType(
    {
        "invalid_request": ("invalid_request_error", None),
        "not_authenticated": ("authentication_error", "invalid_api_key"),
        "permission_denied": ("permission_error", "permission_denied"),
        "budget_exceeded": ("insufficient_quota", "budget_exceeded"),
        "llm_not_found": ("invalid_request_error", "model_not_found"),
        "throttled": ("rate_limit_error", "rate_limit_exceeded"),
    }
)


def error_object(fault: Fault) -> dict[str, Any]:
    """`{"message", "type", "param", "code"}`."""
    usual = "invalid_request_error" if fault.status < 500 else "server_error"
    kind, code = KINDS.get(fault.code, (usual, fault.code))
    param: str | None = None
    match fault.error:
        case ContextLengthError():
            code = "context_length_exceeded"
        case ContentFilterError():
            code = "content_filter"
        case InvalidRequestError() if fault.error.refused_parameter:
            param, code = fault.error.refused_parameter, "unsupported_parameter"
    return {"message": fault.detail, "type": kind, "param": param, "code": code}


def error_body(fault: Fault) -> dict[str, Any]:
    """The body of an error response."""
    return {"error": error_object(fault)}
