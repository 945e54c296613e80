from __future__ import annotations

import pytest

from creative_services.core.wire.models import needs_max_completion_tokens, refuses_temperature


@pytest.mark.parametrize(
    "model", ["o1", "o3-mini", "o4-mini-2025-04-16", "gpt-5", "gpt-5.1", "gpt-6-luna", "gpt-6.1-sol"]
)
def test_openais_reasoning_models_are_known(model):
    assert needs_max_completion_tokens(model)
    assert refuses_temperature(model)


@pytest.mark.parametrize(
    "model",
    ["gpt-4o", "gpt-4.1-mini", "gpt-3.5-turbo", "gpt-35-turbo", "openai/gpt-oss-120b", "gpt-oss:20b", "omni", "llama"],
)
def test_other_models_take_both_parameters(model):
    assert not needs_max_completion_tokens(model)
    assert not refuses_temperature(model)


@pytest.mark.parametrize("model", ["gpt-5-chat-latest", "gpt-5.6-sol", "gpt-5.4-nano"])
def test_some_of_them_take_a_temperature(model):
    assert needs_max_completion_tokens(model)
    assert not refuses_temperature(model)


@pytest.mark.parametrize(
    "model",
    [
        "claude-opus-4-7",
        "claude-opus-4-8",
        "claude-opus-5",
        "claude-sonnet-5-5",
        "claude-haiku-5-5",
        "claude-fable-5-2",
    ],
)
def test_current_claude_models_take_no_temperature(model):
    assert refuses_temperature(model)


@pytest.mark.parametrize(
    "model",
    [
        "claude-haiku-4-5-20251001", "claude-sonnet-4-6", "claude-opus-4-6", "claude-opus-4-20250514",
        "claude-3-5-sonnet-20241022", "claude-3-haiku-20240307",
    ],
)  # fmt: skip
def test_older_claude_models_take_one(model):
    assert not refuses_temperature(model)
