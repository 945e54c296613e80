import re
from html import unescape

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from creative_services.adapters import get_sync_client
from creative_services.models import Llms
from creative_services.testing import LlmsFactory, override_llms

LOST = Fernet.generate_key().decode()

pytestmark = pytest.mark.django_db


def cells(response):
    """The text of each row's cells, by the row's name."""
    rows = {}
    for row in re.findall(r"<tr>(.*?)</tr>", response.content.decode(), re.DOTALL):
        found = re.findall(r'<t[dh] class="field-(\w+)[^"]*">(.*?)</t[dh]>', row, re.DOTALL)
        texts = {name: " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split()) for name, text in found}
        if "name" in texts:
            rows[texts["name"]] = texts
    return rows


def names(response):
    return list(cells(response))


def test_each_row_shows_tier_provider_model_prices_and_key(pages, row):
    Llms.objects.update(cost_per_1k_input=0.00015, cost_per_1k_output=0.0006)

    shown = cells(pages.list())["Mini"]

    assert shown == {
        "name": "Mini",
        "tier": "Standard ✓ used now",
        "model_shown": "openai mini",
        "prices": "0.15 / 0.60 per 1M 0.00015 / 0.0006 per 1K",
        "key_shown": "set, ends in …4321",
        "is_active": "",
    }


@pytest.mark.parametrize(
    ("costs", "text"),
    [
        ((None, None), "?"),
        ((0, 0), "0.00 / 0.00 per 1M 0.00 / 0.00 per 1K"),
        ((0.1, None), "100.00 / ? per 1M 0.10 / ? per 1K"),
        ((5e-08, 1), "0.00005 / 1000.00 per 1M 0.00000005 / 1.00 per 1K"),
    ],
)
def test_an_unknown_price_is_not_zero(pages, row, costs, text):
    Llms.objects.update(cost_per_1k_input=costs[0], cost_per_1k_output=costs[1])

    assert cells(pages.list())["Mini"]["prices"] == text


def test_a_retired_model_and_one_that_will_be_name_their_successor(pages):
    LlmsFactory(name="Gone", model="gpt-3.5-turbo")
    LlmsFactory(name="Ending", model="gpt-4o")

    shown = cells(pages.list())

    assert "retired 2026-10-23, use gpt-6-luna" in shown["Gone"]["model_shown"]
    assert "ends 2027-01-14, then gpt-5.6-sol" in shown["Ending"]["model_shown"]


def test_the_row_that_a_call_of_its_tier_would_use_is_marked(pages):
    LlmsFactory(name="Keyless", api_key=None, cost_per_1k_input=0.00001)
    LlmsFactory(name="Asleep", is_active=False, cost_per_1k_input=0.00001)
    LlmsFactory(name="Cheap", cost_per_1k_input=0.001)
    LlmsFactory(name="Dear", cost_per_1k_input=1)
    LlmsFactory(name="Best", tier="premium", cost_per_1k_input=None)

    shown = cells(pages.list())
    with override_llms():
        answering = {get_sync_client().generate("Hi", tier=tier).llm.name for tier in ("standard", "premium")}

    assert {name for name, cell in shown.items() if "✓ used now" in cell["tier"]} == answering == {"Cheap", "Best"}
    assert "⚠ 'Keyless' has no API key" in shown["Keyless"]["model_shown"]


def test_a_key_that_cannot_be_decrypted_is_said_at_its_row(pages, row):
    with override_settings(CREATIVE_SERVICES={"ENCRYPTION_KEYS": [LOST]}):
        row.api_key = "sk-of-another-time"
        row.save()

    shown = cells(pages.list())["Mini"]

    assert shown["key_shown"] == "cannot be decrypted"
    assert "cannot be decrypted" in shown["model_shown"]


@pytest.mark.parametrize("page", ["", "?o=-2.3.4", "?q=LLM&provider=openai"])
def test_the_number_of_queries_does_not_depend_on_the_number_of_rows(pages, page):
    LlmsFactory()
    asked = []
    for more in (0, 99):
        LlmsFactory.create_batch(more)
        pages.list()
        with CaptureQueriesContext(connection) as queries:
            assert len(cells(pages.client.get(f"/admin/creative_services/llms/{page}"))) == more + 1
        asked.append(len(queries))

    assert asked[0] == asked[1]


@pytest.mark.django_db(transaction=True)
def test_the_mark_costs_one_query(pages, row):
    pages.list()
    with CaptureQueriesContext(connection) as queries:
        pages.list()

    statements = [query["sql"] for query in queries]
    assert sum("creative_services_registrytoken" in sql for sql in statements) == 1
    # Two counts, the providers of the filter, the page: what the list asks without the mark.
    assert sum("creative_services_llms" in sql for sql in statements) == 4


def test_rows_stand_in_the_order_in_which_they_would_be_asked(pages):
    LlmsFactory(name="On site", tier="local")
    LlmsFactory(name="Unpriced", cost_per_1k_input=None)
    LlmsFactory(name="Dear", cost_per_1k_input=2)
    LlmsFactory(name="Cheap", cost_per_1k_input=1)
    LlmsFactory(name="Small", tier="economy", cost_per_1k_input=9)

    assert names(pages.list()) == ["Small", "Cheap", "Dear", "Unpriced", "On site"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"tier__exact": "local"}, ["Home"]),
        ({"is_active__exact": "0"}, ["Asleep"]),
        ({"key": "none"}, ["Home"]),
        ({"key": "set"}, ["Asleep", "Far"]),
        ({"provider": "groq"}, ["Far"]),
        ({"q": "llama-x"}, ["Far"]),
        ({"q": "for the intranet"}, ["Home"]),
    ],
)
def test_rows_are_found_by_filters_and_words(pages, query, found):
    LlmsFactory(name="Home", tier="local", notes="For the intranet")
    LlmsFactory(name="Far", provider="groq", model="llama-x")
    LlmsFactory(name="Asleep", is_active=False, provider="openai")

    assert sorted(names(pages.list(**query))) == found


def submit_list(pages, *rows, active):
    data = {"form-TOTAL_FORMS": len(rows), "form-INITIAL_FORMS": len(rows), "_save": "Save"}
    for number, row in enumerate(rows):
        data[f"form-{number}-id"] = row.pk
        if row in active:
            data[f"form-{number}-is_active"] = "on"
    return pages.client.post("/admin/creative_services/llms/", data)


def test_the_tick_in_the_list_switches_a_row_off_for_the_next_call(pages, row):
    other = LlmsFactory(name="Other")
    with override_llms():
        before = get_sync_client().generate("Hi").llm.name
        submit_list(pages, row, other, active=[other])
        after = get_sync_client().generate("Hi").llm.name

    assert (before, after) == ("Mini", "Other")
    row.refresh_from_db()
    assert row.key_hint == "set, ends in …4321"


def test_a_row_that_is_wrong_elsewhere_says_so_at_the_tick(pages, row):
    Llms.objects.update(api_endpoint="http://127.0.0.1/v1")

    response = submit_list(pages, row, active=[])

    assert response.status_code == 200
    assert "is not a public one" in response.content.decode()
    assert Llms.objects.filter(is_active=True).exists()


def test_people_who_may_only_look_cannot_act(pages_of, row):
    response = pages_of("view").list()

    assert "_selected_action" not in response.content.decode()
    assert cells(response)["Mini"]["tier"] == "Standard ✓ used now"


def test_what_people_enter_is_shown_as_text(pages):
    LlmsFactory(name="<b>Name</b>", provider="<b>provider</b>", model="<b>model</b>", tier="premium")

    page = pages.list().content.decode()

    assert "<b>" not in page
    assert page.count("&lt;b&gt;model&lt;/b&gt;") >= 1
    assert "Unknown provider" in page


def test_no_key_and_no_script_of_ours_is_in_the_page(pages, row):
    page = pages.list().content.decode()

    assert "sk-the-secret" not in page
    assert not re.search(r"<script>|\son\w+=", page)
