"""Days are closed when they are over, once, and pruned without losing a sum."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, connections

from creative_services.adapters.pruning import forget_texts, prune_calls
from creative_services.adapters.totals import MOST_CALLERS, OTHERS, close_days, closed_until, keep_details
from creative_services.adapters.usage import Asked, usage
from creative_services.models import Budget, BudgetPeriod, CallerDay, ClosedDay, DetailDay, LlmCall, LlmDay
from tests.ledger.calls import NOON, at, call, values

FRIDAY = NOON.date()


@pytest.fixture(autouse=True)
def in_utc(settings):
    settings.TIME_ZONE = "UTC"


def midnight(day):
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


@pytest.mark.django_db
@pytest.mark.parametrize(("minutes", "closed"), [(0, None), (59, None), (60, FRIDAY)])
def test_a_day_is_closed_an_hour_after_its_end(minutes, closed):
    call()
    with at(midnight(FRIDAY + timedelta(days=1)) + timedelta(minutes=minutes)):
        close_days()

    assert closed_until() == closed


@pytest.mark.django_db
def test_a_day_with_a_running_call_and_those_after_it_stay_open():
    call(started_at=NOON - timedelta(days=2))
    running = call(started_at=NOON - timedelta(days=1), outcome="running", expires_at=NOON + timedelta(days=9))
    call()
    with at(NOON + timedelta(days=3)):
        close_days()
        assert closed_until() == date(2026, 11, 18)

        LlmCall.objects.filter(pk=running.pk).update(outcome="ok")
        close_days()
        assert closed_until() == FRIDAY

    assert [str(day) for day in ClosedDay.objects.order_by("day")] == ["2026-11-18", "2026-11-19", "2026-11-20"]


@pytest.mark.django_db(transaction=True)
def test_a_day_that_cannot_be_added_up_is_an_error_and_not_tried_for_ever():
    call(llm_name="One")
    call(llm_name="Other")
    with connection.cursor() as cursor:
        cursor.execute("CREATE UNIQUE INDEX one_row_a_day ON creative_services_llmday (day)")
    try:
        with at(NOON + timedelta(days=3)), pytest.raises(IntegrityError):
            close_days()
    finally:
        with connection.cursor() as cursor:
            where = " ON creative_services_llmday" if connection.vendor == "mysql" else ""
            cursor.execute(f"DROP INDEX one_row_a_day{where}")

    assert closed_until() is None


@pytest.mark.django_db
def test_a_closed_day_is_not_added_up_again():
    call()
    with at(NOON + timedelta(days=3)):
        for _ in range(3):
            close_days()

    assert [row.calls for row in LlmDay.objects.all()] == [1]
    assert [row.calls for row in CallerDay.objects.all()] == [1]


@pytest.mark.django_db
def test_the_busiest_callers_of_a_day_keep_their_names():
    LlmCall.objects.bulk_create(LlmCall(**values(caller=f"order {number}")) for number in range(MOST_CALLERS + 20))
    LlmCall.objects.bulk_create(LlmCall(**values(caller="search")) for _ in range(2))
    with at(NOON + timedelta(days=3)):
        prune_calls(1)

    for sizes in (CallerDay.objects.values_list("task", "calls"), DetailDay.objects.values_list("caller", "calls")):
        assert len(sizes) == MOST_CALLERS + 1
        assert dict(sizes).items() >= {"search": 2, OTHERS: 21}.items()


@pytest.mark.django_db
def test_details_of_a_day_are_kept_once():
    call()
    with at(NOON + timedelta(days=3)):
        close_days()
        keep_details(FRIDAY)
        keep_details(FRIDAY)

    assert [row.calls for row in DetailDay.objects.all()] == [1]


@pytest.mark.django_db
def test_of_two_who_keep_the_details_of_a_day_at_once_one_does():
    call()
    raced = []

    def race(execute, sql, params, many, context):
        if sql.startswith("UPDATE") and "closedday" in sql and not raced:
            raced.append(True)
            keep_details(FRIDAY)
        return execute(sql, params, many, context)

    with at(NOON + timedelta(days=3)):
        close_days()
        with connection.execute_wrapper(race):
            keep_details(FRIDAY)

    assert raced
    assert [row.calls for row in DetailDay.objects.all()] == [1]


@pytest.fixture
def periods(db):
    """Two budgets' periods that have spent what their calls cost, and the calls: three old ones and a new one."""
    found = [
        BudgetPeriod.objects.create(
            budget=Budget.objects.create(name=name, limit=Decimal(10)), starts_at=NOON - timedelta(days=30), spent=spent
        )
        for name, spent in (("Team", Decimal("0.6")), ("All", Decimal("0.7")))
    ]
    team, everyone = (row.pk for row in found)
    call(cost=Decimal("0.1"), budget_periods=[team, everyone])
    call(cost=Decimal("0.2"), budget_periods=[everyone])
    call(cost=None, budget_periods=[team])
    call(cost=Decimal("0.4"), started_at=NOON + timedelta(days=9), budget_periods=[team, everyone])
    return found


def archived(periods):
    return [BudgetPeriod.objects.get(pk=row.pk).archived for row in periods]


@pytest.mark.parametrize("batch", [1, 2, 1000])
def test_budgets_keep_what_pruned_calls_have_spent(periods, batch):
    with at(NOON + timedelta(days=10)):
        assert prune_calls(5, batch) == 3

    assert archived(periods) == [Decimal("0.1"), Decimal("0.3")]
    assert LlmCall.objects.count() == 1


def test_pruning_twice_is_pruning_once(periods):
    with at(NOON + timedelta(days=10)):
        assert [prune_calls(5), prune_calls(5)] == [3, 0]

    assert archived(periods) == [Decimal("0.1"), Decimal("0.3")]


def test_pruning_that_is_broken_off_loses_nothing(periods):
    seen = []

    def stop(execute, sql, params, many, context):
        if sql.startswith("DELETE FROM") and "llmcall" in sql:
            seen.append(sql)
            if len(seen) == 2:
                raise KeyboardInterrupt
        return execute(sql, params, many, context)

    with at(NOON + timedelta(days=10)):
        before = usage(Asked(FRIDAY, FRIDAY + timedelta(days=9)), ("day",))
        with pytest.raises(KeyboardInterrupt), connection.execute_wrapper(stop):
            prune_calls(5, 1)
        assert LlmCall.objects.count() == 3
        assert usage(Asked(FRIDAY, FRIDAY + timedelta(days=9)), ("day",)) == before

        assert prune_calls(5, 1) == 2
        assert usage(Asked(FRIDAY, FRIDAY + timedelta(days=9)), ("day",)) == before

    assert archived(periods) == [Decimal("0.1"), Decimal("0.3")]


@pytest.mark.django_db
def test_nothing_is_pruned_where_nothing_is_old():
    call()
    with at(NOON):
        assert prune_calls(1) == 0
    with at(NOON + timedelta(days=5)):
        assert prune_calls(5) == 0
        assert prune_calls(4) == 1


@pytest.mark.django_db
def test_a_running_call_is_not_pruned_and_a_dead_ones_reservation_is_counted_first():
    call(outcome="running", cost=None, reserved=Decimal("0.5"), expires_at=NOON + timedelta(days=1))
    running = call(
        outcome="running", cost=None, started_at=NOON + timedelta(days=1), expires_at=NOON + timedelta(days=99)
    )
    call(started_at=NOON + timedelta(days=1))
    with at(NOON + timedelta(days=10)):
        assert prune_calls(2) == 1
        (friday, _saturday) = usage(Asked(FRIDAY, FRIDAY + timedelta(days=1)), ("day",))

    assert (friday.sums.cost, friday.sums.errors) == (Decimal("0.5"), 1)
    assert running in LlmCall.objects.all()
    assert LlmCall.objects.count() == 2


@pytest.mark.django_db
def test_texts_go_after_their_days_and_their_calls_stay():
    old = call(prompt_text="Who?", answer_text="Me.")
    new = call(prompt_text="Who?", answer_text="Me.", started_at=NOON + timedelta(days=9))
    with at(NOON + timedelta(days=10)):
        assert forget_texts(5) == 1

    assert [LlmCall.objects.get(pk=row.pk).prompt_text for row in (old, new)] == [None, "Who?"]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_close_a_day_at_once_one_does():
    call()
    # As if the other had come first, between our look and our writing.
    raced = []

    def race(execute, sql, params, many, context):
        if sql.startswith("INSERT") and "closedday" in sql and not raced:
            raced.append(True)
            close_days()
        return execute(sql, params, many, context)

    with at(NOON + timedelta(days=3)), connection.execute_wrapper(race):
        close_days()

    assert raced
    assert [row.calls for row in LlmDay.objects.all()] == [1]
    connections.close_all()
