"""Options of an answer: each API's own words for them, and what has no word for one says so."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from creative_services import DictRegistry, DynamicLLMClient, InvalidRequestError, SyncDynamicLLMClient
from creative_services.testing import FakeProvider
from tests.core.asking import entry

ALL = {"top_p": 0.9, "presence_penalty": 0.5, "frequency_penalty": -0.5, "seed": 7, "parallel_tool_calls": False}
TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
ENTRIES = {
    "openai": entry(1, "gpt-4o-mini"),
    "mistral": entry(2, "mistral-small", provider="mistral"),
    "anthropic": entry(3, "claude", provider="anthropic"),
    "gemini": entry(4, "gemini-2", provider="gemini"),
    "responses": entry(5, "gpt-4o", wire="openai_responses"),
}


def sent(to: str, options: dict[str, Any], **asked: Any) -> Any:
    provider = FakeProvider()
    client = SyncDynamicLLMClient(DictRegistry(ENTRIES.values()), transport=provider)
    client.generate("Hello", llm_id=ENTRIES[to].id, options=options, **asked)
    return provider.requests[-1].json


def test_the_chat_api_has_its_own_words() -> None:
    assert sent("openai", ALL, tools=TOOLS).items() >= ALL.items()


def test_one_provider_calls_the_seed_otherwise() -> None:
    body = sent("mistral", {"seed": 7})

    assert body["random_seed"] == 7
    assert "seed" not in body


def test_gemini_has_words_for_numbers() -> None:
    config = sent("gemini", ALL)["generationConfig"]

    assert (config["topP"], config["seed"]) == (0.9, 7)
    assert (config["presencePenalty"], config["frequencyPenalty"]) == (0.5, -0.5)


def test_the_responses_api_has_words_for_two() -> None:
    body = sent("responses", {"top_p": 0.9, "parallel_tool_calls": False, "seed": 7})

    assert (body["top_p"], body["parallel_tool_calls"]) == (0.9, False)
    assert "seed" not in body


def test_anthropic_takes_top_p_in_the_place_of_the_entrys_temperature() -> None:
    body = sent("anthropic", {"top_p": 0.9, "seed": 7})

    assert body["top_p"] == 0.9
    assert "temperature" not in body
    assert "seed" not in body
    assert sent("anthropic", {"top_p": 0.9}, temperature=0.5)["temperature"] == 0.5


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        (None, {"type": "auto", "disable_parallel_tool_use": True}),
        ("required", {"type": "any", "disable_parallel_tool_use": True}),
        ("none", {"type": "none"}),
    ],
)
def test_anthropic_says_it_in_the_tool_choice(choice: str | None, told: Any) -> None:
    assert sent("anthropic", {"parallel_tool_calls": False}, tools=TOOLS, tool_choice=choice)["tool_choice"] == told
    assert "tool_choice" not in sent("anthropic", {"parallel_tool_calls": True}, tools=TOOLS)


@pytest.mark.parametrize("to", ENTRIES)
def test_one_call_at_a_time_of_no_tools_is_nothing_to_refuse(to: str) -> None:
    assert "tool_choice" not in sent(to, {"parallel_tool_calls": False})


@pytest.mark.parametrize(
    ("to", "options"),
    [
        ("anthropic", {"presence_penalty": 0.5}),
        ("responses", {"frequency_penalty": 0.5}),
        ("gemini", {"parallel_tool_calls": False}),
    ],
)
def test_what_an_api_has_no_word_for_is_refused_by_name(to: str, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError, match=f"`{next(iter(options))}`"):
        sent(to, options, tools=TOOLS)


def test_an_llm_whose_api_has_the_word_takes_over() -> None:
    first, second = entry(1, "claude", provider="anthropic", price=0.1), entry(2, "gpt-4o-mini", price=1)
    provider = FakeProvider()

    client = DynamicLLMClient(DictRegistry([first, second]), transport=provider)
    asyncio.run(client.generate("Hello", options={"presence_penalty": 0.5}))

    assert provider.models == ["gpt-4o-mini"]


@pytest.mark.parametrize("options", [None, {}, dict.fromkeys(ALL), {"top_p": 1, "presence_penalty": 0.0}])
@pytest.mark.parametrize("to", ENTRIES)
def test_what_changes_nothing_is_not_sent(to: str, options: Any) -> None:
    assert sent(to, options) == sent(to, None)


@pytest.mark.parametrize(
    "options",
    [
        {"top_p": 1.1},
        {"top_p": "1"},
        {"top_p": True},
        {"presence_penalty": -3},
        {"frequency_penalty": float("nan")},
        {"seed": 1.5},
        {"seed": True},
        {"seed": 2**63},
        {"parallel_tool_calls": 1},
    ],
)
def test_an_option_that_cannot_be_meant_is_refused_by_name(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError, match=f"`{next(iter(options))}`"):
        sent("openai", options)


@pytest.mark.parametrize("options", [{"top_k": 3}, ["top_p"], "top_p"])
def test_what_is_no_option_is_told_which_there_are(options: Any) -> None:
    with pytest.raises(InvalidRequestError, match=r"`options` .* top_p, presence_penalty"):
        sent("openai", options)
