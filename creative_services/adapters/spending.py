"""How much of budgets is used in their present periods."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from django.utils import timezone

from creative_services.adapters.budget_rows import ActiveBudget
from creative_services.adapters.days import stored
from creative_services.adapters.ledger_database import ledger_connection
from creative_services.databases import own_model

ZERO = Decimal(0)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from creative_services.models import Budget


class Spending(NamedTuple):
    """One budget in its present period, in US dollars."""

    limit: Decimal
    warns_at: Decimal
    spent: Decimal
    reserved: Decimal
    resets_at: datetime | None

    @property
    def left(self) -> Decimal:
        """What may still be spent; below 0 where a soft one is exceeded, or a provider billed more than it could."""
        return self.limit - self.spent - self.reserved


def spending(budgets: Iterable[Budget]) -> dict[int, Spending]:
    """By their ids; one query for all."""
    now = timezone.now()
    active = {row.pk: ActiveBudget.of(row) for row in budgets}
    periods = {pk: budget.at(now) for pk, budget in active.items()}
    with ledger_connection() as connection:
        rows = own_model("BudgetPeriod")._base_manager.using(connection.alias)
        found = rows.filter(
            budget_id__in=list(periods), starts_at__in={stored(period.starts_at) for period in periods.values()}
        )
        used = {(row.budget_id, row.starts_at): (row.spent, row.reserved) for row in found}
    shown = {}
    for pk, budget in active.items():
        spent, reserved = used.get((pk, stored(periods[pk].starts_at)), (ZERO, ZERO))
        shown[pk] = Spending(budget.limit, budget.warns_at, spent, reserved, periods[pk].ends_at)
    return shown
