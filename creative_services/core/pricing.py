"""What a call cost."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from creative_services.core.types import Usage

if TYPE_CHECKING:
    from creative_services.core.types import LLMEntry

_ZERO = Decimal(0)


def cost(entry: LLMEntry, usage: Usage) -> Decimal | None:
    """US dollars that `usage` comes to at the prices of `entry`; None where a price or a count is unknown."""
    parts = (_input(entry, usage), output_cost(entry, usage.output_tokens))
    if parts[0] is None or parts[1] is None:
        return None
    return parts[0] + parts[1]


def _input(entry: LLMEntry, usage: Usage) -> Decimal | None:
    """The input's cost: each token once, at the price of what was done with it."""
    fresh = price(entry.cost_per_1k_input)
    if fresh is None or usage.input_tokens is None:
        return _part(fresh, usage.input_tokens)
    left, total = usage.input_tokens, _ZERO
    # The dearer first: some providers report more cached tokens than input.
    for per_1k, tokens in (
        (_hour_price(entry, fresh), usage.cache_write_1h_tokens),
        (_cached_price(entry.cost_per_1k_cache_write, fresh), _for_minutes(usage)),
        (_cached_price(entry.cost_per_1k_cache_read, fresh), usage.cache_read_tokens),
    ):
        taken = min(tokens or 0, left)
        total, left = total + per_1k * taken / 1000, left - taken
    return total + fresh * left / 1000


def _for_minutes(usage: Usage) -> int:
    """Tokens that were put into the cache for minutes."""
    return max(0, (usage.cache_write_tokens or 0) - (usage.cache_write_1h_tokens or 0))


def _hour_price(entry: LLMEntry, fresh: Decimal) -> Decimal:
    """The price of what the cache keeps for an hour: only Anthropic tells it apart, and takes double the input's."""
    return max(fresh * 2, _cached_price(entry.cost_per_1k_cache_write, fresh))


@lru_cache(maxsize=1024)
def price(per_1k: float | None) -> Decimal | None:
    """US dollars per 1,000 tokens, without the rounding of binary fractions."""
    return None if per_1k is None else Decimal(str(per_1k))


def _cached_price(per_1k: float | None, fresh: Decimal) -> Decimal:
    known = price(per_1k)
    return fresh if known is None else known


def output_cost(entry: LLMEntry, tokens: int | None) -> Decimal | None:
    """US dollars that so many output tokens cost; None where the price or the count is unknown."""
    return _part(price(entry.cost_per_1k_output), tokens)


def _part(per_1k: Decimal | None, tokens: int | None) -> Decimal | None:
    if per_1k == 0 or tokens == 0:
        return _ZERO  # what costs nothing costs nothing, however many tokens it was, and none cost nothing either
    return None if per_1k is None or tokens is None else per_1k * tokens / 1000


def estimate(entry: LLMEntry, input_bytes: int, output_tokens: int) -> Decimal | None:
    """US dollars that a call is likely to cost at most, at four bytes a token."""
    return cost(entry, Usage(input_tokens=-(-input_bytes // 4), output_tokens=output_tokens))
