"""What a ledger refuses is not asked: the next LLM is, and if nobody can be, the caller learns why."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from creative_services import (
    Attempt,
    BudgetExceededError,
    Caller,
    CreativeServicesError,
    InvalidRequestError,
    LimitExceededError,
    LLMEntry,
    LLMResponse,
    NoLLMAvailableError,
    ProviderUnavailableError,
    Retry,
)
from creative_services.core.ledger import PlannedAttempt
from creative_services.core.memory_breaker import InMemoryBreaker
from creative_services.testing import Failure, FakeProvider
from tests.core.asking import entry, every_face, sync_whole
from tests.core.test_explain import async_explain, sync_explain

Ask = Callable[..., LLMResponse]
CHEAP, DEAR = entry(1, "cheap"), entry(2, "dear")


class Strict:
    """A ledger that refuses what `refuse` says."""

    stores_text = True

    def __init__(self, refuse: Callable[[PlannedAttempt], CreativeServicesError | None]) -> None:
        self._refuse = refuse
        self.planned: list[PlannedAttempt] = []
        self.settled: list[Attempt] = []

    def reserve(self, planned: PlannedAttempt) -> None:
        refused = self._refuse(planned)
        if refused is not None:
            raise refused
        self.planned.append(planned)

    def refusal(self, planned: PlannedAttempt) -> CreativeServicesError | None:
        return self._refuse(planned)

    def settle(self, reservation: None, attempt: Attempt) -> None:
        self.settled.append(attempt)


def refusing(model: str, error: CreativeServicesError) -> Strict:
    return Strict(lambda planned: error if planned.entry.model == model else None)


OVER = BudgetExceededError("The budget 'All' is used up.", budget="All")
BUSY = LimitExceededError("'Cheap' takes 60 requests per minute.", retry_after=12.0)


@every_face
@pytest.mark.parametrize("error", [OVER, BUSY])
def test_the_next_llm_is_asked_and_the_ledger_is_told_who_was_passed_by(ask: Ask, error: CreativeServicesError) -> None:
    ledger = refusing("cheap", error)
    response = ask(FakeProvider({"dear": "Hi"}), [CHEAP, DEAR], ledger=ledger)
    assert response.llm.name == "Dear"
    assert [one.llm_name for one in response.attempts] == ["Dear"]
    assert [(one.llm_name, one.reason) for one in ledger.planned[0].refusals] == [("Cheap", str(error))]


@every_face
def test_a_budget_that_covers_nobody_is_the_calls_error(ask: Ask) -> None:
    provider = FakeProvider({"cheap": "Hi", "dear": "Hi"})
    with pytest.raises(BudgetExceededError, match="All") as caught:
        ask(provider, [CHEAP, DEAR], ledger=Strict(lambda planned: OVER))
    assert not provider.requests
    assert caught.value.request_id


@every_face
def test_llms_at_their_limit_are_no_llm_to_ask(ask: Ask) -> None:
    with pytest.raises(NoLLMAvailableError, match="60 requests per minute"):
        ask(FakeProvider({}), [CHEAP], ledger=Strict(lambda planned: BUSY))


@every_face
@pytest.mark.parametrize("error", [OVER, BUSY])
def test_an_llm_named_by_id_gives_the_ledgers_own_error(ask: Ask, error: CreativeServicesError) -> None:
    with pytest.raises(type(error)):
        ask(FakeProvider({}), [CHEAP, DEAR], ledger=refusing("cheap", error), llm_id=1)


@every_face
def test_the_callers_own_limit_ends_the_call(ask: Ask) -> None:
    error = LimitExceededError("You may make 2 calls at once.", retry_after=1.0, is_callers=True)
    provider = FakeProvider({"dear": "Hi"})
    with pytest.raises(LimitExceededError, match="2 calls at once"):
        ask(provider, [CHEAP, DEAR], ledger=refusing("cheap", error))
    assert not provider.requests


@every_face
def test_a_retry_that_is_not_paid_for_leaves_the_first_failure_as_the_error(ask: Ask) -> None:
    seen: list[int] = []

    def second_time(planned: PlannedAttempt) -> CreativeServicesError | None:
        seen.append(planned.number)
        return OVER if len(seen) > 1 else None

    provider = FakeProvider({"cheap": Failure(503)})
    with pytest.raises(ProviderUnavailableError) as caught:
        ask(provider, [CHEAP], ledger=Strict(second_time), retry=Retry(max_retries=2))
    assert seen == [1, 2]
    assert len(caught.value.attempts) == len(provider.requests) == 1


@every_face
def test_a_breakers_probe_that_was_not_made_leaves_its_place_to_another_call(ask: Ask) -> None:
    now = [0.0]
    breaker = InMemoryBreaker(clock=lambda: now[0])
    provider = FakeProvider({"cheap": [Failure(401), "Well again"]})
    with pytest.raises(CreativeServicesError):
        ask(provider, [CHEAP], breaker=breaker)
    now[0] = 60.0
    with pytest.raises(BudgetExceededError):
        ask(provider, [CHEAP], breaker=breaker, ledger=Strict(lambda planned: OVER))
    assert breaker.cooling(CHEAP) is None
    assert breaker.admit(CHEAP) is None


@every_face
def test_max_tokens_fit_the_budget_where_the_caller_allows_it(ask: Ask) -> None:
    def up_to_a_dollar(planned: PlannedAttempt) -> CreativeServicesError | None:
        assert planned.worst_case is not None
        if planned.worst_case <= 1:
            return None
        return BudgetExceededError("Too dear.", budget="All", available=Decimal(1))

    tight = entry(1, "cheap", 0.0001)
    provider = FakeProvider({"cheap": "Hi"})
    with pytest.raises(BudgetExceededError):
        ask(provider, tight, ledger=Strict(up_to_a_dollar), max_tokens=100_000)
    ledger = Strict(up_to_a_dollar)
    ask(provider, tight, ledger=ledger, max_tokens=100_000, fit_budget=True)
    (planned,) = ledger.planned
    assert planned.output_tokens < 5000
    assert planned.worst_case is not None
    assert Decimal("0.999") < planned.worst_case <= 1
    assert provider.requests[-1].json["max_tokens"] == planned.output_tokens


@every_face
@pytest.mark.parametrize("available", [None, Decimal("0.000001"), Decimal(1000)])
def test_what_does_not_fit_in_any_length_is_refused(ask: Ask, available: Decimal | None) -> None:
    error = BudgetExceededError("Too dear.", budget="All", available=available)
    with pytest.raises(BudgetExceededError):
        ask(FakeProvider({}), CHEAP, ledger=Strict(lambda planned: error), fit_budget=True)


def test_an_unpriced_answer_cannot_be_fitted() -> None:
    error = BudgetExceededError("Unpriced.", budget="All", available=Decimal(1))
    unpriced = LLMEntry(1, "Cheap", "openai", "cheap", CHEAP.tier, api_key="sk-1")
    with pytest.raises(BudgetExceededError):
        sync_whole(FakeProvider({}), unpriced, ledger=Strict(lambda planned: error), fit_budget=True)


@every_face
def test_the_ledger_learns_who_asks_for_what_and_may_have_the_text(ask: Ask) -> None:
    ledger = Strict(lambda planned: None)
    caller = Caller("nightly", user_id=7, machine_key_id=3, source="task")
    ask(FakeProvider({"cheap": "Hi"}), CHEAP, ledger=ledger, caller=caller, tier="standard", max_tokens=50)
    (planned,) = ledger.planned
    assert planned.caller == caller
    assert planned.tier is CHEAP.tier
    assert planned.output_tokens == 50
    assert 0 < planned.seconds <= 120
    (attempt,) = ledger.settled
    assert attempt.text == "Hi"
    assert attempt.finish_reason == "stop"


def test_a_caller_is_text_or_a_caller() -> None:
    with pytest.raises(InvalidRequestError, match="caller"):
        sync_whole(FakeProvider({}), CHEAP, caller=7)


@pytest.mark.parametrize("explain", [sync_explain, async_explain])
def test_a_dry_run_says_what_the_ledger_would_refuse(explain: Any) -> None:
    told = explain([CHEAP, DEAR], ledger=refusing("cheap", OVER))
    assert [candidate.refused for candidate in told.candidates] == [str(OVER), None]
    assert told.llm is not None
    assert told.llm.name == "Dear"
