"""Loading this tells drf-spectacular everything; `creative_services.urls` does where it is an installed app."""

from creative_services.api.schema import (
    messages_operations,
    native_operations,
    openai_operations,
    responses_operations,
    security,
    usage_operations,
)

__all__ = [
    "messages_operations",
    "native_operations",
    "openai_operations",
    "responses_operations",
    "security",
    "usage_operations",
]
