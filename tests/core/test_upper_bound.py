"""The most that a call may bill: what explain() says, and what a ledger is asked to reserve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creative_services import BudgetExceededError, DictRegistry, SyncDynamicLLMClient, Usage
from creative_services.core.ledger import PlannedAttempt
from creative_services.core.pricing import cost
from creative_services.testing import FakeProvider, RawReply, Reply

from .asking import ONCE, entry

PRICED = {"price": 1, "cost_per_1k_output": 2}
PICTURE = "data:image/png;base64," + "iVBO" * 100
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
CACHED = [{"role": "user", "content": [{"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}]}]
HOUR = {"type": "ephemeral", "ttl": "1h"}
CACHED_LONG = [{"role": "user", "content": [{"type": "text", "text": "Hi", "cache_control": HOUR}]}]


class Notes:
    """A ledger that notes what it is asked to reserve."""

    def __init__(self) -> None:
        self.planned: list[PlannedAttempt] = []

    def reserve(self, planned: PlannedAttempt) -> None:
        self.planned.append(planned)

    def settle(self, reservation: Any, attempt: Any) -> None:
        pass


def plan(llm: Any = None, **call: Any) -> PlannedAttempt:
    """What the ledger is told of this call, which is what a dry run says."""
    ledger, llm = Notes(), llm or entry(1, "a", **PRICED)
    client = SyncDynamicLLMClient(
        DictRegistry([llm]), transport=FakeProvider({llm.model: Reply("Hi")}), retry=ONCE, ledger=ledger
    )
    asked = {} if "messages" in call else {"prompt": "Hello"}
    (candidate,) = client.explain(**asked | call).candidates
    client.generate(**asked | call)
    (planned,) = ledger.planned
    assert planned.worst_case == candidate.worst_case_cost
    return planned


def pictures(url: str) -> list[Mapping[str, Any]]:
    return [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]


def test_text_is_a_token_a_byte_and_the_answer_all_that_is_allowed() -> None:
    planned = plan(prompt="ä" * 500, max_tokens=100)

    assert 1000 < planned.input_tokens < 1200
    assert planned.output_tokens == 100
    assert planned.worst_case == Decimal(planned.input_tokens + 2 * 100) / 1000
    assert planned.unbounded is None


def test_without_a_limit_of_the_call_the_llms_own_counts() -> None:
    assert plan(entry(1, "a", max_tokens=77)).output_tokens == 77


def test_an_unpriced_llm_has_a_bound_of_tokens_and_none_of_dollars() -> None:
    planned = plan(entry(1, "a", cost_per_1k_output=None))

    assert planned.input_tokens > 5
    assert (planned.worst_case, planned.unbounded) == (None, None)


@pytest.mark.parametrize(
    ("prices", "per_1k"),
    [
        ({}, "1"),
        ({"cost_per_1k_cache_read": 0.1, "cost_per_1k_cache_write": 0}, "1"),
        ({"cost_per_1k_cache_read": 0.1, "cost_per_1k_cache_write": 1.25}, "1.25"),
        ({"cost_per_1k_cache_read": 3}, "3"),
    ],
)
def test_input_is_reserved_at_the_dearest_price_that_it_may_have(prices: dict[str, float], per_1k: str) -> None:
    planned = plan(entry(1, "a", price=1, cost_per_1k_output=0, **prices))

    assert planned.worst_case == planned.input_tokens * Decimal(per_1k) / 1000


@pytest.mark.parametrize(
    ("messages", "written", "per_1k"),
    [
        (CACHED, None, "1.25"),
        (CACHED, 1.1, "1.1"),
        (CACHED_LONG, None, "2"),
        (CACHED_LONG, 1.25, "2"),
        (CACHED_LONG, 2.5, "2.5"),
        ([{"role": "user", "content": 'A text with "cache_control": in it'}], None, "1"),
    ],
)
def test_what_the_cache_shall_keep_is_reserved_at_what_keeping_costs(
    messages: Any, written: float | None, per_1k: str
) -> None:
    llm = entry(1, "a", price=1, cost_per_1k_output=0, cost_per_1k_cache_write=written, wire="anthropic_messages")

    planned = plan(llm, messages=messages)

    assert planned.worst_case == planned.input_tokens * Decimal(per_1k) / 1000


def test_tools_and_schemas_bring_instructions_of_the_provider() -> None:
    plain, tools = plan(), plan(tools=[TOOL])
    schema = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}
    formed = plan(response_format=schema)

    assert tools.input_tokens > plain.input_tokens + 1000 + 2 * 80
    assert formed.input_tokens > plain.input_tokens + 500 + 2 * 60
    assert (tools.unbounded, formed.unbounded) == (None, None)


@pytest.mark.parametrize(
    ("model", "most"),
    [
        ("claude-sonnet-5", 5_000),
        ("google/gemini-2.5-pro", 5_000),
        ("gpt-4o", 20_000),
        ("openai/o3", 20_000),
        ("gpt-4o-mini", 50_000),
        ("some-model", 50_000),
    ],
)
@pytest.mark.parametrize("size", [1, 100_000])
def test_a_picture_is_billed_by_its_size_and_not_by_its_bytes(model: str, most: int, size: int) -> None:
    url = "data:image/png;base64," + "iVBO" * size

    planned = plan(entry(1, model), messages=pictures(url))

    assert most < planned.input_tokens < most + 300
    assert planned.unbounded is None


def test_a_picture_may_be_given_as_a_plain_string() -> None:
    messages = [{"role": "user", "content": [{"type": "image_url", "image_url": PICTURE}]}]

    assert 50_000 < plan(messages=messages).input_tokens < 50_300


def test_copies_are_paid_each() -> None:
    planned = plan(extra={"n": 3}, max_tokens=10)

    assert (planned.output_tokens, planned.unbounded) == (30, None)


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens", "max_output_tokens"])
def test_a_higher_limit_among_the_parameters_counts(name: str) -> None:
    planned = plan(entry(1, "a", extra_params={name: 500}), max_tokens=10)

    assert (planned.output_tokens, planned.unbounded) == (500, None)


def test_gemini_has_limits_and_copies_among_its_options() -> None:
    options = {"candidateCount": 2, "maxOutputTokens": 50, "topK": 3}
    llm = entry(1, "gemini-9", wire="gemini", extra_params={"generationConfig": options})

    planned = plan(llm, max_tokens=10)

    assert (planned.output_tokens, planned.unbounded) == (100, None)


def test_some_models_reason_beyond_what_is_allowed() -> None:
    known, unknown = entry(1, "grok-4", context_window=256_000), entry(1, "grok-4")

    assert (plan(known).output_tokens, plan(known).unbounded) == (256_000, None)
    assert plan(unknown).unbounded == "a model that reasons beyond max_tokens, and whose context window is not known"
    assert plan(entry(1, "grok-4-1-fast-non-reasoning"), max_tokens=9).output_tokens == 9


def test_what_a_provider_is_known_to_put_before_the_prompt_counts() -> None:
    assert plan(entry(1, "x-ai/grok-3")).input_tokens > 1000 + plan().input_tokens


@pytest.mark.parametrize(
    "extra",
    [
        {"top_p": 0.5, "seed": 1, "reasoning_effort": "low"},
        {"reasoning": {"effort": "low", "max_tokens": 100}},
        {"thinking": {"type": "enabled", "budget_tokens": 1024}},
        {"n": 1, "service_tier": "default"},
    ],
)
def test_parameters_that_leave_the_bill_alone_are_known(extra: dict[str, Any]) -> None:
    assert plan(extra=extra).unbounded is None
    assert plan(entry(1, "a", extra_params=extra)).unbounded is None


def test_texts_for_vectors_have_no_output_to_bill() -> None:
    ledger, llm = Notes(), entry(1, "a", price=1, cost_per_1k_output=0)
    vectors = RawReply([b'{"data":[{"index":0,"embedding":[0.5]}],"usage":{"prompt_tokens":9}}'])
    client = SyncDynamicLLMClient(
        DictRegistry([llm]), transport=FakeProvider({"a": vectors}), retry=ONCE, ledger=ledger
    )

    client.embed("x" * 500)

    (planned,) = ledger.planned
    assert 500 < planned.input_tokens < 600
    assert planned.worst_case == Decimal(planned.input_tokens) / 1000
    assert (planned.output_tokens, planned.unbounded) == (0, None)


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ({"extra": {"service_tier": "priority"}}, "the parameter 'service_tier'"),
        ({"extra": {"top_p": 1, "best_of": 5}}, "the parameter 'best_of'"),
        ({"extra": {"n": "5"}}, "the parameter 'n'"),
        ({"extra": {"n": True}}, "the parameter 'n'"),
        ({"extra": {"n": 10**30}}, "the parameter 'n'"),
        ({"extra": {"reasoning": {"mode": "pro"}}}, "the parameter 'reasoning'"),
        ({"extra": {"reasoning": "much"}}, "the parameter 'reasoning'"),
        ({"extra": {"x" * 99: 1}}, "the parameter '" + "x" * 40 + "'"),
        ({"tools": [{"type": "web_search"}]}, "a tool that the provider runs"),
        ({"messages": pictures("https://example.com/a.png")}, "an image that the request does not hold"),
        ({"messages": pictures("data:application/pdf;base64,JVBE")}, "an image that the request does not hold"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]},
            "an image that the request does not hold",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "file-1"}}]}]},
            "a file, or content of another kind than text and images",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "UklG"}}]}]},
            "a file, or content of another kind than text and images",
        ),
    ],
)
def test_what_has_no_bound_is_named(call: dict[str, Any], why: str) -> None:
    assert plan(**call).unbounded == why


@pytest.mark.parametrize(
    ("blocks", "why"),
    [
        ([{"type": "thinking", "thinking": "Hm", "signature": "c2ln"}, {"type": "text", "text": "Yes"}], None),
        ([{"type": "server_tool_use", "id": "1"}], "a turn of a tool that the provider ran"),
        ([{"type": {"odd": 1}}], "a turn of a tool that the provider ran"),
        (["odd"], None),
        ("odd", None),
    ],
)
def test_turns_in_which_the_provider_ran_tools_have_no_bound(blocks: Any, why: str | None) -> None:
    replay = {"wire": "anthropic_messages", "blocks": blocks}
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}], "replay": replay},
        {"role": "assistant", "content": "Yes", "replay": "odd"},
        {"role": "user", "content": "And?"},
    ]

    assert plan(messages=messages).unbounded == why


@pytest.mark.parametrize(
    "model", ["compound-beta", "groq/compound", "sonar-pro", "gpt-4o-search-preview", "o3-deep-research", "a/b:online"]
)
def test_models_that_search_by_themselves_have_no_bound(model: str) -> None:
    assert plan(entry(1, model)).unbounded == "a model that searches by itself"


class Purse(Notes):
    """A ledger that lets calls pass which cost at most so much."""

    def __init__(self, dollars: Decimal) -> None:
        super().__init__()
        self.dollars = dollars

    def reserve(self, planned: PlannedAttempt) -> None:
        super().reserve(planned)
        assert planned.worst_case is not None
        if planned.worst_case > self.dollars:
            raise BudgetExceededError("Too dear.", available=self.dollars)


def fitted(llm: Any, dollars: str, **call: Any) -> list[int]:
    """The output tokens that were reserved, try by try."""
    ledger = Purse(Decimal(dollars))
    client = SyncDynamicLLMClient(
        DictRegistry([llm]), transport=FakeProvider({llm.model: Reply("Hi")}), retry=ONCE, ledger=ledger
    )
    client.generate("Hello", fit_budget=True, **call)
    return [planned.output_tokens for planned in ledger.planned]


def test_an_answer_is_shortened_to_what_a_budget_pays_for_in_all_its_copies() -> None:
    llm = entry(1, "a", price=0, cost_per_1k_output=1)

    assert fitted(llm, "0.5", max_tokens=2000) == [2000, 500]
    assert fitted(llm, "0.5", max_tokens=2000, extra={"n": 2}) == [4000, 500]


@pytest.mark.parametrize(
    "llm",
    [
        entry(1, "grok-4", price=0, cost_per_1k_output=1, context_window=9000),
        entry(1, "a", price=0, cost_per_1k_output=1, extra_params={"max_tokens": 9000}),
    ],
)
def test_what_shortening_cannot_make_cheaper_is_refused(llm: Any) -> None:
    with pytest.raises(BudgetExceededError):
        fitted(llm, "0.5", max_tokens=2000)


PRICES = st.none() | st.floats(0, 100)


@given(
    prices=st.tuples(st.floats(0, 100), st.floats(0, 100), PRICES, PRICES),
    body=st.sampled_from([CACHED, CACHED_LONG]),
    data=st.data(),
)
def test_no_usage_within_the_tokens_costs_more_than_was_reserved(prices: Any, body: Any, data: st.DataObject) -> None:
    names = ("cost_per_1k_input", "cost_per_1k_output", "cost_per_1k_cache_read", "cost_per_1k_cache_write")
    llm = replace(entry(1, "a", wire="anthropic_messages"), **dict(zip(names, prices, strict=True)))
    planned = plan(llm, messages=body)
    hour = planned.input_tokens if body is CACHED_LONG else 0
    usage = Usage(
        input_tokens=data.draw(st.integers(0, planned.input_tokens)),
        output_tokens=data.draw(st.integers(0, planned.output_tokens)),
        cache_read_tokens=data.draw(st.none() | st.integers(0, planned.input_tokens)),
        cache_write_tokens=data.draw(st.none() | st.integers(0, planned.input_tokens)),
        cache_write_1h_tokens=data.draw(st.none() | st.integers(0, hour)),
    )

    used = cost(llm, usage)

    assert used is not None
    assert planned.worst_case is not None
    assert used <= planned.worst_case
