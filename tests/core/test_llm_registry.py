"""Selection by tier, and the warning of retired models."""

from __future__ import annotations

import asyncio
import logging
import threading
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creative_services.core.errors import ConfigurationError
from creative_services.core.llm_registry import DictRegistry, LLMEntry, LLMTier, RetirementLog, rank


def entry(llm_id, cost_in=0.001, cost_out=0.001, *, tier=LLMTier.STANDARD, **values):
    return LLMEntry(
        id=llm_id,
        name=f"LLM {llm_id}",
        provider="openai",
        model=values.pop("model", f"m{llm_id}"),
        tier=tier,
        cost_per_1k_input=cost_in,
        cost_per_1k_output=cost_out,
        **values,
    )


def ids(entries):
    return [each.id for each in entries]


prices = st.none() | st.sampled_from([0.0, 0.001, 0.002]) | st.floats(0, 1e6)
entries = st.lists(st.builds(lambda i, o, a: (i, o, a), prices, prices, st.booleans()), max_size=12).map(
    lambda rows: [entry(number, i, o, is_active=active) for number, (i, o, active) in enumerate(rows, 1)]
)


@given(entries)
def test_rank_orders_by_input_then_output_then_the_order_given_and_unknown_comes_last(given_entries):
    ranked = rank(given_entries)
    assert sorted(ids(ranked)) == [each.id for each in given_entries if each.is_active]
    for cheaper, dearer in pairwise(ranked):
        left = (cheaper.cost_per_1k_input, cheaper.cost_per_1k_output)
        right = (dearer.cost_per_1k_input, dearer.cost_per_1k_output)
        if left == right:
            assert cheaper.id < dearer.id
        elif left[0] == right[0]:
            assert right[1] is None or (left[1] is not None and left[1] < right[1])
        else:
            assert right[0] is None or (left[0] is not None and left[0] < right[0])


@given(entries)
def test_a_tier_is_served_by_the_first_of_rank(given_entries):
    registry = DictRegistry(given_entries)
    ranked = rank(given_entries)
    assert registry.get_by_tier(LLMTier.STANDARD) == (ranked[0] if ranked else None)
    assert list(registry.candidates(LLMTier.STANDARD)) == ranked


def test_a_tier_may_be_given_as_its_plain_name():
    registry = DictRegistry([entry(1)])
    assert registry.get_by_tier("standard").id == 1
    assert ids(registry.candidates("standard")) == [1]
    assert registry.get_by_tier("no such tier") is None


def test_two_entries_with_one_id_are_refused_by_name():
    with pytest.raises(ConfigurationError, match=r"'LLM 1' and 'Twin'.*id 1"):
        DictRegistry([entry(1), LLMEntry(1, "Twin", "openai", "m", LLMTier.LOCAL, is_active=False)])


def test_active_entries_are_listed_in_the_order_they_were_given_by_whatever_means():
    assert ids(DictRegistry(entry(number) for number in (3, 1)).list_active()) == [3, 1]


def test_an_unusable_entry_is_passed_by_but_stays_a_candidate():
    registry = DictRegistry([entry(1, 0.0, unusable="its key cannot be decrypted"), entry(2)])
    assert registry.get_by_tier(LLMTier.STANDARD).id == 2
    assert ids(registry.candidates(LLMTier.STANDARD)) == ids(registry.list_active()) == [1, 2]
    assert registry.get_by_id(1).unusable
    assert DictRegistry([entry(1, unusable="no key")]).get_by_tier(LLMTier.STANDARD) is None


def test_the_twins_answer_without_leaving_the_loops_thread():
    registry = DictRegistry([entry(1), entry(2)])

    async def ask():
        before = threading.active_count()
        found = (
            await registry.aget_by_id(2),
            await registry.aget_by_tier(LLMTier.STANDARD),
            await registry.alist_active(),
            list(await registry.acandidates(LLMTier.STANDARD)),
        )
        return found, threading.active_count() - before

    (by_id, by_tier, active, candidates), threads = asyncio.run(ask())
    assert (by_id.id, by_tier.id, ids(active), ids(candidates), threads) == (2, 1, [1, 2], [1, 2], 0)


def retired_warnings(caplog):
    return [
        r.getMessage() for r in caplog.records if r.name.startswith("creative_services") and "retired" in r.getMessage()
    ]


def test_a_retired_model_is_warned_of_once_with_date_and_successor(caplog):
    registry = DictRegistry.from_env({"ANTHROPIC_API_KEY": "sk-hunter2"})
    with caplog.at_level(logging.WARNING, "creative_services"):
        for _ in range(3):
            registry.get_by_tier(LLMTier.ECONOMY)
            registry.get_by_id(4)
            list(registry.candidates(LLMTier.ECONOMY))
    (message,) = retired_warnings(caplog)
    for part in ("claude-3-haiku-20240307", "2026-04-20", "claude-haiku-4-5-20251001", "Claude 3 Haiku"):
        assert part in message
    assert "hunter2" not in message


def test_each_retired_model_is_warned_of_when_it_is_used_and_not_before(caplog):
    registry = DictRegistry.from_env({"ANTHROPIC_API_KEY": "k", "OPENAI_API_KEY": "k", "GROQ_API_KEY": "k"})
    with caplog.at_level(logging.WARNING, "creative_services"):
        registry.list_active()
        assert retired_warnings(caplog) == []
        candidates = registry.candidates(LLMTier.ECONOMY)
        next(candidates)
        assert len(retired_warnings(caplog)) == 1
        list(candidates)
    assert len(retired_warnings(caplog)) == 3


def test_a_model_that_ends_only_later_is_no_cause_for_a_warning(caplog):
    log, llm = RetirementLog(), entry(1, model="gpt-4o")
    with caplog.at_level(logging.WARNING, "creative_services"):
        log.note(llm, date(2027, 1, 13))
        log.note(entry(2, model="gpt-6-luna"), date(2027, 1, 14))
        assert retired_warnings(caplog) == []
        log.note(llm, date(2027, 1, 14))
    assert len(retired_warnings(caplog)) == 1


def test_many_threads_warn_once(caplog):
    registry = DictRegistry([entry(1, model="gpt-3.5-turbo")])
    with caplog.at_level(logging.WARNING, "creative_services"):
        threads = [threading.Thread(target=registry.get_by_id, args=(1,)) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(retired_warnings(caplog)) == 1
