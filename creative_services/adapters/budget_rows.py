"""The active budgets as they were at one token, and the rows of their periods."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from creative_services.adapters.periods import Period, period_at
from creative_services.core.types import LLMTier
from creative_services.fields.zone import zone_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from decimal import Decimal

    from creative_services.core.ledger import PlannedAttempt
    from creative_services.models import Budget

logger = logging.getLogger(__name__)
SCOPES = {"user": "user_id", "group": "group_id", "machine_key": "machine_key_id", "tier": "tier", "llm": "llm_id"}
"""The parts of a scope and their columns."""


@dataclass(frozen=True, slots=True)
class ActiveBudget:
    """A budget's row. `scope` has the parts that a call must fit, as text; `limit` is in US dollars."""

    id: int
    name: str
    scope: Mapping[str, str]
    period: str
    zone: ZoneInfo
    limit: Decimal
    is_hard: bool
    allows_unpriced: bool
    warn_at_percent: int

    @classmethod
    def of(cls, row: Budget) -> ActiveBudget:
        """From its row."""
        columns = {part: getattr(row, column) for part, column in SCOPES.items()}
        return cls(
            id=row.pk,
            name=row.name,
            scope={part: str(value) for part, value in columns.items() if value not in {None, ""}},
            period=row.period,
            zone=_zone(row),
            limit=row.limit,
            is_hard=row.is_hard,
            allows_unpriced=row.allows_unpriced,
            warn_at_percent=row.warn_at_percent,
        )

    def at(self, moment: datetime) -> Period:
        """Its period at that moment."""
        return period_at(self.period, self.zone, moment)

    @property
    def warns_at(self) -> Decimal:
        """The US dollars with which it warns."""
        return self.limit * self.warn_at_percent / 100

    def may_cover(self, planned: PlannedAttempt) -> bool:
        """Whether it could cover the call if nothing were spent yet; a soft one covers all."""
        if not self.is_hard or (self.allows_unpriced and planned.worst_case is None):
            return True
        return self.can_count(planned) and planned.worst_case is not None and planned.worst_case <= self.limit

    def can_count(self, planned: PlannedAttempt) -> bool:
        """Whether what the call costs at most is known, or need not be."""
        if self.allows_unpriced:
            return True
        # What a free LLM on our own machines is told to do beyond what we know, nobody bills.
        is_bounded = planned.unbounded is None or (planned.entry.tier is LLMTier.LOCAL and planned.worst_case == 0)
        return planned.worst_case is not None and is_bounded


class BudgetSnapshot:
    """Active budgets, and what is known of their periods' rows."""

    def __init__(self, rows: Iterable[Budget]) -> None:
        self.budgets = tuple(map(ActiveBudget.of, rows))
        self.period_ids: dict[tuple[str, int, datetime], int] = {}
        """The rows that are known to be committed, by the database's name, the budget and the period's start."""


def _zone(row: Budget) -> ZoneInfo:
    zone = zone_of(row.time_zone)
    if zone is not None:
        return zone
    # Forms refuse it; `update()` does not.
    logger.error(
        "The budget %r counts in UTC: there is no time zone %r. Mend it in the admin.", row.name, row.time_zone
    )
    return ZoneInfo("UTC")
