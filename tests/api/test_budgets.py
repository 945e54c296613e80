"""Budgets, as clients of the API meet them."""

import pytest

from creative_services.models import Budget
from tests.api.asking import Asker
from tests.ledger.plans import budget

WARNING = "x-llm-budget-warning"


@pytest.fixture
def bob(db, django_user_model, provider):
    return Asker("wsgi", django_user_model.objects.create_superuser("bob"))


@pytest.mark.parametrize("stream", [False, True])
def test_a_soft_budget_that_the_call_may_exceed_is_in_a_header(asker, stream):
    row = budget("1", name="Café", is_hard=False)
    budget("0.0000000001", name="Team B", is_hard=False)
    assert asker.generate(prompt="Hello", stream=stream).headers[WARNING] == "Team B"

    row.limit = "0.0000000001"
    row.save()

    told = asker.chat(stream=stream)
    assert told.status == 200
    assert told.headers[WARNING] == "Caf%C3%A9, Team B"


def test_a_call_within_its_budgets_is_not_warned_of(asker):
    budget("10", is_hard=False)

    assert WARNING not in asker.generate(prompt="Hello").headers


@pytest.mark.parametrize("stream", [False, True])
def test_a_hard_budget_is_a_402_that_names_budget_and_reset_before_anybody_is_asked(asker, provider, stream):
    budget("0.0000000001")

    told = asker.generate(prompt="Hello", stream=stream)

    assert (told.status, told.code) == (402, "budget_exceeded")
    assert "'Team' of $0.0000000001 a month" in told.json["detail"]
    assert "It resets at 20" in told.json["detail"]
    assert provider.requests == []


def test_a_users_budget_counts_that_users_calls_only(asker, caller, bob):
    budget("0.0000000001", user=caller)

    assert asker.generate(prompt="Hello").status == 402
    assert bob.generate(prompt="Hello").status == 200
    assert Budget.objects.count() == 1
