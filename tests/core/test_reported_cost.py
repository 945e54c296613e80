"""What an answer cost by the provider's own word, which goes before our prices."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from creative_services import Usage
from creative_services.testing import FakeProvider, RawReply, Reply

from .asking import Ask, entry, every_face

COUNTS = {"prompt_tokens": 10, "completion_tokens": 5}
LLM = entry(1, "a", price=0.1, cost_per_1k_output=0.1)
OURS = Decimal("0.0015")


def answer(usage: dict[str, Any]) -> RawReply:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
    body = json.dumps({"id": "1", "model": "a", "choices": [choice], "usage": usage})
    return RawReply([body.encode()], headers={"content-type": "application/json"})


@pytest.mark.parametrize(
    ("billed", "cost"),
    [
        ({"cost": 9.5e-6}, "0.0000095"),
        ({"cost": 0.00015780000000000001}, "0.00015780000000000001"),
        ({"cost": 2}, "2"),
        ({"cost": 0}, "0"),
        ({"cost": 0.01, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.02}}, "0.01"),
        # With a key of one's own the router's fee is not all.
        ({"cost": 0.01, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.2}}, "0.21"),
        ({"cost": {"input_tokens_cost": 0.00002, "request_cost": 0.005, "total_cost": 0.00503}}, "0.00503"),
        ({"cost": {"total_cost": 0.1, "currency": "USD"}}, "0.1"),
        ({"cost_in_usd_ticks": 37756000}, "0.0037756"),
    ],
)
@every_face
def test_the_providers_own_word_goes_before_our_prices(ask: Ask, billed: dict[str, Any], cost: str) -> None:
    response = ask(FakeProvider({"a": answer(COUNTS | billed)}), LLM)

    assert response.usage.cost == response.cost == Decimal(cost)
    assert response.attempts[0].cost == Decimal(cost)
    assert response.attempts[0].usage == response.usage


@pytest.mark.parametrize(
    "billed",
    [
        {},
        {"cost": None},
        {"cost": -0.1},
        {"cost": float("nan")},
        {"cost": float("inf")},
        {"cost": 10**400},
        {"cost": 1_000_000},
        {"cost": True},
        {"cost": "0.1"},
        {"cost": [0.1]},
        {"cost": {"total_cost": 0.1, "currency": "EUR"}},
        {"cost": {"total_cost": 0.1, "currency": ["USD"]}},
        {"cost": {"usd": 0.1}},
        {"cost": 0, "is_byok": True},
        # Azure copies the field from xAI, and bills nonetheless.
        {"cost_in_usd_ticks": 0},
        {"cost_in_usd_ticks": -5},
    ],
)
@every_face
def test_what_is_no_cost_of_a_call_leaves_it_to_our_prices(ask: Ask, billed: dict[str, Any]) -> None:
    response = ask(FakeProvider({"a": answer(COUNTS | billed)}), LLM)

    assert response.usage.cost is None
    assert response.cost == OURS


@pytest.mark.parametrize("wire", ["openai_chat", "openai_responses", "anthropic_messages"])
@every_face
def test_every_wire_that_may_say_it_is_heard(ask: Ask, wire: str) -> None:
    usage = Usage(10, 5, cache_read_tokens=2, cache_write_tokens=3, cost=Decimal("0.25"))

    response = ask(FakeProvider({"a": Reply("Hi", usage=usage)}), entry(1, "a", wire=wire))

    assert response.usage == usage
    assert response.cost == Decimal("0.25")


@every_face
def test_a_model_without_prices_costs_what_its_provider_says(ask: Ask) -> None:
    unpriced = entry(1, "a", cost_per_1k_output=None)

    assert ask(FakeProvider({"a": answer(COUNTS | {"cost": 0.5})}), unpriced).cost == Decimal("0.5")
    assert ask(FakeProvider({"a": answer(COUNTS)}), unpriced).cost is None


@every_face
def test_what_anthropic_keeps_for_an_hour_is_told_from_the_rest(ask: Ask) -> None:
    usage = Usage(10, 5, 2, 6, cache_write_1h_tokens=4)

    response = ask(FakeProvider({"a": Reply("Hi", usage=usage)}), entry(1, "a", price=1, wire="anthropic_messages"))

    assert response.usage.cache_write_1h_tokens == 4
    # 10 tokens at the price of input, and 4 of them once more.
    assert response.cost == Decimal("0.014") + Decimal("0.001")
