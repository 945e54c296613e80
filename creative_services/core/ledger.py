"""What a call may cost and did cost: the seam between the flow and whoever keeps the books."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from creative_services.core.request import EmbedRequest, LLMRequest
    from creative_services.core.types import Attempt, LLMEntry


@dataclass(frozen=True, slots=True)
class PlannedAttempt:
    """One attempt before it is made. `number` counts from 1 within the call."""

    request_id: str
    number: int
    entry: LLMEntry
    request: LLMRequest | EmbedRequest
    is_stream: bool
    caller: str | None


class Ledger(Protocol):
    """Asked before each attempt and told after it, whatever became of it. May have the async twins with `a`."""

    def reserve(self, planned: PlannedAttempt) -> Any:
        """Book what the attempt may cost at most; the result goes to `settle`. Raises BudgetExceededError."""

    def settle(self, reservation: Any, attempt: Attempt) -> None:
        """Book what it did cost."""
