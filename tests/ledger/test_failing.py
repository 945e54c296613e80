"""The ledger's database fails: nothing is spent that it does not know of, and no answer is lost."""

import pytest
from django.db import DEFAULT_DB_ALIAS, IntegrityError, OperationalError, connections

from creative_services import LedgerUnavailableError
from creative_services.adapters.ledger import DjangoLedger
from creative_services.core.types import Attempt, Usage
from creative_services.ledger_options import LedgerOptions
from creative_services.models import LlmCall
from creative_services.testing import LlmsFactory, override_llms
from tests.ledger.asking import generating
from tests.ledger.plans import ENTRY, amounts, budget, planned
from tests.ledger.wrapping import failing

pytestmark = pytest.mark.django_db(transaction=True)
ANSWERED = Attempt(ENTRY.id, ENTRY.name, "ok", usage=Usage(1, 1), finish_reason="stop")


@pytest.fixture
def ledger():
    return DjangoLedger(LedgerOptions())


@pytest.fixture
def provider():
    LlmsFactory(cost_per_1k_input=1, cost_per_1k_output=1)
    with override_llms() as provider:
        yield provider


@generating
def test_what_cannot_be_booked_is_not_asked(generate, provider):
    with failing("INSERT", times=99), pytest.raises(LedgerUnavailableError, match="'default'") as caught:
        generate()

    assert provider.requests == []
    assert caught.value.request_id
    assert caught.value.attempts == ()
    assert LlmCall.objects.count() == 0


@generating
def test_a_connection_that_broke_is_replaced(generate, provider):
    with failing("INSERT"), failing("UPDATE"):
        generate()

    assert LlmCall.objects.get().outcome == "ok"


@generating
def test_an_answer_that_cannot_be_settled_reaches_its_caller_and_stays_in_doubt(generate, provider, caplog):
    with failing("UPDATE", times=99):
        answer = generate()

    row = LlmCall.objects.get()
    assert str(answer)
    assert (row.outcome, row.cost) == ("running", None)
    assert f"Call {row.request_id}/1 came to 0.008 US dollars" in caplog.text


def test_a_row_of_which_only_the_news_was_lost_is_written_once(ledger):
    budget()
    with failing("INSERT INTO", after=True, times=1):
        booked = ledger.reserve(planned("1"))
    ledger.settle(booked, ANSWERED)

    assert LlmCall.objects.get().outcome == "ok"
    assert amounts() == (1, 0)


def test_a_commit_of_which_only_the_news_was_lost_counts_once(ledger, monkeypatch):
    budget()
    wrapper = type(connections[DEFAULT_DB_ALIAS])
    commit = wrapper._commit
    lost = []

    def losing(self):
        commit(self)
        if not lost:
            lost.append(self)
            raise OperationalError("gone")

    monkeypatch.setattr(wrapper, "_commit", losing)
    booked = ledger.reserve(planned("1"))
    assert amounts() == (0, 1)
    lost.clear()
    ledger.settle(booked, ANSWERED)

    assert LlmCall.objects.count() == 1
    assert amounts() == (1, 0)


def test_the_same_attempt_is_not_booked_twice(ledger):
    plan = planned("1")
    ledger.reserve(plan)

    with pytest.raises(LedgerUnavailableError, match="IntegrityError") as caught:
        ledger.reserve(plan)

    assert isinstance(caught.value.__cause__, IntegrityError)


@pytest.mark.django_db
def test_within_a_callers_transaction_nothing_is_tried_again(ledger):
    with failing("INSERT", times=99) as left, pytest.raises(LedgerUnavailableError):
        ledger.reserve(planned("1"))

    assert left == [98]


def test_whatever_else_goes_wrong_the_answer_is_not_lost(ledger, caplog):
    booked = ledger.reserve(planned("1"))
    with failing("UPDATE", error=RuntimeError):
        ledger.settle(booked, ANSWERED)

    assert "RuntimeError" in caplog.text
