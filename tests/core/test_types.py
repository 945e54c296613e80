"""The values: what entries and limits take, and what they refuse."""

from __future__ import annotations

import copy
import json
import pickle
from dataclasses import asdict, fields
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest

from creative_services import ConfigurationError, Limits, LLMEntry, LLMTier, Retry, Usage
from creative_services.core.pricing import cost
from tests.core.asking import ENTRY, entry

NAMES = [
    "id",
    "name",
    "provider",
    "model",
    "tier",
    "api_key",
    "api_endpoint",
    "max_tokens",
    "temperature",
    "cost_per_1k_input",
    "cost_per_1k_output",
    "is_active",
    "wire",
]


def test_an_entry_has_the_documented_fields_in_their_order_and_its_defaults() -> None:
    least = LLMEntry(1, "a", "b", "c", LLMTier.LOCAL)

    assert [field.name for field in fields(LLMEntry)][: len(NAMES)] == NAMES
    assert (least.api_key, least.max_tokens, least.temperature, least.is_active) == (None, 4096, 0.7, True)
    assert (least.cost_per_1k_input, least.cost_per_1k_output, least.wire) == (None, None, None)
    assert least.without_key() is least


def test_an_entry_takes_the_plain_forms_of_its_values() -> None:
    costs: dict[str, Any] = {"cost_per_1k_input": Decimal("0.00015"), "cost_per_1k_output": "2"}
    plain: Any = "premium"

    given = LLMEntry(1, "a", "b", "c", plain, "", **costs)

    assert given.tier is LLMTier.PREMIUM
    assert given.api_key is None
    assert (given.cost_per_1k_input, given.cost_per_1k_output) == (0.00015, 2.0)
    assert hash(given) == hash(given)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"tier": "luxury"}, "Unknown tier 'luxury'. Use one of: economy"),
        ({"cost_per_1k_input": -1}, "cost_per_1k_input must be"),
        ({"cost_per_1k_output": "free"}, "cost_per_1k_output must be"),
        ({"cost_per_1k_output": float("nan")}, "cost_per_1k_output must be"),
        ({"cost_per_1k_output": []}, "cost_per_1k_output must be"),
        ({"max_tokens": 0}, "max_tokens of the LLM 'a' must be an int above 0"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"temperature": 2.1}, "temperature of the LLM 'a' must be a number from 0 to 2"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"provider": None}, "provider of the LLM 'a' must be a string"),
        ({"model": 4}, "model"),
        ({"extra_params": [1]}, "extra_params"),
        ({"api_key": b"sk-in-bytes"}, "The API key of 'a' must be a string, not bytes"),
        ({"api_key": 7}, "The API key"),
    ],
)
def test_an_entry_refuses_what_cannot_be_meant(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        LLMEntry(**{"id": 1, "name": "a", "provider": "b", "model": "c", "tier": LLMTier.LOCAL} | values)


@pytest.mark.parametrize("params", [None, {"top_p": 0.5, "nested": {"a": [1]}}, MappingProxyType({"top_p": 0.5})])
def test_an_entry_can_be_written_as_a_dict(params: Any) -> None:
    given = {} if params is None else {"extra_params": params}
    whole = asdict(entry(1, "a", **given))

    assert whole["extra_params"] == dict(params or {})
    assert json.loads(json.dumps(whole | {"api_key": None}))["name"] == "A"
    assert pickle.loads(pickle.dumps(whole)) == whole  # noqa: S301
    assert asdict(copy.deepcopy(entry(1, "a", **given))) == whole


def test_nobody_changes_the_parameters_of_an_entry_that_others_hold() -> None:
    params: Any = entry(1, "a", extra_params={"top_p": 0.5}).extra_params

    for change in (lambda: params.update({"x": 1}), lambda: params.pop("top_p"), params.clear):
        with pytest.raises(TypeError, match="cannot be changed"):
            change()
    with pytest.raises(TypeError, match="cannot be changed"):
        params["x"] = 1
    assert params == {"top_p": 0.5}


@pytest.mark.parametrize("kind", [Limits, Retry])
@pytest.mark.parametrize("value", [-1, "5", True, None, float("nan")])
def test_limits_and_retries_are_numbers(kind: Any, value: Any) -> None:
    for field in fields(kind):
        with pytest.raises(ConfigurationError, match=f"{kind.__name__}.{field.name} must be a number"):
            kind(**{field.name: value})


def test_retries_are_whole() -> None:
    with pytest.raises(ConfigurationError, match="whole number"):
        Retry(max_retries=1.5)  # type: ignore[arg-type]


def test_money_is_counted_in_decimals_without_binary_rounding() -> None:
    priced = entry(1, "a", price=0.00015, cost_per_1k_output=0.0006)

    assert cost(priced, Usage(input_tokens=1, output_tokens=3)) == Decimal("0.00000195")
    assert cost(priced, Usage(input_tokens=10**9, output_tokens=0)) == Decimal(150)


def test_what_is_unknown_is_not_nothing() -> None:
    assert cost(ENTRY, Usage(input_tokens=1)) is None
    assert cost(entry(1, "a", cost_per_1k_output=None), Usage(input_tokens=1, output_tokens=1)) is None
    assert cost(entry(1, "a", price=0, cost_per_1k_output=0), Usage()) == 0
