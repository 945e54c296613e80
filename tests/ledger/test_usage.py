"""Usage: the same sums from calls, from totals, and from totals whose calls are gone."""

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import combinations

import pytest

from creative_services.adapters.days import place_among, today
from creative_services.adapters.latency import BOUNDS, percentile
from creative_services.adapters.pruning import prune_calls
from creative_services.adapters.totals import closed_until, detailed_until
from creative_services.adapters.usage import GROUPS, Asked, Llm, Who, latencies, total, usage
from creative_services.models import CallerDay, DetailDay, LlmCall, LlmDay, MachineKey
from creative_services.testing import LlmsFactory
from tests.ledger.calls import NOON, at, call, values

pytestmark = pytest.mark.django_db

FIRST, LAST = date(2026, 11, 14), date(2026, 11, 20)
WEEK = Asked(FIRST, LAST)
TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
GROUPINGS = [*((name,) for name in GROUPS), *combinations([name for name in GROUPS if name != "who"], 2)]


@pytest.fixture(autouse=True)
def in_utc(settings):
    settings.TIME_ZONE = "UTC"


@pytest.fixture
def calls(django_user_model):
    """Two hundred calls of a week, of which some are unknown in part."""
    dice = random.Random(7)  # noqa: S311 - no secret
    users = [None, *(django_user_model.objects.create_user(name) for name in ("ann", "ben"))]
    key = MachineKey.objects.create(name="robot", user=users[1], prefix="p", digest="d")
    llms = [LlmsFactory(name=name, tier=tier) for name, tier in (("A", "economy"), ("B", "premium"))]
    rows = []
    for _ in range(200):
        llm, user, outcome = (
            dice.choice(llms),
            dice.choice(users),
            dice.choice(["ok", "ok", "error", "cancelled", "lost"]),
        )
        known = {name: dice.choice([None, dice.randrange(10_000)]) for name in TOKENS}
        cost = {"cost": dice.choice([None, Decimal(0), Decimal(dice.randrange(10**12)).scaleb(-12)])}
        who = {"user": user, "machine_key": dice.choice([None, key]), "caller": dice.choice(["", "search"])}
        started = NOON - timedelta(hours=dice.uniform(0, 24 * 6 + 12))
        was = {"llm": llm, "llm_name": llm.name, "tier": llm.tier, "model": dice.choice(["old", "new"])}
        rows.append(
            LlmCall(
                **values(
                    **who,
                    **was,
                    **known,
                    **cost,
                    outcome=outcome,
                    started_at=started,
                    source=dice.choice(["api", "python"]),
                )
            )
        )
    LlmCall.objects.bulk_create(rows)
    return rows


def expected(calls, by):
    """What usage must say, worked out by hand."""
    found = defaultdict(lambda: defaultdict(int))
    for one in calls:
        sums = found[tuple(part(one, name) for name in by)]
        sums["calls"] += 1
        sums["errors"] += one.outcome in {"error", "lost"}
        for name in (*TOKENS, "cost"):
            value = getattr(one, name)
            sums[name] = (sums[name] or 0) + value if value is not None else sums.get(name)
        sums["calls_of_unknown_cost"] += one.cost is None
        sums["calls_of_unknown_tokens"] += one.cost != 0 and None in {one.input_tokens, one.output_tokens}
    return {key: dict(sums) for key, sums in found.items()}


def part(one, name):
    match name:
        case "day":
            return one.started_at.date()
        case "llm":
            return Llm(one.llm_id, one.llm_name, one.provider, one.model, one.tier)
        case "who":
            is_nobodys = one.user_id is None and one.machine_key_id is None
            return Who(one.user_id, one.machine_key_id, one.caller if is_nobodys else "")
        case _:
            return getattr(one, GROUPS[name][0])


def told(asked, by):
    return {group.key: {name: getattr(group.sums, name) for name in group.sums.__slots__} for group in usage(asked, by)}


def check_all(calls):
    for by in GROUPINGS:
        assert told(WEEK, by) == expected(calls, by), by


def test_calls_and_totals_and_totals_of_pruned_calls_say_the_same(calls):
    with at(datetime(2026, 11, 14, tzinfo=UTC)):
        check_all(calls)
        assert closed_until() is None
    with at(NOON):
        check_all(calls)
        assert (closed_until(), detailed_until()) == (date(2026, 11, 19), None)
        assert 0 < prune_calls(2) < len(calls)
        assert detailed_until() == date(2026, 11, 17)
        check_all(calls)
    with at(NOON + timedelta(days=10)):
        assert prune_calls(2) > 0
        check_all(calls)
        assert not LlmCall.objects.exists()


@pytest.mark.parametrize("is_closed", [False, True])
def test_only_calls_that_fit_all_that_is_asked_count(calls, is_closed):
    one = next(one for one in calls if one.user_id and one.machine_key_id)
    with at(NOON + timedelta(days=3 if is_closed else -6)):
        for name in ("tier", "llm_id", "user_id", "machine_key_id", "source", "outcome"):
            fitting = [other for other in calls if getattr(other, name) == getattr(one, name)]
            asked = Asked(FIRST, LAST, **{name: getattr(one, name)})

            assert told(asked, ("day", "source")) == expected(fitting, ("day", "source")), name

        exact = Asked(FIRST, LAST, tier=one.tier, user_id=one.user_id, outcome=one.outcome)
        fitting = [
            each for each in calls if (each.tier, each.user_id, each.outcome) == (one.tier, one.user_id, one.outcome)
        ]
        assert total(usage(exact, ("tier",))).calls == len(fitting)


@pytest.mark.parametrize("is_closed", [False, True])
def test_a_period_begins_and_ends_with_its_days(calls, is_closed):
    first, last = date(2026, 11, 16), date(2026, 11, 17)
    inside = [one for one in calls if first <= one.started_at.date() <= last]
    with at(NOON + timedelta(days=3 if is_closed else -6)):
        assert told(Asked(first, last), ("day",)) == expected(inside, ("day",))
        assert told(Asked(date(2026, 1, 1), date(2026, 1, 5)), ("day",)) == {}


def test_a_day_without_calls_is_no_group():
    with at(NOON):
        assert usage(Asked(LAST, LAST), ("day",)) == []
        assert latencies(Asked(LAST, LAST), ("day",)) == {}


def test_groups_stand_in_the_order_of_their_keys(calls):
    with at(NOON):
        days = [group.key[0] for group in usage(WEEK, ("day",))]
        users = [group.key[0] for group in usage(WEEK, ("user",))]
        llms = [(group.key[0].name, group.key[0].model) for group in usage(WEEK, ("llm",))]

    assert days == sorted(days)
    assert users == [None, *sorted(user for user in users if user)]
    assert llms == [("A", "new"), ("A", "old"), ("B", "new"), ("B", "old")]


def test_a_deleted_llm_keeps_its_name_and_loses_its_id(calls):
    with at(NOON):
        before = usage(WEEK, ("llm",))
        calls[0].llm.delete()
        after = usage(WEEK, ("llm",))

    assert [group.key[0].name for group in after] == [group.key[0].name for group in before]
    assert {group.key[0].id for group in after if group.key[0].name == calls[0].llm_name} == {None}
    assert total(after) == total(before)


def test_what_is_wholly_unknown_is_none_and_not_zero():
    call(cost=None, input_tokens=None, output_tokens=5)
    with at(NOON):
        (group,) = usage(WEEK, ("tier",))

    assert (group.sums.cost, group.sums.calls_of_unknown_cost) == (None, 1)
    assert (group.sums.input_tokens, group.sums.output_tokens, group.sums.calls_of_unknown_tokens) == (None, 5, 1)


def test_a_running_call_counts_and_is_not_unknown():
    call(outcome="running", cost=None, input_tokens=None, output_tokens=None, latency_seconds=None)
    with at(NOON):
        (group,) = usage(WEEK, ("outcome",))

    assert group.key == ("running",)
    assert (group.sums.calls, group.sums.calls_of_unknown_cost, group.sums.calls_of_unknown_tokens) == (1, 0, 0)


def test_sums_are_exact_to_the_last_digit_and_beyond_what_floats_hold():
    for _ in range(10):
        call(cost=Decimal("100000.000000000001"))
    with at(NOON):
        assert total(usage(WEEK, ("day",))).cost == Decimal("1000000.000000000010")


def test_days_are_those_of_the_projects_time_zone(settings):
    settings.TIME_ZONE = "Europe/Berlin"
    # The day on which clocks are put back has 25 hours: from 22:00 UTC until 23:00 UTC.
    for hours in (-1, 0, 24, 25):
        call(started_at=datetime(2026, 10, 24, 22, 30, tzinfo=UTC) + timedelta(hours=hours), caller=str(hours))
    wanted = {date(2026, 10, 24): 1, date(2026, 10, 25): 2, date(2026, 10, 26): 1}
    asked = Asked(date(2026, 10, 20), date(2026, 10, 30))

    for moment in (datetime(2026, 10, 24, tzinfo=UTC), NOON):
        with at(moment):
            assert {group.key[0]: group.sums.calls for group in usage(asked, ("day",))} == wanted
    assert closed_until() == date(2026, 10, 26)


def test_a_project_without_time_zones_has_days_too(settings):
    settings.USE_TZ = False
    call(started_at=datetime(2026, 11, 19, 23, 30))  # noqa: DTZ001 - that is the case
    with at(datetime(2026, 11, 20, 12)):  # noqa: DTZ001
        assert today() == date(2026, 11, 20)
        assert told(WEEK, ("day",)).keys() == {(date(2026, 11, 19),)}
        assert closed_until() == date(2026, 11, 19)


def test_latencies_of_answered_calls_are_the_same_from_calls_and_totals():
    for seconds in (0.01, 0.5, 0.5, 3, 3000):
        call(latency_seconds=seconds)
    call(latency_seconds=9, outcome="error")
    call(latency_seconds=None)
    wanted = [bucket for seconds in (0.01, 0.5, 0.5, 3, 3000) for bucket in [sum(b <= seconds for b in BOUNDS) - 1]]

    for moment in (NOON, NOON + timedelta(days=3)):
        with at(moment):
            (found,) = latencies(WEEK, ("llm",)).values()
            assert sorted(found.elements()) == wanted
            assert latencies(WEEK, ("day", "tier")) == {(LAST, "standard"): found}


def test_percentiles_lie_in_the_class_of_the_right_call():
    assert percentile({}, 0.5) is None
    many = {4: 50, 8: 49, 12: 1}
    for share, bucket in ((0.25, 4), (0.5, 4), (0.51, 8), (0.95, 8), (0.999, 12)):
        assert BOUNDS[bucket] <= percentile(many, share) <= BOUNDS[bucket + 1], share
    assert 0 < percentile({0: 3}, 0.95) <= BOUNDS[1]


@pytest.mark.parametrize("number", [1, 2, 3, 7, 366])
def test_a_place_is_found_for_every_value(number):
    call(latency_seconds=-1.0)
    for value in range(number):
        call(latency_seconds=value + 0.5)
    place = place_among("latency_seconds", [float(bound) for bound in range(number)])
    found = LlmCall.objects.annotate(place=place).order_by("latency_seconds").values_list("place", flat=True)

    assert list(found) == [0, *range(number)]


def test_totals_tell_their_day_when_they_are_printed():
    call()
    with at(NOON + timedelta(days=3)):
        prune_calls(1)

    models = (LlmDay, CallerDay, DetailDay)
    assert [str(row) for model in models for row in model.objects.all()] == ["2026-11-20: 1"] * 3
