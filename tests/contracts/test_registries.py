"""One suite of promises over every registry that knows no Django."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from creative_services.core.llm_registry import DictRegistry, LLMEntry, LLMTier, rank
from creative_services.testing.contracts import RegistryContract

if TYPE_CHECKING:
    from collections.abc import Sequence


class ThreeMethods:
    """The least that a custom registry has, written as SPEC.rst shows it."""

    def __init__(self, entries: Sequence[LLMEntry]) -> None:
        self._entries = list(entries)

    def get_by_id(self, llm_id: int) -> LLMEntry | None:
        return next((e for e in self._entries if e.id == llm_id and e.is_active), None)

    def get_by_tier(self, tier: LLMTier) -> LLMEntry | None:
        matching = [e for e in self._entries if e.tier == tier and e.is_active]
        return rank(matching)[0] if matching else None

    def list_active(self) -> list[LLMEntry]:
        return [e for e in self._entries if e.is_active]


class TestDictRegistry(RegistryContract):
    def make(self, entries):
        return DictRegistry(entries)


class TestThreeMethods(RegistryContract):
    def make(self, entries):
        return ThreeMethods(entries)


def _dearest_first(entries):
    return rank(entries)[::-1]


class ServesTheDearest(ThreeMethods):
    def get_by_tier(self, tier):
        return next(iter(_dearest_first(e for e in self._entries if e.tier == tier)), None)


class FindsInactive(ThreeMethods):
    def get_by_id(self, llm_id):
        return next((e for e in self._entries if e.id == llm_id), None)


class RaisesForUnknown(ThreeMethods):
    def get_by_id(self, llm_id):
        return {e.id: e for e in self._entries}[llm_id]


class HasAnotherTwin(ThreeMethods):
    async def aget_by_tier(self, tier):
        return None


class RanksOtherwise(ThreeMethods):
    def candidates(self, tier):
        return _dearest_first(e for e in self._entries if e.tier == tier)


class ListsInactive(ThreeMethods):
    def list_active(self):
        return self._entries


class LacksAMethod:
    def get_by_id(self, llm_id):
        return None


@pytest.mark.parametrize(
    "broken",
    [ServesTheDearest, FindsInactive, RaisesForUnknown, HasAnotherTwin, RanksOtherwise, ListsInactive],
)
def test_the_suite_finds_a_registry_that_breaks_a_promise(broken):
    assert _failures(broken)


def test_the_suite_finds_a_registry_that_lacks_a_method():
    assert "test_it_has_the_documented_methods" in _failures(lambda entries: LacksAMethod())


def test_the_suite_finds_no_fault_in_a_registry_that_keeps_every_promise():
    assert _failures(ThreeMethods) == set()


def test_the_suite_says_what_to_write_when_make_is_missing():
    with pytest.raises(NotImplementedError, match="Write `make"):
        RegistryContract().make([])


def _failures(make):
    class Suite(RegistryContract):
        def make(self, entries):
            return make(entries)

    suite, failed = Suite(), set()
    for name in [name for name in dir(suite) if name.startswith("test_")]:
        try:
            getattr(suite, name)()
        except Exception:  # any failure counts, whatever the broken registry raises
            failed.add(name)
    return failed
