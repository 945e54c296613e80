"""Who is told of budgets: receivers of signals, and the API, which says it in a header."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from creative_services.adapters.connections import borrowed
from creative_services.databases import own_model
from creative_services.signals import budget_exceeded, budget_warning

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from creative_services.adapters.budgets import Claim
    from creative_services.core.errors import BudgetExceededError
    from creative_services.core.ledger import PlannedAttempt

_noted: ContextVar[list[str] | None] = ContextVar("creative_services_exceeded_budgets", default=None)


@contextmanager
def noting_exceeded() -> Iterator[list[str]]:
    """Within it, the names of soft budgets that calls may exceed come into the list."""
    names: list[str] = []
    token = _noted.set(names)
    try:
        yield names
    finally:
        _noted.reset(token)


@borrowed()
def announce_exceeded(claims: Sequence[Claim], planned: PlannedAttempt) -> None:
    """A call passes although it may exceed these soft budgets."""
    noted = _noted.get()
    for claim in claims:
        if noted is not None and claim.budget.name not in noted:
            noted.append(claim.budget.name)
        budget_exceeded.send_robust(
            own_model("Budget"),
            budget=claim.budget.name,
            is_hard=False,
            resets_at=claim.resets_at,
            planned=planned,
        )


@borrowed()
def announce_refusal(error: BudgetExceededError, planned: PlannedAttempt) -> None:
    """A hard budget has refused a call."""
    budget_exceeded.send_robust(
        own_model("Budget"),
        budget=error.budget,
        is_hard=True,
        resets_at=error.resets_at,
        planned=planned,
    )


@borrowed()
def announce_warnings(claims: Sequence[Claim]) -> None:
    """These have passed their mark."""
    for claim in claims:
        budget_warning.send_robust(
            own_model("Budget"),
            budget=claim.budget.name,
            limit=claim.budget.limit,
            percent=claim.budget.warn_at_percent,
            resets_at=claim.resets_at,
        )
