"""Where LLM entries come from, and which one serves a tier.

A registry is anything with the three methods of `LLMRegistry`. `rank` is the one order that all of ours select by.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from creative_services.core.environment import entries_from
from creative_services.core.errors import ConfigurationError
from creative_services.core.providers import retirement
from creative_services.core.types import LLMEntry, LLMTier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

__all__ = ["DictRegistry", "LLMEntry", "LLMRegistry", "LLMTier", "RetirementLog", "rank"]

logger = logging.getLogger(__name__)

_UNKNOWN = float("inf")


@runtime_checkable
class LLMRegistry(Protocol):
    """What a client needs to know of a registry. Unknown ids and empty tiers give None.

    A registry may offer twins that are awaited (`aget_by_id`, `aget_by_tier`, `alist_active`), and `candidates(tier)`
    (`acandidates`), which gives the tier's active entries in the order of `rank`.
    """

    def get_by_id(self, llm_id: int) -> LLMEntry | None:
        """The active entry with this id."""

    def get_by_tier(self, tier: LLMTier) -> LLMEntry | None:
        """The entry that serves this tier: the first of `rank` within it."""

    def list_active(self) -> list[LLMEntry]:
        """All active entries, in the registry's own order."""


def rank(entries: Iterable[LLMEntry]) -> list[LLMEntry]:
    """Active entries, cheapest first: by input price, then output price, then the order given; unknown prices last."""
    return sorted((entry for entry in entries if entry.is_active), key=_prices)


def _prices(entry: LLMEntry) -> tuple[float, float]:
    dollars_in, dollars_out = entry.cost_per_1k_input, entry.cost_per_1k_output
    return (_UNKNOWN if dollars_in is None else dollars_in, _UNKNOWN if dollars_out is None else dollars_out)


class RetirementLog:
    """Warns of each retired model once, however often it is used."""

    def __init__(self) -> None:
        self._warned: dict[tuple[str, str], object] = {}

    def note(self, entry: LLMEntry, today: date | None = None) -> None:
        """Log a warning that names model, date and successor, if the provider has retired the entry's model by now."""
        ended = retirement(entry.provider, entry.model)
        if ended is None or not ended.has_come(today):
            return
        mine = object()
        # One atomic step, so that two threads cannot both find themselves the first.
        if self._warned.setdefault((entry.provider, entry.model), mine) is mine:
            logger.warning(
                "%s retired the model %s on %s (LLM %r). Use %s instead.",
                entry.provider,
                entry.model,
                ended.date.isoformat(),
                entry.name,
                ended.successor,
            )


class DictRegistry:
    """A registry in memory, of entries given once. Its answers never change.

    Raises ConfigurationError where two entries have the same id.
    """

    def __init__(self, entries: Iterable[LLMEntry] = ()) -> None:
        self._active: list[LLMEntry] = []
        self._by_id: dict[int, LLMEntry] = {}
        self._retirements = RetirementLog()
        seen: dict[int, str] = {}
        for entry in entries:
            if entry.id in seen:
                msg = (
                    f"The entries {seen[entry.id]!r} and {entry.name!r} have the same id {entry.id}. Give each its own."
                )
                raise ConfigurationError(msg)
            seen[entry.id] = entry.name
            if entry.is_active:
                self._active.append(entry)
                self._by_id[entry.id] = entry
        ranked = rank(self._active)
        self._by_tier = {tier.value: [entry for entry in ranked if entry.tier is tier] for tier in LLMTier}

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, *, successors: bool = False) -> DictRegistry:
        """The documented LLMs of every provider whose variables are set in `environ` (default: `os.environ`).

        `OPENAI_API_KEY`, `ANTHROPIC_API_KEY` and `GROQ_API_KEY` bring their provider's rows, `OLLAMA_HOST` or
        `OLLAMA_BASE_URL` the local one. `<PROVIDER>_<TIER>_MODEL` and `OLLAMA_MODEL` replace a model,
        `<PROVIDER>_BASE_URL` an endpoint. `successors=True` takes the living successor of each model that its
        provider has retired or announced to.

        Raises ConfigurationError, which names the variable.
        """
        try:
            return cls(entries_from(os.environ if environ is None else environ, successors=successors))
        except ConfigurationError as error:
            # The frames below hold the whole environment, which debug pages and error mails would print.
            raise error.with_traceback(None) from None

    def get_by_id(self, llm_id: int) -> LLMEntry | None:
        """The active entry with this id, or None."""
        return self._used(self._by_id.get(llm_id))

    def get_by_tier(self, tier: LLMTier | str) -> LLMEntry | None:
        """The cheapest active and usable entry of the tier, or None."""
        return self._used(next((entry for entry in self._ranked(tier) if not entry.unusable), None))

    def list_active(self) -> list[LLMEntry]:
        """All active entries, in the order they were given."""
        return list(self._active)

    def candidates(self, tier: LLMTier | str) -> Iterator[LLMEntry]:
        """The tier's active entries in the order of `rank`, unusable ones included."""
        for entry in self._ranked(tier):
            self._retirements.note(entry)
            yield entry

    async def aget_by_id(self, llm_id: int) -> LLMEntry | None:
        """`get_by_id`, awaited."""
        return self.get_by_id(llm_id)

    async def aget_by_tier(self, tier: LLMTier | str) -> LLMEntry | None:
        """`get_by_tier`, awaited."""
        return self.get_by_tier(tier)

    async def alist_active(self) -> list[LLMEntry]:
        """`list_active`, awaited."""
        return self.list_active()

    async def acandidates(self, tier: LLMTier | str) -> Iterator[LLMEntry]:
        """`candidates`, awaited."""
        return self.candidates(tier)

    def _ranked(self, tier: LLMTier | str) -> list[LLMEntry]:
        return self._by_tier.get(tier.value if isinstance(tier, LLMTier) else tier, [])

    def _used(self, entry: LLMEntry | None) -> LLMEntry | None:
        if entry is not None:
            self._retirements.note(entry)
        return entry
