"""The days, weeks and months of budgets, in the calendar of their time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Period(NamedTuple):
    """From `starts_at` until before `ends_at`, both in UTC; None: for ever."""

    starts_at: datetime
    ends_at: datetime | None


def period_at(kind: str, zone: ZoneInfo, moment: datetime) -> Period:
    """The `day`, `week` (from Monday), `month` or `total` in which the moment is, by the clocks of the zone."""
    if kind == "total":
        return Period(BEGINNING, None)
    today = moment.astimezone(zone).date()
    if kind == "day":
        return _between(today, today + timedelta(days=1), zone)
    if kind == "week":
        monday = today - timedelta(days=today.weekday())
        return _between(monday, monday + timedelta(days=7), zone)
    first = today.replace(day=1)
    return _between(first, (first + timedelta(days=31)).replace(day=1), zone)


def _between(first: date, last: date, zone: ZoneInfo) -> Period:
    return Period(_midnight(first, zone), _midnight(last, zone))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    # Where the clocks skip midnight, this is the moment at which they do.
    return datetime.combine(day, time(), zone).astimezone(UTC)
