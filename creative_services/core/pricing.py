"""What a call cost."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from creative_services.core.types import Usage

if TYPE_CHECKING:
    from creative_services.core.types import LLMEntry

_ZERO = Decimal(0)


def cost(entry: LLMEntry, usage: Usage) -> Decimal | None:
    """US dollars that `usage` costs at the prices of `entry`; None where a price or a count is unknown."""
    parts = (
        _part(entry.cost_per_1k_input, usage.input_tokens),
        _part(entry.cost_per_1k_output, usage.output_tokens),
    )
    if parts[0] is None or parts[1] is None:
        return None
    return parts[0] + parts[1]


def _part(per_1k: float | None, tokens: int | None) -> Decimal | None:
    if per_1k == 0:
        return _ZERO  # what costs nothing costs nothing, however many tokens it was
    if per_1k is None or tokens is None:
        return None
    return Decimal(str(per_1k)) * tokens / 1000


def worst_case(entry: LLMEntry, input_bytes: int, output_tokens: int) -> Decimal | None:
    """US dollars that a call can cost at most: no tokenizer makes more than one token of a byte."""
    return cost(entry, Usage(input_tokens=input_bytes, output_tokens=output_tokens))


def affordable_tokens(entry: LLMEntry, input_bytes: int, dollars: Decimal) -> int | None:
    """The most output tokens for which so many US dollars suffice; None where a price is unknown or output is free."""
    least = worst_case(entry, input_bytes, 0)
    per_1k = entry.cost_per_1k_output
    if least is None or not per_1k:
        return None
    return int((dollars - least) * 1000 / Decimal(str(per_1k)))


def estimate(entry: LLMEntry, input_bytes: int, output_tokens: int) -> Decimal | None:
    """US dollars that a call is likely to cost at most, at four bytes a token."""
    return cost(entry, Usage(input_tokens=-(-input_bytes // 4), output_tokens=output_tokens))
