import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync

from creative_services.adapters import get_client, get_sync_client
from creative_services.core.errors import ConfigurationError, NoLLMAvailableError
from creative_services.core.types import LLMTier
from creative_services.models import Llms
from creative_services.testing import FakeProvider, Reply, override_llms
from tests.django_app.rows import KEY, local, make
from tests.loopback import LoopbackProvider


def generate_sync(**arguments):
    return get_sync_client().generate("Hi", **arguments)


def generate_async(**arguments):
    async def call():
        client = get_client()
        try:
            return await client.generate("Hi", **arguments)
        finally:
            await client.aclose()

    return async_to_sync(call)()


both = pytest.mark.parametrize("generate", [generate_sync, generate_async])


@pytest.fixture(autouse=True)
def fresh_clients(settings):
    settings.CREATIVE_SERVICES = {}
    yield
    get_sync_client().close()


def test_a_process_has_one_client_of_each_kind():
    assert get_client() is get_client()
    assert get_sync_client() is get_sync_client()


def test_clients_are_made_anew_when_settings_change(settings):
    before = get_client(), get_sync_client()

    settings.CREATIVE_SERVICES = {"DEFAULT_TIER": "premium"}

    assert get_client() is not before[0]
    assert get_sync_client() is not before[1]


def test_other_settings_leave_the_clients_alone(settings):
    before = get_sync_client()

    settings.LANGUAGE_CODE = "de"

    assert get_sync_client() is before


def test_a_setting_that_cannot_be_meant_is_said_when_the_client_is_made(settings):
    settings.CREATIVE_SERVICES = {"LIMITS": {"total": -1}}
    with pytest.raises(ConfigurationError, match="total"):
        get_sync_client()

    settings.CREATIVE_SERVICES = {}
    get_sync_client()


def test_the_registry_can_be_imported_before_the_apps_are_ready():
    code = "from creative_services.adapters import DjangoLLMRegistry; DjangoLLMRegistry(); print('fine')"
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    root = Path(__file__).parents[2]

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, text=True, check=False
    )

    assert done.stdout == "fine\n", done.stderr


@pytest.mark.django_db(transaction=True)
@both
def test_a_row_is_called_and_an_edit_counts_for_the_next_call(generate):
    with LoopbackProvider() as provider:
        local(api_endpoint=provider.url, model="first")
        assert generate(tier=LLMTier.LOCAL).text == "Hello"

        Llms.objects.update(model="second")

        assert generate(tier=LLMTier.LOCAL).llm.model == "second"
        if generate is generate_sync:
            get_sync_client().close()
    assert [request.model for request in provider.requests] == ["first", "second"]
    assert provider.requests[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.django_db(transaction=True)
@both
def test_a_row_whose_key_may_not_be_sent_is_passed_by(generate):
    make(name="cheap", model="cheap", cost_per_1k_input=0)
    Llms.objects.update(api_endpoint="https://collector.example.com")
    make(name="fine", model="fine", cost_per_1k_input=1)

    with override_llms(provider=FakeProvider("Hello")) as provider:
        assert generate().llm.name == "fine"

    assert [request.url.split("/")[2] for request in provider.requests] == ["api.openai.com"]


@pytest.mark.django_db(transaction=True)
@both
@pytest.mark.parametrize(
    ("options", "used"), [({}, "reads cheap"), ({"STRATEGY": "cheapest_for_call"}, "writes cheap")]
)
def test_the_strategy_is_a_setting(generate, settings, options, used):
    settings.CREATIVE_SERVICES = options
    make(name="reads cheap", cost_per_1k_input=0.1, cost_per_1k_output=9)
    make(name="writes cheap", cost_per_1k_input=1, cost_per_1k_output=1)

    with override_llms():
        assert generate().llm.name == used


@pytest.mark.django_db(transaction=True)
@both
@pytest.mark.parametrize(("options", "streamed"), [({}, False), ({"GENERATE_UPSTREAM": "stream"}, True)])
def test_whole_answers_can_be_gathered_from_streams_by_setting(generate, settings, options, streamed):
    settings.CREATIVE_SERVICES = options
    make()

    with override_llms(provider=FakeProvider("Hello")) as provider:
        assert generate().text == "Hello"

    assert bool(provider.requests[0].json.get("stream")) is streamed


@pytest.mark.django_db(transaction=True)
@both
def test_when_no_row_can_be_called_the_error_says_why(generate, caplog, settings):
    caplog.set_level(logging.DEBUG)
    row = make(name="GPT")
    settings.SECRET_KEY = "lost"

    with override_llms() as provider, pytest.raises(NoLLMAvailableError) as caught:
        generate()

    [refusal] = caught.value.refusals
    assert refusal.llm_name == "GPT"
    assert "cannot be decrypted" in refusal.reason
    with override_llms(), pytest.raises(ConfigurationError, match="cannot be decrypted"):
        generate(llm_id=row.pk)
    assert provider.requests == []
    assert KEY not in caplog.text


@pytest.mark.django_db(transaction=True)
@both
def test_a_row_outside_its_network_is_refused_when_called(generate):
    local()
    Llms.objects.update(api_endpoint="https://8.8.8.8/v1")

    with pytest.raises(NoLLMAvailableError) as caught:
        generate(tier="local")

    assert "8.8.8.8" in caught.value.refusals[0].reason


@pytest.mark.django_db(transaction=True)
@both
def test_a_public_row_cannot_be_pointed_at_this_machine(generate):
    with LoopbackProvider() as provider:
        make()
        Llms.objects.update(api_endpoint=provider.url)

        with pytest.raises(NoLLMAvailableError):
            generate()
    assert provider.requests == []


@pytest.mark.django_db(transaction=True)
@both
@pytest.mark.parametrize(("options", "answers"), [({}, "slow"), ({"HEDGE_AFTER": 0.02}, "quick")])
def test_hedging_is_a_setting(generate, settings, options, answers):
    settings.CREATIVE_SERVICES = options
    make(name="slow", model="slow", cost_per_1k_input=1, cost_per_1k_output=1)
    make(name="quick", model="quick", cost_per_1k_input=2, cost_per_1k_output=2)

    with override_llms(provider=FakeProvider({"slow": Reply("Hi", delay=0.3), "quick": "Hi"})):
        assert generate().llm.name == answers
