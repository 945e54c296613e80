"""Whether the books agree: what budgets have counted with the ledger's rows, and these with themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Count, Q, Sum
from django.utils import timezone

from creative_services.adapters.ledger_database import ledger_connection
from creative_services.databases import own_model

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import QuerySet

    from creative_services.models import LlmCall

ZERO = Decimal(0)


@dataclass(slots=True)
class Account:
    """What the ledger's rows say of one period, in US dollars."""

    spent: Decimal = ZERO
    reserved: Decimal = ZERO


class Audit:
    """The ledger as it is at one moment. Memory is needed for the budgets' periods, not for the calls."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self._using = connection.alias
        self._now = timezone.now()

    def faults(self) -> Iterator[str]:
        """Each thing that is off, in a sentence that names it."""
        yield from self._stale()
        yield from self._unsettled()
        yield from self._periods()

    def counts(self) -> dict[str, int]:
        """How many calls there are, how many of them are `running`, and how many `estimated`."""
        return self._calls().aggregate(
            calls=Count("pk"),
            running=Count("pk", filter=Q(outcome="running")),
            estimated=Count("pk", filter=Q(is_estimated=True)),
        )

    def _stale(self) -> Iterator[str]:
        stale = self._calls().filter(outcome="running", expires_at__lt=self._now)
        for call in stale.order_by("pk").iterator():
            yield (
                f"{_name(call)} is running still, though its time was over at {call.expires_at:%Y-%m-%d %H:%M:%S}: it "
                f"holds ${_dollars(call.reserved)} reserved. `manage.py release_llm_reservations` settles it."
            )

    def _unsettled(self) -> Iterator[str]:
        settled = self._calls().exclude(outcome="running")
        for call in settled.filter(finished_at__isnull=True).order_by("pk").iterator():
            yield f"{_name(call)} is {call.outcome}, and has no time at which it ended."
        for call in settled.filter(cost__isnull=True, reserved__isnull=False).order_by("pk").iterator():
            yield f"{_name(call)} is {call.outcome} and has no cost, though ${_dollars(call.reserved)} were reserved."

    def _periods(self) -> Iterator[str]:
        accounts = self._accounts()
        names = dict(own_model("Budget")._default_manager.values_list("pk", "name"))
        for row in self._rows("BudgetPeriod").order_by("pk").iterator():
            account = accounts[row.pk]
            name = f"The budget {names.get(row.budget_id, row.budget_id)!r}, from {row.starts_at:%Y-%m-%d %H:%M} UTC,"
            total = account.spent + row.archived
            if row.spent != total:
                yield f"{name} has spent ${_dollars(row.spent)}, its calls ${_dollars(total)}."
            if row.reserved != account.reserved:
                yield (
                    f"{name} holds ${_dollars(row.reserved)} reserved, its running calls ${_dollars(account.reserved)}."
                )

    def _accounts(self) -> defaultdict[int, Account]:
        """Per period. The database adds up the calls that count for the same periods."""
        accounts: defaultdict[int, Account] = defaultdict(Account)
        running = Q(outcome="running")
        sums = (
            self._calls()
            .order_by()
            .values("budget_periods")
            .annotate(spent_sum=Sum("cost", filter=~running), reserved_sum=Sum("reserved", filter=running))
        )
        for found in sums.iterator():
            for period_id in found["budget_periods"]:
                accounts[period_id].spent += found["spent_sum"] or ZERO
                accounts[period_id].reserved += found["reserved_sum"] or ZERO
        return accounts

    def _calls(self) -> QuerySet[LlmCall]:
        calls: QuerySet[LlmCall] = self._rows("LlmCall").all()
        return calls

    def _rows(self, model: str) -> Any:
        return own_model(model)._base_manager.using(self._using)


@contextmanager
def auditing() -> Iterator[Audit]:
    """An audit of one moment, while calls go on."""
    with ledger_connection() as connection:
        is_outermost = not connection.in_atomic_block
        with transaction.atomic(using=connection.alias):
            if is_outermost and connection.vendor != "sqlite":
                with connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            yield Audit(connection)


def _name(call: LlmCall) -> str:
    return f"The call {call} of {call.started_at:%Y-%m-%d %H:%M:%S} to {call.llm_name}"


def _dollars(amount: Decimal | None) -> str:
    return "?" if amount is None else f"{amount.normalize():f}"
