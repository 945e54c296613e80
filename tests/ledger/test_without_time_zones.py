"""A project with USE_TZ = False: its columns hold moments by its own clocks."""

from datetime import datetime, time, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command

from creative_services import Attempt, BudgetExceededError
from creative_services.adapters.ledger import DjangoLedger
from creative_services.adapters.spending import spending
from creative_services.ledger_options import LedgerOptions
from creative_services.models import BudgetPeriod, LlmCall
from tests.ledger.calls import call
from tests.ledger.plans import amounts, budget, planned

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def without_time_zones(settings):
    settings.USE_TZ, settings.TIME_ZONE = False, "Asia/Tokyo"


def test_budgets_are_kept_and_audited():
    row = budget("2", period="day", time_zone="Asia/Tokyo")
    ledger = DjangoLedger(LedgerOptions())

    booked = ledger.reserve(planned("1.5"))
    with pytest.raises(BudgetExceededError, match="15:00 UTC"):
        ledger.reserve(planned("1"))
    ledger.settle(booked, Attempt(7, "GPT", "ok", cost=Decimal(1), was_sent=True))
    shown = spending([row])[row.pk]

    assert (shown.spent, shown.left) == (1, 1)
    assert amounts() == (1, 0)
    period = BudgetPeriod.objects.get()
    assert period.starts_at == datetime.combine(LlmCall.objects.get().started_at, time())
    assert period.ends_at == period.starts_at + timedelta(days=1)
    call_command("llm_audit", stdout=StringIO())


def test_a_bill_is_held_against_the_calls_of_the_projects_days(tmp_path):
    call(started_at=datetime(2026, 11, 20, 0, 30), cost=Decimal("0.5"))  # noqa: DTZ001 - the case
    bill = tmp_path / "bill.csv"
    bill.write_text("day,model,input,output,cost\n2026-11-20,gpt-5,1000,100,0.5\n")
    out = StringIO()

    call_command("llm_audit", bill=str(bill), stdout=out)

    assert "Billed beyond the ledger: $0;" in out.getvalue()
