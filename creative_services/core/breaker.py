"""Remembers which LLMs are failing, so that calls do not queue up at a dead one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from creative_services.core.types import Attempt, LLMEntry


@dataclass(frozen=True, slots=True)
class Cooling:
    """Why an LLM should not be asked now, and for how many seconds more."""

    reason: str
    seconds: float


class Breaker(Protocol):
    """Asked before an LLM is tried and told how each try went. May have the async twins with `a`.

    State belongs to the entry as it is: an edited entry starts anew. Losing the state must do no harm.
    """

    def cooling(self, entry: LLMEntry) -> Cooling | None:
        """Why not to ask this LLM now; None if it may be asked. It changes nothing."""

    def admit(self, entry: LLMEntry) -> Cooling | None:
        """The same for a call that is about to ask: when cooling is over, one caller gets None and is the probe."""

    def report(self, entry: LLMEntry, attempt: Attempt) -> None:
        """How a try ended. One that was cancelled says nothing about the LLM, and gives a probe's place back."""
