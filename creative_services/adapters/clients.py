"""The process's clients, wired by the project's settings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from django.core.signals import setting_changed

from creative_services.adapters.breaker import CacheBreaker
from creative_services.adapters.connections import GivingBack
from creative_services.adapters.ledger import DjangoLedger
from creative_services.adapters.limited_ledger import LimitedLedger
from creative_services.adapters.rates import RateLimits
from creative_services.adapters.registry import DjangoLLMRegistry
from creative_services.conf import app_settings
from creative_services.core.bounds import Bounds
from creative_services.core.memory_breaker import InMemoryBreaker

if TYPE_CHECKING:
    from collections.abc import Callable

    from creative_services.core.client import DynamicLLMClient, SyncDynamicLLMClient
    from creative_services.core.http import Transport
    from creative_services.core.llm_registry import LLMRegistry

# The clients' modules are imported on first use: who only wants the registry loads no HTTP.


@dataclass(frozen=True, eq=False)
class _StandIn:
    registry: LLMRegistry | None
    transport: Transport


_stand_ins: list[_StandIn] = []


@cache
def get_client() -> DynamicLLMClient:
    """This process's async client over the `Llms` rows; made anew when settings change."""
    from creative_services.core.client import DynamicLLMClient  # noqa: PLC0415 - see above

    return DynamicLLMClient(get_registry(), transport=GivingBack(get_transport()), **_options())


@cache
def get_sync_client() -> SyncDynamicLLMClient:
    """This process's sync client over the `Llms` rows; made anew when settings change."""
    from creative_services.core.client import SyncDynamicLLMClient  # noqa: PLC0415 - see above

    return SyncDynamicLLMClient(get_registry(), transport=GivingBack(get_transport()), **_options())


@cache
def get_registry() -> LLMRegistry:
    """This process's registry of all `Llms` rows, which remembers them."""
    registry = _stand_ins[-1].registry if _stand_ins else None
    return DjangoLLMRegistry() if registry is None else registry


@cache
def get_breaker() -> CacheBreaker | InMemoryBreaker:
    """What remembers, for the calls of this process, which LLMs are failing."""
    # Tests would find LLMs cooling that an earlier test has let fail: ids and names are the same again.
    return InMemoryBreaker() if _stand_ins else CacheBreaker()


@cache
def get_ledger() -> DjangoLedger | None:
    """Who keeps the books of this process's calls; None where the settings, or LLMs that are no rows, want none."""
    options = app_settings.ledger
    if options is None or (_stand_ins and _stand_ins[-1].registry is not None):
        return None
    return DjangoLedger(options)


@cache
def get_transport() -> Transport:
    """What this process's clients send through; made anew when settings change."""
    if _stand_ins:
        return _stand_ins[-1].transport
    from creative_services.core.transport import HttpTransport  # noqa: PLC0415 - see above

    return HttpTransport(proxy=app_settings.proxy, ca_bundle=app_settings.ca_bundle)


def _options() -> dict[str, Any]:
    return {
        "limits": app_settings.limits,
        "retry": app_settings.retry,
        "fallback_tiers": app_settings.fallback_tiers,
        "ledger": LimitedLedger(get_ledger(), RateLimits()),
        "breaker": get_breaker(),
        "strategy": app_settings.strategy,
        "upstream": app_settings.generate_upstream,
        "hedge_after": app_settings.hedge_after,
        "hedge_share": app_settings.hedge_share,
        "default_tier": app_settings.default_tier,
        "bounds": Bounds(
            prompt_chars=app_settings.max_prompt_chars,
            max_tokens=app_settings.max_tokens,
            messages=app_settings.max_messages,
            image_bytes=app_settings.max_image_bytes,
            prompt_tokens=app_settings.max_prompt_tokens,
        ),
    }


def stand_in(transport: Transport, registry: LLMRegistry | None = None) -> Callable[[], None]:
    """Put a transport, and a registry if there is one, in the place of the project's; returns what undoes it.

    For tests, as `creative_services.testing.override_llms` does it. It holds for the whole process, servers in other
    threads included; of several the last counts.
    """
    one = _StandIn(registry, transport)
    _stand_ins.append(one)
    _forget(get_client, get_sync_client, get_registry, get_transport, get_breaker, get_ledger)

    def undo() -> None:
        _stand_ins.remove(one)
        _forget(get_client, get_sync_client, get_registry, get_transport, get_breaker, get_ledger)

    return undo


def _rebuild(*, setting: str, **_: object) -> None:
    if setting == "CREATIVE_SERVICES":
        _forget(get_client, get_sync_client, get_transport, get_ledger)
    elif setting == "CACHES":
        _forget(get_client, get_sync_client, get_breaker)


def _forget(*made: Any) -> None:
    for one in made:
        one.cache_clear()


setting_changed.connect(_rebuild)
