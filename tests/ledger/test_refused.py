"""Attempts that a hard budget refuses, and budgets whose rows are gone."""

import pytest
from asgiref.sync import async_to_sync
from django.db import DatabaseError

from creative_services import BudgetExceededError, LedgerUnavailableError
from creative_services.adapters.ledger import DjangoLedger
from creative_services.ledger_options import LedgerOptions
from creative_services.models import BudgetPeriod, LlmCall
from tests.ledger.plans import amounts, budget, planned
from tests.ledger.wrapping import wrapping

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ledger():
    return DjangoLedger(LedgerOptions())


def in_both_worlds(method):
    return pytest.mark.parametrize(
        "ask", [lambda ledger: getattr(ledger, method), lambda ledger: async_to_sync(getattr(ledger, f"a{method}"))]
    )


@in_both_worlds("reserve")
def test_what_a_budget_refuses_leaves_no_row(ledger, ask):
    budget("0.5")

    with pytest.raises(BudgetExceededError, match="Team"):
        ask(ledger)(planned("1"))

    assert not LlmCall.objects.exists()
    assert amounts() == (0, 0)


@in_both_worlds("refusal")
def test_what_it_would_refuse_can_be_asked(ledger, ask):
    budget("0.5")

    assert "Team" in str(ask(ledger)(planned("1")))
    assert ask(ledger)(planned("0.1")) is None
    assert not LlmCall.objects.exists()


@pytest.mark.parametrize("is_hard", [True, False])
def test_rows_of_periods_that_somebody_deleted_are_made_again(ledger, is_hard):
    budget("5", is_hard=is_hard)
    ledger.reserve(planned("1"))
    BudgetPeriod.objects.all().delete()

    ledger.reserve(planned("2"))

    assert amounts() == (0, 2)


def test_a_soft_budget_would_refuse_nothing(ledger):
    budget("0.5", is_hard=False)

    assert ledger.refusal(planned("1")) is None


def test_rows_that_vanish_again_and_again_let_nobody_ask(ledger):
    budget("5")

    def vanish(execute, sql, params, many, context):
        if sql.startswith("UPDATE creative_services_budgetperiod"):
            execute("DELETE FROM creative_services_budgetperiod", None, many, context)
        return execute(sql, params, many, context)

    with wrapping(vanish), pytest.raises(LedgerUnavailableError) as caught:
        ledger.reserve(planned("1"))

    assert isinstance(caught.value.__cause__, DatabaseError)
    assert not LlmCall.objects.exists()
