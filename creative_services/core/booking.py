"""What the tries of one call may cost and did cost, told to the ledger, and to the breaker how they ended."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from creative_services.core.ledger import PlannedAttempt
from creative_services.core.steps import Ask, Step
from creative_services.core.types import Attempt
from creative_services.core.upper_bound import UpperBound, upper_bound

if TYPE_CHECKING:
    from decimal import Decimal

    from creative_services.core.attempt import AttemptFlow
    from creative_services.core.call import Call, Services
    from creative_services.core.errors import CreativeServicesError
    from creative_services.core.types import LLMEntry, Outcome, Refusal


class Books:
    """The accounts of one call."""

    def __init__(self, call: Call, services: Services) -> None:
        self._call = call
        self._ledger = services.ledger
        self._breaker = services.breaker
        self.attempts: list[Attempt] = []
        self.planned = 0
        """Tries that were to be made; no two have the same number, whatever becomes of them."""
        self.begun = 0
        """Tries that the ledger has let begin, the ones under way included."""

    def reserve(self, attempt: AttemptFlow, seconds: float, refusals: Sequence[Refusal]) -> Generator[Step, Any, Any]:
        """The ledger's reservation for a try that may take so many seconds. Raises what the ledger refuses it with."""
        self.planned += 1
        reservation = None
        if self._ledger is not None:
            reservation = yield Ask(self._ledger, "reserve", (self._plan(attempt, seconds, refusals),))
        self.begun += 1
        return reservation

    def refusal(self, attempt: AttemptFlow, seconds: float) -> Generator[Step, Any, CreativeServicesError | None]:
        """What the ledger would refuse the try with, if it can say so beforehand."""
        if self._ledger is None or not hasattr(self._ledger, "refusal"):
            return None
        found: CreativeServicesError | None = yield Ask(self._ledger, "refusal", (self._plan(attempt, seconds, ()),))
        return found

    def settle(self, reservation: Any, attempt: AttemptFlow, record: Attempt) -> Generator[Step, Any, None]:
        """Book what a try came to."""
        self.attempts.append(record)
        if self._breaker is not None:
            yield Ask(self._breaker, "report", (attempt.entry, record))
        if self._ledger is not None:
            if getattr(self._ledger, "stores_text", False):
                record = replace(record, text=attempt.partial)
            yield Ask(self._ledger, "settle", (reservation, record))

    def withdraw(self, entry: LLMEntry) -> Generator[Step, Any, None]:
        """Tell the breaker that a try it admitted was not made, so that another call may be its probe."""
        if self._breaker is not None:
            outcome: Outcome = "cancelled"
            yield Ask(self._breaker, "report", (entry, Attempt(entry.id, entry.name, outcome)))

    def worst_case(self, attempt: AttemptFlow) -> Decimal | None:
        """US dollars that the try can cost at most."""
        return self._bound(attempt).cost(attempt.entry)

    def affordable_tokens(self, attempt: AttemptFlow, dollars: Decimal) -> int | None:
        """The output tokens for which so many US dollars suffice whatever happens; None where they do not for one."""
        tokens = self._bound(attempt).affordable_tokens(attempt.entry, dollars)
        return None if tokens is None or not 1 <= tokens < self._asked(attempt) else tokens

    def _asked(self, attempt: AttemptFlow) -> int:
        """The output tokens that the try asks for at most."""
        return self._call.work.output_tokens(attempt.entry) if attempt.max_tokens is None else attempt.max_tokens

    def _bound(self, attempt: AttemptFlow) -> UpperBound:
        return upper_bound(attempt.entry, self._call.work.request, attempt.request.body, self._asked(attempt))

    def _plan(self, attempt: AttemptFlow, seconds: float, refusals: Sequence[Refusal]) -> PlannedAttempt:
        call, bound = self._call, self._bound(attempt)
        return PlannedAttempt(
            request_id=call.request_id,
            number=self.planned,
            is_further=self.begun > 0,
            entry=attempt.entry,
            request=call.work.request,
            is_stream=attempt.is_stream,
            caller=call.caller,
            tier=call.target.tier,
            input_tokens=bound.input_tokens,
            output_tokens=bound.output_tokens,
            worst_case=bound.cost(attempt.entry),
            unbounded=bound.unbounded,
            seconds=seconds,
            refusals=tuple(refusals),
        )
