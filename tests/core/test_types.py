"""The values: what entries and limits take, and what they refuse."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
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
    ],
)
def test_an_entry_refuses_what_cannot_be_meant(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        LLMEntry(**{"id": 1, "name": "a", "provider": "b", "model": "c", "tier": LLMTier.LOCAL} | values)


@pytest.mark.parametrize("kind", [Limits, Retry])
@pytest.mark.parametrize("value", [-1, "5", True, None, float("nan")])
def test_limits_and_retries_are_numbers(kind: Any, value: Any) -> None:
    for field in fields(kind):
        with pytest.raises(ConfigurationError, match=f"{kind.__name__}.{field.name} must be a number"):
            kind(**{field.name: value})


def test_money_is_counted_in_decimals_without_binary_rounding() -> None:
    priced = entry(1, "a", price=0.00015, cost_per_1k_output=0.0006)

    assert cost(priced, Usage(input_tokens=1, output_tokens=3)) == Decimal("0.00000195")
    assert cost(priced, Usage(input_tokens=10**9, output_tokens=0)) == Decimal(150)


def test_what_is_unknown_is_not_nothing() -> None:
    assert cost(ENTRY, Usage(input_tokens=1)) is None
    assert cost(entry(1, "a", cost_per_1k_output=None), Usage(input_tokens=1, output_tokens=1)) is None
    assert cost(entry(1, "a", price=0, cost_per_1k_output=0), Usage()) == 0
