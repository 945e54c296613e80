"""Attempts as the flow plans them, and budgets to hold them against."""

from decimal import Decimal
from uuid import uuid4

from creative_services.core.ledger import Caller, PlannedAttempt
from creative_services.core.request import LLMRequest
from creative_services.core.types import LLMEntry, LLMTier
from creative_services.models import Budget, BudgetPeriod

ENTRY = LLMEntry(7, "GPT", "openai", "gpt-4o-mini", LLMTier.STANDARD)


def planned(worst_case="1", *, entry=ENTRY, number=1, unbounded=None, seconds=60.0, request_id=None, **caller):
    return PlannedAttempt(
        request_id=str(request_id or uuid4()),
        number=number,
        entry=entry,
        request=LLMRequest(messages=({"role": "user", "content": "Hi"},)),
        is_stream=False,
        caller=Caller(**caller),
        tier=entry.tier,
        input_tokens=100,
        output_tokens=100,
        worst_case=None if worst_case is None else Decimal(worst_case),
        unbounded=unbounded,
        seconds=seconds,
        refusals=(),
    )


def budget(limit="10", name="Team", **fields):
    return Budget.objects.create(name=name, limit=Decimal(limit), **fields)


def amounts(name="Team"):
    """What a budget has spent and holds reserved."""
    row = BudgetPeriod.objects.get(budget__name=name)
    return row.spent, row.reserved
