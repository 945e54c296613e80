"""What calls came to, by day, LLM, tier, caller and so on: the one place that the API, the admin and the command ask.

Closed days are read as totals where these tell apart what is asked for, the others as calls. Each attempt at an LLM
counts as a call.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields
from datetime import timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import Count, Sum

from creative_services.adapters.days import ONE_DAY, days_between, place_among, start_of
from creative_services.adapters.latency import BOUNDS
from creative_services.adapters.totals import (
    LLM,
    SUMS,
    TASK,
    WHO,
    calls_of,
    close_days,
    closed_until,
    detailed_until,
)
from creative_services.databases import ledger_alias
from creative_services.models import CallerDay, DetailDay, LlmDay

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date
    from decimal import Decimal

GROUPS: Mapping[str, tuple[str, ...]] = {
    "day": ("day",),
    "llm": LLM,
    "tier": ("tier",),
    "user": ("user_id",),
    "machine_key": ("machine_key_id",),
    "caller": ("caller",),
    "source": ("source",),
    "outcome": ("outcome",),
    "who": (*WHO, "task"),
}
"""What can be grouped by, and its columns. `who` tells users and machine keys apart, and the callers of all others."""

MOST_DAYS = 366
"""So many days can be looked at together."""

OF_CALLS = {f"sum_{name}": value for name, value in SUMS.items()}
OF_TOTALS = {f"sum_{name}": Sum(name) for name in SUMS}


class Llm(NamedTuple):
    """An LLM as it was when it was called; without an id, it is deleted since."""

    id: int | None
    name: str
    provider: str
    model: str
    tier: str


class Who(NamedTuple):
    """Whose calls they are; `task` is the caller's own name where they are in nobody's."""

    user_id: Any
    machine_key_id: int | None
    task: str


KINDS: Mapping[str, Any] = {"llm": Llm, "who": Who}


@dataclass(frozen=True, slots=True)
class Asked:
    """Which calls: those that began from the first to the last day, and fit all the rest that is not None."""

    first: date
    last: date
    tier: str | None = None
    llm_id: int | None = None
    user_id: Any = None
    machine_key_id: int | None = None
    source: str | None = None
    outcome: str | None = None

    @property
    def columns(self) -> dict[str, Any]:
        """The columns that must have these values."""
        values = {one.name: getattr(self, one.name) for one in fields(self)[2:]}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(slots=True)
class Sums:
    """Sums over calls. What is unknown is left out and counted; a sum of which nothing is known is None."""

    calls: int = 0
    errors: int = 0
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    calls_of_unknown_tokens: int = 0
    cost: Decimal | None = None
    calls_of_unknown_cost: int = 0

    def __add__(self, other: Sums) -> Sums:
        pairs = zip(_values(self), _values(other), strict=True)
        return Sums(*(left if right is None else right if left is None else left + right for left, right in pairs))

    @property
    def error_share(self) -> float:
        """The share of the calls that failed, from 0 to 1."""
        return self.errors / self.calls if self.calls else 0.0


_values = attrgetter(*(one.name for one in fields(Sums)))


@dataclass(slots=True)
class Group:
    """The calls that agree in what is grouped by. `key` has a date, an Llm, Who, or a column's own value for each."""

    key: tuple[Any, ...]
    sums: Sums


def usage(asked: Asked, by: Sequence[str]) -> list[Group]:
    """The sums of each group that has calls, ascending by key. `by` names at least one of GROUPS."""
    close_days()
    found: dict[tuple[Any, ...], Group] = {}
    columns = _columns(by)
    for row in _rows(asked, columns, OF_TOTALS, OF_CALLS):
        sums = Sums(*row[len(columns) :])
        if sums.calls:  # a single day is a constant, which a database groups even nothing by
            key = _key(by, row)
            found[key] = Group(key, found[key].sums + sums if key in found else sums)
    return sorted(found.values(), key=lambda group: [_order(value) for value in group.key])


def latencies(asked: Asked, by: Sequence[str]) -> dict[tuple[Any, ...], Counter[int]]:
    """How many answered calls took how long, for `percentile`, by group; callers cannot be told apart here."""
    close_days()
    found: dict[tuple[Any, ...], Counter[int]] = {}
    columns = (*_columns(by), "latency_bucket")
    for row in _rows(asked, columns, {"calls_of_bucket": Sum("calls")}, {"calls_of_bucket": Count("pk")}):
        *_, bucket, calls = row
        if bucket is not None:
            found.setdefault(_key(by, row), Counter())[bucket] += calls
    return found


def total(groups: Sequence[Group]) -> Sums:
    """The sums over all groups."""
    return sum((group.sums for group in groups), Sums())


def _columns(by: Sequence[str]) -> tuple[str, ...]:
    return tuple(column for name in by for column in GROUPS[name])


def _key(by: Sequence[str], row: Sequence[Any]) -> tuple[Any, ...]:
    values = iter(row)
    pieces = ((name, [next(values) for _column in GROUPS[name]]) for name in by)
    return tuple(KINDS[name](*piece) if name in KINDS else piece[0] for name, piece in pieces)


def _order(value: Any) -> tuple[Any, ...]:
    if isinstance(value, Llm):
        return (*value[1:], value.id or 0)
    if isinstance(value, Who):
        return tuple(map(_order, value))
    return (value is not None, value)


def _rows(
    asked: Asked, columns: Sequence[str], of_totals: Mapping[str, Any], of_calls: Mapping[str, Any]
) -> Iterator[tuple[Any, ...]]:
    """The values of the columns, and then of the aggregates, over totals and over calls."""
    first, (model, last) = asked.first, _totals({*columns, *asked.columns})
    if last is not None and first <= last:
        totals = model._default_manager.using(ledger_alias()).filter(**asked.columns)
        totals = totals.filter(day__gte=first, day__lte=min(asked.last, last))
        yield from totals.order_by().values_list(*columns).annotate(**of_totals)
        first = last + ONE_DAY
    if first <= asked.last:
        yield from _rows_of_calls(asked, first, columns, of_calls)


def _totals(columns: set[str]) -> tuple[Any, date | None]:
    """The smallest totals that have the columns, and the last day of which there are such."""
    for model in (CallerDay, LlmDay):
        if columns <= {one.attname for one in model._meta.concrete_fields}:
            return model, closed_until()
    return DetailDay, detailed_until()


def _rows_of_calls(
    asked: Asked, first: date, columns: Sequence[str], aggregates: Mapping[str, Any]
) -> Iterator[tuple[Any, ...]]:
    calls = calls_of(first, asked.last).filter(**asked.columns)
    if "latency_bucket" in columns:
        calls = calls.filter(outcome="ok").exclude(latency_seconds=None)
        calls = calls.annotate(latency_bucket=place_among("latency_seconds", BOUNDS))
    if "task" in columns:
        calls = calls.annotate(task=TASK)
    if "day" in columns:
        starts = [start_of(day) for day in days_between(first, asked.last)]
        calls = calls.annotate(day=place_among("started_at", starts))
    place = columns.index("day") if "day" in columns else None
    for row in calls.order_by().values_list(*columns).annotate(**aggregates):
        if place is None:
            yield row
        else:
            yield (*row[:place], first + timedelta(days=row[place]), *row[place + 1 :])
