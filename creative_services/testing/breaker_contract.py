"""What every breaker promises, as tests. Subclass, say how yours is made, and let pytest collect it.

class TestMyBreaker(BreakerContract):
    def make(self, clock):
        return MyBreaker(clock=clock)

class TestMyBreakerAwaited(TestMyBreaker):
    awaited = True
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from creative_services.core.errors import (
    AuthenticationError,
    BudgetExceededError,
    ConfigurationError,
    ContentFilterError,
    ContextLengthError,
    DeadlineExceededError,
    InvalidRequestError,
    MalformedResponseError,
    ModelNotFoundError,
    ProviderConnectionError,
    ProviderTimeoutError,
    RateLimitError,
)
from creative_services.testing.breaker_story import DOWN, LLM, BreakerStory


class BreakerContract(BreakerStory):
    """The tests that any `Breaker` passes which keeps the rules of this package."""

    def test_an_llm_that_nothing_is_known_of_may_be_asked(self) -> None:
        self.begin()
        assert self.cooling() is None
        assert self.admit() is None

    def test_two_failures_in_a_row_are_borne(self) -> None:
        self.begin()
        self.fail(times=2)
        assert self.admit() is None

    def test_after_three_failures_in_a_row_it_is_left_alone_for_ten_seconds_and_the_cause_is_said(self) -> None:
        self.begin()
        self.fail(times=3)
        self.elapse(3)
        for refusal in (self.cooling(), self.admit()):
            assert refusal is not None
            assert refusal.seconds == 7
            assert "7 s" in refusal.reason
            assert "503" in refusal.reason

    def test_a_success_in_between_lets_the_count_begin_anew(self) -> None:
        self.begin()
        for _ in range(3):
            self.fail(times=2)
            self.admit()
            self.succeed()
        assert self.admit() is None

    def test_every_failure_of_the_provider_counts(self) -> None:
        self.begin()
        errors = (ProviderConnectionError, ProviderTimeoutError, MalformedResponseError, RateLimitError)
        for llm_id, error in enumerate(errors, 10):
            entry = replace(LLM, id=llm_id)
            self.fail(error("No."), times=3, entry=entry)
            assert self.admit(entry) is not None, error

    def test_what_is_the_callers_or_the_requests_matter_does_not_count(self) -> None:
        self.begin()
        for error in (InvalidRequestError, ContextLengthError, ContentFilterError, ConfigurationError):
            self.fail(error("No."), times=9)
        self.fail(BudgetExceededError("No."), times=9)
        for _ in range(9):
            self.report("cancelled")
        assert self.admit() is None

    def test_a_refused_key_or_model_is_enough_at_once(self) -> None:
        self.begin()
        for llm_id, error in enumerate((AuthenticationError, ModelNotFoundError), 10):
            entry = replace(LLM, id=llm_id)
            self.fail(error("No."), entry=entry)
            assert self.left(entry) == 10

    def test_a_provider_that_says_how_long_is_left_alone_until_then(self) -> None:
        self.begin()
        self.fail(RateLimitError("Busy.", status_code=429, retry_after=45))
        refusal = self.cooling()
        assert refusal is not None
        assert "429" in refusal.reason
        assert self.left() == 45
        self.elapse(45)
        assert self.admit() is None

    def test_nobody_waits_longer_than_an_hour_whatever_the_provider_says(self) -> None:
        self.begin()
        self.fail(RateLimitError("Busy.", retry_after=1e9))
        assert self.left() == 3600

    def test_a_call_that_ran_out_of_its_own_time_counts_if_the_provider_was_silent_for_ten_seconds(self) -> None:
        self.begin()
        late = DeadlineExceededError("Late.")
        for _ in range(3):
            self.report("error", late, latency=9.9)
            self.report("error", late, latency=60, status=200)
        assert self.admit() is None
        for _ in range(3):
            self.report("error", late, latency=10)
        assert self.admit() is not None

    def test_when_it_has_cooled_one_call_is_the_probe_and_the_others_wait_for_its_result(self) -> None:
        self.begin()
        self.fail(times=3)
        self.elapse(10)
        assert self.cooling() is None
        assert self.cooling() is None
        assert self.admit() is None
        for refusal in (self.cooling(), self.admit()):
            assert refusal is not None
            assert refusal.seconds == 0
            assert "503" in refusal.reason

    def test_of_many_threads_one_becomes_the_probe(self) -> None:
        self.begin()
        self.fail(times=3)
        self.elapse(10)
        with ThreadPoolExecutor(8) as threads:
            refusals = list(threads.map(lambda _: self.admit(), range(8)))
        assert refusals.count(None) == 1

    def test_a_failed_probe_doubles_the_time_up_to_thirty_seconds(self) -> None:
        self.begin()
        self.fail(times=3)
        for seconds in (10, 20, 30, 30):
            assert self.left() == seconds
            self.elapse(seconds)
            assert self.admit() is None
            self.fail()

    def test_a_probe_that_succeeds_ends_it_and_the_next_time_begins_with_ten_seconds(self) -> None:
        self.begin()
        self.fail(times=3)
        self.elapse(10)
        self.admit()
        self.fail()
        self.elapse(20)
        self.admit()
        self.succeed()
        assert self.admit() is None
        self.fail(times=2)
        assert self.admit() is None
        self.fail()
        assert self.left() == 10

    def test_a_probe_that_found_nothing_out_gives_its_place_back(self) -> None:
        self.begin()
        self.fail(times=3)
        self.elapse(10)
        for outcome, error in (("cancelled", None), ("error", InvalidRequestError("No."))):
            assert self.admit() is None
            assert self.admit() is not None
            self.elapse(2)
            self.report(outcome, error, latency=2)  # type: ignore[arg-type]  # both are outcomes
        assert self.admit() is None

    def test_another_call_that_is_cancelled_does_not_free_the_probes_place(self) -> None:
        self.begin()
        self.fail(times=3)
        self.elapse(10)
        self.admit()
        self.elapse(1)
        self.report("cancelled", latency=15)
        assert self.admit() is not None

    def test_a_probe_that_is_never_heard_of_again_blocks_for_thirty_seconds(self) -> None:
        self.begin()
        self.fail(times=3)
        self.elapse(10)
        self.admit()
        self.elapse(29)
        assert self.admit() is not None
        self.elapse(2)
        assert self.admit() is None
        assert self.admit() is not None

    def test_failures_while_it_cools_do_not_lengthen_it(self) -> None:
        self.begin()
        self.fail(times=3)
        self.elapse(4)
        self.fail(times=5)
        assert self.left() == 6

    def test_only_a_provider_that_asks_for_more_time_gets_it(self) -> None:
        self.begin()
        self.fail(RateLimitError("Busy.", retry_after=20))
        for asked, seconds in ((5, 20), (40, 40)):
            self.fail(RateLimitError("Busy.", retry_after=asked))
            assert self.left() == seconds

    def test_a_success_while_it_cools_ends_it_if_it_began_since(self) -> None:
        self.begin()
        self.fail(times=3)
        self.admit()
        self.elapse(5)
        self.report("ok", latency=6)
        assert self.admit() is not None
        self.report("ok", latency=4)
        assert self.admit() is None

    def test_a_late_failure_of_a_call_from_before_is_no_failed_probe(self) -> None:
        self.begin()
        self.fail(times=3)
        self.elapse(12)
        self.report("error", DOWN, latency=15)
        assert self.admit() is None

    def test_an_edited_entry_begins_anew(self) -> None:
        self.begin()
        self.fail(times=3)
        edits: tuple[dict[str, Any], ...] = (
            {"name": "Other"},
            {"cost_per_1k_input": 9.0},
            {"max_tokens": 5},
            {"extra_params": {"seed": 1}},
            {"id": 2},
            {"provider": "groq"},
            {"model": "model-2"},
            {"api_endpoint": "https://llm.example.com/v1"},
            {"wire": "openai_responses"},
            {"api_key": "sk-contract-2"},
            {"api_key": None},
        )
        for edit in edits:
            assert self.admit(replace(LLM, **edit)) is None, edit
