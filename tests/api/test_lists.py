"""What there is to ask: LLMs and tiers, and never a key."""

import pytest
from django.urls import reverse

from tests.api.asking import Asker

LLMS, TIERS = "/api/llm/llms/", "/api/llm/tiers/"


@pytest.fixture
def reader(caller):
    return Asker("wsgi", caller)


def test_the_routes_have_names():
    assert reverse("creative_services:generate") == "/api/llm/generate/"
    assert reverse("creative_services:llm-list") == LLMS
    assert reverse("creative_services:llm-detail", args=[7]) == f"{LLMS}7/"
    assert reverse("creative_services:tier-list") == TIERS


def test_active_llms_are_listed_with_prices_as_plain_strings(reader, cheap, dear):
    type(dear).objects.filter(pk=dear.pk).update(is_active=False)

    told = reader.get(LLMS)

    assert told.status == 200
    assert told.json == [
        {
            "id": cheap.pk,
            "name": "Cheap",
            "provider": "openai",
            "model": "cheap-1",
            "tier": "standard",
            "max_tokens": 4096,
            "temperature": 0.7,
            "cost_per_1k_input": "0.00015",
            "cost_per_1k_output": "0.0006",
        }
    ]


def test_a_small_price_is_in_plain_digits_and_an_unknown_one_null(reader, cheap):
    type(cheap).objects.filter(pk=cheap.pk).update(cost_per_1k_input=0.0000001, cost_per_1k_output=None)

    (llm,) = [llm for llm in reader.get(LLMS).json if llm["id"] == cheap.pk]

    assert (llm["cost_per_1k_input"], llm["cost_per_1k_output"]) == ("0.0000001", None)


def test_one_llm_is_shown_as_in_the_list(reader, cheap):
    assert reader.get(f"{LLMS}{cheap.pk}/").json == reader.get(LLMS).json[0]


@pytest.mark.parametrize("llm_id", [0, 4_711, 2**63, 10**30])
def test_an_unknown_id_is_not_found(reader, cheap, llm_id):
    told = reader.get(f"{LLMS}{llm_id}/")

    assert (told.status, told.code) == (404, "llm_not_found")


def test_an_inactive_llm_is_not_found(reader, cheap):
    type(cheap).objects.filter(pk=cheap.pk).update(is_active=False)

    assert reader.get(f"{LLMS}{cheap.pk}/").status == 404


def test_staff_see_whether_a_key_is_set_and_never_the_key(reader, caller, cheap):
    keyless = type(cheap).objects.create(
        name="Keyless", provider="own", model="own-1", tier="local", api_endpoint="http://127.0.0.1:9/v1"
    )
    caller.is_staff = True
    caller.save()

    told = reader.get(LLMS)

    assert {llm["id"]: llm["api_key_set"] for llm in told.json} == {cheap.pk: True, keyless.pk: False}
    assert reader.get(f"{LLMS}{cheap.pk}/").json["api_key_set"] is True
    assert b"sk-" not in told.body


def test_each_tier_names_the_llm_that_is_asked_first(reader, cheap, dear):
    told = reader.get(TIERS)

    assert told.status == 200
    assert told.json == [
        {"tier": "economy", "llm": None},
        {
            "tier": "standard",
            "llm": {"id": cheap.pk, "name": "Cheap", "provider": "openai", "model": "cheap-1", "tier": "standard"},
        },
        {"tier": "premium", "llm": None},
        {"tier": "local", "llm": None},
    ]


def test_reading_asks_no_provider(reader, provider):
    for path in (LLMS, TIERS):
        assert reader.get(path).status == 200

    assert provider.requests == []
