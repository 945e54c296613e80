from decimal import Decimal
from io import StringIO

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection
from django.db.models import F, Sum, Value

from creative_services.fields.usd import UsdField
from creative_services.models import Budget, BudgetPeriod

pytestmark = pytest.mark.django_db
TENTH = Decimal("0.1")


def period(**amounts):
    budget = Budget.objects.create(name="Team", limit=Decimal(1))
    return BudgetPeriod.objects.create(budget=budget, starts_at="2026-11-01T00:00Z", **amounts)


def test_money_is_kept_as_a_whole_number_of_units():
    period(spent=Decimal("12.345678901234"))

    with connection.cursor() as cursor:
        cursor.execute("SELECT spent FROM creative_services_budgetperiod")
        assert cursor.fetchone() == (12_345_678_901_234,)
    assert BudgetPeriod.objects.get().spent == Decimal("12.345678901234")


def test_what_is_smaller_than_a_unit_is_rounded_to_the_nearest_and_halves_to_even():
    row = period(spent=Decimal("0.0000000000015"), reserved=Decimal("0.0000000000025"), archived=1.5)
    row.refresh_from_db()

    assert (row.spent, row.reserved) == (Decimal("0.000000000002"), Decimal("0.000000000002"))
    assert row.archived == Decimal("1.5")


def test_the_database_adds_up_and_compares_exactly():
    period(spent=TENTH, reserved=TENTH)

    for _ in range(10):
        BudgetPeriod.objects.update(spent=F("spent") + Value(TENTH, UsdField()))

    assert BudgetPeriod.objects.filter(spent=Decimal("1.1"), spent__gt=F("reserved")).count() == 1
    assert BudgetPeriod.objects.aggregate(Sum("spent"))["spent__sum"] == Decimal("1.1")


@pytest.mark.parametrize("form", ["json", "xml"])
def test_money_goes_through_fixtures_unchanged(form, tmp_path):
    period(spent=Decimal("0.000000000001"), ends_at=None)
    out = StringIO()
    call_command("dumpdata", "creative_services.budgetperiod", "creative_services.budget", format=form, stdout=out)
    (tmp_path / f"money.{form}").write_text(out.getvalue())
    Budget.objects.all().delete()

    call_command("loaddata", tmp_path / f"money.{form}", verbosity=0)

    row = BudgetPeriod.objects.get()
    assert (row.spent, row.budget.limit) == (Decimal("0.000000000001"), 1)
    assert str(row) == f"{row.budget_id} 2026-11-01"


def test_what_is_no_amount_is_refused():
    field = UsdField(null=True)

    assert field.to_python(None) is None
    assert field.to_python("1.5") == Decimal("1.5")
    with pytest.raises(ValidationError, match="US dollars"):
        field.to_python("cheap")
