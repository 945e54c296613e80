"""The process's clients, wired by the project's settings."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from django.core.signals import setting_changed

from creative_services.adapters.registry import DjangoLLMRegistry
from creative_services.conf import app_settings
from creative_services.core.request import Bounds

if TYPE_CHECKING:
    from collections.abc import Callable

    from creative_services.core.client import DynamicLLMClient, SyncDynamicLLMClient
    from creative_services.core.http import Transport
    from creative_services.core.llm_registry import LLMRegistry

# The clients' modules are imported on first use: who only wants the registry loads no HTTP.

_stand_ins: list[tuple[LLMRegistry | None, Transport]] = []


@cache
def get_client() -> DynamicLLMClient:
    """This process's async client over the `Llms` rows; made anew when settings change."""
    from creative_services.core.client import DynamicLLMClient  # noqa: PLC0415 - see above

    return DynamicLLMClient(get_registry(), transport=get_transport(), **_options())


@cache
def get_sync_client() -> SyncDynamicLLMClient:
    """This process's sync client over the `Llms` rows; made anew when settings change."""
    from creative_services.core.client import SyncDynamicLLMClient  # noqa: PLC0415 - see above

    return SyncDynamicLLMClient(get_registry(), transport=get_transport(), **_options())


@cache
def get_registry() -> DjangoLLMRegistry:
    """This process's registry of all `Llms` rows, which remembers them."""
    return DjangoLLMRegistry()


@cache
def get_transport() -> Transport:
    """What this process's clients send through; made anew when settings change."""
    from creative_services.core.transport import HttpTransport  # noqa: PLC0415 - see above

    return HttpTransport(proxy=app_settings.proxy, ca_bundle=app_settings.ca_bundle)


def _options() -> dict[str, Any]:
    return {
        "limits": app_settings.limits,
        "retry": app_settings.retry,
        "fallback_tiers": app_settings.fallback_tiers,
        "default_tier": app_settings.default_tier,
        "bounds": Bounds(prompt_chars=app_settings.max_prompt_chars, max_tokens=app_settings.max_tokens),
    }


def _rebuild(*, setting: str, **_: object) -> None:
    if setting == "CREATIVE_SERVICES":
        for made in (get_client, get_sync_client, get_transport):
            made.cache_clear()


setting_changed.connect(_rebuild)
