"""A provider's bill beside the ledger, for each day and model."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Sum
from django.db.models.functions import TruncDate

from creative_services.adapters.ledger_database import ledger_connection
from creative_services.databases import own_model

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS = ("day", "model", "input", "output", "cost")


@dataclass(slots=True)
class Amounts:
    """Tokens and US dollars."""

    input: int = 0
    output: int = 0
    cost: Decimal = Decimal(0)

    def add(self, input: int, output: int, cost: Decimal) -> None:
        """Count these too."""
        self.input += input
        self.output += output
        self.cost += cost


@dataclass(slots=True)
class Line:
    """What the bill and the ledger say of one model on one day (UTC)."""

    day: date
    model: str
    billed: Amounts = field(default_factory=Amounts)
    booked: Amounts = field(default_factory=Amounts)

    @property
    def missing(self) -> Decimal:
        """US dollars that were billed and not booked; below 0 where more was booked."""
        return self.billed.cost - self.booked.cost


class BillError(ValueError):
    """The file is no bill as it should be; says where."""


def compared(file: Iterable[str]) -> list[Line]:
    """The lines of a bill beside the ledger, and what the ledger has of the bill's days beyond it.

    A CSV file with the columns day (2026-11-30), model, input, output (tokens) and cost (US dollars); several lines
    of a day and model are added up. Raises BillError.
    """
    lines: dict[tuple[date, str], Line] = {}
    for day, model, amounts in _read(file):
        line = lines.setdefault((day, model), Line(day, model))
        line.billed.add(amounts.input, amounts.output, amounts.cost)
    if lines:
        days = [day for day, _model in lines]
        for day, model, amounts in _booked(min(days), max(days)):
            lines.setdefault((day, model), Line(day, model)).booked = amounts
    return [lines[key] for key in sorted(lines)]


def _read(file: Iterable[str]) -> Iterator[tuple[date, str, Amounts]]:
    reader = csv.DictReader(file)
    lacking = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if lacking:
        raise BillError(f"The bill lacks the columns {', '.join(lacking)}; it needs {', '.join(COLUMNS)}.")
    while True:
        try:
            yield _line(next(reader))
        except StopIteration:
            return
        except (ValueError, TypeError, InvalidOperation, csv.Error):
            raise BillError(
                f"Line {reader.line_num} of the bill is not a day (2026-11-30), a model, two numbers of tokens and a "
                "cost in US dollars."
            ) from None


def _line(row: Mapping[str, str]) -> tuple[date, str, Amounts]:
    day, cost = date.fromisoformat(row["day"]), Decimal(row["cost"])
    if not cost.is_finite() or day == date.max:
        raise ValueError
    return day, row["model"], Amounts(int(row["input"] or 0), int(row["output"] or 0), cost)


def _booked(first: date, last: date) -> Iterator[tuple[date, str, Amounts]]:
    zone = UTC if settings.USE_TZ else None  # without zones the columns know the project's days only
    begin, end = (datetime.combine(day, time(), zone) for day in (first, last + timedelta(days=1)))
    with ledger_connection() as connection:
        calls = own_model("LlmCall")._base_manager.using(connection.alias)
        sums = (
            calls.filter(started_at__gte=begin, started_at__lt=end)
            .order_by()
            .values("model", day=TruncDate("started_at", tzinfo=UTC))
            .annotate(inputs=Sum("input_tokens"), outputs=Sum("output_tokens"), total=Sum("cost"))
        )
        for found in sums.iterator():
            amounts = Amounts(int(found["inputs"] or 0), int(found["outputs"] or 0), found["total"] or Decimal(0))
            yield found["day"], found["model"], amounts
