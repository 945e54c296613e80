"""Who is asked, in which order, and why others are not."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from creative_services.core.errors import (
    BudgetExceededError,
    CreativeServicesError,
    InvalidRequestError,
    LimitExceededError,
    LLMNotFoundError,
    NoLLMAvailableError,
    TierNotAllowedError,
)
from creative_services.core.llm_registry import LLMRegistry, rank
from creative_services.core.steps import Ask, Step
from creative_services.core.types import LLMEntry, LLMTier, Refusal

if TYPE_CHECKING:
    from creative_services.core.request import Target

Found = Generator[Step, Any, LLMEntry | None]
Order = Callable[[Iterable[LLMEntry]], list[LLMEntry]]
"""Puts ranked entries into the order of a strategy."""


class Candidates:
    """The LLMs that one call may ask: the registry's choice first, then the others of its tier, then other tiers.

    Each is looked up only when it is needed: most calls never need a second one.
    """

    def __init__(
        self,
        registry: LLMRegistry,
        target: Target,
        fallback_tiers: tuple[LLMTier, ...],
        deadline: float,
        order: Order | None = None,
    ) -> None:
        self.refusals: list[Refusal] = []
        self._registry = registry
        self._target = target
        self._deadline = deadline
        self._order = order
        self._room = -1
        self._tiers: list[LLMTier] = []
        if target.tier is not None:
            # What is local stays local, and nobody falls into a tier that is closed to him.
            others = () if target.tier is LLMTier.LOCAL else filter(target.allows, fallback_tiers)
            self._tiers = list(dict.fromkeys((target.tier, *others)))
        self._seen: set[int] = set()
        self._queue: Iterator[LLMEntry] = iter(())
        self._peeked: LLMEntry | None = None
        self._inexpressible: InvalidRequestError | None = None
        self._unpaid: CreativeServicesError | None = None

    def first(self) -> Found:
        """The LLM of the call's id, or the registry's choice for its tier."""
        tier, llm_id = self._target.tier, self._target.llm_id
        if tier is None:
            entry = yield Ask(self._registry, "get_by_id", (llm_id,), self._deadline)
            if entry is None:
                raise LLMNotFoundError(f"There is no active LLM with id {llm_id}.")
            self._check_tier(entry.tier)
        else:
            self._check_tier(tier)
            if self._order is not None:
                return (yield from self.next())
            entry = yield Ask(self._registry, "get_by_tier", (tier,), self._deadline)
            if entry is None or entry.tier is not tier:  # a registry may be anybody's; a tier is a promise
                return (yield from self.next())
        self._seen.add(entry.id)
        return entry  # type: ignore[no-any-return]  # a step's result is what the driver sends

    def _check_tier(self, tier: LLMTier) -> None:
        if not self._target.allows(tier):
            raise TierNotAllowedError(f"You may not use the tier {tier.value!r}. Ask for another one.")

    def next(self) -> Found:
        """The next one that was not asked yet."""
        entry = yield from self.peek()
        self._peeked = None
        if entry is not None:
            self._seen.add(entry.id)
        return entry

    def peek(self) -> Found:
        """The one that `next` would give."""
        while self._peeked is None:
            self._peeked = next((entry for entry in self._queue if self._may_be_next(entry)), None)
            if self._peeked is None:
                if not self._tiers:
                    return None
                self._queue = yield from self._of(self._tiers.pop(0))
        return self._peeked

    def need_more_room_than(self, entry: LLMEntry) -> None:
        """The prompt did not fit this one: from now on only others that may have more room, known ones first."""
        self._room = max(self._room, entry.context_window or 0)
        waiting = [] if self._peeked is None else [self._peeked]
        self._peeked = None
        self._queue = iter(self._roomy([*waiting, *self._queue]))

    def _may_be_next(self, entry: LLMEntry) -> bool:
        if entry.id in self._seen:
            return False
        if entry.context_window is None or entry.context_window > self._room:
            return True
        self._seen.add(entry.id)
        self.refusals.append(Refusal(entry.id, entry.name, "the prompt needs more room than it has"))
        return False

    def _roomy(self, entries: Iterable[LLMEntry]) -> list[LLMEntry]:
        return sorted(entries, key=lambda entry: entry.context_window is None)

    def _of(self, tier: LLMTier) -> Generator[Step, Any, Iterator[LLMEntry]]:
        if hasattr(self._registry, "candidates"):
            found: Iterable[LLMEntry] = yield Ask(self._registry, "candidates", (tier,), self._deadline)
            ranked: Iterable[LLMEntry] = (entry for entry in found if entry.tier is tier)
        else:
            entries = yield Ask(self._registry, "list_active", (), self._deadline)
            ranked = rank(entry for entry in entries if entry.tier is tier)
        if self._order is not None:
            ranked = self._order(ranked)
        return iter(ranked if self._room < 0 else self._roomy(ranked))

    def refuse(self, entry: LLMEntry, reason: CreativeServicesError | str) -> None:
        """Note why this one is not asked; raises where the caller named it by id."""
        if isinstance(reason, CreativeServicesError):
            if self._target.tier is None:
                raise reason
            if isinstance(reason, InvalidRequestError):
                self._inexpressible = reason
            elif isinstance(reason, BudgetExceededError | LimitExceededError):
                self._unpaid = self._unpaid or reason
        self.refusals.append(Refusal(entry.id, entry.name, str(reason).removeprefix(f"{entry.name!r}: ")))

    def refuse_again(self, entry: LLMEntry, reason: CreativeServicesError) -> None:
        """Note why one that was asked is not asked once more."""
        self.refusals.append(Refusal(entry.id, entry.name, str(reason)))

    def nobody(self) -> CreativeServicesError:
        """The error of a call for which nobody was asked."""
        tier = self._target.tier
        if self._inexpressible is not None:
            return self._inexpressible
        if isinstance(self._unpaid, BudgetExceededError):
            return self._unpaid
        if not self.refusals:
            return NoLLMAvailableError(
                f"No active LLM in tier {tier.value if tier else None!r}. "
                "Add one to the registry: in Django in the admin, or with `manage.py seed_llms`."
            )
        reasons = "; ".join(f"#{refusal.llm_id} {refusal.llm_name!r}: {refusal.reason}" for refusal in self.refusals)
        return NoLLMAvailableError(f"No LLM could be asked: {reasons}", refusals=self.refusals)
