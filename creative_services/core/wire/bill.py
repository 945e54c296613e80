"""What an answer cost by the provider's own word."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from creative_services.core.wire.json_text import count, mapping

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST = 1_000_000  # US dollars; what claims to cost more is no cost of one call
TICKS = -10  # xAI counts in 10⁻¹⁰ US dollars: https://docs.x.ai/developers/cost-tracking


def reported_cost(usage: Mapping[str, Any]) -> Decimal | None:
    """US dollars that the provider says it bills; None where it does not say so, or what no call can cost.

    OpenRouter sends a number, Perplexity an object with the total, xAI ticks.
    """
    cost = usage.get("cost")
    if isinstance(cost, dict):
        return _dollars(cost.get("total_cost")) if cost.get("currency") in (None, "USD") else None
    dollars = _dollars(cost)
    if dollars is None:
        ticks = count(usage.get("cost_in_usd_ticks"))
        # Azure copies the field from xAI, always 0, and bills nonetheless.
        return Decimal(ticks).scaleb(TICKS) if ticks else None
    if usage.get("is_byok") is True:
        # With a key of one's own at OpenRouter this is its fee; the model is billed by whoever runs it.
        upstream = _dollars(mapping(usage.get("cost_details")).get("upstream_inference_cost"))
        return None if upstream is None else dollars + upstream
    return dollars


def _dollars(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < MOST:
        return None
    return Decimal(str(value))
