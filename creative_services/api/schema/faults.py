"""The errors that clients may meet, and how each API tells them."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from creative_services.api.dialects.base import Fault
from creative_services.api.dialects.chat import Chat
from creative_services.api.dialects.messages import MESSAGES
from creative_services.api.dialects.own import OWN
from creative_services.api.schema.operations import Errors
from creative_services.api.schema.shapes import STRING, Shape, nullable, whole_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from creative_services.api.dialects.base import Form

REQUEST_ID = "0b0cbf3c-95a5-4f0e-8f0f-8e1d4c1b7a55"
EXAMPLES: Mapping[int, tuple[str, str]] = MappingProxyType(
    {
        400: ("invalid_request", "`temperature` must be a number from 0 to 2."),
        401: ("not_authenticated", "Authentication credentials were not provided."),
        402: ("budget_exceeded", "The budget of ann for this month is spent."),
        403: ("permission_denied", "This needs the permission creative_services.generate."),
        404: ("llm_not_found", "There is no such active LLM."),
        413: ("invalid_request", "The body has more than 20971520 bytes. Send less, or raise MAX_BODY_BYTES."),
        415: ("unsupported_media_type", "Send the body as JSON in UTF-8, with `Content-Type: application/json`."),
        429: ("throttled", "Request was throttled. Expected available in 12 seconds."),
        502: ("provider_error", "The provider answered with status 500."),
        503: ("no_llm_available", "The tier has no LLM that could be asked."),
        504: ("timeout", "The call's time has run out."),
    }
)


def _errors(shape: Shape, dialect: Form) -> Errors:
    """As this dialect itself tells them."""
    told: dict[int, Any] = {
        status: dict(dialect.error_body(Fault(status, code, detail, REQUEST_ID)))
        for status, (code, detail) in EXAMPLES.items()
    }
    return Errors(shape, told)


OWN_ERRORS = _errors(Shape("LlmError", whole_object({"code": STRING, "detail": STRING}, "What went wrong.")), OWN)
OPENAI_ERRORS = _errors(
    Shape(
        "OpenAIError",
        whole_object(
            {
                "error": whole_object(
                    {"message": STRING, "type": STRING, "param": nullable(STRING), "code": nullable(STRING)}
                )
            }
        ),
    ),
    Chat(),
)
ANTHROPIC_ERRORS = _errors(
    Shape(
        "AnthropicError",
        whole_object(
            {"type": STRING, "error": whole_object({"type": STRING, "message": STRING}), "request_id": STRING}
        ),
    ),
    MESSAGES,
)
