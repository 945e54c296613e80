import sys

import genai_prices
import pytest
from django.contrib.admin.models import LogEntry
from django.utils import timezone
from genai_prices.types import ClauseEquals, ModelInfo

from creative_services.models import Llms
from creative_services.testing import LlmsFactory
from tests.price_lists import listing, priced

pytestmark = pytest.mark.django_db
SOURCE = f"genai-prices {genai_prices.__version__}"


@pytest.fixture
def row(db):
    return LlmsFactory(name="Mini", model="mini", cost_per_1k_input=None, cost_per_1k_output=None)


def confirm(pages, response):
    """Press the page's button."""
    context = response.context
    data = {"action": "update_prices", "shown": context["shown"], context["checkbox"]: context["ids"]}
    return pages.client.post("/admin/creative_services/llms/", data)


def prices(row):
    row.refresh_from_db()
    return row.cost_per_1k_input, row.cost_per_1k_output


def test_the_page_shows_what_would_change_before_it_does(pages, row):
    kept = LlmsFactory(name="Ours", model="mini", cost_per_1k_input=1, cost_per_1k_output=1)
    unknown = LlmsFactory(name="Fancy", model="fancy")
    same = LlmsFactory(name="Same", model="mini", cost_per_1k_input=0.00015, cost_per_1k_output=0.0006)
    with listing(mini=priced(input="0.15", output="0.6")):
        response = pages.act("update_prices", row, kept, unknown, same)

    page = response.content.decode()
    assert "cost per 1K input tokens</td><td>?</td><td>0.15</td>" in page
    assert f"cost per 1K output tokens</td><td>?</td><td>0.60</td><td>{SOURCE}</td>" in page
    assert "Stays as it was entered here" in page
    assert "The list does not have this model." in page
    assert ">Same<" not in page
    assert prices(row) == (None, None)


def test_what_was_shown_is_written_and_noted_in_the_history(pages, row):
    with listing(mini=priced(input="0.15", output="0.6")):
        response = confirm(pages, pages.act("update_prices", row))

    assert pages.said(response) == [("success", "Prices of 1 LLM updated.")]
    assert prices(row) == (0.00015, 0.0006)
    assert row.prices_source == SOURCE
    assert [str(entry) for entry in LogEntry.objects.all()] == [
        "Changed “Mini” — Changed cost per 1K input tokens and cost per 1K output tokens."
    ]


def test_what_has_changed_since_it_was_shown_is_shown_again(pages, row):
    with listing(mini=priced(input="0.15", output="0.6")):
        shown = pages.act("update_prices", row)
    with listing(mini=priced(input="9", output="9")):
        response = confirm(pages, shown)

    assert response.context["title"] == "Update prices"
    assert prices(row) == (None, None)


class Edited(ModelInfo):
    """Somebody edits the rows while the list is asked for the prices of this model."""

    def get_prices(self, *args, **options):
        Llms.objects.filter(notes="edit me").update(cost_per_1k_input=7)
        return super().get_prices(*args, **options)


def test_what_is_edited_while_it_is_written_is_left_alone(pages, row):
    model = Edited(id="mini", match=ClauseEquals(equals="mini"), prices=priced(input="0.15", output="0.6"))
    with listing(mini=model):
        shown = pages.act("update_prices", row)
        Llms.objects.update(notes="edit me")
        response = confirm(pages, shown)

    assert ("warning", "Mini: somebody has changed its prices meanwhile.") in pages.said(response)
    assert prices(row) == (7, None)


def test_where_nothing_changes_there_is_nothing_to_confirm(pages, row):
    with listing(mini=priced(input="0.15", output="0.6")):
        confirm(pages, pages.act("update_prices", row))
        Llms.objects.update(prices_synced_at=None)
        response = pages.act("update_prices", row)

    assert pages.said(response)[-1] == ("success", "Prices of 0 LLMs updated.")
    row.refresh_from_db()
    assert row.prices_synced_at is not None


def test_the_form_says_where_prices_come_from(pages, row):
    assert "Entered here" in pages.form(row).content.decode()
    Llms.objects.update(prices_source="known models")
    assert "known models" in pages.form(row).content.decode()
    Llms.objects.update(prices_synced_at=timezone.now())
    today = timezone.localtime().strftime("%Y-%m-%d")
    assert f"known models, {today}" in pages.form(row).content.decode()


def test_a_price_that_is_edited_in_the_form_is_a_persons_from_then_on(pages, row):
    with listing(mini=priced(input="0.15", output="0.6")):
        confirm(pages, pages.act("update_prices", row))
        pages.save(row, cost_per_1k_output="0.5")
        confirm_not_needed = pages.act("update_prices", row)

    assert pages.said(confirm_not_needed)[-1] == ("success", "Prices of 0 LLMs updated.")
    assert prices(row) == (0.00015, 0.5)
    assert row.prices_source == ""


def test_other_edits_in_the_form_leave_prices_to_the_list(pages, row):
    with listing(mini=priced(input="0.15", output="0.6")):
        confirm(pages, pages.act("update_prices", row))
        pages.save(row, notes="cheap")

    row.refresh_from_db()
    assert (row.notes, row.prices_source) == ("cheap", SOURCE)


def test_the_price_of_cached_input_can_be_entered(pages, row):
    pages.save(row, cost_per_1k_cache_read="0.00001", cost_per_1k_cache_write="0.002")

    row.refresh_from_db()
    assert (row.cost_per_1k_cache_read, row.cost_per_1k_cache_write) == (0.00001, 0.002)


def test_who_may_not_change_llms_may_not_update_prices(pages_of, row):
    with listing(mini=priced(input="0.15", output="0.6")):
        pages_of("view").act("update_prices", row)

    assert prices(row) == (None, None)


def test_without_the_package_the_action_says_how_to_get_it(pages, row, monkeypatch):
    monkeypatch.setitem(sys.modules, "genai_prices", None)

    ((level, text),) = pages.said(pages.act("update_prices", row))

    assert level == "error"
    assert "pip install 'creative-services[prices]'" in text
