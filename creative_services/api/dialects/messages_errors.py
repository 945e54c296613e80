"""Errors as Anthropic's API tells them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from creative_services.api.dialects.base import Fault

TYPES: Mapping[int, str] = MappingProxyType(
    {
        401: "authentication_error",
        402: "billing_error",
        403: "permission_error",
        404: "not_found_error",
        413: "request_too_large",
        429: "rate_limit_error",
        503: "overloaded_error",
        504: "timeout_error",
        529: "overloaded_error",
    }
)


def error_body(fault: Fault) -> dict[str, Any]:
    """The body of an error response, and the data of an `error` event."""
    usual = "invalid_request_error" if fault.status < 500 else "api_error"
    error = {"type": TYPES.get(fault.status, usual), "message": fault.detail}
    return {"type": "error", "error": error, "request_id": fault.request_id}
