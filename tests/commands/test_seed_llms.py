import pytest

from creative_services.adapters import DjangoLLMRegistry
from creative_services.core.llm_registry import LLMTier
from creative_services.models import Llms
from tests.commands.running import run

pytestmark = pytest.mark.django_db

VARIABLES = ("OPENAI", "ANTHROPIC", "GROQ", "OLLAMA")


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for provider in VARIABLES:
        for ending in ("API_KEY", "BASE_URL", "HOST", "MODEL"):
            monkeypatch.delenv(f"{provider}_{ending}", raising=False)
    return monkeypatch


def test_the_living_models_of_the_environments_keys_become_rows(environment):
    environment.setenv("OPENAI_API_KEY", "sk-from-outside")
    environment.setenv("OLLAMA_HOST", "localhost")

    done = run("seed_llms")

    assert done.code == 0
    assert sorted(Llms.objects.values_list("tier", "model")) == [
        ("economy", "gpt-6-luna"),
        ("local", "llama3.2"),
        ("premium", "gpt-5.6-sol"),
        ("standard", "gpt-5.6-luna"),
    ]
    assert "Created GPT-5.6 Luna (standard, openai gpt-5.6-luna, API key from OPENAI_API_KEY)." in done.out
    assert "4 created, 0 already there." in done.out
    assert done.err == ""


def test_the_key_stays_in_the_environment_and_is_used_from_there(environment):
    environment.setenv("GROQ_API_KEY", "gsk-from-outside")

    done = run("seed_llms")

    assert Llms.objects.get().key_hint == "from GROQ_API_KEY"
    assert DjangoLLMRegistry().get_by_tier(LLMTier.ECONOMY).api_key == "gsk-from-outside"
    assert "gsk-from-outside" not in done.out + done.err


def test_documented_takes_the_models_of_the_table(environment):
    environment.setenv("ANTHROPIC_API_KEY", "sk-ant")

    run("seed_llms", "--documented")

    assert set(Llms.objects.values_list("name", "model")) == {
        ("Claude 3 Haiku", "claude-3-haiku-20240307"),
        ("Claude 3.5 Sonnet", "claude-3-5-sonnet-20241022"),
        ("Claude 3 Opus", "claude-3-opus-20240229"),
    }


def test_rows_say_what_their_models_take_where_it_is_known(environment):
    environment.setenv("GROQ_API_KEY", "gsk")
    environment.setenv("OLLAMA_HOST", "localhost")

    run("seed_llms")

    taken = ("context_window", "supports_images", "supports_tools", "supports_json_schema")
    assert set(Llms.objects.values_list("model", *taken)) == {
        ("openai/gpt-oss-120b", 131_072, False, True, True),
        ("llama3.2", None, False, True, None),
    }


def test_a_row_that_is_there_is_never_changed(environment):
    environment.setenv("GROQ_API_KEY", "gsk")
    run("seed_llms")
    Llms.objects.update(model="mine", cost_per_1k_input=9, is_active=False)

    done = run("seed_llms")

    assert "0 created, 1 already there." in done.out
    assert list(Llms.objects.values_list("model", "cost_per_1k_input", "is_active")) == [("mine", 9, False)]


def test_an_empty_environment_makes_nothing_and_says_so(environment):
    environment.setenv("OPENAI_API_KEY", "  ")

    done = run("seed_llms")

    assert done.code == 0
    assert "OPENAI_API_KEY" in done.out
    assert not Llms.objects.exists()


def test_a_key_that_may_not_go_to_the_named_endpoint_is_reported(environment):
    environment.setenv("GROQ_API_KEY", "gsk")
    environment.setenv("GROQ_BASE_URL", "https://gateway.example/v1")

    done = run("seed_llms")

    assert Llms.objects.get().api_endpoint == "https://gateway.example/v1"
    assert "env:GROQ_API_KEY may not be sent to https://gateway.example:443" in done.err


def test_an_endpoint_that_rows_may_not_have_leaves_the_others(environment):
    environment.setenv("GROQ_API_KEY", "gsk")
    environment.setenv("OLLAMA_HOST", "http://93.184.216.34")

    done = run("seed_llms")

    assert done.code == 1
    assert done.error == "1 could not be created, see above."
    assert "Ollama: " in done.err
    assert Llms.objects.get().provider == "groq"


def test_a_bad_variable_is_named(environment):
    environment.setenv("OLLAMA_HOST", "ftp://localhost")

    done = run("seed_llms")

    assert done.code == 1
    assert "OLLAMA_HOST" in done.error
