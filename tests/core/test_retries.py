"""How often one LLM is asked, and how long a call may take. Driven by hand where real waiting would be needed."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from creative_services import (
    DeadlineExceededError,
    DictRegistry,
    DynamicLLMClient,
    Limits,
    LLMEntry,
    LLMResponse,
    LLMTier,
    ProviderError,
    ProviderTimeoutError,
    ProviderUnavailableError,
    RateLimitError,
    Retry,
)
from creative_services.core.call import Call, Services
from creative_services.core.flow import CallFlow
from creative_services.core.request import LLMRequest, Target
from creative_services.core.steps import Ask as AskStep
from creative_services.core.steps import Begin, Close, Open, Read, Sleep
from creative_services.core.work import Answering
from creative_services.testing import Failure, FakeProvider, Reply
from tests.core.asking import Ask, entry, every_face, streamed_faces, whole_faces

CHEAP, DEAR = entry(1, "cheap"), entry(3, "dear")


class ByHand:
    """Drives a flow without any I/O or waiting: time passes only where a step says so."""

    def __init__(self, script: Any, entries: list[LLMEntry], *, jitter: float = 1.0) -> None:
        self.now = 1000.0
        self.slept: list[float] = []
        self.provider = FakeProvider(script)
        services = Services(DictRegistry(entries), Retry(), (), None, None, lambda: self.now, lambda: jitter)
        request = LLMRequest(messages=[{"role": "user", "content": "Hello"}])
        call = Call(Answering(request), Target(tier=LLMTier.STANDARD), Limits())
        self.flow = CallFlow(call, services).run()

    def run(self) -> LLMResponse:
        step = next(self.flow)
        try:
            while True:
                try:
                    result = self.carry_out(step)
                except ProviderError as error:
                    step = self.flow.throw(error)
                else:
                    step = self.flow.send(result)
        except StopIteration as stop:
            return stop.value

    def carry_out(self, step: Any) -> Any:
        later = time.monotonic() + 60
        match step:
            case AskStep():
                return getattr(step.owner, step.method)(*step.args)
            case Open():
                return self.provider.open(step.request)
            case Begin():
                return step.exchange.begin(later)
            case Read():
                return step.exchange.read(later)
            case Close():
                return step.exchange.close()
            case Sleep():
                self.slept.append(step.seconds)
                self.now += step.seconds
        return None


def test_a_hiccup_is_retried_with_the_same_llm_after_a_doubling_wait() -> None:
    flow = ByHand({"cheap": [Failure(500), Failure(500), "Hi"], "dear": "never"}, [CHEAP, DEAR])

    answer = flow.run()

    assert answer.llm.id == CHEAP.id
    assert flow.slept == [0.5, 1.0]
    assert [attempt.waited_seconds for attempt in answer.attempts] == [0.0, 0.5, 1.0]


def test_the_wait_is_jittered_down_to_nothing() -> None:
    flow = ByHand([Failure(500), "Hi"], [CHEAP], jitter=0.0)

    flow.run()

    assert flow.slept == [0.0]


def test_after_the_last_retry_the_next_llm_is_taken() -> None:
    flow = ByHand({"cheap": Failure(500), "dear": "Hi"}, [CHEAP, DEAR])

    answer = flow.run()

    assert [attempt.llm_id for attempt in answer.attempts] == [1, 1, 1, 3]


def test_the_provider_says_when_to_come_back() -> None:
    flow = ByHand([Failure(429, headers={"retry-after": "2"}), "Hi"], [CHEAP])

    flow.run()

    assert flow.slept == [2.0]


def test_a_wait_beyond_our_patience_hands_over_at_once() -> None:
    flow = ByHand({"cheap": Failure(429, headers={"retry-after": "30"}), "dear": "Hi"}, [CHEAP, DEAR])

    assert flow.run().llm.id == DEAR.id
    assert flow.slept == []


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_what_asking_again_cannot_mend_is_not_retried(status: int) -> None:
    flow = ByHand(Failure(status), [CHEAP])

    with pytest.raises(ProviderError):
        flow.run()
    assert len(flow.provider.requests) == 1


def test_nobody_else_is_asked_when_the_time_is_up() -> None:
    def slow_refusal(_: Any) -> Failure:
        flow.now += 1000
        return Failure(404)

    flow = ByHand({"cheap": slow_refusal, "dear": "never"}, [CHEAP, DEAR])

    with pytest.raises(DeadlineExceededError):
        flow.run()
    assert flow.provider.models == ["cheap"]


@every_face
def test_a_retry_is_made_by_both_clients(ask: Ask) -> None:
    answer = ask(FakeProvider([Failure(429, headers={"retry-after-ms": "10"}), "Hi"]), CHEAP, retry=Retry())

    assert [(attempt.outcome, attempt.waited_seconds) for attempt in answer.attempts] == [("error", 0.0), ("ok", 0.01)]


@every_face
def test_the_deadline_of_the_call_holds_while_waiting_for_an_answer(ask: Ask) -> None:
    began = time.monotonic()

    with pytest.raises(DeadlineExceededError, match=r"0\.2 s") as raised:
        ask(FakeProvider(Reply("late", delay=5)), [CHEAP, DEAR], timeout=0.2)

    assert time.monotonic() - began < 0.7
    assert [attempt.outcome for attempt in raised.value.attempts] == ["error"]


@every_face
def test_the_deadline_holds_through_retries(ask: Ask) -> None:
    with pytest.raises((DeadlineExceededError, ProviderUnavailableError)):
        ask(FakeProvider(Failure(500, delay=0.06)), CHEAP, timeout=0.2, retry=Retry(max_retries=100))


@whole_faces
def test_the_limit_per_attempt_hands_over_while_another_llm_can_take_over(ask: Ask) -> None:
    provider = FakeProvider({"cheap": Reply("late", delay=5), "dear": "Hi"})

    answer = ask(provider, [CHEAP, DEAR], limits=Limits(attempt=0.1))

    assert answer.llm.id == DEAR.id
    assert isinstance(answer.attempts[0].error, ProviderTimeoutError)
    assert provider.open_exchanges == 0


@whole_faces
def test_the_last_llm_has_all_the_time_that_is_left(ask: Ask) -> None:
    answer = ask(FakeProvider(Reply("slow", delay=0.3)), CHEAP, limits=Limits(attempt=0.1))

    assert answer.text == "slow"
    assert len(answer.attempts) == 1


@streamed_faces
def test_a_stream_of_the_last_llm_has_as_long_as_a_first_word_may_take(ask: Ask) -> None:
    slow = Reply("slow", delay=0.3)

    assert ask(FakeProvider(slow), CHEAP, limits=Limits(attempt=0.1)).text == "slow"
    with pytest.raises(ProviderTimeoutError):
        ask(FakeProvider(slow), CHEAP, limits=Limits(attempt=0.1, first_token=0.2))
    assert ask(FakeProvider({"cheap": slow, "dear": "Hi"}), [CHEAP, DEAR], limits=Limits(attempt=0.1)).text == "Hi"


@every_face
def test_a_silent_provider_is_not_asked_again_in_the_same_call(ask: Ask) -> None:
    provider = FakeProvider({"cheap": ProviderTimeoutError("silence"), "dear": "Hi"})

    answer = ask(provider, [CHEAP, DEAR], retry=Retry())

    assert [attempt.llm_id for attempt in answer.attempts] == [1, 3]


@every_face
def test_limits_of_the_client_hold_unless_the_call_has_its_own(ask: Ask) -> None:
    with pytest.raises(DeadlineExceededError):
        ask(FakeProvider(Reply("late", delay=5)), CHEAP, limits_of_client=Limits(total=0.1))

    assert ask(FakeProvider(Reply("Hi", delay=0.15)), CHEAP, limits_of_client=Limits(total=0.1), timeout=2).text == "Hi"


@every_face
def test_a_rate_limit_carries_the_providers_wait(ask: Ask) -> None:
    with pytest.raises(RateLimitError) as raised:
        ask(FakeProvider(Failure(429, headers={"retry-after": "17"})), CHEAP)

    assert raised.value.retry_after == 17
    assert raised.value.status_code == 429


def test_a_registry_that_hangs_does_not_outlast_the_call() -> None:
    class Hanging(DictRegistry):
        async def aget_by_tier(self, tier: LLMTier | str) -> LLMEntry | None:
            await asyncio.sleep(5)
            return None

    class Blocking:
        def get_by_id(self, llm_id: int) -> LLMEntry | None:
            return None

        def get_by_tier(self, tier: LLMTier) -> LLMEntry | None:
            time.sleep(1)
            return None

        def list_active(self) -> list[LLMEntry]:
            return []

    async def ask(registry: Any) -> float:
        began = time.monotonic()
        with pytest.raises(DeadlineExceededError, match="get_by_tier took longer"):
            await DynamicLLMClient(registry, transport=FakeProvider()).generate("Hello", timeout=0.1)
        return time.monotonic() - began

    for registry in (Hanging(), Blocking()):
        assert asyncio.run(ask(registry)) < 0.6


@every_face
def test_a_redirect_is_not_followed_and_not_asked_for_again(ask: Ask) -> None:
    provider = FakeProvider({"cheap": Failure(308, headers={"location": "http://elsewhere/"}), "dear": "Hi"})

    answer = ask(provider, [CHEAP, DEAR], retry=Retry())

    assert [attempt.llm_id for attempt in answer.attempts] == [1, 3]
    assert "redirects, which is not followed" in str(answer.attempts[0].error)
