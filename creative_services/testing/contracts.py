"""What every registry and every breaker promises, as tests. Subclass, say how yours is made, and let pytest collect it.

    class TestMyRegistry(RegistryContract):
        def make(self, entries):
            return MyRegistry(entries)

What only some registries have (awaited twins, `candidates`) is held to its promise where it is there. Of breakers,
see `breaker_contract`.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from creative_services.core.llm_registry import LLMEntry, LLMRegistry, LLMTier, rank
from creative_services.testing.breaker_contract import BreakerContract

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Sequence

__all__ = ["BreakerContract", "RegistryContract", "entry"]

_LOOPBACK = "http://127.0.0.1:11434/v1"


def entry(
    llm_id: int, tier: LLMTier = LLMTier.STANDARD, *, price: tuple[float | None, float | None] = (0.001, 0.002)
) -> LLMEntry:
    """A plain entry to build cases from; `price` is that of input and output."""
    local = tier is LLMTier.LOCAL
    return LLMEntry(
        id=llm_id,
        name=f"LLM {llm_id}",
        provider="ollama" if local else "openai",
        model=f"model-{llm_id}",
        tier=tier,
        api_key=None if local else f"sk-contract-{llm_id}",
        api_endpoint=_LOOPBACK if local else None,
        cost_per_1k_input=price[0],
        cost_per_1k_output=price[1],
    )


class RegistryContract:
    """The tests that any `LLMRegistry` passes."""

    def make(self, entries: Sequence[LLMEntry]) -> LLMRegistry:
        """A registry of exactly these entries, inactive ones included, each under its id."""
        raise NotImplementedError("Write `make(entries)`: it returns a registry of yours that holds these entries.")

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """The coroutine's result. Override where it must share the test's thread, as database connections do."""
        return asyncio.run(coroutine)

    def test_it_has_the_documented_methods(self) -> None:
        assert isinstance(self.make([]), LLMRegistry)

    def test_an_empty_registry_answers_none_and_an_empty_list(self) -> None:
        self.check([], tier=LLMTier.STANDARD, first=None)
        registry = self.make([])
        assert registry.get_by_id(1) is None
        assert registry.list_active() == []

    def test_an_entry_is_found_by_its_id_with_the_values_it_was_given(self) -> None:
        given = replace(entry(2, price=(0.00015, 0.0006)), max_tokens=512, temperature=None)
        found = self.make([entry(1), given]).get_by_id(2)
        assert found is not None
        for name in ("id", "name", "provider", "model", "tier", "api_key", "api_endpoint", "max_tokens", "temperature"):
            assert getattr(found, name) == getattr(given, name), name
        assert (found.cost_per_1k_input, found.cost_per_1k_output) == (0.00015, 0.0006)
        assert found.is_active

    def test_an_unknown_id_gives_none(self) -> None:
        assert self.make([entry(1)]).get_by_id(999) is None

    def test_an_inactive_entry_is_not_found_by_its_id(self) -> None:
        assert self.make([replace(entry(1), is_active=False)]).get_by_id(1) is None

    def test_a_tier_without_entries_gives_none(self) -> None:
        others = [tier for tier in LLMTier if tier is not LLMTier.LOCAL]
        self.check([entry(number, tier) for number, tier in enumerate(others, 1)], tier=LLMTier.LOCAL, first=None)

    def test_what_is_no_tier_gives_none(self) -> None:
        no_tier: Any = "luxury"
        assert self.make([entry(1)]).get_by_tier(no_tier) is None

    def test_each_tier_is_served_by_an_entry_of_its_own(self) -> None:
        registry = self.make([entry(number, tier) for number, tier in enumerate(LLMTier, 1)])
        for number, tier in enumerate(LLMTier, 1):
            assert _id(registry.get_by_tier(tier)) == number

    def test_the_cheapest_input_serves_the_tier(self) -> None:
        self.check([entry(1, price=(0.003, 0.001)), entry(2, price=(0.001, 0.009))], first=2)

    def test_equal_input_prices_are_decided_by_the_output_price(self) -> None:
        self.check([entry(1, price=(0.001, 0.003)), entry(2, price=(0.001, 0.002))], first=2)

    def test_equal_prices_are_decided_by_the_order_of_the_registry(self) -> None:
        self.check([entry(1), entry(2), entry(3)], first=1)

    def test_an_unknown_price_comes_last(self) -> None:
        self.check([entry(1, price=(None, None)), entry(2, price=(99.0, 99.0))], first=2)

    def test_an_unknown_output_price_comes_after_a_known_one(self) -> None:
        self.check([entry(1, price=(0.001, None)), entry(2, price=(0.001, 5.0))], first=2)

    def test_an_unknown_price_serves_where_there_is_no_other(self) -> None:
        self.check([entry(1, price=(None, None))], first=1)

    def test_nothing_is_a_price_and_the_lowest(self) -> None:
        self.check([entry(1, price=(0.001, 0.001)), entry(2, price=(0.0, 0.0)), entry(3, price=(None, None))], first=2)

    def test_an_inactive_entry_serves_no_tier(self) -> None:
        cheap = replace(entry(1, price=(0.0, 0.0)), is_active=False)
        self.check([cheap, entry(2)], first=2)
        self.check([cheap], first=None)

    def test_all_active_entries_are_listed_and_no_other(self) -> None:
        entries = [
            entry(1, price=(0.9, 0.9)),
            replace(entry(2), is_active=False),
            entry(3, LLMTier.PREMIUM, price=(0.5, 0.5)),
            entry(4, LLMTier.LOCAL, price=(0.0, 0.0)),
        ]
        listed = self.make(entries).list_active()
        assert isinstance(listed, list)
        assert sorted(_ids(listed)) == [1, 3, 4]

    def test_a_changed_list_of_active_entries_does_not_change_the_registry(self) -> None:
        registry = self.make([entry(1)])
        registry.list_active().clear()
        assert _ids(registry.list_active()) == [1]

    def test_candidates_are_the_tier_in_the_order_of_rank(self) -> None:
        entries = [
            entry(1, price=(None, None)),
            entry(2, price=(0.002, 0.002)),
            entry(3, LLMTier.ECONOMY, price=(0.0, 0.0)),
            replace(entry(4, price=(0.0, 0.0)), is_active=False),
            entry(5, price=(0.001, 0.002)),
        ]
        registry = self.make(entries)
        expected = [ranked.id for ranked in rank(entries) if ranked.tier is LLMTier.STANDARD]
        assert expected == [5, 2, 1]
        for answer in self.answers(registry, "candidates", LLMTier.STANDARD, optional=True):
            assert _ids(answer) == expected

    def test_the_awaited_twins_give_the_same_answers(self) -> None:
        registry = self.make([entry(1, price=(0.9, 0.9)), entry(2), replace(entry(3), is_active=False)])
        for llm_id, expected in ((1, 1), (2, 2), (3, None), (4, None)):
            assert {_id(found) for found in self.answers(registry, "get_by_id", llm_id)} == {expected}
        for answer in self.answers(registry, "list_active"):
            assert sorted(_ids(answer)) == [1, 2]

    def check(self, entries: Sequence[LLMEntry], *, tier: LLMTier = LLMTier.STANDARD, first: int | None) -> None:
        """A registry of `entries` serves the tier with the entry of this id, asked either way."""
        for answer in self.answers(self.make(entries), "get_by_tier", tier):
            assert _id(answer) == first

    def answers(self, registry: LLMRegistry, method: str, *args: Any, optional: bool = False) -> list[Any]:
        """What the method says, and its awaited twin where the registry has one."""
        plain = getattr(registry, method, None)
        assert optional or plain is not None, f"{type(registry).__name__} lacks {method}"
        twin = getattr(registry, f"a{method}", None)
        found = [] if plain is None else [plain(*args)]
        return found if twin is None else [*found, self.run(twin(*args))]


def _id(found: LLMEntry | None) -> int | None:
    return None if found is None else found.id


def _ids(found: Iterable[LLMEntry]) -> list[int]:
    return [each.id for each in found]
