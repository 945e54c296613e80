"""The registry that the environment brings."""

from __future__ import annotations

import pickle
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creative_services.core.errors import ConfigurationError
from creative_services.core.llm_registry import DictRegistry, LLMRegistry, LLMTier
from creative_services.core.providers import route

ALL_KEYS = {"OPENAI_API_KEY": "sk-o", "ANTHROPIC_API_KEY": "sk-a", "GROQ_API_KEY": "gsk", "OLLAMA_HOST": "localhost"}

DOCUMENTED = [
    (1, "GPT-3.5 Turbo", "openai", "gpt-3.5-turbo", LLMTier.ECONOMY, 0.0005, 0.0015),
    (2, "GPT-4o-mini", "openai", "gpt-4o-mini", LLMTier.STANDARD, 0.00015, 0.0006),
    (3, "GPT-4o", "openai", "gpt-4o", LLMTier.PREMIUM, 0.0025, 0.01),
    (4, "Claude 3 Haiku", "anthropic", "claude-3-haiku-20240307", LLMTier.ECONOMY, 0.00025, 0.00125),
    (5, "Claude 3.5 Sonnet", "anthropic", "claude-3-5-sonnet-20241022", LLMTier.STANDARD, 0.003, 0.015),
    (6, "Claude 3 Opus", "anthropic", "claude-3-opus-20240229", LLMTier.PREMIUM, 0.015, 0.075),
    (7, "Llama 3.3 70B", "groq", "llama-3.3-70b-versatile", LLMTier.ECONOMY, 0.00059, 0.00079),
    (8, "Ollama", "ollama", "llama3.2", LLMTier.LOCAL, 0.0, 0.0),
]

SUCCESSORS = [
    (1, "GPT-6 Luna", "gpt-6-luna", 0.0001, 0.0005),
    (2, "GPT-5.6 Luna", "gpt-5.6-luna", 0.0002, 0.0012),
    (3, "GPT-5.6 Sol", "gpt-5.6-sol", 0.004, 0.02),
    (4, "Claude Haiku 4.5", "claude-haiku-4-5-20251001", 0.001, 0.005),
    (5, "Claude Sonnet 5", "claude-sonnet-5", 0.002, 0.01),
    (6, "Claude Opus 5", "claude-opus-5", 0.005, 0.025),
    (7, "GPT-OSS 120B", "openai/gpt-oss-120b", 0.00015, 0.0006),
    (8, "Ollama", "llama3.2", 0.0, 0.0),
]


def env_entry(llm_id, environ, **options):
    return DictRegistry.from_env(environ, **options).get_by_id(llm_id)


def _ids(entries):
    return [each.id for each in entries]


def test_every_key_brings_the_documented_rows():
    registry = DictRegistry.from_env(ALL_KEYS)
    assert isinstance(registry, LLMRegistry)
    found = [
        (e.id, e.name, e.provider, e.model, e.tier, e.cost_per_1k_input, e.cost_per_1k_output)
        for e in registry.list_active()
    ]
    assert found == DOCUMENTED
    assert {(e.max_tokens, e.temperature, e.wire) for e in registry.list_active()} == {(4096, 0.7, None)}


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        ("OPENAI_API_KEY", [1, 2, 3]),
        ("ANTHROPIC_API_KEY", [4, 5, 6]),
        ("GROQ_API_KEY", [7]),
        ("OLLAMA_HOST", [8]),
    ],
)
def test_each_variable_brings_its_own_rows_under_the_same_ids(variable, expected):
    assert _ids(DictRegistry.from_env({variable: ALL_KEYS[variable]}).list_active()) == expected


@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
def test_a_blank_variable_is_an_absent_one(blank):
    environ = dict.fromkeys([*ALL_KEYS, "OLLAMA_BASE_URL", "OPENAI_BASE_URL", "OPENAI_STANDARD_MODEL"], blank)
    assert DictRegistry.from_env(environ).list_active() == []
    assert env_entry(2, environ | {"OPENAI_API_KEY": "k"}) == env_entry(2, {"OPENAI_API_KEY": "k"})


def test_a_model_alone_brings_no_row():
    assert DictRegistry.from_env({"OLLAMA_MODEL": "qwen3", "OPENAI_BASE_URL": "http://gw/v1"}).list_active() == []


def test_the_real_environment_is_read_when_none_is_given(monkeypatch):
    for variable in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GROQ_API_KEY", "OLLAMA_HOST", "OLLAMA_BASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    assert DictRegistry.from_env().list_active() == []
    monkeypatch.setenv("GROQ_API_KEY", "gsk-1")
    assert DictRegistry.from_env().get_by_tier(LLMTier.ECONOMY).api_key == "gsk-1"
    assert DictRegistry.from_env({}).list_active() == []


def test_a_key_loses_its_surrounding_white_space_only():
    assert env_entry(1, {"OPENAI_API_KEY": " sk-1 \n"}).api_key == "sk-1"


@pytest.mark.parametrize("bad", ["sk-\nhunter2", "sk-\thunter2", "sk-hunter2\x7f", "sk-hünter2", "sk-hunter2\u2028x"])
def test_a_key_that_no_header_can_carry_names_the_variable_and_not_the_key(bad):
    with pytest.raises(ConfigurationError, match="ANTHROPIC_API_KEY") as refusal:
        DictRegistry.from_env({"ANTHROPIC_API_KEY": bad})
    shown = str(refusal.value) + repr(refusal.value.__cause__)
    assert "nter2" not in shown


def test_a_refusals_traceback_holds_no_environment(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hunter2\nx")
    monkeypatch.setenv("GROQ_API_KEY", "gsk-hunter2")
    with pytest.raises(ConfigurationError) as refusal:
        DictRegistry.from_env()
    shown = traceback.TracebackException.from_exception(refusal.value, capture_locals=True)
    frames = [frame for frame in shown.stack if "creative_services" in frame.filename and "tests" not in frame.filename]
    assert frames
    assert "hunter2" not in "".join(str(frame.locals) for frame in frames)


def test_a_key_shows_masked_and_stays_out_of_pickles():
    found = env_entry(1, {"OPENAI_API_KEY": "sk-hunter2"})
    assert "hunter2" not in repr(found)
    pickled = pickle.dumps(found)
    assert b"hunter2" not in pickled
    assert pickle.loads(pickled) == found.without_key()  # noqa: S301 – our own bytes


def test_a_variable_replaces_a_model_whose_price_is_then_its_own():
    listed = env_entry(2, {"OPENAI_API_KEY": "k", "OPENAI_STANDARD_MODEL": " gpt-5.6-sol "})
    assert (listed.model, listed.name, listed.tier) == ("gpt-5.6-sol", "gpt-5.6-sol", LLMTier.STANDARD)
    assert (listed.cost_per_1k_input, listed.cost_per_1k_output) == (0.004, 0.02)
    unlisted = env_entry(6, {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_PREMIUM_MODEL": "claude-next"}, successors=True)
    assert (unlisted.model, unlisted.temperature) == ("claude-next", 0.7)
    assert (unlisted.cost_per_1k_input, unlisted.cost_per_1k_output) == (None, None)


def able(entry):
    return entry.context_window, entry.supports_images, entry.supports_tools, entry.supports_json_schema


def test_rows_say_what_their_models_take_where_it_is_known():
    documented, living = DictRegistry.from_env(ALL_KEYS), DictRegistry.from_env(ALL_KEYS, successors=True)

    assert [able(entry) for entry in documented.list_active()] == [
        (16_385, False, True, False),
        (128_000, True, True, True),
        (128_000, True, True, True),
        (200_000, True, True, False),
        (200_000, True, True, False),
        (200_000, True, True, False),
        (None, False, True, None),
        (None, False, True, None),
    ]
    windows = [entry.context_window for entry in living.list_active()]
    assert windows == [1_050_000, 1_050_000, 1_050_000, 200_000, 1_000_000, 1_000_000, 131_072, None]


def test_a_variable_replaces_a_model_and_what_it_takes():
    listed = env_entry(2, {"OPENAI_API_KEY": "k", "OPENAI_STANDARD_MODEL": "gpt-3.5-turbo"})
    assert able(listed) == (16_385, False, True, False)
    unlisted = env_entry(8, {"OLLAMA_HOST": "localhost", "OLLAMA_MODEL": "qwen3:4b"})
    assert able(unlisted) == (None, None, None, None)


def test_a_variable_that_names_the_documented_model_changes_nothing():
    environ = {"GROQ_API_KEY": "k"}
    assert env_entry(7, environ | {"GROQ_ECONOMY_MODEL": "llama-3.3-70b-versatile"}) == env_entry(7, environ)


@pytest.mark.parametrize("variable", ["OLLAMA_MODEL", "OLLAMA_LOCAL_MODEL"])
def test_the_local_model_is_free_whichever_it_is(variable):
    found = env_entry(8, {"OLLAMA_HOST": "localhost", variable: "qwen3:4b"})
    assert (found.name, found.model, found.cost_per_1k_input, found.cost_per_1k_output) == ("Ollama", "qwen3:4b", 0, 0)
    assert found.api_key is None
    assert route(found).api_key is None


def test_a_variable_replaces_an_endpoint():
    environ = {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": " https://gw.corp/openai/v1/ ", "ANTHROPIC_API_KEY": "k"}
    registry = DictRegistry.from_env(environ)
    assert {route(registry.get_by_id(number)).base_url for number in (1, 2, 3)} == {"https://gw.corp/openai/v1"}
    assert registry.get_by_id(4).api_endpoint is None


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("OPENAI_BASE_URL", "gw.corp/v1"),
        ("OPENAI_BASE_URL", "https://u:hunter2@gw.corp/v1"),
        ("OLLAMA_BASE_URL", "http://h:11434/v1?token=hunter2"),
        ("OLLAMA_HOST", "localhost:99999"),
        ("OLLAMA_HOST", "local host"),
        ("OLLAMA_HOST", "u:hunter2@host"),
        ("OLLAMA_HOST", "tcp://host:1"),
        ("OLLAMA_HOST", "http://host/?hunter2"),
    ],
)
def test_an_address_that_cannot_be_called_names_the_variable(variable, value):
    with pytest.raises(ConfigurationError, match=f"^{variable}: ") as refusal:
        DictRegistry.from_env({"OPENAI_API_KEY": "k", variable: value})
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("localhost", "http://localhost:11434/v1"),
        ("gpu-box", "http://gpu-box:11434/v1"),
        ("gpu-box:8080", "http://gpu-box:8080/v1"),
        ("10.0.0.5", "http://10.0.0.5:11434/v1"),
        (":8080", "http://127.0.0.1:8080/v1"),
        ("0.0.0.0", "http://127.0.0.1:11434/v1"),  # noqa: S104
        ("0.0.0.0:8080", "http://127.0.0.1:8080/v1"),
        ("http://0.0.0.0:8080/", "http://127.0.0.1:8080/v1"),
        ("0:8080", "http://127.0.0.1:8080/v1"),
        ("::", "http://[::1]:11434/v1"),
        ("::1", "http://[::1]:11434/v1"),
        ("[::1]", "http://[::1]:11434/v1"),
        ("[::]:8080", "http://[::1]:8080/v1"),
        ("fd12::7", "http://[fd12::7]:11434/v1"),
        ("http://gpu-box", "http://gpu-box:11434/v1"),
        ("http://gpu-box:8080", "http://gpu-box:8080/v1"),
        ("http://gpu-box:8080/v1", "http://gpu-box:8080/v1"),
        ("http://gpu-box:8080/v1/", "http://gpu-box:8080/v1"),
        ("http://gpu-box:8080/ollama", "http://gpu-box:8080/ollama/v1"),
        ("gpu-box:8080/ollama/", "http://gpu-box:8080/ollama/v1"),
        ("https://llm.corp", "https://llm.corp/v1"),
        ("https://llm.corp:8443", "https://llm.corp:8443/v1"),
        (' "gpu-box" ', "http://gpu-box:11434/v1"),
    ],
)
def test_ollamas_own_variable_is_read_as_ollama_reads_it(host, base):
    found = env_entry(8, {"OLLAMA_HOST": host})
    assert found.api_endpoint == base
    assert route(found).base_url == base


@given(
    st.text(max_size=40)
    | st.from_regex(r"(https?://)?[a-z0-9.:\[\]]{0,20}(:[0-9]{1,6})?(/[a-z0-9/]*)?", fullmatch=True)
)
def test_any_text_is_a_host_that_can_be_called_or_is_refused_by_its_variables_name(text):
    refusal = None
    try:
        found = env_entry(8, {"OLLAMA_HOST": text})
    except ConfigurationError as error:
        refusal = str(error)
    if refusal is not None:
        assert refusal.startswith("OLLAMA_HOST: ")
    elif text.strip():
        assert route(found).base_url.endswith("/v1")
    else:
        assert found is None


def test_ollamas_base_url_goes_before_its_host():
    found = env_entry(8, {"OLLAMA_HOST": "0.0.0.0", "OLLAMA_BASE_URL": "http://gpu-box:11434"})  # noqa: S104
    assert route(found).base_url == "http://gpu-box:11434/v1"


def test_successors_are_living_models_at_their_own_prices():
    registry = DictRegistry.from_env(ALL_KEYS, successors=True)
    found = [(e.id, e.name, e.model, e.cost_per_1k_input, e.cost_per_1k_output) for e in registry.list_active()]
    assert found == SUCCESSORS
    assert [e.tier for e in registry.list_active()] == [row[4] for row in DOCUMENTED]
    assert all(e.temperature is None for e in registry.list_active() if e.provider != "ollama")
