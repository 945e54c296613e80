"""The admin's pages of the ledger."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from creative_services.admin import calls
from creative_services.models import LlmCall
from creative_services.testing import LlmsFactory, override_llms

LIST = "/admin/creative_services/llmcall/"
ONE = UUID(int=1)
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def make(request_id=ONE, **fields):
    values = {"llm_name": "Mini", "provider": "openai", "model": "m", "tier": "standard", "outcome": "ok"}
    return LlmCall.objects.create(request_id=request_id, started_at=NOW, expires_at=NOW, **values | fields)


def shown(response):
    return [str(call) for call in response.context["cl"].result_list]


@pytest.fixture
def page(admin_client):
    def page(**query):
        response = admin_client.get(LIST, query)
        assert response.status_code == 200
        return response

    return page


def test_it_shows_what_became_of_calls_and_what_they_cost(page):
    make(
        outcome="error",
        error="RateLimitError",
        input_tokens=10,
        cost=Decimal("0.0125"),
        is_estimated=True,
        latency_seconds=1.234,
        caller="nightly",
    )
    make(number=2, user_id=7, outcome="running")
    make(number=3, user_id=7, machine_key_id=5)

    text = page().content.decode()

    for part in ("nightly", "10 / ?", "~0.0125", "1.23", "RateLimitError", "Running", "user 7", "key 5"):
        assert part in text, part


def test_the_newest_come_first_and_more_rows_take_no_more_statements(page):
    def count():
        with CaptureQueriesContext(connection) as asked:
            response = page()
        return len(asked), response

    make()
    few, _ = count()
    for number in range(2, 30):
        make(number=number, llm_id=number, user_id=number)
    many, response = count()

    assert many == few
    assert shown(response)[0] == f"{ONE}/29"


def test_pages_are_counted_no_further_than_anybody_turns_them(page, monkeypatch):
    monkeypatch.setattr(calls, "MOST_COUNTED", 60)
    LlmCall.objects.bulk_create(
        LlmCall(request_id=ONE, number=number, started_at=NOW, expires_at=NOW) for number in range(1, 70)
    )

    assert page().context["cl"].paginator.count == 60
    assert len(shown(page(p=2))) == 10


def test_the_attempts_of_a_request_are_found_by_its_id(page):
    make()
    make(UUID(int=2))

    assert shown(page(q=str(ONE))) == [f"{ONE}/1"]
    assert shown(page(q="no id")) == []


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({"outcome__exact": "error"}, [1]),
        ({"tier": "premium"}, [2]),
        ({"source__exact": "api"}, [3]),
        ({"is_estimated__exact": "1"}, [4]),
        ({"llm": "nonsense"}, [5, 4, 3, 2, 1]),
    ],
)
def test_they_can_be_filtered(page, query, numbers):
    make(number=1, outcome="error")
    make(number=2, tier="premium")
    make(number=3, source="api")
    make(number=4, is_estimated=True)
    make(number=5)

    assert shown(page(**query)) == [f"{ONE}/{number}" for number in numbers]


def test_they_can_be_filtered_by_the_llms_that_there_are(page):
    llm = LlmsFactory(name="Still here")
    make(number=1, llm_id=llm.pk)
    make(number=2, llm_id=llm.pk + 1)

    assert "Still here" in page().content.decode()
    assert shown(page(llm=llm.pk)) == [f"{ONE}/1"]
    assert len(shown(page(llm="9" * 30))) == 2


def test_one_can_be_looked_at_in_full_and_not_be_touched(admin_client):
    call = make(llm_id=4711, user_id=815, decision={"asked_for": "premium"}, answer_text="Hello there")
    url = reverse("admin:creative_services_llmcall_change", args=[call.pk])

    text = admin_client.get(url).content.decode()

    for part in ("4711", "815", "asked_for", "Hello there", str(ONE)):
        assert part in text, part
    assert admin_client.post(url, {"outcome": "ok"}).status_code == 403
    assert admin_client.get(f"{LIST}add/").status_code == 403
    assert admin_client.post(url.replace("change", "delete"), {"post": "yes"}).status_code == 403


def test_what_the_admin_asks_is_booked_as_its_users(pages, row, admin_user):
    with override_llms():
        pages.act("test_connection", row)

    call = LlmCall.objects.get()
    assert (call.outcome, call.source, call.user_id, call.llm_id) == ("ok", "admin", admin_user.pk, row.pk)
