import re
from decimal import Decimal
from html import unescape

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from creative_services.adapters.budgets import Budgets
from creative_services.models import Budget
from creative_services.testing import LlmsFactory
from tests.ledger.plans import budget, planned

pytestmark = pytest.mark.django_db
LIST = "/admin/creative_services/budget/"


def text_of(response):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def spend(spent, reserved):
    """Book on all budgets."""
    budgets = Budgets()
    claims = budgets.matching(connection, planned())
    budgets.reserve(connection, claims, planned(reserved))
    budgets.settle(connection, claims, None, Decimal(spent))


def test_the_list_shows_what_each_budget_has_left(admin_client):
    budget("10", name="Team", period="total", group=None)
    budget("1", name="Soft", is_hard=False, period="day")
    spend("3.25", "0.5")

    shown = text_of(admin_client.get(LIST))

    assert "$3.25 spent, $0.50 reserved, $6.25 left" in shown
    assert "$3.25 spent, $0.50 reserved, $-2.75 left" in shown
    assert re.search(r"until \d{4}-\d\d-\d\d 00:00 UTC", shown)
    assert "all calls" in shown


def test_the_list_says_which_calls_a_budget_counts(admin_client, admin_user):
    budget(user=admin_user, group=Group.objects.create(name="writers"), tier="premium", llm=LlmsFactory(name="Big"))

    assert "admin, writers, Premium, Big" in text_of(admin_client.get(LIST))


def test_many_budgets_take_no_more_queries_than_one(admin_client, admin_user):
    budget(user=admin_user)
    with CaptureQueriesContext(connection) as few:
        admin_client.get(LIST)
    for number in range(10):
        budget(name=f"b{number}", user=admin_user)

    with CaptureQueriesContext(connection) as many:
        admin_client.get(LIST)

    assert len(many) == len(few)


def test_the_form_shows_the_limit_as_people_write_it_and_what_is_used(admin_client):
    row = budget("12.50", period="total")
    spend("1", "0")

    page = admin_client.get(reverse("admin:creative_services_budget_change", args=[row.pk]))

    assert page.context["adminform"].form["limit"].value() == "12.5"
    assert "$1.00 spent, $0.00 reserved, $11.50 left" in text_of(page)


def test_a_budget_is_made_in_the_form_and_what_cannot_be_meant_is_refused(admin_client):
    url = reverse("admin:creative_services_budget_add")
    assert admin_client.get(url).status_code == 200
    data = {"name": "Team", "limit": "0", "period": "month", "time_zone": "Mars/Olympus", "warn_at_percent": "101"}

    errors = admin_client.post(url, data).context["adminform"].form.errors
    admin_client.post(url, data | {"limit": "7.5", "time_zone": "Asia/Tokyo", "warn_at_percent": "90"})

    assert set(errors) == {"limit", "time_zone", "warn_at_percent"}
    assert Budget.objects.get().limit == Decimal("7.5")
