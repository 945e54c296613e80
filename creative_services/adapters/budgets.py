"""Budgets at work: which ones a call fits, what it may cost them, and what it did."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import router
from django.utils import timezone

from creative_services.adapters import budget_periods
from creative_services.adapters.budget_refusals import not_countable, not_covered
from creative_services.adapters.budget_rows import BudgetSnapshot
from creative_services.adapters.fresh import Fresh
from creative_services.databases import ledger_alias, own_model
from creative_services.fields.usd import PLACES, to_units

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.utils import CursorWrapper

    from creative_services.adapters.budget_rows import ActiveBudget
    from creative_services.adapters.periods import Period
    from creative_services.core.errors import BudgetExceededError
    from creative_services.core.ledger import Caller, PlannedAttempt

UNIT = Decimal(1).scaleb(-PLACES)
MOST = Decimal(1_000_000)
"""No limit is higher, so a hard budget's column can count all that it lets pass."""


class UncoveredError(Exception):
    """A hard budget does not cover a call, or a row is gone: roll back what `reserve` has booked, and ask `refusal`."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A budget that a call fits, and the row of its present period, which ends at `resets_at`."""

    budget: ActiveBudget
    period_id: int
    resets_at: datetime | None


def reserved_for(planned: PlannedAttempt) -> Decimal | None:
    """US dollars that are reserved for an attempt: its worst case, rounded up to what the database keeps."""
    worst = planned.worst_case
    return None if worst is None else min(worst, MOST).quantize(UNIT, ROUND_CEILING)


class Budgets:
    """The active budgets. Keep one per process, it remembers the rows; safe to use from several threads.

    The ledger's story, with `connection` that of its database:

        claims = budgets.matching(connection, planned)           # before the transaction
        with atomic: INSERT …; over = budgets.reserve(connection, claims, planned)      # last in it
        on UncoveredError, after the rollback: error = budgets.refusal(connection, claims, planned);
            raise it; None: there is room again, or the periods' rows were gone: begin anew with `matching`.
        after the commit: announce_exceeded(over, planned); on refusal announce_refusal(error, planned)

        with atomic: UPDATE …; warned = budgets.settle(connection, claims, reserved, cost)
        after the commit: announce_warnings(warned)
    """

    def __init__(self, now: Callable[[], datetime] = timezone.now) -> None:
        self._now = now
        self._fresh = Fresh("Budget", _read)

    def matching(self, connection: BaseDatabaseWrapper, planned: PlannedAttempt) -> list[Claim]:
        """Those that the call fits, in the order in which their rows are locked; LlmCall.budget_periods are their ids.

        Reads no row that it knows. Makes the rows of periods that begin, each by itself: call it outside of the
        ledger's transaction.
        """
        is_shared = router.db_for_write(own_model("Budget")) == ledger_alias()
        snapshot = self._fresh.current(planned.entry.as_of, connection if is_shared else None)
        now = self._now()
        claims = [
            _claim(connection, snapshot, budget, budget.at(now))
            for budget in _fitting(connection, snapshot.budgets, planned)
        ]
        return sorted(claims, key=lambda claim: claim.period_id)

    def reserve(self, connection: BaseDatabaseWrapper, claims: Sequence[Claim], planned: PlannedAttempt) -> list[Claim]:
        """Reserve the worst case in each, by one conditional UPDATE; returns the soft ones that it may exceed.

        Raises UncoveredError when a hard one does not cover it. All or none, if the transaction is rolled back then.
        """
        if not all(claim.budget.may_cover(planned) for claim in claims):
            raise UncoveredError
        amount = to_units(reserved_for(planned) or Decimal(0))
        if not amount or not claims:
            return []
        with connection.cursor() as cursor:
            return [claim for claim in claims if not _reserve(cursor, claim, amount)]

    def refusal(
        self, connection: BaseDatabaseWrapper, claims: Sequence[Claim], planned: PlannedAttempt
    ) -> BudgetExceededError | None:
        """The error of the hard budget that has least left, if one does not cover the call; books nothing."""
        hard = [claim for claim in claims if claim.budget.is_hard]
        for claim in hard:
            if not claim.budget.can_count(planned):
                return not_countable(claim.budget, planned)
        worst = planned.worst_case
        if not worst or not claims:
            return None
        used = budget_periods.used(connection, [claim.period_id for claim in claims])
        if len(used) < len(claims):  # rows were deleted by hand
            self._fresh.forget()
            return None
        if not hard:
            return None
        left, tightest = min(
            ((claim.budget.limit - used[claim.period_id], claim) for claim in hard), key=lambda found: found[0]
        )
        return None if worst <= left else not_covered(tightest.budget, planned, left, tightest.resets_at)

    def settle(
        self, connection: BaseDatabaseWrapper, claims: Sequence[Claim], reserved: Decimal | None, cost: Decimal | None
    ) -> list[Claim]:
        """Turn what was reserved into what it did cost, by one UPDATE each; returns those that it made warn.

        A cost of None is not counted: what is in doubt is settled with the reservation as its cost.
        """
        amounts = to_units(reserved or Decimal(0)), to_units(cost or Decimal(0))
        if not any(amounts) or not claims:
            return []
        with connection.cursor() as cursor:
            return [claim for claim in claims if _settle(cursor, claim, amounts)]


def correct(
    connection: BaseDatabaseWrapper, period_ids: Sequence[int], booked: Decimal | None, cost: Decimal | None
) -> None:
    """Book the real cost in the place of one booked before: a call was thought dead, swept, and then came back.

    `period_ids` are LlmCall.budget_periods, `booked` the row's cost as it is, `cost` what it becomes.
    """
    _move(connection, period_ids, 0, to_units(cost or Decimal(0)) - to_units(booked or Decimal(0)))


def release(connection: BaseDatabaseWrapper, period_ids: Sequence[int], reserved: Decimal | None) -> None:
    """Turn the reservation of a lost call into spent money: the sweep's part. Nobody is warned."""
    amount = to_units(reserved or Decimal(0))
    _move(connection, period_ids, amount, amount)


def _move(connection: BaseDatabaseWrapper, period_ids: Sequence[int], reserved: int, spent: int) -> None:
    with connection.cursor() as cursor:
        for period_id in sorted(period_ids):
            budget_periods.move(cursor, period_id, reserved, spent)


def _read(alias: str, _token: str | None) -> BudgetSnapshot:
    rows = own_model("Budget")._default_manager.using(alias)
    return BudgetSnapshot(rows.filter(is_active=True).order_by("pk"))


def _fitting(
    connection: BaseDatabaseWrapper, budgets: Sequence[ActiveBudget], planned: PlannedAttempt
) -> list[ActiveBudget]:
    facts = _facts(planned)
    fitting = [budget for budget in budgets if _fits(budget.scope, facts)]
    if any("group" in budget.scope for budget in fitting):
        groups = _groups(connection, planned.caller)
        fitting = [budget for budget in fitting if budget.scope.get("group") in groups]
    return fitting


def _facts(planned: PlannedAttempt) -> dict[str, str]:
    caller, entry = planned.caller, planned.entry
    return {
        "user": str(caller.user_id),
        "machine_key": str(caller.machine_key_id),
        "tier": entry.tier.value,
        "llm": str(entry.id),
    }


def _fits(scope: Mapping[str, str], facts: Mapping[str, str]) -> bool:
    return all(facts[part] == value for part, value in scope.items() if part != "group")


def _groups(connection: BaseDatabaseWrapper, caller: Caller) -> set[str | None]:
    """The ids of the user's groups, and None: asked each time, since no token tells of who joins or leaves one."""
    found: set[str | None] = {None}
    if caller.user_id is not None:
        user: Any = get_user_model()
        using = router.db_for_write(user)
        # One connection at a time: a thread that waits for a second one while it holds the first may wait for long.
        users = user._default_manager.using(connection.alias if using == ledger_alias() else using)
        users = users.filter(pk=caller.user_id)
        found.update(str(group) for group in users.values_list("groups", flat=True) if group is not None)
    return found


def _claim(connection: BaseDatabaseWrapper, snapshot: BudgetSnapshot, budget: ActiveBudget, period: Period) -> Claim:
    key = (str(connection.settings_dict["NAME"]), budget.id, period.starts_at)
    period_id = snapshot.period_ids.get(key)
    if period_id is None:
        period_id = budget_periods.row_of(connection, budget.id, period)
        if connection.get_autocommit():  # else what made the row may be rolled back
            snapshot.period_ids[key] = period_id
    return Claim(budget, period_id, period.ends_at)


def _reserve(cursor: CursorWrapper, claim: Claim, amount: int) -> bool:
    """Reserve it; whether the limit allows it. A hard one must, and of any there must be a row."""
    if budget_periods.reserve_within(cursor, claim.period_id, amount, to_units(claim.budget.limit)):
        return True
    if claim.budget.is_hard or not budget_periods.reserve(cursor, claim.period_id, amount):
        raise UncoveredError
    return False


def _settle(cursor: CursorWrapper, claim: Claim, amounts: tuple[int, int]) -> bool:
    """Book it; whether this is what makes the budget warn."""
    if budget_periods.move_quietly(cursor, claim.period_id, amounts, to_units(claim.budget.warns_at)):
        return False
    budget_periods.move(cursor, claim.period_id, *amounts)
    return budget_periods.warn(cursor, claim.period_id, timezone.now())
