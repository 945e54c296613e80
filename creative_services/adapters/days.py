"""Days in the project's time zone: when they begin, and on which of them something was, as SQL."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Case, IntegerField, Value, When
from django.utils import timezone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ONE_DAY = timedelta(days=1)


def start_of(day: date) -> datetime:
    """The moment at which the day begins, as Django's columns hold moments."""
    midnight = datetime.combine(day, time())
    return timezone.make_aware(midnight, timezone.get_default_timezone()) if settings.USE_TZ else midnight


def stored(moment: datetime) -> datetime:
    """The moment, which knows its zone, as Django's columns hold moments."""
    return moment if settings.USE_TZ else timezone.make_naive(moment, timezone.get_default_timezone())


def day_of(moment: datetime) -> date:
    """The day of this moment."""
    return timezone.localtime(moment, timezone.get_default_timezone()).date() if settings.USE_TZ else moment.date()


def today() -> date:
    """The day of now."""
    return day_of(timezone.now())


def days_between(first: date, last: date) -> Iterator[date]:
    """All days from the first to the last."""
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def place_among(field: str, bounds: Sequence[Any]) -> Any:
    """The number of the last of these ascending bounds that the field's value reaches, as SQL; the first counts always.

    A search by halves: for a day of a year it compares nine times. And every database computes it alike, where
    truncating dates needs MariaDB's tables of time zones, and asks Python for each row on SQLite.
    """
    return _place(field, bounds, 0, len(bounds) - 1)


def _place(field: str, bounds: Sequence[Any], low: int, high: int) -> Any:
    if low == high:
        return Value(low, output_field=IntegerField())
    middle = (low + high + 1) // 2
    below = When(**{f"{field}__lt": bounds[middle]}, then=_place(field, bounds, low, middle - 1))
    return Case(below, default=_place(field, bounds, middle, high), output_field=IntegerField())
