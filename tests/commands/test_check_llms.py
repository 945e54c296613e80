import json

import pytest
from django.db.models import F
from django.test import override_settings

from creative_services.models import LlmCall, Llms
from creative_services.testing import Failure, FakeProvider, LlmsFactory, override_llms
from tests.commands.running import run
from tests.offering import Offering, asked_models, lists_asked

pytestmark = pytest.mark.django_db


def test_what_can_be_called_is_fine():
    row = LlmsFactory(name="Mini", model="mini")
    LlmsFactory(name="Asleep", api_key=None, is_active=False)

    done = run("check_llms")

    assert done.code == 0
    assert done.out == f"ok   standard #{row.pk} Mini (openai mini)\n"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"api_key": None}, "'Broken' has no API key, and openai needs one."),
        ({"provider": "nobody"}, "Unknown provider 'nobody'."),
        ({"wire": "telex"}, "Unknown wire format 'telex'."),
        ({"api_key": "env:DJANGO_SECRET_KEY"}, "env:DJANGO_SECRET_KEY is neither"),
        ({"model": "gpt-3.5-turbo"}, "The provider retires gpt-3.5-turbo on 2026-10-23: use gpt-6-luna instead."),
    ],
)
def test_what_cannot_be_called_is_named_with_its_reason(row, problem):
    LlmsFactory(name="Fine")
    LlmsFactory(name="Broken", **row)

    done = run("check_llms")

    assert done.code == 1
    assert done.error == "1 of 2 active LLMs cannot be used."
    assert problem in done.out
    assert "FAIL standard" in done.out


def test_a_key_that_cannot_be_decrypted_is_a_problem():
    LlmsFactory(name="Lost")

    with override_settings(SECRET_KEY="another"):
        done = run("check_llms")

    assert done.code == 1
    assert "cannot be decrypted" in done.out


def test_an_endpoint_that_the_tier_may_not_have_is_a_problem():
    LlmsFactory(name="Inside")
    Llms.objects.update(api_endpoint="http://169.254.169.254/v1")

    done = run("check_llms")

    assert done.code == 1
    assert "169.254.169.254" in done.out


def test_a_model_that_will_end_is_only_a_warning():
    LlmsFactory(model="gpt-4o")

    done = run("check_llms")

    assert done.code == 0
    assert "The provider retires gpt-4o on 2027-01-14" in done.out


def test_an_empty_registry_is_a_failure_and_so_is_an_empty_tier():
    assert run("check_llms").error.startswith("No active LLM. Add one")

    LlmsFactory()

    assert run("check_llms", "--tier", "premium").error.startswith("No active LLM in tier 'premium'. Add one")
    assert run("check_llms", "--tier", "standard").code == 0


def test_llms_are_listed_by_tier_and_then_as_they_would_be_asked():
    LlmsFactory(name="At home", tier="local", cost_per_1k_input=0)
    LlmsFactory(name="Dear", cost_per_1k_input=2)
    LlmsFactory(name="Cheap", cost_per_1k_input=1)
    LlmsFactory(name="Small", tier="economy", cost_per_1k_input=9)

    lines = run("check_llms").out.splitlines()

    assert [line.split("#")[1].split(" (")[0].partition(" ")[2] for line in lines] == [
        "Small",
        "Cheap",
        "Dear",
        "At home",
    ]


def test_only_the_tier_is_checked():
    LlmsFactory(tier="premium", api_key=None)
    LlmsFactory(name="Mini")

    done = run("check_llms", "--tier", "standard")

    assert done.code == 0
    assert done.out.count("\n") == 1


def test_live_asks_each_once_for_a_few_tokens():
    LlmsFactory(name="Mini", model="mini")
    LlmsFactory(name="Big", model="big", tier="premium")
    with override_llms(
        provider=FakeProvider({"mini": "OK", "big": Failure(500), "": Offering("mini", "big")})
    ) as provider:
        done = run("check_llms", "--live")

    assert asked_models(provider) == ["big", "mini"]
    assert done.code == 1
    assert " s\n" in done.out.splitlines(keepends=True)[0]
    assert "ProviderUnavailableError: " in done.out


def test_live_what_it_asks_is_booked():
    LlmsFactory(name="Mini", model="mini")
    with override_llms(provider=FakeProvider({"mini": "OK", "": Offering("mini")})):
        run("check_llms", "--live")

    assert [(call.outcome, call.source) for call in LlmCall.objects.all()] == [("ok", "python")]


def test_live_more_than_ten_are_asked_too():
    LlmsFactory.create_batch(12)
    with override_llms(provider=FakeProvider(Offering())) as provider:
        done = run("check_llms", "--live")

    assert done.code == 0
    assert len(asked_models(provider)) == 12
    assert len(lists_asked(provider)) == 1


def test_live_what_answers_is_fine_even_if_it_should_have_retired():
    LlmsFactory(model="gpt-3.5-turbo")
    with override_llms(provider=FakeProvider(Offering())):
        done = run("check_llms", "--live")

    assert done.code == 0
    assert "The provider retires gpt-3.5-turbo" in done.out


def test_live_what_cannot_be_called_is_not_asked():
    LlmsFactory(api_key=None)
    with override_llms() as provider:
        done = run("check_llms", "--live")

    assert done.code == 1
    assert provider.requests == []


def test_json_says_the_same_for_machines():
    fine, broken = LlmsFactory(name="Mini", model="mini"), LlmsFactory(name="Broken", api_key=None)
    with override_llms(provider=FakeProvider(Offering("mini"))):
        done = run("check_llms", "--json", "--live")

    report = json.loads(done.out)
    assert report["ok"] is False
    assert report["llms"][0].pop("latency_seconds") >= 0
    assert report["llms"][0] == {
        "id": fine.pk,
        "name": "Mini",
        "tier": "standard",
        "provider": "openai",
        "model": "mini",
        "ok": True,
        "problem": None,
        "warning": None,
    }
    assert report["llms"][1]["id"] == broken.pk
    assert report["llms"][1]["latency_seconds"] is None
    assert done.code == 1


def test_no_key_is_ever_printed():
    LlmsFactory(name="Fine", api_key="sk-very-secret-key-9876")
    LlmsFactory(name="Elsewhere", api_key="sk-very-secret-key-9876")
    Llms.objects.filter(name="Elsewhere").update(provider="groq", notes=F("name"))
    with override_llms(provider=FakeProvider(Offering(otherwise=Failure(401, "Wrong key sk-very-secret-key-9876")))):
        done = run("check_llms", "--live", "--json")

    assert done.code == 1
    assert "sk-very" not in f"{done.out}{done.err}{done.error}"
