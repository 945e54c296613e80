"""A dry run names the LLM that a call would use; strategies and needs decide which."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creative_services import (
    ConfigurationError,
    CreativeServicesError,
    DictRegistry,
    DynamicLLMClient,
    Explanation,
    InvalidRequestError,
    LLMNotFoundError,
    LLMTier,
    MissingAPIKeyError,
    ProviderUnavailableError,
    SyncDynamicLLMClient,
)
from creative_services.core.types import LLMEntry
from creative_services.testing import Failure, FakeProvider, RawReply, Reply
from tests.core.asking import ONCE, Ask, build, entry, every_face, whole_faces
from tests.core.test_selection import Cautious

CHEAP, MIDDLE, DEAR = entry(1, "cheap"), entry(2, "middle"), entry(3, "dear")
PICTURE = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://host/cat.png"}}]}]
SCHEMA = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


def sync_explain(registry: Any, **options: Any) -> Explanation:
    client = build(SyncDynamicLLMClient, FakeProvider([]), registry, options)
    return client.explain(**{"prompt": "Hello"} | options)


def async_explain(registry: Any, **options: Any) -> Explanation:
    client = build(DynamicLLMClient, FakeProvider([]), registry, options)
    return asyncio.run(client.explain(**{"prompt": "Hello"} | options))


both = pytest.mark.parametrize("explain", [sync_explain, async_explain])


@both
def test_candidates_come_in_order_with_the_reason_for_each_refusal(explain: Any) -> None:
    broken = entry(4, "broken", price=0.5, unusable="its key cannot be decrypted")
    told = explain([DEAR, broken, MIDDLE, CHEAP], breaker=Cautious(cheap=9))

    assert [(one.llm.id, one.refused) for one in told.candidates] == [
        (1, "cooling after 429"),
        (4, "'Broken' cannot be used: its key cannot be decrypted"),
        (2, None),
        (3, None),
    ]
    assert told.llm == MIDDLE.without_key()
    assert all(one.llm.api_key is None for one in told.candidates)


@both
def test_the_worst_case_is_a_token_a_byte_and_all_output_allowed(explain: Any) -> None:
    told = explain(entry(1, "a", price=1, cost_per_1k_output=2), prompt="x" * 1000, max_tokens=500)

    worst = told.candidates[0].worst_case_cost
    assert worst is not None
    assert Decimal(2) < worst < Decimal("2.2")
    assert explain(entry(1, "a", cost_per_1k_output=None)).candidates[0].worst_case_cost is None


@both
def test_nobody_is_chosen_where_nobody_could_be_asked(explain: Any) -> None:
    assert explain([]) == Explanation((), None)
    assert explain([CHEAP, DEAR], breaker=Cautious(cheap=9, dear=3)).llm == DEAR.without_key()
    with pytest.raises(LLMNotFoundError):
        explain([CHEAP], llm_id=9)
    with pytest.raises(MissingAPIKeyError):
        explain([entry(1, "keyless", api_key=None)], llm_id=1)
    with pytest.raises(InvalidRequestError):
        explain([CHEAP], prompt="")


@every_face
@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("supports_images", {"prompt": None, "messages": PICTURE}),
        ("supports_tools", {"tools": [TOOL]}),
        ("supports_json_schema", {"response_format": SCHEMA}),
    ],
)
def test_an_llm_known_not_to_serve_a_need_is_passed_by(ask: Ask, field: str, options: dict[str, Any]) -> None:
    plain, able = entry(1, "cheap", **{field: False}), entry(3, "dear", **{field: True})

    assert ask(FakeProvider("Hi"), [plain, able]).llm.id == 1
    assert ask(FakeProvider("Hi"), [plain, able], **options).llm.id == 3
    assert ask(FakeProvider("Hi"), [CHEAP, able], **options).llm.id == 1
    provider = FakeProvider([])
    for target in ({}, {"llm_id": 1}):
        with pytest.raises(InvalidRequestError, match="takes no"):
            ask(provider, [plain], **options, **target)


TOO_LONG = Failure(400, code="context_length_exceeded")


@every_face
def test_a_prompt_that_does_not_fit_goes_to_llms_with_more_room_known_ones_first(ask: Ask) -> None:
    entries = [
        entry(1, "cheap", context_window=8_000),
        entry(2, "small", context_window=4_000),
        entry(3, "unknown"),
        entry(4, "roomy", context_window=128_000),
    ]
    asked: list[str] = []

    def answer(request: Any) -> Any:
        asked.append(request.model)
        return "Hi" if request.model == "unknown" else TOO_LONG

    assert ask(FakeProvider(answer), entries).llm.id == 3
    assert asked == ["cheap", "roomy", "unknown"]


@every_face
def test_more_room_is_looked_for_in_other_tiers_too(ask: Ask) -> None:
    best = [
        entry(5, "tight", tier=LLMTier.PREMIUM, context_window=4_000),
        entry(6, "vague", tier=LLMTier.PREMIUM),
        entry(7, "wide", tier=LLMTier.PREMIUM, price=99, context_window=10**6),
    ]
    provider = FakeProvider({"cheap": TOO_LONG, "wide": "Hi"})

    answer = ask(provider, [entry(1, "cheap", context_window=8_000), *best], fallback_tiers=["premium"])

    assert answer.llm.id == 7


@whole_faces
def test_the_cheapest_for_this_call_counts_its_output_too(ask: Ask) -> None:
    entries = [
        entry(1, "reads-cheap", price=0.1, cost_per_1k_output=9),
        entry(2, "writes-cheap", price=1, cost_per_1k_output=1),
        entry(3, "unpriced", cost_per_1k_output=None),
    ]
    options: dict[str, Any] = {"strategy": "cheapest_for_call", "max_tokens": 1000}

    assert ask(FakeProvider("Hi"), entries, max_tokens=1000).llm.id == 1
    assert ask(FakeProvider("Hi"), entries, prompt="short", **options).llm.id == 2
    assert ask(FakeProvider("Hi"), entries, prompt="long " * 20_000, **options).llm.id == 1


prices = st.one_of(st.none(), st.integers(0, 5).map(lambda price: price / 10))
entries = st.builds(
    lambda price, output, tier, active, unusable, tools, window, cap: {
        "cost_per_1k_input": price,
        "cost_per_1k_output": output,
        "tier": tier,
        "is_active": active,
        "unusable": unusable,
        "supports_tools": tools,
        "context_window": window,
        "max_tokens": cap,
    },
    prices,
    prices,
    st.sampled_from(LLMTier),
    st.booleans(),
    st.sampled_from([None, None, "broken"]),
    st.sampled_from([None, True, False]),
    st.sampled_from([None, 4_000]),
    st.integers(1, 5000),
)


@settings(max_examples=1000, deadline=None)
@given(
    rows=st.lists(entries, max_size=6),
    tier=st.sampled_from(LLMTier),
    fallback=st.lists(st.sampled_from(LLMTier), max_size=2),
    strategy=st.sampled_from(["cheapest", "cheapest_for_call"]),
    tools=st.sampled_from([None, [TOOL]]),
    cooling=st.dictionaries(st.integers(1, 6).map(lambda number: f"m{number}"), st.integers(1, 30), max_size=4),
)
def test_explain_names_the_llm_that_generate_then_uses(
    rows: Any, tier: Any, fallback: Any, strategy: Any, tools: Any, cooling: Any
) -> None:
    registry = DictRegistry(
        LLMEntry(id=number, name=f"N{number}", provider="test", model=f"m{number}", api_endpoint="http://host", **row)
        for number, row in enumerate(rows, 1)
    )
    client = SyncDynamicLLMClient(
        registry,
        transport=FakeProvider("Hi"),
        retry=ONCE,
        fallback_tiers=fallback,
        strategy=strategy,
        breaker=Cautious(**cooling),
    )

    told = client.explain("Hello", tier=tier, tools=tools)
    try:
        used = client.generate("Hello", tier=tier, tools=tools).llm
    except CreativeServicesError:
        used = None
    assert told.llm == used
    if strategy == "cheapest_for_call" and told.candidates:
        first = [one.llm for one in told.candidates if one.llm.tier is tier]
        assert first == sorted(first, key=lambda one: by_brute_force(one, len("Hello")))


def by_brute_force(one: LLMEntry, characters: int) -> tuple[bool, Decimal]:
    parts = [(one.cost_per_1k_input, -(-characters // 4)), (one.cost_per_1k_output, one.max_tokens)]
    if any(price is None for price, _ in parts):
        return True, Decimal(0)
    return False, sum((Decimal(str(price)) * tokens / 1000 for price, tokens in parts), Decimal(0))


@whole_faces
def test_a_whole_answer_can_be_gathered_from_a_stream(ask: Ask) -> None:
    provider = FakeProvider(Reply(["Once", " upon"]))

    assert ask(provider, CHEAP, upstream="stream").text == "Once upon"
    assert provider.requests[0].json["stream"] is True


@whole_faces
def test_a_gathered_answer_that_breaks_begins_anew_by_itself(ask: Ask) -> None:
    provider = FakeProvider({"cheap": Reply(["Once"], ending="cut"), "dear": Reply(["Whole", " story"])})

    answer = ask(provider, [CHEAP, DEAR], upstream="stream")

    assert answer.text == "Whole story"
    assert [attempt.outcome for attempt in answer.attempts] == ["error", "ok"]
    whole = RawReply(
        [b'{"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]}'],
        headers={"content-type": "application/json"},
    )
    assert ask(FakeProvider(whole), CHEAP, upstream="stream").text == "Hi"


def test_options_that_are_none_are_refused() -> None:
    registry = DictRegistry([CHEAP])
    for options in ({"strategy": "dearest"}, {"upstream": "up"}, {"fallback_tiers": ["x"]}, {"default_tier": "x"}):
        with pytest.raises(ConfigurationError):
            SyncDynamicLLMClient(registry, transport=FakeProvider(), **options)  # type: ignore[arg-type]
    client: Any = SyncDynamicLLMClient(registry, transport=FakeProvider())
    with pytest.raises(InvalidRequestError, match="upstream"):
        client.generate("Hello", upstream="up")
    with pytest.raises(InvalidRequestError, match="on_interrupt"):
        client.stream("Hello", on_interrupt="panic")


def test_an_error_of_the_only_llm_is_raised_when_more_room_is_nowhere() -> None:
    with pytest.raises(InvalidRequestError):
        build(SyncDynamicLLMClient, FakeProvider(TOO_LONG), CHEAP, {}).generate("Hello")
    with pytest.raises(ProviderUnavailableError):
        build(SyncDynamicLLMClient, FakeProvider(Failure(503)), CHEAP, {}).generate("Hello")
