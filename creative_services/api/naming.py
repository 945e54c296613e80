"""Which LLM, or tier, the `model` of a request names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from creative_services.adapters.clients import get_registry
from creative_services.adapters.registry import DjangoLLMRegistry
from creative_services.core.errors import InvalidRequestError, LLMNotFoundError
from creative_services.core.llm_registry import rank
from creative_services.core.types import LLMTier

if TYPE_CHECKING:
    from collections.abc import Collection

    from creative_services.core.llm_registry import LLMRegistry
    from creative_services.core.types import LLMEntry

TIERS = frozenset(tier.value for tier in LLMTier)


def target_of(model: Any, tiers: Collection[LLMTier]) -> dict[str, Any]:
    """`{"tier": …}` or `{"llm_id": …}`, as `generate` takes it.

    `model` is a tier, whose name is reserved; else an active LLM's name; else `<provider>/<model>` of active ones, of
    which the cheapest counts that is usable, and of `tiers`. Raises InvalidRequestError, or LLMNotFoundError.
    """
    if not isinstance(model, str) or not model:
        raise InvalidRequestError("`model` must be a string: a tier, an LLM's name, or `<provider>/<model>`.")
    return {"tier": model} if model in TIERS else {"llm_id": find(model, tiers).id}


def find(model: str, tiers: Collection[LLMTier]) -> LLMEntry:
    """The active LLM of this name, or of this `<provider>/<model>`. Raises LLMNotFoundError."""
    registry = get_registry()
    named = registry.named(model) if isinstance(registry, DjangoLLMRegistry) else _named(registry, model)
    if not named:
        raise LLMNotFoundError(
            f"There is no LLM {model[:80]!r}. `model` takes a tier ({', '.join(tier.value for tier in LLMTier)}), the "
            "name of an active LLM, or `<provider>/<model>` of one."
        )
    return min(named, key=lambda entry: (entry.tier not in tiers, entry.unusable is not None))


def _named(registry: LLMRegistry, model: str) -> list[LLMEntry]:
    entries = rank(registry.list_active())
    named = [entry for entry in entries if entry.name == model]
    return named or [entry for entry in entries if f"{entry.provider}/{entry.model}" == model]
