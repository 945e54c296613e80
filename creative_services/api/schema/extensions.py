"""Loading this tells drf-spectacular everything; `creative_services.urls` does where it is an installed app."""

from creative_services.api.schema import native_operations, security

__all__ = ["native_operations", "security"]
