"""The rows of providers: where calls go, and what is known of models."""

from __future__ import annotations

import datetime
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creative_services import DictRegistry, SyncDynamicLLMClient
from creative_services.core.endpoints import check_endpoint, complete_base
from creative_services.core.errors import ConfigurationError, MissingAPIKeyError, UnknownProviderError
from creative_services.core.known_models import ABILITIES, PRICES, RETIREMENTS
from creative_services.core.providers import (
    PROVIDERS,
    default_hosts,
    price,
    provider_for,
    retirement,
    route,
    wire_for,
)
from creative_services.core.types import LLMEntry, LLMTier, Reach
from creative_services.testing import FakeProvider

KEY = "sk-secret-9999"


def entry(provider, endpoint=None, **values):
    given = {"id": 1, "api_key": KEY, "tier": LLMTier.STANDARD} | values
    return LLMEntry(name="Writer", provider=provider, model="some-model", api_endpoint=endpoint, **given)


GOOGLE = "https://generativelanguage.googleapis.com"


@pytest.mark.parametrize(
    ("provider", "base"),
    [
        ("openai", "https://api.openai.com/v1"),
        ("anthropic", "https://api.anthropic.com/v1"),
        ("groq", "https://api.groq.com/openai/v1"),
        ("ollama", "http://localhost:11434/v1"),
        ("llama.cpp", "http://localhost:8080/v1"),
        ("gemini", "https://generativelanguage.googleapis.com/v1beta"),
        ("mistral", "https://api.mistral.ai/v1"),
        ("deepseek", "https://api.deepseek.com"),
        ("openrouter", "https://openrouter.ai/api/v1"),
        ("together", "https://api.together.xyz/v1"),
        ("xai", "https://api.x.ai/v1"),
        ("cerebras", "https://api.cerebras.ai/v1"),
    ],
)
def test_an_entry_without_an_endpoint_goes_to_its_provider(provider, base):
    assert route(entry(provider)).base_url == base


@pytest.mark.parametrize(
    ("provider", "endpoint", "base"),
    [
        ("openai", "https://api.openai.com", "https://api.openai.com/v1"),
        ("openai", "https://api.openai.com/", "https://api.openai.com/v1"),
        ("openai", "https://api.openai.com/v1", "https://api.openai.com/v1"),
        ("openai", "https://api.openai.com/v1/", "https://api.openai.com/v1"),
        ("openai", " https://api.openai.com/v1 ", "https://api.openai.com/v1"),
        ("openai", "https://gw.corp/openai", "https://gw.corp/openai"),
        ("openai", "https://acme.openai.azure.com/openai/v1/", "https://acme.openai.azure.com/openai/v1"),
        ("anthropic", "https://api.anthropic.com", "https://api.anthropic.com/v1"),
        ("anthropic", "https://api.anthropic.com/", "https://api.anthropic.com/v1"),
        ("anthropic", "https://api.anthropic.com/v1", "https://api.anthropic.com/v1"),
        ("anthropic", "https://gw.corp/anthropic", "https://gw.corp/anthropic/v1"),
        ("anthropic", "https://gw.corp/anthropic/v1/", "https://gw.corp/anthropic/v1"),
        ("groq", "https://api.groq.com", "https://api.groq.com/openai/v1"),
        ("groq", "https://api.groq.com/openai", "https://api.groq.com/openai/v1"),
        ("groq", "https://api.groq.com/openai/v1", "https://api.groq.com/openai/v1"),
        ("ollama", "http://localhost:11434", "http://localhost:11434/v1"),
        ("ollama", "http://localhost:11434/v1/", "http://localhost:11434/v1"),
        ("gemini", GOOGLE, f"{GOOGLE}/v1beta"),
        ("gemini", f"{GOOGLE}/v1beta/", f"{GOOGLE}/v1beta"),
        ("gemini", f"{GOOGLE}/v1beta/openai/", f"{GOOGLE}/v1beta"),
        ("gemini", f"{GOOGLE}/v1", f"{GOOGLE}/v1"),
        ("gemini", "https://gw.corp/google", "https://gw.corp/google"),
        ("openrouter", "https://openrouter.ai/api", "https://openrouter.ai/api/v1"),
        ("deepseek", "https://api.deepseek.com/v1", "https://api.deepseek.com/v1"),
        ("vllm", "http://gpu:8000", "http://gpu:8000/v1"),
        ("vllm", "http://gpu:8000/v1", "http://gpu:8000/v1"),
        ("zai", "https://api.z.ai/api/paas/v4", "https://api.z.ai/api/paas/v4"),
        ("lab", "http://[::1]:8080", "http://[::1]:8080/v1"),
    ],
)
def test_a_base_url_is_taken_as_the_providers_docs_print_it(provider, endpoint, base):
    assert route(entry(provider, endpoint)).base_url == base


@pytest.mark.parametrize("endpoint", [None, GOOGLE, f"{GOOGLE}/v1beta", f"{GOOGLE}/v1beta/openai"])
def test_geminis_openai_compatible_surface_is_chosen_by_the_wire(endpoint):
    assert route(entry("gemini", endpoint, wire="openai_chat")).base_url == f"{GOOGLE}/v1beta/openai"


def test_a_server_of_another_name_may_speak_geminis_wire():
    assert route(entry("relay", "https://relay.corp", wire="gemini")).base_url == "https://relay.corp/v1beta"


@pytest.mark.parametrize(
    ("provider", "url"),
    [
        ("openai", "https://api.openai.com/v1/chat/completions"),
        ("anthropic", "https://api.anthropic.com/v1/messages"),
        ("groq", "https://api.groq.com/openai/v1/chat/completions"),
        ("ollama", "http://localhost:11434/v1/chat/completions"),
        ("gemini", f"{GOOGLE}/v1beta/models/some-model:generateContent"),
        ("deepseek", "https://api.deepseek.com/chat/completions"),
        ("openrouter", "https://openrouter.ai/api/v1/chat/completions"),
    ],
)
def test_a_call_goes_to_the_documented_url(provider, url):
    fake = FakeProvider("Hello")
    registry = DictRegistry(
        [entry(provider), entry(provider, re.sub("/(chat/completions|messages|models/.*)$", "", url), id=2)]
    )
    with SyncDynamicLLMClient(registry, transport=fake) as client:
        client.generate("Hello", llm_id=1)
        client.generate("Hello", llm_id=2)
    assert [request.url for request in fake.requests] == [url, url]


@given(
    st.sampled_from(["", "/v1", "/openai/v1", "/v1beta/openai", "/api/v1"]),
    st.lists(st.sampled_from(["v1", "openai", "v1beta", "api", "proxy"]), max_size=4),
    st.booleans(),
    st.integers(0, 2),
)
def test_completing_a_base_twice_changes_nothing(path, segments, always, slashes):
    endpoint = "/".join(["https://host", *segments]) + "/" * slashes
    base = complete_base(endpoint, path, always=always)
    assert complete_base(base, path, always=always) == base
    assert not base.endswith("/")
    assert base.startswith("https://host")
    check_endpoint(base, Reach.PUBLIC)


def test_an_entrys_own_wire_brings_its_usual_path():
    gateway = entry("deepseek", "https://api.deepseek.com/anthropic", wire="anthropic_messages")
    assert route(gateway).base_url == "https://api.deepseek.com/anthropic/v1"
    assert route(entry("acme", "http://gw", wire="anthropic_messages")).base_url == "http://gw/v1"


@pytest.mark.parametrize("endpoint", ["https://api.openai.com/v1?x=1", "ftp://host", "https://u:hunter2@host/v1"])
def test_an_endpoint_that_cannot_be_called_is_refused_with_the_entrys_name(endpoint):
    with pytest.raises(ConfigurationError, match="'Writer': The endpoint must") as refusal:
        route(entry("openai", endpoint))
    assert "hunter2" not in str(refusal.value)


def test_an_endpoint_outside_the_entrys_reach_is_refused():
    with pytest.raises(ConfigurationError, match="never called"):
        route(entry("openai", "http://169.254.169.254/v1", reach=Reach.PUBLIC))
    assert route(entry("openai", "http://10.0.0.1/v1")).base_url == "http://10.0.0.1/v1"


def test_a_route_carries_the_key_and_the_quirks():
    found = route(entry("mistral"))
    assert found.api_key == KEY
    assert found.quirks == PROVIDERS["mistral"].quirks == {"no_stream_usage", "random_seed"}
    assert KEY not in repr(found)


def test_a_provider_that_needs_a_key_says_which_variable_holds_it():
    with pytest.raises(MissingAPIKeyError, match=r"'Writer'.*gemini.*GEMINI_API_KEY or GOOGLE_API_KEY"):
        route(entry("gemini", api_key=None))


def test_a_local_server_needs_no_key():
    assert route(entry("ollama", api_key=None)).api_key is None
    assert route(entry("vllm", "http://gpu:8000", api_key=None)).api_key is None


def test_an_unusable_entry_has_no_route_and_says_why():
    with pytest.raises(ConfigurationError, match=r"'Writer'.*cannot be decrypted"):
        route(entry("openai", unusable="its key cannot be decrypted"))


def test_an_unknown_provider_without_an_endpoint_lists_what_is_known():
    for call in (route, wire_for):
        with pytest.raises(UnknownProviderError, match=r"'opnai'.*anthropic.*openai.*api_endpoint") as error:
            call(entry("opnai"))
        assert all(name in str(error.value) for name in PROVIDERS)


def test_an_unknown_provider_with_an_endpoint_is_openai_compatible():
    row = provider_for("vllm", "http://gpu:8000")
    assert (row.name, row.wire, row.needs_key, row.quirks) == ("vllm", "openai_chat", False, {"cache_marks"})


def test_a_providers_name_is_found_however_it_is_written():
    assert provider_for(" OpenAI ") is PROVIDERS["openai"]
    assert default_hosts("OpenAI") == default_hosts("openai")
    assert retirement("OpenAI", "gpt-4o") == retirement("openai", "gpt-4o")


def test_the_table_cannot_be_changed():
    with pytest.raises(TypeError):
        PROVIDERS["openai"] = PROVIDERS["groq"]


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_every_row_can_be_called(name):
    row = PROVIDERS[name]
    check_endpoint(row.base_url, Reach.ANY)
    assert row.base_url.endswith(row.base_path)
    assert row.key_variables
    assert all(variable.endswith("_API_KEY") for variable in row.key_variables)
    assert wire_for(entry(name)).name == row.wire


def test_an_entrys_own_wire_is_used():
    assert wire_for(entry("openai", wire="anthropic_messages")).name == "anthropic_messages"


def test_the_responses_api_is_where_chat_completions_are():
    assert route(entry("deepseek", wire="openai_responses")).base_url == "https://api.deepseek.com"
    assert route(entry("acme", "http://gw", wire="openai_responses")).base_url == "http://gw/v1"
    assert route(entry("anthropic", "http://gw", wire="openai_responses")).base_url == "http://gw/v1"


def test_an_unknown_wire_lists_what_is_known():
    for call in (route, wire_for):
        with pytest.raises(ConfigurationError, match=r"'os\.path'.*anthropic_messages, gemini, openai_chat"):
            call(entry("openai", wire="os.path"))


def test_a_providers_key_goes_to_its_own_hosts():
    assert default_hosts("openai") == {"api.openai.com"}
    assert default_hosts("together") == {"api.together.xyz", "api.together.ai"}
    assert default_hosts("ollama") == {"localhost", "ollama.com"}
    assert default_hosts("vllm") == frozenset()


@pytest.mark.parametrize(
    ("provider", "model", "date", "successor"),
    [
        ("openai", "gpt-3.5-turbo", "2026-10-23", "gpt-6-luna"),
        ("openai", "gpt-4o-mini", "2027-01-14", "gpt-5.6-luna"),
        ("openai", "gpt-4o", "2027-01-14", "gpt-5.6-sol"),
        ("anthropic", "claude-3-haiku-20240307", "2026-04-20", "claude-haiku-4-5-20251001"),
        ("anthropic", "claude-3-5-sonnet-20241022", "2025-10-22", "claude-sonnet-5"),
        ("anthropic", "claude-3-opus-20240229", "2026-01-05", "claude-opus-5"),
        ("groq", "llama-3.3-70b-versatile", "2026-08-16", "openai/gpt-oss-120b"),
    ],
)
def test_the_documented_models_end_on_the_day_their_provider_named(provider, model, date, successor):
    ending = retirement(provider, model)
    assert (ending.date.isoformat(), ending.successor) == (date, successor)


def test_a_model_without_a_known_end_has_none():
    assert retirement("openai", "gpt-6-luna") is None
    assert retirement("groq", "gpt-4o") is None


def test_a_model_is_retired_from_its_last_day_on():
    ending = retirement("openai", "gpt-4o")
    assert not ending.has_come(datetime.date(2027, 1, 13))
    assert ending.has_come(datetime.date(2027, 1, 14))
    assert retirement("anthropic", "claude-3-opus-20240229").has_come()


def test_every_successor_is_a_living_model_with_a_known_price():
    for (provider, model), ending in RETIREMENTS.items():
        assert provider in PROVIDERS
        assert (provider, ending.successor) in PRICES, model
        assert (provider, ending.successor) not in RETIREMENTS, model


@pytest.mark.parametrize(
    ("provider", "model", "dollars_in", "dollars_out"),
    [
        ("openai", "gpt-4o-mini", 0.00015, 0.0006),
        ("groq", "openai/gpt-oss-20b", 0.000075, 0.0003),
        ("anthropic", "claude-3-opus-20240229", 0.015, 0.075),
    ],
)
def test_prices_are_dollars_per_thousand_tokens(provider, model, dollars_in, dollars_out):
    found = price(provider, model)
    assert (found.input, found.output) == (dollars_in, dollars_out)


def test_an_unlisted_models_price_is_unknown():
    assert (price("openai", "gpt-6.2-sol").input, price("openai", "gpt-6.2-sol").output) == (None, None)


def test_every_price_belongs_to_a_known_provider():
    assert {provider for provider, _ in PRICES} <= set(PROVIDERS)


def test_what_is_known_to_be_taken_belongs_to_known_models():
    offered = {(name, cell.model) for name, provider in PROVIDERS.items() for cell in provider.models.values()}
    assert set(ABILITIES) <= set(PRICES) | offered
    assert offered <= set(ABILITIES)
    assert {(provider, ending.successor) for (provider, _), ending in RETIREMENTS.items()} <= set(ABILITIES)
