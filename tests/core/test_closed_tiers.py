"""Calls of somebody who may not use every tier."""

from __future__ import annotations

import asyncio

import pytest

from creative_services import (
    DynamicLLMClient,
    InvalidRequestError,
    LLMTier,
    NoLLMAvailableError,
    SyncDynamicLLMClient,
    TierNotAllowedError,
)
from creative_services.core.llm_registry import DictRegistry
from creative_services.testing import Failure, FakeProvider
from tests.core.asking import Ask, entry, every_face

CHEAP = entry(1, "cheap", tier=LLMTier.ECONOMY)
USUAL = entry(2, "usual")
BEST = entry(3, "best", tier=LLMTier.PREMIUM)
ALL = [CHEAP, USUAL, BEST]
OPEN = [LLMTier.ECONOMY, "standard"]


@every_face
@pytest.mark.parametrize("asked", [{"tier": "premium"}, {"llm_id": 3}, {"default_tier": "premium"}])
def test_a_closed_tier_is_refused_by_its_name_and_nobody_is_asked(ask: Ask, asked: dict[str, object]) -> None:
    provider = FakeProvider()

    with pytest.raises(TierNotAllowedError, match="the tier 'premium'") as caught:
        ask(provider, ALL, tiers=OPEN, **asked)

    assert caught.value.request_id
    assert provider.requests == []


@every_face
@pytest.mark.parametrize("strategy", ["cheapest", "cheapest_for_call"])
def test_no_call_falls_back_into_a_closed_tier(ask: Ask, strategy: str) -> None:
    provider = FakeProvider({"usual": Failure(401), "cheap": "Hi", "best": "never"})

    answer = ask(provider, ALL, tiers=OPEN, fallback_tiers=["premium", "economy"], strategy=strategy)

    assert answer.llm.id == CHEAP.id
    assert provider.models == ["usual", "cheap"]


@every_face
def test_an_open_tier_without_llms_is_empty_and_not_closed(ask: Ask) -> None:
    with pytest.raises(NoLLMAvailableError):
        ask(FakeProvider(), [BEST], tiers=OPEN, fallback_tiers=["premium"])


@every_face
@pytest.mark.parametrize("tiers", [None, list(LLMTier), {"premium"}])
def test_an_open_tier_answers(ask: Ask, tiers: object) -> None:
    assert ask(FakeProvider("Hi"), ALL, tier="premium", tiers=tiers).text == "Hi"
    assert ask(FakeProvider("Hi"), ALL, llm_id=3, tiers=tiers).text == "Hi"


@every_face
def test_who_may_use_no_tier_may_ask_nobody(ask: Ask) -> None:
    with pytest.raises(TierNotAllowedError):
        ask(FakeProvider(), ALL, tiers=[])


@every_face
def test_a_tier_that_does_not_exist_is_refused(ask: Ask) -> None:
    with pytest.raises(InvalidRequestError, match="Unknown tier 'luxury'"):
        ask(FakeProvider(), ALL, tiers=["luxury"])


def test_embeddings_and_explanations_keep_to_the_open_tiers() -> None:
    client = DynamicLLMClient(DictRegistry(ALL), transport=FakeProvider())
    blocking = SyncDynamicLLMClient(DictRegistry(ALL), transport=FakeProvider())

    for ask in (
        lambda: blocking.embed("Hello", tier="premium", tiers=OPEN),
        lambda: blocking.explain("Hello", llm_id=3, tiers=OPEN),
        lambda: asyncio.run(client.embed("Hello", llm_id=3, tiers=OPEN)),
        lambda: asyncio.run(client.explain("Hello", tier="premium", tiers=OPEN)),
    ):
        with pytest.raises(TierNotAllowedError):
            ask()


def test_an_explanation_knows_no_closed_tier() -> None:
    client = SyncDynamicLLMClient(DictRegistry(ALL), transport=FakeProvider(), fallback_tiers=["premium", "economy"])

    explained = client.explain("Hello", tiers=OPEN)

    assert [candidate.llm.id for candidate in explained.candidates] == [2, 1]
