"""What happens to a breaker in the tests of `breaker_contract`: time passes, tries end, and it is asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from creative_services.core.errors import CreativeServicesError, ProviderUnavailableError
from creative_services.core.types import Attempt, LLMEntry, LLMTier, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from creative_services.core.breaker import Breaker, Cooling

LLM = LLMEntry(1, "LLM", "openai", "model-1", LLMTier.STANDARD, api_key="sk-contract-1")
DOWN = ProviderUnavailableError("Overloaded.", status_code=503)


class BreakerStory:
    """A breaker, its clock and its LLM."""

    awaited = False
    """Whether the twins with `a` are asked instead."""
    now = 1_800_000_000.0

    def make(self, clock: Callable[[], float]) -> Breaker:
        """A breaker that knows nothing and reads this clock."""
        raise NotImplementedError("Write `make(clock)`: it returns a new breaker of yours that reads this clock.")

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """The coroutine's result."""
        return asyncio.run(coroutine)

    def elapse(self, seconds: float) -> None:
        """Let time pass. Override where more than the clock has to follow."""
        self.now += seconds

    def begin(self) -> None:
        """Make the breaker of the test."""
        self.breaker = self.make(lambda: self.now)

    def cooling(self, entry: LLMEntry = LLM) -> Cooling | None:
        """What it says of the entry."""
        found: Cooling | None = self._ask("cooling", entry)
        return found

    def admit(self, entry: LLMEntry = LLM) -> Cooling | None:
        """What it says to a call that is about to ask the entry."""
        found: Cooling | None = self._ask("admit", entry)
        return found

    def left(self, entry: LLMEntry = LLM) -> float | None:
        """For how many seconds more a call is kept from the entry; None if it is not."""
        refusal = self.admit(entry)
        return None if refusal is None else refusal.seconds

    def fail(self, error: CreativeServicesError = DOWN, *, times: int = 1, entry: LLMEntry = LLM) -> None:
        """So many tries end at once in this error."""
        for _ in range(times):
            self.report("error", error, entry=entry)

    def succeed(self) -> None:
        """A try is answered at once."""
        self.report("ok")

    def report(
        self,
        outcome: Outcome,
        error: CreativeServicesError | None = None,
        *,
        latency: float = 0.0,
        status: int | None = None,
        entry: LLMEntry = LLM,
    ) -> None:
        """A try that began `latency` seconds ago ends."""
        self._ask("report", entry, Attempt(entry.id, entry.name, outcome, error, status, latency_seconds=latency))

    def _ask(self, method: str, *args: Any) -> Any:
        if self.awaited:
            return self.run(getattr(self.breaker, f"a{method}")(*args))
        return getattr(self.breaker, method)(*args)
