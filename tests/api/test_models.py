"""What `model` may name, and the lists of it: `GET v1/models` and `GET v1/models/<id>`."""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from creative_services import LLMEntry
from creative_services.models import Llms
from creative_services.testing import LlmsFactory, Reply, override_llms
from tests.api.asking import Asker

MODELS = "/api/llm/v1/models"
PREMIUM = {"TIER_PERMISSIONS": {"premium": "auth.view_user"}}


@pytest.fixture
def reader(caller):
    return Asker("wsgi", caller)


@pytest.fixture
def premium(provider):
    return LlmsFactory(name="Dear one", provider="groq", model="meta/llama-4", tier="premium", cost_per_1k_input=2)


def test_the_list_has_openais_shape_tiers_first_then_llms_cheapest_first(reader, premium):
    told = reader.get(MODELS)

    assert told.status == 200
    assert told.json == {
        "object": "list",
        "data": [
            {"id": "standard", "object": "model", "created": 0, "owned_by": "creative_services"},
            {"id": "premium", "object": "model", "created": 0, "owned_by": "creative_services"},
            {"id": "Cheap", "object": "model", "created": 0, "owned_by": "openai"},
            {"id": "Dear", "object": "model", "created": 0, "owned_by": "openai"},
            {"id": "Dear one", "object": "model", "created": 0, "owned_by": "groq"},
        ],
    }


@override_settings(CREATIVE_SERVICES=PREMIUM)
def test_the_list_has_only_what_the_user_may_use(reader, caller, premium):
    assert [model["id"] for model in reader.get(MODELS).json["data"]] == ["standard", "Cheap", "Dear"]

    caller.user_permissions.add(Permission.objects.get(codename="view_user"))
    assert len(reader.get(MODELS).json["data"]) == 5


@pytest.mark.parametrize(
    ("model", "owner"),
    [("standard", "creative_services"), ("Dear one", "groq"), ("Cheap", "openai"), ("groq/meta/llama-4", "groq")],
)
def test_each_model_is_there_by_every_name_that_a_call_may_use(reader, premium, model, owner):
    told = reader.get(f"{MODELS}/{model}")

    assert told.json == {"id": model, "object": "model", "created": 0, "owned_by": owner}


def test_slashes_may_be_escaped(reader, premium):
    assert reader.get(f"{MODELS}/groq%2Fmeta%2Fllama-4").json["owned_by"] == "groq"


def test_an_unknown_model_is_a_404_that_says_what_there_could_be(reader, premium):
    told = reader.get(f"{MODELS}/gpt-99")

    assert told.status == 404
    assert told.json["error"]["code"] == "model_not_found"
    for hint in ("'gpt-99'", "standard", "the name of an active LLM", "`<provider>/<model>`"):
        assert hint in told.json["error"]["message"]


@override_settings(CREATIVE_SERVICES=PREMIUM)
@pytest.mark.parametrize("model", ["premium", "Dear one", "groq/meta/llama-4"])
def test_a_model_that_the_user_may_not_use_is_a_403(reader, premium, model):
    asked = reader.chat(model=model)

    for told in (reader.get(f"{MODELS}/{model}"), asked):
        assert (told.status, told.json["error"]["code"]) == (403, "permission_denied")


@pytest.mark.parametrize("model", ["Dear", "openai/dear-1", "groq/meta/llama-4", "Dear one"])
def test_a_call_asks_exactly_the_llm_that_is_named(asker, provider, premium, model):
    told = asker.chat(model=model)

    assert (
        provider.models == [told.json["model"]] == ["dear-1" if model in {"Dear", "openai/dear-1"} else "meta/llama-4"]
    )


def test_a_tier_asks_its_cheapest(asker, provider, premium):
    asker.chat(model="standard")
    asker.chat(model="premium")

    assert provider.models == ["cheap-1", "meta/llama-4"]


def test_a_tiers_name_is_the_tiers_whatever_an_llm_is_called(reader, provider, premium):
    LlmsFactory(name="premium", model="impostor")

    reader.chat(model="premium")

    assert provider.models == ["meta/llama-4"]
    assert [model["id"] for model in reader.get(MODELS).json["data"]].count("premium") == 1


def test_an_llms_name_goes_before_provider_and_model(reader, provider, cheap):
    LlmsFactory(name="openai/cheap-1", model="other")

    reader.chat(model="openai/cheap-1")

    assert provider.models == ["other"]


def test_of_several_rows_with_the_same_model_the_cheapest_usable_one_is_asked(reader, provider, cheap):
    LlmsFactory(name="Cheaper, but broken", model="cheap-1", cost_per_1k_input=0.00001, api_key="env:NOT_ALLOWED")
    LlmsFactory(name="Dearer", model="cheap-1", cost_per_1k_input=5)

    assert reader.chat(model="openai/cheap-1").headers["x-llm-name"] == "Cheap"


@override_settings(CREATIVE_SERVICES=PREMIUM)
def test_of_several_rows_with_the_same_model_one_is_asked_that_the_user_may_use(reader, provider):
    LlmsFactory(name="Closed", model="cheap-1", tier="premium", cost_per_1k_input=0.00001)

    assert reader.chat(model="openai/cheap-1").headers["x-llm-name"] == "Cheap"


@pytest.mark.parametrize("model", ["", 7, None, ["standard"]])
def test_a_model_that_is_no_name_is_refused(asker, model):
    told = asker.chat(model=model)

    assert told.status == 400
    assert "`model`" in told.json["error"]["message"]


def test_an_inactive_llm_is_not_there(asker, dear):
    Llms.objects.filter(pk=dear.pk).update(is_active=False)

    for model in ("Dear", "openai/dear-1"):
        assert asker.chat(model=model).status == 404


def test_a_renamed_llm_has_its_new_name_at_the_next_call(asker, dear):
    assert asker.chat(model="Dear").status == 200

    dear.name = "Precious"
    dear.save()

    assert asker.chat(model="Dear").status == 404
    assert asker.chat(model="Precious").status == 200


@pytest.mark.parametrize("model", ["standard", "Cheap", "openai/cheap-1"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_name_costs_no_more_statements_than_an_id(reader, provider, cheap, model, stream):
    provider.answer_with(Reply("Hi"))
    reader.chat(model=model)

    with CaptureQueriesContext(connection) as named:
        reader.chat(model=model, stream=stream)
    with CaptureQueriesContext(connection) as by_id:
        reader.generate(prompt="Hello", llm_id=cheap.pk, stream=stream)

    assert len(named) == len(by_id)


def test_a_registry_without_names_is_searched(caller):
    with override_llms(LLMEntry(1, "One", "openai", "one-1", "standard", api_key="sk-1")) as provider:
        assert Asker("wsgi", caller).chat(model="openai/one-1").json["model"] == "one-1"

    assert provider.models == ["one-1"]
