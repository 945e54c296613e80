"""What a call may cost and did cost: the seam between the flow and whoever keeps the books."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from decimal import Decimal

    from creative_services.core.request import EmbedRequest, LLMRequest
    from creative_services.core.types import Attempt, LLMEntry, LLMTier, Refusal


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: free text, a Django user's and a machine key's primary keys, and from where.

    `source` is `python`, `api`, `admin` or `task`.
    """

    name: str | None = None
    user_id: Any = None
    machine_key_id: int | None = None
    source: str = "python"


NOBODY = Caller()


@dataclass(frozen=True, slots=True)
class PlannedAttempt:
    """One attempt before it is made.

    No other of the call has its `number`; `is_further` tells whether one has begun before it. `tier` is the one asked
    for, `refusals` say who was passed by before. At most `input_tokens` and `output_tokens` are billed, which cost
    `worst_case` US dollars (None: a price is unknown), in at most `seconds`; `unbounded` names what in the request may
    be billed beyond that.
    """

    request_id: str
    number: int
    entry: LLMEntry
    request: LLMRequest | EmbedRequest
    is_stream: bool
    caller: Caller
    tier: LLMTier | None
    input_tokens: int
    output_tokens: int
    worst_case: Decimal | None
    unbounded: str | None
    seconds: float
    refusals: tuple[Refusal, ...]
    is_further: bool = False


class Ledger(Protocol):
    """Asked before each attempt and told after it, whatever became of it. May have the async twins with `a`.

    It may also have `refusal(planned)`, the error that `reserve` would raise or None, for dry runs; and a true
    `stores_text`, to be given the answer's text as well.
    """

    def reserve(self, planned: PlannedAttempt) -> Any:
        """Book what the attempt may cost at most; the result goes to `settle`.

        Raises BudgetExceededError or LimitExceededError; the next LLM is asked then, unless that one `is_callers`.
        """

    def settle(self, reservation: Any, attempt: Attempt) -> None:
        """Book what it did cost."""
