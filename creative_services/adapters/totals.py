"""Adds up the calls of days that are over, so that nobody has to read a million rows twice."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, connections, transaction
from django.db.models import Case, Count, DateField, F, Max, Min, Q, Sum, Value, When
from django.db.models.lookups import In
from django.utils import timezone

from creative_services.adapters.days import ONE_DAY, day_of, place_among, start_of
from creative_services.adapters.latency import BOUNDS
from creative_services.databases import ledger_alias
from creative_services.models import CallerDay, ClosedDay, DetailDay, LlmCall, LlmDay

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
WHO = ("user_id", "machine_key_id")
TASK = Case(When(user=None, machine_key=None, then="caller"), default=Value(""))
"""The caller's own name, where calls are in nobody's."""

HAS_FAILED = Q(outcome__in=("error", "lost"))
TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
IS_SETTLED = ~Q(outcome="running")
MAY_HAVE_TOKENS = IS_SETTLED & ~Q(cost=0)  # what failed for free has none
SUMS: dict[str, Any] = {
    "calls": Count("pk"),
    "errors": Count("pk", filter=HAS_FAILED),
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


def detailed_until() -> date | None:
    """The last day whose calls may be gone; those of all days before it may be, too."""
    detailed = ClosedDay.objects.using(ledger_alias()).filter(has_details=True)
    last: date | None = detailed.aggregate(last=Max("day"))["last"]
    return last


def close_days() -> None:
    """Add up each day that has been over for an hour, oldest first, up to one on which a call still runs.

    Each day is a transaction of its own. Whoever does the same at the same time waits, and then finds it done.
    """
    tried = None
    while (day := _next_day()) is not None:
        try:
            with transaction.atomic(using=ledger_alias()):
                ClosedDay.objects.using(ledger_alias()).create(day=day)
                _add_up(day)
        except IntegrityError:  # another process was faster, and then the day is closed
            if day == tried:
                raise
            tried = day


def keep_details(last: date) -> None:
    """Add the calls of closed days up to this one up by all that can be asked of them; each day is a transaction."""
    days = ClosedDay.objects.using(ledger_alias()).filter(has_details=False)
    for day in list(days.filter(day__lte=last).order_by("day").values_list("day", flat=True)):
        with transaction.atomic(using=ledger_alias()):
            if days.filter(day=day).update(has_details=True):  # nobody else did so meanwhile
                calls = calls_of(day, day)
                alike = {name: F(name) for name in (*ALIKE, *WHO)}
                _insert(DetailDay, calls, day, alike | {"caller": _busiest(calls, F("caller"))})


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
    _insert(CallerDay, calls, day, {name: F(name) for name in WHO} | {"task": _busiest(calls, TASK)})


def _busiest(calls: QuerySet[LlmCall], name: Any) -> Any:
    """The name, or OTHERS if it is none of the day's busiest."""
    sizes = calls.values(of_name=name).annotate(number=Count("pk")).order_by("-number", "of_name")
    names = list(sizes.values_list("of_name", flat=True)[: MOST_CALLERS + 1])
    if len(names) <= MOST_CALLERS:
        return name
    return Case(When(In(name, names[:MOST_CALLERS]), then=name), default=Value(OTHERS))


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
