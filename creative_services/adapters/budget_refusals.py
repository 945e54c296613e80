"""What a call is told that a hard budget does not cover."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

from creative_services.core.errors import BudgetExceededError

if TYPE_CHECKING:
    from datetime import datetime

    from creative_services.adapters.budget_rows import ActiveBudget
    from creative_services.core.ledger import PlannedAttempt

MILLIONTH = Decimal("0.000001")
SPANS = {"day": "a day", "week": "a week", "month": "a month", "total": "in all"}


def not_covered(
    budget: ActiveBudget, planned: PlannedAttempt, left: Decimal, resets_at: datetime | None
) -> BudgetExceededError:
    """Too little is left."""
    worst = (planned.worst_case or Decimal(0)).quantize(MILLIONTH, ROUND_CEILING)
    shown = max(left, Decimal(0)).quantize(MILLIONTH, ROUND_FLOOR)
    reset = "It does not reset" if resets_at is None else f"It resets at {resets_at:%Y-%m-%d %H:%M} UTC"
    return BudgetExceededError(
        f"The budget {budget.name!r} of ${budget.limit.normalize():f} {SPANS[budget.period]} has ${shown:f} left, and "
        f"this call may cost ${worst:f} with {planned.entry.name!r}. {reset}. "
        "Raise its limit in the admin, or ask for fewer max_tokens.",
        budget=budget.name,
        resets_at=resets_at,
        available=max(left, Decimal(0)),
    )


def not_countable(budget: ActiveBudget, planned: PlannedAttempt) -> BudgetExceededError:
    """Nobody knows what it may cost."""
    name = planned.entry.name
    if planned.worst_case is None:
        cause, step = f"the prices of {name!r} are not known", "Enter them in the admin"
    else:
        cause, step = f"{planned.unbounded} may be billed without bound", "Leave it out"
    return BudgetExceededError(
        f"The budget {budget.name!r} is hard and covers no call of unknown cost: {cause}. "
        f"{step}, or let the budget allow such calls.",
        budget=budget.name,
    )
