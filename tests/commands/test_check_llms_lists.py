import time

import pytest

from creative_services.testing import Failure, FakeProvider, LlmsFactory, RawReply, Reply, override_llms
from tests.commands.running import run
from tests.offering import Offering, asked_models, lists_asked

pytestmark = pytest.mark.django_db


def check(script):
    with override_llms(provider=FakeProvider(script)) as provider:
        return run("check_llms", "--live"), provider


def test_a_model_that_its_provider_lists_is_fine():
    LlmsFactory(model="mini")

    done, provider = check(Offering("other", "mini"))

    assert done.code == 0
    assert "does not list" not in done.out
    assert lists_asked(provider) == ["https://api.openai.com/v1/models"]


def test_a_model_that_is_no_longer_listed_and_answers_is_a_warning():
    LlmsFactory(model="mini")

    done, _ = check(Offering("other"))

    assert done.code == 0
    assert (
        "The provider does not list mini among its models: it still answers, but may be offered no longer." in done.out
    )


def test_a_model_that_is_no_longer_listed_and_fails_says_both():
    LlmsFactory(model="mini")

    done, _ = check(Offering("other", otherwise=Failure(404)))

    assert done.code == 1
    assert "ModelNotFoundError: " in done.out
    assert "The provider does not list mini among its models: it is no longer offered, or misspelt." in done.out


def test_a_server_of_ones_own_that_answers_to_any_name_is_a_warning():
    LlmsFactory(model="smol", tier="local")

    done, _ = check(Offering("/models/smol.gguf"))

    assert done.code == 0
    assert "does not list smol among its models: such servers may answer with the one they have." in done.out


def test_a_server_of_ones_own_that_fails_has_its_list_as_a_warning_only():
    LlmsFactory(model="smol", tier="local")
    with override_llms(provider=FakeProvider(Offering("/models/smol.gguf", otherwise=Failure(500)))):
        done = run("check_llms", "--live", "--json")

    assert done.code == 1
    problem, warning = (line for line in done.out.splitlines() if "problem" in line or "warning" in line)
    assert "does not list" not in problem
    assert "does not list" in warning


def test_a_retirement_and_a_missing_model_are_both_said():
    LlmsFactory(model="gpt-4o")

    done, _ = check(Offering("gpt-6-luna"))

    assert done.code == 0
    assert "use gpt-5.6-sol instead. The provider does not list gpt-4o" in done.out


@pytest.mark.parametrize(
    "answer",
    [
        RawReply([b'{"error": {"message": "This key may not list models"}}'], status=401),
        RawReply([b"Not found"], status=404),
        RawReply([b""], status=500),
        RawReply([b"<html>"]),
        RawReply([b'{"data": []}']),
    ],
)
def test_a_list_that_cannot_be_had_or_is_empty_is_no_finding(answer):
    LlmsFactory(model="mini")

    done, provider = check(lambda request: answer if request.method == "GET" else "OK")

    assert done.code == 0
    assert "does not list" not in done.out
    assert asked_models(provider) == ["mini"]


def test_one_list_serves_all_llms_of_an_endpoint_and_key():
    LlmsFactory.create_batch(12, model="mini")
    LlmsFactory(model="mini", api_key="sk-another-key")
    LlmsFactory(model="mini", api_endpoint="https://eu.example/v1")
    LlmsFactory(model="mini", provider="anthropic")

    done, provider = check(Offering("mini"))

    assert done.code == 0
    assert lists_asked(provider) == [
        "https://api.anthropic.com/v1/models?limit=1000",
        "https://api.openai.com/v1/models",
        "https://api.openai.com/v1/models",
        "https://eu.example/v1/models",
    ]


@pytest.mark.parametrize(
    ("model", "listed"),
    [
        ("claude-haiku-4-5", "claude-haiku-4-5-20251001"),
        ("gpt-4o", "gpt-4o-2024-08-06"),
        ("claude-3-5-haiku-latest", "claude-3-5-haiku-20241022"),
        ("gemini-2.5-flash", "models/gemini-2.5-flash"),
        ("models/gemini-2.5-flash", "gemini-2.5-flash"),
        ("llama3.2", "llama3.2:latest"),
        ("Qwen/Qwen3-32B:groq", "Qwen/Qwen3-32B"),
    ],
)
def test_other_names_of_a_listed_model_are_known(model, listed):
    LlmsFactory(model=model)

    done, _ = check(Offering("other", listed))

    assert "does not list" not in done.out


@pytest.mark.parametrize(
    ("model", "listed"),
    [
        ("claude-haiku-4", "claude-haiku-4-5-20251001"),
        ("claude-haiku-4-5-20250101", "claude-haiku-4-5-20251001"),
        ("llama3.2:1b", "llama3.2:latest"),
        ("gpt-4", "gpt-4o"),
    ],
)
def test_similar_names_are_other_models(model, listed):
    LlmsFactory(model=model)

    done, _ = check(Offering(listed))

    assert "does not list" in done.out


def test_lists_are_fetched_while_the_llms_are_asked():
    LlmsFactory(model="mini")
    began = time.monotonic()

    done, _ = check(Offering("other", delay=0.5, otherwise=Reply("OK", delay=0.5)))

    assert "does not list" in done.out
    assert time.monotonic() - began < 0.9


def test_a_key_in_the_list_is_never_printed():
    LlmsFactory(model="mini", api_key="sk-very-secret-key-9876")

    done, _ = check(Offering("sk-very-secret-key-9876"))

    assert "sk-very" not in f"{done.out}{done.err}{done.error}"
