from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creative_services.adapters.periods import period_at

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ["UTC", "Europe/Berlin", "America/Havana", "America/Sao_Paulo", "Asia/Beirut", "Pacific/Apia", "Asia/Kathmandu"]


def utc(*numbers):
    return datetime(*numbers, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "moment", "starts_at", "ends_at"),
    [
        ("day", utc(2026, 11, 22, 14), utc(2026, 11, 21, 23), utc(2026, 11, 22, 23)),
        ("day", utc(2026, 11, 22, 23), utc(2026, 11, 22, 23), utc(2026, 11, 23, 23)),
        ("week", utc(2026, 11, 22, 14), utc(2026, 11, 15, 23), utc(2026, 11, 22, 23)),
        ("week", utc(2026, 11, 22, 23), utc(2026, 11, 22, 23), utc(2026, 11, 29, 23)),
        ("month", utc(2026, 12, 31, 22), utc(2026, 11, 30, 23), utc(2026, 12, 31, 23)),
        ("month", utc(2024, 2, 29, 12), utc(2024, 1, 31, 23), utc(2024, 2, 29, 23)),
        ("total", utc(2026, 11, 22, 14), utc(1970, 1, 1), None),
    ],
)
def test_periods_are_those_of_the_zones_calendar(kind, moment, starts_at, ends_at):
    assert period_at(kind, BERLIN, moment) == (starts_at, ends_at)


@pytest.mark.parametrize(
    ("zone", "moment", "hours"),
    [
        ("Europe/Berlin", utc(2026, 3, 29, 12), 23),
        ("Europe/Berlin", utc(2026, 10, 25, 12), 25),
        ("Europe/Berlin", utc(2026, 10, 25, 1, 30), 25),
        ("Asia/Beirut", utc(2026, 3, 29, 12), 23),  # the clocks go from 00:00 to 01:00
        ("America/Havana", utc(2026, 11, 1, 12), 25),  # and here from 01:00 back to 00:00
    ],
)
def test_a_day_in_which_the_clocks_change_has_an_hour_less_or_more(zone, moment, hours):
    starts_at, ends_at = period_at("day", ZoneInfo(zone), moment)

    assert ends_at - starts_at == timedelta(hours=hours)
    assert starts_at <= moment < ends_at


@given(
    kind=st.sampled_from(["day", "week", "month"]),
    zone=st.sampled_from(ZONES),
    moment=st.datetimes(datetime(2005, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_every_moment_is_in_its_period_and_the_next_one_follows_at_once(kind, zone, moment):
    period = period_at(kind, ZoneInfo(zone), moment)

    assert period.starts_at <= moment < period.ends_at
    assert period_at(kind, ZoneInfo(zone), period.starts_at) == period
    assert period_at(kind, ZoneInfo(zone), period.ends_at).starts_at == period.ends_at
