"""What usage costs at an entry's prices."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creative_services import ConfigurationError, LLMEntry, Usage
from creative_services.core.answer import USAGE_FIELDS
from creative_services.core.pricing import cost

from .asking import ENTRY, entry

CACHING = entry(
    1, "a", price=0.003, cost_per_1k_output=0.015, cost_per_1k_cache_read=0.0003, cost_per_1k_cache_write=0.00375
)
COUNTS = st.none() | st.integers(0, 10**9)


def of(entry: LLMEntry = CACHING, **counts: Any) -> Decimal | None:
    return cost(entry, Usage(**counts))


def test_each_token_of_input_is_paid_once_at_the_price_of_what_was_done_with_it() -> None:
    used = of(input_tokens=1000, output_tokens=100, cache_read_tokens=600, cache_write_tokens=300)

    assert used == Decimal("0.0003") + Decimal("0.0015") + Decimal("0.00018") + Decimal("0.001125")


def test_without_prices_of_their_own_cached_tokens_cost_what_input_costs() -> None:
    plain = entry(1, "a", price=0.003, cost_per_1k_output=0.015)

    assert of(plain, input_tokens=1000, output_tokens=0, cache_read_tokens=600, cache_write_tokens=300) == Decimal(
        "0.003"
    )


def test_what_is_kept_for_an_hour_costs_double_the_input() -> None:
    used = of(input_tokens=1000, output_tokens=0, cache_write_tokens=800, cache_write_1h_tokens=500)

    assert used == Decimal("0.0006") + Decimal("0.001125") + Decimal("0.003")


def test_reasoning_is_part_of_the_output() -> None:
    assert of(input_tokens=0, output_tokens=1000, reasoning_tokens=900) == Decimal("0.015")


def test_more_cached_than_input_is_never_less_than_nothing() -> None:
    assert of(input_tokens=10, output_tokens=0, cache_read_tokens=161) == Decimal("0.000003")
    # Where it must be one or the other, the dearer.
    assert of(input_tokens=10, output_tokens=0, cache_read_tokens=9, cache_write_tokens=8) == Decimal("0.0000306")


@given(*[COUNTS] * 6)
def test_whatever_is_reported_costs_between_nothing_and_the_dearest(
    given: int | None, told: int | None, read: int | None, written: int | None, hour: int | None, thought: int | None
) -> None:
    usage = Usage(given, told, read, written, thought, cache_write_1h_tokens=hour)

    found = cost(CACHING, usage)

    if given is None or told is None:
        assert found is None
    else:
        dearest = (Decimal("0.006") * given + Decimal("0.015") * told) / 1000
        assert found is not None
        assert Decimal("0.0003") * given / 1000 <= found <= dearest


def test_an_unpriced_model_has_no_cost_whatever_is_known_of_it() -> None:
    used = {"input_tokens": 10, "output_tokens": 10, "cache_read_tokens": 10}

    assert of(entry(1, "a", cost_per_1k_output=None, cost_per_1k_cache_read=0.1), **used) is None
    assert of(LLMEntry(1, "A", "openai", "a", "standard", cost_per_1k_cache_read=0.1), **used) is None  # type: ignore[arg-type]


def test_cached_input_of_a_free_model_may_have_a_price() -> None:
    free = entry(1, "a", price=0, cost_per_1k_output=0, cost_per_1k_cache_read=0.001)

    assert of(free, input_tokens=1000, output_tokens=5, cache_read_tokens=1000) == Decimal("0.001")


@pytest.mark.parametrize("name", ["cost_per_1k_cache_read", "cost_per_1k_cache_write"])
def test_prices_of_cached_input_are_prices(name: str) -> None:
    assert getattr(ENTRY, name) is None
    assert getattr(entry(1, "a", **{name: "0.5"}), name) == 0.5
    with pytest.raises(ConfigurationError, match=f"{name} must be US dollars"):
        entry(1, "a", **{name: -1})


def test_an_answer_gathers_all_that_usage_can_say() -> None:
    assert {field.name for field in fields(Usage)} == set(USAGE_FIELDS)
