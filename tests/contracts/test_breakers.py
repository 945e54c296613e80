"""One suite of promises over the breaker of a process."""

from __future__ import annotations

from dataclasses import replace

import pytest

from creative_services.core.errors import AuthenticationError
from creative_services.core.memory_breaker import MOST_LLMS, InMemoryBreaker
from creative_services.core.types import Attempt
from creative_services.testing.breaker_story import DOWN, LLM
from creative_services.testing.contracts import BreakerContract
from tests.contracts.breakers import OverviewContract


class TestInMemoryBreaker(OverviewContract):
    def make(self, clock):
        return InMemoryBreaker(clock=clock)


class TestInMemoryBreakerAwaited(TestInMemoryBreaker):
    awaited = True


def test_so_many_llms_are_remembered_and_no_more():
    breaker = InMemoryBreaker()
    for llm_id in range(1, MOST_LLMS + 2):
        breaker.report(replace(LLM, id=llm_id), Attempt(llm_id, LLM.name, "error", AuthenticationError("No.")))

    assert breaker.admit(replace(LLM, id=1)) is None
    assert breaker.admit(replace(LLM, id=2)) is not None
    assert breaker.admit(replace(LLM, id=MOST_LLMS + 1)) is not None


class NeverOpens(InMemoryBreaker):
    def admit(self, entry):
        return None


class NeverCloses(InMemoryBreaker):
    def report(self, entry, attempt):
        if attempt.outcome != "ok":
            super().report(entry, attempt)


class CountsEverything(InMemoryBreaker):
    def report(self, entry, attempt):
        counted = attempt if attempt.outcome == "ok" else Attempt(entry.id, entry.name, "error", DOWN)
        super().report(entry, counted)


class LetsEverybodyProbe(InMemoryBreaker):
    def admit(self, entry):
        return self.cooling(entry)


class KnowsTheIdOnly(InMemoryBreaker):
    def admit(self, entry):
        return super().admit(replace(LLM, id=entry.id))


class TakesAPlaceByLooking(InMemoryBreaker):
    def cooling(self, entry):
        return self.admit(entry)


@pytest.mark.parametrize(
    "broken", [NeverOpens, NeverCloses, CountsEverything, LetsEverybodyProbe, KnowsTheIdOnly, TakesAPlaceByLooking]
)
def test_the_suite_finds_a_breaker_that_breaks_a_promise(broken):
    assert _failures(broken)


def test_the_suite_finds_no_fault_in_a_breaker_that_keeps_every_promise():
    assert _failures(InMemoryBreaker) == set()


def test_the_suite_says_what_to_write_when_make_is_missing():
    with pytest.raises(NotImplementedError, match="Write `make"):
        BreakerContract().begin()


def _failures(kind):
    class Suite(BreakerContract):
        def make(self, clock):
            return kind(clock=clock)

    failed = set()
    for name in [name for name in dir(Suite) if name.startswith("test_")]:
        try:
            getattr(Suite(), name)()
        except AssertionError:
            failed.add(name)
    return failed
