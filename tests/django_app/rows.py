"""Rows for the tests of this folder."""

from typing import Any

from creative_services.models import Llms

KEY = "sk-proj-0123456789abcdef"


def values(**fields: Any) -> dict[str, Any]:
    name = fields.pop("name", "GPT")
    return {"name": name, "provider": "openai", "model": "gpt-4o-mini", "tier": "standard", "api_key": KEY} | fields


def make(**fields: Any) -> Llms:
    return Llms.objects.create(**values(**fields))


def local(**fields: Any) -> Llms:
    return make(
        **{"name": "Local", "tier": "local", "provider": "ollama", "api_endpoint": "http://localhost:11434/v1"} | fields
    )
