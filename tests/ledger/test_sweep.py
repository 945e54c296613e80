from decimal import Decimal

import pytest
from django.db import DatabaseError, connection

from creative_services.adapters.ledger import DjangoLedger
from creative_services.adapters.sweep import BATCH, LazySweep, sweep
from creative_services.core.types import Attempt, Usage
from creative_services.ledger_options import LedgerOptions
from creative_services.models import LlmCall
from creative_services.signals import llm_call_finished
from tests.commands.running import run
from tests.ledger.plans import amounts, budget, planned

pytestmark = pytest.mark.django_db
OVER = -120.0  # seconds: the call's time is over, and the grace after it
ANSWERED = Attempt(7, "GPT", "ok", usage=Usage(1, 1), cost=Decimal("0.25"), finish_reason="stop")


@pytest.fixture
def ledger():
    return DjangoLedger(LedgerOptions())


def test_a_call_whose_process_died_is_charged_with_its_reservation(ledger):
    budget()
    ledger.reserve(planned("1.5", seconds=OVER))

    (call,) = sweep()

    row = LlmCall.objects.get()
    assert row == call
    assert call._state.db == connection.alias
    assert (row.outcome, row.cost, row.cost_source, row.is_estimated) == ("lost", Decimal("1.5"), "reservation", True)
    assert row.finished_at is not None
    assert amounts() == (Decimal("1.5"), 0)


def test_calls_that_have_time_left_or_are_settled_are_left_alone(ledger):
    budget()
    ledger.reserve(planned("1"))
    ledger.settle(ledger.reserve(planned("1", seconds=OVER)), ANSWERED)

    assert sweep() == []
    assert amounts() == (Decimal("0.25"), 1)


def test_a_call_of_unknown_cost_is_lost_without_one(ledger):
    budget(allows_unpriced=True)
    ledger.reserve(planned(None, seconds=OVER))

    (call,) = sweep()

    assert (call.outcome, call.cost, call.cost_source, call.is_estimated) == ("lost", None, "", False)
    assert amounts() == (0, 0)


def test_one_that_was_thought_dead_and_comes_back_corrects_what_was_charged(ledger):
    budget()
    booked = ledger.reserve(planned("1", seconds=OVER))
    sweep()

    ledger.settle(booked, ANSWERED)
    ledger.settle(booked, ANSWERED)

    row = LlmCall.objects.get()
    assert (row.outcome, row.cost, row.cost_source, row.is_estimated) == ("ok", Decimal("0.25"), "prices", False)
    assert amounts() == (Decimal("0.25"), 0)


def test_a_call_that_somebody_else_settles_meanwhile_is_not_charged_again(ledger):
    budget()
    booked = ledger.reserve(planned("1", seconds=OVER))
    meanwhile = [booked]

    def its_process_comes_back(execute, sql, *rest):
        if meanwhile and sql.startswith("UPDATE"):
            ledger.settle(meanwhile.pop(), ANSWERED)
        return execute(sql, *rest)

    with connection.execute_wrapper(its_process_comes_back):
        assert sweep() == []

    assert amounts() == (Decimal("0.25"), 0)


def test_a_sweep_can_be_bounded_and_goes_on_where_it_stopped(ledger):
    budget("1000")
    for _ in range(5):
        ledger.reserve(planned("1", seconds=OVER))

    counts = [len(sweep(most)) for most in (2, 2, 2)]

    assert counts == [2, 2, 1]


def test_more_calls_than_a_batch_are_all_settled(ledger):
    for _ in range(BATCH + 1):
        ledger.reserve(planned("1", seconds=OVER))

    assert len(sweep()) == BATCH + 1


def test_receivers_are_told_of_lost_calls(ledger):
    told = []

    def receiver(call, **_):
        told.append((call.outcome, call.cost))

    ledger.reserve(planned("1", seconds=OVER))
    llm_call_finished.connect(receiver)
    try:
        sweep()
    finally:
        llm_call_finished.disconnect(receiver)

    assert told == [("lost", 1)]


def test_the_next_call_sweeps_once_a_minute(ledger):
    now = iter([0.0, 0.0, 59.0, 60.0, 60.0])
    lazily = LazySweep(clock=now.__next__)
    found = []
    for _ in range(3):
        ledger.reserve(planned("1", seconds=OVER))
        lazily()
        found.append(LlmCall.objects.filter(outcome="lost").count())

    assert found == [1, 1, 3]


def test_a_sweep_that_fails_harms_no_call(caplog):
    def broken(execute, *args):
        raise DatabaseError("gone")

    with connection.execute_wrapper(broken):
        LazySweep()()

    assert "tried again in a minute" in caplog.text


def test_the_command_says_what_it_charged(ledger):
    ledger.reserve(planned("1.50", seconds=OVER))
    ledger.reserve(planned(None, seconds=OVER))

    done = run("release_llm_reservations")

    assert done.code == 0
    assert "to GPT: $1.5\n" in done.out
    assert "to GPT: an unknown cost\n" in done.out
    assert "Settled: 2, $1.5 in all.\n" in done.out
