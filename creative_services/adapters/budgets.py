"""Budgets at work: which ones a call fits, what it may cost them, and what it did."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from django.db.backends.base.base import BaseDatabaseWrapper

    from creative_services.adapters.budget_rows import ActiveBudget
    from creative_services.core.errors import BudgetExceededError
    from creative_services.core.ledger import PlannedAttempt


class UncoveredError(Exception):
    """A hard budget does not cover a call: roll back what `reserve` has booked so far, and ask `refusal` why."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A budget that a call fits, and the row of its present period, which ends at `resets_at`."""

    budget: ActiveBudget
    period_id: int
    resets_at: datetime | None


def reserved_for(planned: PlannedAttempt) -> Decimal | None:
    """US dollars that are reserved for an attempt: its worst case, rounded up to what the database keeps."""


class Budgets:
    """The active budgets. Keep one per process, it remembers the rows; safe to use from several threads.

    The caller's story (`connection` is that of the ledger's database, on which the ledger writes):

        claims = budgets.matching(connection, planned)           # before the transaction
        with atomic: INSERT …; over = budgets.reserve(connection, claims, planned)      # last in it
        on UncoveredError, after the rollback: error = budgets.refusal(connection, claims, planned);
            raise it; None: there is room again, or the periods' rows were gone: begin anew with `matching`.
        after the commit: announce_exceeded(over, planned); on refusal announce_refusal(error, planned)

        with atomic: UPDATE …; warned = budgets.settle(connection, claims, reserved, cost)
        after the commit: announce_warnings(warned)
    """

    def matching(self, connection: BaseDatabaseWrapper, planned: PlannedAttempt) -> list[Claim]:
        """Those that the call fits, in the order in which their rows are locked; LlmCall.budget_periods are their ids.

        Reads no row that it knows. Makes the rows of periods that begin, each by itself: call it outside of the
        ledger's transaction.
        """

    def reserve(
        self, connection: BaseDatabaseWrapper, claims: Sequence[Claim], planned: PlannedAttempt
    ) -> list[Claim]:
        """Reserve the worst case in each, by one conditional UPDATE; returns the soft ones that it may exceed.

        Raises UncoveredError when a hard one does not cover it. All or none, if the transaction is rolled back then.
        """

    def refusal(
        self, connection: BaseDatabaseWrapper, claims: Sequence[Claim], planned: PlannedAttempt
    ) -> BudgetExceededError | None:
        """The error of the hard budget that has least left, if one does not cover the call; books nothing."""

    def settle(
        self, connection: BaseDatabaseWrapper, claims: Sequence[Claim], reserved: Decimal | None, cost: Decimal | None
    ) -> list[Claim]:
        """Turn what was reserved into what it did cost, by one UPDATE each; returns those that it made warn.

        A cost of None is not counted: what is in doubt is settled with the reservation as its cost.
        """


def correct(
    connection: BaseDatabaseWrapper, period_ids: Sequence[int], booked: Decimal | None, cost: Decimal | None
) -> None:
    """Book the real cost in the place of one booked before: a call was thought dead, swept, and then came back.

    `period_ids` are LlmCall.budget_periods, `booked` the row's cost as it is, `cost` what it becomes.
    """


def release(connection: BaseDatabaseWrapper, period_ids: Sequence[int], reserved: Decimal | None) -> None:
    """Turn the reservation of a lost call into spent money: the sweep's part. Nobody is warned."""
