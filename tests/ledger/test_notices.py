"""Who is told of budgets, through the clients."""

from contextlib import contextmanager
from decimal import Decimal

import pytest
from asgiref.sync import async_to_sync

from creative_services import BudgetExceededError, Usage
from creative_services.adapters import get_client, get_sync_client
from creative_services.adapters.budget_notices import noting_exceeded
from creative_services.models import Budget, LlmCall
from creative_services.signals import budget_exceeded, budget_warning
from creative_services.testing import LlmsFactory, Reply, override_llms
from tests.ledger.plans import amounts, budget

pytestmark = pytest.mark.django_db
BILLED = Reply("Hello", usage=Usage(input_tokens=1, output_tokens=1000))


@pytest.fixture(autouse=True)
def one_dollar_a_call():
    LlmsFactory(name="GPT", max_tokens=1000, cost_per_1k_input=0, cost_per_1k_output=1)
    with override_llms() as provider:
        provider.answer_with(BILLED)
        yield provider


def whole():
    return get_sync_client().generate("Hi")


def awaited():
    return async_to_sync(get_client().generate)("Hi")


both = pytest.mark.parametrize("call", [whole, awaited])


@contextmanager
def told(signal):
    heard = []

    def receiver(sender, signal, **facts):
        heard.append((sender, facts))

    signal.connect(receiver)
    try:
        yield heard
    finally:
        signal.disconnect(receiver)


@both
def test_a_hard_budget_refuses_the_call_before_anybody_is_asked(call, one_dollar_a_call):
    budget("1.5")
    call()

    with told(budget_exceeded) as heard, pytest.raises(BudgetExceededError) as caught:
        call()

    ((sender, facts),) = heard
    assert sender is Budget
    assert (facts["budget"], facts["is_hard"], facts["resets_at"]) == ("Team", True, caught.value.resets_at)
    assert facts["planned"].worst_case == 1
    assert caught.value.available == Decimal("0.5")
    assert len(one_dollar_a_call.requests) == 1
    assert LlmCall.objects.count() == 1
    assert amounts() == (1, 0)


@both
def test_a_soft_budget_that_is_exceeded_is_told_to_receivers_and_to_whoever_notes_it(call):
    budget("1.5", is_hard=False)
    budget("1000", name="wide", is_hard=False)

    with told(budget_exceeded) as heard, noting_exceeded() as names:
        call()
        assert (names, heard) == ([], [])
        call(), call()

    assert names == ["Team"]
    assert [(facts["budget"], facts["is_hard"]) for _sender, facts in heard] == [("Team", False)] * 2
    assert amounts() == (3, 0)


@both
def test_a_warning_is_told_once(call):
    budget("3", warn_at_percent=50)

    with told(budget_warning) as heard:
        call()
        assert heard == []
        call(), call()

    ((sender, facts),) = heard
    assert (sender, facts["budget"], facts["limit"], facts["percent"]) == (Budget, "Team", 3, 50)


def test_a_receiver_that_fails_harms_no_call():
    budget("0.5", is_hard=False, warn_at_percent=1)

    def receiver(**_):
        raise RuntimeError("broken")

    budget_exceeded.connect(receiver)
    budget_warning.connect(receiver)
    try:
        assert str(whole()) == "Hello"
    finally:
        budget_exceeded.disconnect(receiver)
        budget_warning.disconnect(receiver)


def test_an_answer_is_shortened_to_what_the_budget_pays_for_where_the_caller_allows_it(one_dollar_a_call):
    budget("1.5")
    whole()
    one_dollar_a_call.answer_with(Reply("Hel", usage=Usage(input_tokens=1, output_tokens=500), finish_reason="length"))

    assert str(get_sync_client().generate("Hi", fit_budget=True)) == "Hel"

    assert one_dollar_a_call.requests[-1].json["max_tokens"] == 500
    assert amounts() == (Decimal("1.5"), 0)


def test_a_dearer_llm_that_a_budget_does_not_cover_is_passed_by():
    dear = LlmsFactory(name="Dear", max_tokens=1000, cost_per_1k_input=0, cost_per_1k_output=0.5)
    budget("10")
    budget("0.1", name="Dear only", llm=dear)
    budget("0.1", name="Dear too", llm=dear)

    assert whole().llm.name == "GPT"


def test_explaining_a_call_says_which_budget_refuses_it_and_books_nothing():
    budget("0.5")

    (candidate,) = get_sync_client().explain("Hi").candidates

    assert "The budget 'Team' of $0.5 a month has $0.500000 left" in candidate.refused
    assert LlmCall.objects.count() == 0
