import sys
from decimal import Decimal

import genai_prices
import pytest
from django.utils import timezone
from genai_prices.types import ClauseEquals, ModelInfo, ModelPrice

from creative_services.adapters.price_list import PriceList
from creative_services.adapters.prices import check_prices
from creative_services.models import Llms
from creative_services.testing import LlmsFactory
from tests.price_lists import at_night, from_tomorrow, listing, priced, since_ever

from .running import run

pytestmark = pytest.mark.django_db
SOURCE = f"genai-prices {genai_prices.__version__}"
FIELDS = ("cost_per_1k_input", "cost_per_1k_output", "cost_per_1k_cache_read", "cost_per_1k_cache_write")
UNPRICED = dict.fromkeys(FIELDS)


def make(**fields):
    return LlmsFactory(**{"name": "Mini", "model": "mini", "provider": "openai", **UNPRICED, **fields})


def prices_of(row):
    row.refresh_from_db()
    return [getattr(row, name) for name in FIELDS]


def sync(*words, **models):
    with listing(**models):
        return run("sync_llm_prices", *words)


def test_empty_prices_are_filled_and_say_where_they_come_from():
    row, before = make(), timezone.now()

    done = sync(mini=priced(input="0.15", output="0.6", cache_read="0.075", cache_write="0.1875"))

    assert prices_of(row) == [0.00015, 0.0006, 0.000075, 0.0001875]
    assert row.prices_source == SOURCE
    assert before <= row.prices_synced_at <= timezone.now()
    assert done.out == (
        "Mini (openai mini): input none → 0.15, output none → 0.6, cache read none → 0.075, "
        f"cache write none → 0.1875 per 1M tokens. From {SOURCE}.\n1 changed.\n"
    )


def test_a_dry_run_says_the_same_and_writes_nothing():
    row = make()
    token = Llms.objects.values_list("updated_at")

    done = sync("--dry-run", mini=priced(input="1", output="20"))

    change = f"Mini (openai mini): input none → 1, output none → 20 per 1M tokens. From {SOURCE}."
    assert done.out == f"{change}\n1 would change.\n"
    assert (prices_of(row), row.prices_source, row.prices_synced_at) == ([None] * 4, "", None)
    assert list(token) == [(row.updated_at,)]


def test_prices_from_a_list_follow_the_list():
    row = make()
    sync(mini=priced(input="1", output="2", cache_read="0.5"))

    done = sync(mini=priced(input="1", output="3"))

    assert prices_of(row) == [0.001, 0.003, None, None]
    assert "output 2 → 3, cache read 0.5 → none" in done.out


def test_a_later_run_that_changes_nothing_renews_the_date():
    row = make()
    sync(mini=priced(input="1", output="2"))
    Llms.objects.update(prices_synced_at=None)

    done = sync(mini=priced(input="1", output="2"))

    row.refresh_from_db()
    assert row.prices_synced_at is not None
    assert done.out == "1 up to date.\n"


def edit_a_row(row):
    row.refresh_from_db()
    row.cost_per_1k_input = 0.5
    row.save()


def edit_one_field(row):
    row.refresh_from_db()
    row.cost_per_1k_input = 0.5
    row.save(update_fields=["cost_per_1k_input"])


def edit_what_was_deferred(row):
    lazy = Llms.objects.only("name").get(pk=row.pk)
    lazy.cost_per_1k_input = 0.5
    assert lazy.notes == ""
    lazy.save()


def edit_in_bulk(row):
    row.refresh_from_db()
    row.cost_per_1k_input = 0.5
    Llms.objects.bulk_update([row], ["cost_per_1k_input"])


def edit_by_query(row):
    Llms.objects.filter(pk=row.pk).update(cost_per_1k_input=0.5)


@pytest.mark.parametrize("edit", [edit_a_row, edit_one_field, edit_what_was_deferred, edit_in_bulk, edit_by_query])
def test_a_price_that_somebody_has_changed_is_kept(edit):
    row = make()
    sync(mini=priced(input="1", output="2"))
    edit(row)

    done = sync(mini=priced(input="1", output="3"))

    assert prices_of(row) == [0.5, 0.002, None, None]
    assert (row.prices_source, row.prices_synced_at) == ("", None)
    assert done.out == "Mini (openai mini): kept as somebody has set them; the list differs.\n1 kept.\n"


def test_an_edit_of_something_else_leaves_the_prices_to_the_list():
    row = make()
    sync(mini=priced(input="1", output="2"))
    row.refresh_from_db()
    row.notes = "cheap"
    row.save()

    sync(mini=priced(input="1", output="3"))

    assert prices_of(row)[:2] == [0.001, 0.003]


def test_who_sets_prices_and_their_source_at_once_is_believed():
    row = make()
    row.cost_per_1k_input, row.cost_per_1k_output, row.prices_source = 0.004, 0.005, "our contract's list"
    row.save()

    sync(mini=priced(input="1", output="3"))

    assert prices_of(row)[:2] == [0.001, 0.003]


def test_what_is_empty_beside_a_price_of_somebodys_is_filled():
    half, other, free = (
        make(name="Half", model="mini", cost_per_1k_input=0.001),
        make(name="Other", model="mini", cost_per_1k_input=0.0009),
        make(name="Free", model="mini", cost_per_1k_input=0, cost_per_1k_output=0),
    )

    sync(mini=priced(input="1", output="2", cache_read="0.5"))

    assert prices_of(half) == [0.001, 0.002, 0.0005, None]
    assert half.prices_source == ""
    # The empty price of cached input is that of input, and theirs is not the list's.
    assert prices_of(other) == [0.0009, 0.002, None, None]
    assert prices_of(free) == [0, 0, None, None]


def test_a_free_model_costs_nothing_which_is_a_price():
    row = make()

    sync(mini=priced(input="0", output="0"))

    assert prices_of(row) == [0, 0, None, None]
    assert row.prices_source == SOURCE


def test_embeddings_have_no_output_to_bill():
    row = make()

    sync(mini=priced(input="0.02"))

    assert prices_of(row) == [0.00002, 0, None, None]


def test_a_model_that_is_not_in_the_list_is_named():
    row = make(model="maxi", cost_per_1k_input=1)

    done = sync(mini=priced(input="1", output="2"))

    assert prices_of(row) == [1, None, None, None]
    assert done.out == "Mini (openai maxi): not in the list.\n1 not listed.\n"


def test_a_model_that_is_listed_without_a_price_is_not_priced():
    done = sync("--dry-run", mini=ModelPrice())
    assert done.out == "There are no LLMs.\n"
    make()

    assert sync(mini=ModelPrice()).out == "Mini (openai mini): not in the list.\n1 not listed.\n"


def test_another_host_has_its_own_prices():
    make(name="Here", api_endpoint="https://llm.example.com/v1")
    make(name="There", api_endpoint="https://api.openai.com/v1", provider="our-proxy")

    done = sync("--dry-run", mini=priced(input="1", output="2"))

    assert "Here (openai mini): not in the list." in done.out
    assert "There (our-proxy mini): input none → 1" in done.out


def test_of_prices_that_grow_with_the_prompt_the_ordinary_ones_are_taken_and_the_others_named():
    row = make()

    sync(mini=priced(input=("1", 272_000, "2"), output=("5", 272_000, "7.5")))

    assert prices_of(row)[:2] == [0.001, 0.005]
    assert row.prices_source == f"{SOURCE}; dearer above 272,000 tokens"


def test_fees_per_request_are_named():
    row = make()
    prices = priced(input="1", output="1")
    object.__setattr__(prices, "requests_kcount", Decimal(5))

    sync(mini=prices)

    row.refresh_from_db()
    assert row.prices_source == f"{SOURCE}; and fees per request"


def test_of_prices_that_depend_on_the_hour_the_dearest_is_taken_and_future_ones_wait():
    row = make()
    day, night, later = (priced(input=price, output=price) for price in ("2", "1", "9"))

    sync(mini=[since_ever(day), at_night(night), from_tomorrow(later)])

    assert prices_of(row)[:2] == [0.002, 0.002]


def test_what_is_edited_between_reading_and_writing_is_left_alone():
    row = make()
    with listing(mini=priced(input="1", output="2")):
        (check,) = check_prices(Llms.objects.all(), PriceList())
        Llms.objects.update(cost_per_1k_input=7)
        assert check.apply() is False

    assert prices_of(row) == [7, None, None, None]


class Edited(ModelInfo):
    """Somebody edits the rows while the list is asked for the prices of this model."""

    def get_prices(self, *args, **options):
        Llms.objects.update(cost_per_1k_input=7)
        return super().get_prices(*args, **options)


def test_an_edit_in_the_middle_of_a_run_is_told():
    row = make()
    model = Edited(id="mini", match=ClauseEquals(equals="mini"), prices=priced(input="1", output="2"))

    with listing(mini=model):
        done = run("sync_llm_prices")

    assert done.err == "Mini (openai mini): somebody has changed its prices meanwhile. Run the command again.\n"
    assert done.out == "1 not written.\n"
    assert prices_of(row) == [7, None, None, None]


def test_seeded_prices_may_be_brought_up_to_date(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    run("seed_llms")
    row = Llms.objects.get(name="GPT-5.6 Luna")
    assert row.prices_source == "known models of November 2026"

    with listing(**{"gpt-5.6-luna": priced(input="0.1", output="0.9")}):
        run("sync_llm_prices")

    assert prices_of(row)[:2] == [0.0001, 0.0009]


def test_without_the_package_the_command_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "genai_prices", None)

    done = run("sync_llm_prices")

    assert done.error == (
        "Prices come from the package genai-prices, which is not installed. "
        "Install it with: pip install 'creative-services[prices]'."
    )


def test_the_list_as_it_is_installed_knows_models():
    row = make(model="gpt-4o-mini")

    run("sync_llm_prices")

    assert prices_of(row)[:2] == [0.00015, 0.0006]
