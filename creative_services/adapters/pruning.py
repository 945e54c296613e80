"""Deletes the rows of old calls; what they came to stays, by day and in their budgets."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F, Q, Value

from creative_services.adapters.days import ONE_DAY, start_of, today
from creative_services.adapters.sweep import sweep
from creative_services.adapters.totals import close_days, closed_until, keep_details
from creative_services.databases import ledger_alias
from creative_services.fields.usd import UsdField
from creative_services.models import BudgetPeriod, LlmCall

if TYPE_CHECKING:
    from datetime import date

BATCH = 1000


def prune_calls(days: int, batch: int = BATCH) -> int:
    """Delete the calls that began more than so many days ago, and are over; how many they were.

    Dead processes' calls are settled first. Each batch is a transaction, in which what its calls have spent is handed
    over to their budgets' periods: it may be broken off at any time, run again, and run twice at once, and nothing is
    lost from a sum or counted twice.
    """
    sweep()
    close_days()
    closed = closed_until()
    if closed is None:
        return 0
    first_kept = min(today() - days * ONE_DAY, closed + ONE_DAY)
    keep_details(first_kept - ONE_DAY)
    deleted = 0
    while found := _prune(first_kept, batch):
        deleted += found
    return deleted


def forget_texts(days: int) -> int:
    """Delete the prompts and answers of calls that began more than so many days ago; of how many calls they were."""
    before = start_of(today() - days * ONE_DAY)
    forgotten: int = LlmCall.objects.using(ledger_alias()).forget_text(before)
    return forgotten


def _prune(first_kept: date, batch: int) -> int:
    using = ledger_alias()
    calls = LlmCall.objects.using(using)
    with transaction.atomic(using=using):
        # Locked, so that of two who prune at once only one finds them.
        old = calls.filter(~Q(outcome="running"), started_at__lt=start_of(first_kept)).select_for_update()
        rows = list(old.order_by("started_at").values_list("pk", "cost", "budget_periods")[:batch])
        spent: dict[int, Decimal] = defaultdict(Decimal)
        for _pk, cost, periods in rows:
            for period in periods:
                spent[period] += cost or 0
        for period in sorted(spent):
            # Without the field it would be added as dollars, to a column of units.
            amount = Value(spent[period], output_field=UsdField())
            BudgetPeriod.objects.using(using).filter(pk=period).update(archived=F("archived") + amount)
        calls.filter(pk__in=[pk for pk, _cost, _periods in rows]).delete()
    return len(rows)
