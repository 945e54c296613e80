from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db.models import F

from creative_services.adapters.ledger import DjangoLedger
from creative_services.adapters.sweep import sweep
from creative_services.core.types import Attempt, Usage
from creative_services.ledger_options import LedgerOptions
from creative_services.models import Budget, BudgetPeriod, LlmCall
from tests.commands.running import run
from tests.ledger.plans import budget, planned

pytestmark = pytest.mark.django_db
DAY = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def ledger():
    return DjangoLedger(LedgerOptions())


def call(ledger, cost="0.25", **plan):
    """A call that was answered, and its row."""
    attempt = Attempt(7, "GPT", "ok", usage=Usage(100, 10), cost=Decimal(cost), finish_reason="stop")
    plan = planned("1", **plan)
    ledger.settle(ledger.reserve(plan), attempt)
    return LlmCall.objects.get(request_id=plan.request_id)


def test_books_that_agree_are_no_error(ledger):
    budget(name="all")
    budget(name="standard", tier="standard")
    call(ledger)
    call(ledger)
    ledger.reserve(planned("1"))

    audit = run("llm_audit")

    assert (audit.code, audit.error) == (0, None)
    assert audit.out == "Calls: 3, of which 1 are running and 0 are charged with what they may have cost.\n"


def test_a_lost_call_is_named_until_it_is_swept(ledger):
    budget()
    ledger.reserve(planned("1.5", seconds=-120))
    row = LlmCall.objects.get()

    before = run("llm_audit")
    sweep()
    after = run("llm_audit")

    assert before.code == 1
    assert f"The call {row} of" in before.out
    assert "it holds $1.5 reserved. `manage.py release_llm_reservations` settles it." in before.out
    assert after.code == 0
    assert "1 are charged with what they may have cost" in after.out


def test_a_call_of_unknown_cost_that_was_lost_is_named_too(ledger):
    ledger.reserve(planned(None, seconds=-120))

    assert "it holds $? reserved" in run("llm_audit").out


def test_a_budget_that_counted_something_else_than_its_calls_is_named(ledger):
    budget()
    call(ledger)
    ledger.reserve(planned("1"))
    BudgetPeriod.objects.update(spent=Decimal("0.2"), reserved=Decimal(2))

    audit = run("llm_audit")

    assert audit.error == "Off: 2, see above."
    assert "has spent $0.2, its calls $0.25." in audit.out
    assert "holds $2 reserved, its running calls $1." in audit.out
    assert "The budget 'Team', from " in audit.out


def test_what_pruned_calls_have_spent_is_counted(ledger):
    budget()
    call(ledger).delete()
    BudgetPeriod.objects.update(archived=F("spent"))

    assert run("llm_audit").code == 0


def test_attempts_that_are_not_settled_as_they_should_be_are_named(ledger):
    first, second = call(ledger), call(ledger)
    LlmCall.objects.filter(pk=first.pk).update(finished_at=None)
    LlmCall.objects.filter(pk=second.pk).update(cost=None)

    audit = run("llm_audit")

    assert f"The call {first} of" in audit.out
    assert "is ok, and has no time at which it ended." in audit.out
    assert "is ok and has no cost, though $1 were reserved." in audit.out


def test_calls_of_deleted_budgets_are_no_error(ledger):
    budget()
    call(ledger)
    Budget.objects.all().delete()

    assert run("llm_audit").code == 0


@pytest.fixture
def bill(tmp_path):
    def write(*lines, header="day,model,input,output,cost"):
        path = tmp_path / "bill.csv"
        path.write_text("\n".join([header, *lines]))
        return run("llm_audit", "--bill", str(path))

    return write


@pytest.fixture
def two_calls(ledger):
    for cost in ("0.25", "0.5"):
        row = call(ledger, cost)
        LlmCall.objects.filter(pk=row.pk).update(started_at=DAY)


@pytest.mark.usefixtures("two_calls")
def test_a_bill_that_the_ledger_covers_is_no_error(bill):
    audit = bill("2026-11-20,gpt-4o-mini,150,15,0.7", "2026-11-20,gpt-4o-mini,50,5,0.05")

    assert audit.code == 0
    assert (
        "2026-11-20 gpt-4o-mini: input 200 billed, 200 booked; output 20 billed, 20 booked; $0.75 billed" in audit.out
    )
    assert "Billed beyond the ledger: $0;" in audit.out


@pytest.mark.usefixtures("two_calls")
def test_what_was_billed_and_not_booked_is_named_by_day_and_model(bill):
    audit = bill("2026-11-20,gpt-4o-mini,200,20,0.80", "2026-11-21,o9,,,2")

    assert audit.error == "Off: 2, see above."
    assert "$0.8 billed, $0.75 booked, $0.05 MISSING" in audit.out
    assert "2026-11-21 o9: input 0 billed, 0 booked; output 0 billed, 0 booked; $2 billed, $0 booked, $2" in audit.out


@pytest.mark.usefixtures("two_calls")
def test_what_was_booked_and_not_billed_is_shown(bill):
    audit = bill("2026-11-19,o9,0,0,0", "2026-11-21,o9,0,0,0")

    assert "2026-11-20 gpt-4o-mini: input 0 billed, 200 booked" in audit.out
    assert audit.code == 0


def test_an_empty_bill_compares_nothing(bill):
    assert "Billed beyond the ledger: $0;" in bill().out


@pytest.mark.parametrize(
    ("line", "header", "error"),
    [
        ("2026-11-20,m,1,1,1", "day,model,in,out,cost", "lacks the columns input, output;"),
        ("20.11.2026,m,1,1,1", "day,model,input,output,cost", "Line 2 of the bill is not"),
        ("2026-11-20,m,1,1,cheap", "day,model,input,output,cost", "Line 2 of the bill is not"),
        ("2026-11-20,m,1", "day,model,input,output,cost", "Line 2 of the bill is not"),
        ("2026-11-20,m,1,1,NaN", "day,model,input,output,cost", "Line 2 of the bill is not"),
        ("2026-11-20,m,1,1,Infinity", "day,model,input,output,cost", "Line 2 of the bill is not"),
        ("9999-12-31,m,1,1,1", "day,model,input,output,cost", "Line 2 of the bill is not"),
        (f"2026-11-20,{'m' * 200_000},1,1,1", "day,model,input,output,cost", "of the bill is not"),
    ],
)
def test_a_file_that_is_no_bill_is_refused_with_its_line(bill, line, header, error):
    assert error in bill(line, header=header).error


def test_a_bill_that_is_not_there_is_an_error(tmp_path):
    assert "missing.csv" in run("llm_audit", "--bill", str(tmp_path / "missing.csv")).error
