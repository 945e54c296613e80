"""Adds up the calls of days that are over, so that nobody has to read a million rows twice."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, connections, transaction
from django.db.models import Case, Count, DateField, F, Max, Min, Q, Sum, Value, When
from django.utils import timezone

from creative_services.adapters.days import ONE_DAY, day_of, place_among, start_of
from creative_services.adapters.latency import BOUNDS
from creative_services.databases import ledger_alias
from creative_services.models import CallerDay, ClosedDay, LlmCall, LlmDay

if TYPE_CHECKING:
    from datetime import date

    from django.db.models import QuerySet

AFTER = timedelta(hours=1)
"""How long after its end a day is closed, for the calls that went on."""

MOST_CALLERS = 100
"""So many names of callers are kept of a day; free text may be another one in each call."""

OTHERS = "(others)"
"""The name of all other callers of the day."""

LLM = ("llm_id", "llm_name", "provider", "model", "tier")
ALIKE = (*LLM, "source", "outcome")
FAILED = ("error", "lost")
TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
IS_SETTLED = ~Q(outcome="running")
MAY_HAVE_TOKENS = IS_SETTLED & ~Q(cost=0)  # what failed for free has none
SUMS: dict[str, Any] = {
    "calls": Count("pk"),
    **{name: Sum(name) for name in TOKENS},
    "calls_of_unknown_tokens": Count("pk", filter=MAY_HAVE_TOKENS & Q(Q(input_tokens=None) | Q(output_tokens=None))),
    "cost": Sum("cost"),
    "calls_of_unknown_cost": Count("pk", filter=IS_SETTLED & Q(cost=None)),
}
"""The sums over calls. What runs is not known yet, and so is not counted as unknown."""


def closed_until() -> date | None:
    """The last day that is added up; all before it are too, and no other."""
    last: date | None = ClosedDay.objects.using(ledger_alias()).aggregate(last=Max("day"))["last"]
    return last


def close_days() -> None:
    """Add up each day that has been over for an hour, oldest first, up to one on which a call still runs.

    Each day is a transaction of its own. Whoever does the same at the same time waits, and then finds it done.
    """
    while (day := _next_day()) is not None:
        try:
            with transaction.atomic(using=ledger_alias()):
                ClosedDay.objects.using(ledger_alias()).create(day=day)
                _add_up(day)
        except IntegrityError:  # another process was faster
            continue


def calls_of(first: date, last: date) -> QuerySet[LlmCall]:
    """The calls that began on these days."""
    calls: QuerySet[LlmCall] = LlmCall.objects.using(ledger_alias())
    return calls.filter(started_at__gte=start_of(first), started_at__lt=start_of(last + ONE_DAY))


def _next_day() -> date | None:
    calls, closed = LlmCall.objects.using(ledger_alias()), closed_until()
    if closed is not None:
        calls = calls.filter(started_at__gte=start_of(closed + ONE_DAY))
    oldest = calls.aggregate(first=Min("started_at"))["first"]
    if oldest is None:
        return None
    day = day_of(oldest)
    is_over = start_of(day + ONE_DAY) + AFTER <= timezone.now()
    return day if is_over and not calls_of(day, day).filter(outcome="running").exists() else None


def _add_up(day: date) -> None:
    calls = calls_of(day, day)
    answered = When(outcome="ok", latency_seconds__isnull=False, then=place_among("latency_seconds", BOUNDS))
    _insert(LlmDay, calls, day, {name: F(name) for name in ALIKE} | {"latency_bucket": Case(answered)})
    callers = {name: F(name) for name in (*ALIKE, "user_id", "machine_key_id")} | {"caller": _caller(calls)}
    _insert(CallerDay, calls, day, callers)


def _caller(calls: QuerySet[LlmCall]) -> Any:
    busiest = calls.values("caller").annotate(number=Count("pk")).order_by("-number", "caller")
    names = list(busiest.values_list("caller", flat=True)[: MOST_CALLERS + 1])
    if len(names) <= MOST_CALLERS:
        return F("caller")
    return Case(When(caller__in=names[:MOST_CALLERS], then=F("caller")), default=Value(OTHERS))


def _insert(model: Any, calls: QuerySet[LlmCall], day: date, alike: dict[str, Any]) -> None:
    """Let the database itself write what it adds up."""
    wanted = {"day": Value(day, output_field=DateField())} | alike
    # Annotations may not be named as fields are.
    rows = calls.annotate(**{f"of_{name}": value for name, value in wanted.items()})
    rows = rows.values(*(f"of_{name}" for name in wanted)).order_by()
    summed = rows.annotate(**{f"sum_{name}": value for name, value in SUMS.items()})
    connection = connections[ledger_alias()]
    sql, params = summed.query.get_compiler(connection=connection).as_sql()
    quote = connection.ops.quote_name
    columns = ", ".join(quote(name) for name in (*wanted, *SUMS))
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {quote(model._meta.db_table)} ({columns}) {sql}", params)
