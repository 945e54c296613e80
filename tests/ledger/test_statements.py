"""How many statements a call costs the ledger's database, and whose."""

import pytest

from creative_services.testing import LlmsFactory, override_llms
from tests.ledger.asking import generating
from tests.ledger.plans import budget
from tests.ledger.wrapping import wrapping

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def statements():
    """What the ledger's database is asked, without what opens connections."""
    asked = []

    def note(execute, sql, params, many, context):
        asked.append(sql.replace('"', "").replace("`", ""))
        return execute(sql, params, many, context)

    with wrapping(note):
        yield asked


def of_the_ledger(asked):
    return [sql.partition(" SET ")[0].partition(" (")[0] for sql in asked if "llmcall" in sql or "budgetperiod" in sql]


@pytest.fixture
def ask(statements):
    LlmsFactory(cost_per_1k_input=0.001, cost_per_1k_output=0.001)
    with override_llms():

        def once(generate):
            generate()  # the first reads budgets and looks for calls in doubt
            statements.clear()
            generate()
            return of_the_ledger(statements)

        yield once


@generating
def test_two_for_each_attempt(generate, ask):
    assert ask(generate) == ["INSERT INTO creative_services_llmcall", "UPDATE creative_services_llmcall"]


@generating
def test_and_two_for_each_budget(generate, ask):
    budget("1000")
    budget("1000", name="Other")

    assert ask(generate) == [
        "INSERT INTO creative_services_llmcall",
        *["UPDATE creative_services_budgetperiod"] * 2,
        "UPDATE creative_services_llmcall",
        *["UPDATE creative_services_budgetperiod"] * 2,
    ]
