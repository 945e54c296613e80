"""How many calls and tokens per minute, and calls at once, an LLM takes and a caller may make."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from creative_services import (
    Attempt,
    BudgetExceededError,
    Caller,
    DictRegistry,
    DynamicLLMClient,
    LimitExceededError,
    LLMEntry,
    NoLLMAvailableError,
    Retry,
    SyncDynamicLLMClient,
)
from creative_services.adapters.limited_ledger import LimitedLedger
from creative_services.adapters.rates import RateLimits
from creative_services.testing import Failure, FakeProvider, Reply
from tests.contracts.caches import observed
from tests.contracts.redis_server import needs_redis, redis_caches
from tests.core.asking import entry

LOCMEM = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "rates"}}
ANN, BEN = Caller(user_id=1), Caller(user_id=2)


@pytest.fixture(autouse=True)
def own_cache(settings: Any) -> Any:
    from django.core.cache import cache

    settings.CACHES = LOCMEM
    settings.CREATIVE_SERVICES = {}
    yield
    settings.CACHES = LOCMEM
    cache.clear()


def fail(method: str) -> None:
    raise OSError(f"No cache for {method}.")


def failing() -> Any:
    return observed(lambda: 0.0, fail)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000 * 60.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(clock: Clock) -> LimitedLedger:
    return LimitedLedger(None, RateLimits(clock=clock))


class Faces:
    """Both clients over the same ledger."""

    def __init__(self, ledger: Any, entries: list[LLMEntry], provider: FakeProvider) -> None:
        options: dict[str, Any] = {"transport": provider, "ledger": ledger, "retry": Retry(max_retries=0)}
        self.sync = SyncDynamicLLMClient(DictRegistry(entries), **options)
        self.other = DynamicLLMClient(DictRegistry(entries), **options)

    def whole(self, **options: Any) -> Any:
        return self.sync.generate("Hello", **options)

    def awaited(self, **options: Any) -> Any:
        return asyncio.run(self.other.generate("Hello", **options))


both = pytest.mark.parametrize("face", ["whole", "awaited"])


def asking(ledger: Any, face: str, *entries: LLMEntry, provider: FakeProvider | None = None) -> Any:
    if provider is None:
        provider = FakeProvider({one.model: "Hi" for one in entries})
    return getattr(Faces(ledger, list(entries), provider), face)


@both
def test_an_llm_beyond_its_requests_per_minute_is_passed_by_until_the_minute_is_over(
    face: str, ledger: LimitedLedger, clock: Clock
) -> None:
    ask = asking(ledger, face, entry(1, "cheap", requests_per_minute=2), entry(2, "dear"))
    assert [ask().llm.name for _ in range(3)] == ["Cheap", "Cheap", "Dear"]
    clock.now += 30
    assert ask().llm.name == "Dear"
    clock.now += 35  # of the last minute's two, 55 seconds still count
    assert ask().llm.name == "Dear"
    clock.now += 60
    assert ask().llm.name == "Cheap"


@both
def test_when_all_are_at_their_limit_the_call_says_so_and_an_llm_named_by_id_says_when(
    face: str, ledger: LimitedLedger
) -> None:
    ask = asking(ledger, face, entry(1, "cheap", requests_per_minute=1))
    ask()
    with pytest.raises(NoLLMAvailableError, match="takes at most 1 requests per minute"):
        ask()
    with pytest.raises(LimitExceededError) as caught:
        ask(llm_id=1)
    assert caught.value.retry_after == 60
    assert not caught.value.is_callers


@both
@pytest.mark.parametrize("kind", ["user", "machine_key", "caller"])
def test_a_caller_beyond_its_limit_is_told_and_others_are_served(
    face: str, kind: str, ledger: LimitedLedger, settings: Any
) -> None:
    settings.CREATIVE_SERVICES = {"RATE_LIMITS": {kind: {"requests_per_minute": 1}}}
    ask = asking(ledger, face, entry(1, "cheap"), entry(2, "dear"))
    one = Caller(name="one", user_id=1, machine_key_id=1)
    ask(caller=one)
    with pytest.raises(LimitExceededError, match="at most 1 requests per minute") as caught:
        ask(caller=one)
    assert caught.value.is_callers
    assert caught.value.retry_after == 60
    ask(caller=Caller(name="two", user_id=2, machine_key_id=2))
    ask()


@both
def test_a_retry_is_a_request_to_the_llm_but_no_further_one_of_the_callers(
    face: str, ledger: LimitedLedger, settings: Any
) -> None:
    settings.CREATIVE_SERVICES = {"RATE_LIMITS": {"user": {"requests_per_minute": 1}}}
    provider = FakeProvider({"cheap": Failure(503), "dear": "Hi"})
    ask = asking(ledger, face, entry(1, "cheap"), entry(2, "dear", requests_per_minute=1), provider=provider)
    assert ask(caller=ANN).llm.name == "Dear"
    with pytest.raises(Exception, match="503"):
        ask(caller=BEN)


@both
def test_a_call_counts_for_its_caller_whoever_is_asked_in_the_place_of_an_llm_at_its_limit(
    face: str, ledger: LimitedLedger, settings: Any
) -> None:
    settings.CREATIVE_SERVICES = {"RATE_LIMITS": {"user": {"requests_per_minute": 2}}}
    ask = asking(ledger, face, entry(1, "cheap", requests_per_minute=1), entry(2, "dear"))
    assert [ask(caller=ANN).llm.name for _ in range(2)] == ["Cheap", "Dear"]
    with pytest.raises(LimitExceededError, match="at most 2 requests per minute"):
        ask(caller=ANN)
    assert ask(caller=BEN).llm.name == "Dear"


def test_a_dry_run_says_that_the_callers_requests_are_used_up(ledger: LimitedLedger, settings: Any) -> None:
    settings.CREATIVE_SERVICES = {"RATE_LIMITS": {"user": {"requests_per_minute": 1}}}
    faces = Faces(ledger, [entry(1, "cheap")], FakeProvider({"cheap": "Hi"}))
    faces.whole(caller=ANN)
    assert faces.sync.explain("Hello", caller=ANN).llm is None
    assert faces.sync.explain("Hello", caller=BEN).llm is not None


@both
def test_a_callers_limit_that_refuses_a_hedge_leaves_the_first_llm_to_answer(
    face: str, ledger: LimitedLedger, settings: Any
) -> None:
    settings.CREATIVE_SERVICES = {"RATE_LIMITS": {"user": {"calls_at_once": 1}}}
    provider = FakeProvider({"cheap": Reply("Late", delay=0.1), "dear": "Hi"})
    ask = asking(ledger, face, entry(1, "cheap"), entry(2, "dear"), provider=provider)
    assert ask(caller=ANN, hedge_after=0.01).text == "Late"


def test_what_a_limit_refuses_is_no_try_of_a_stream(ledger: LimitedLedger) -> None:
    provider = FakeProvider({"cheap": "Hi", "dear": "Hi"})
    faces = Faces(ledger, [entry(1, "cheap", requests_per_minute=1), entry(2, "dear")], provider)
    faces.whole()
    with faces.sync.stream("Hello") as stream:
        next(stream)
        assert stream.tries == 1


def test_calls_at_once_are_bounded_and_a_stream_holds_its_place_until_it_is_left(ledger: LimitedLedger) -> None:
    faces = Faces(
        ledger, [entry(1, "cheap", calls_at_once=1), entry(2, "dear")], FakeProvider({"cheap": "Hi you", "dear": "Hi"})
    )
    stream = faces.sync.stream("Hello")
    next(stream)
    assert faces.whole().llm.name == "Dear"
    assert faces.awaited().llm.name == "Dear"
    stream.close()
    assert faces.whole().llm.name == "Cheap"


@both
@pytest.mark.parametrize("most", [2_500, 1_000_000_000])
def test_a_high_limit_costs_no_more_than_a_low_one(face: str, most: int, ledger: LimitedLedger, settings: Any) -> None:
    asked = []
    settings.CACHES = observed(lambda: 0.0, asked.append)
    ask = asking(ledger, face, entry(1, "cheap", calls_at_once=most))
    for _ in range(3):
        ask()
    assert len(asked) < 60


def test_of_many_places_the_last_one_is_found(ledger: LimitedLedger, settings: Any) -> None:
    settings.CACHES = {"default": LOCMEM["default"] | {"OPTIONS": {"MAX_ENTRIES": 10_000}}}
    faces = Faces(ledger, [entry(1, "cheap", calls_at_once=1_200)], FakeProvider({"cheap": "Hi you"}))
    streams = [faces.sync.stream("Hello") for _ in range(1_200)]
    for stream in streams:
        next(stream)
    with pytest.raises(NoLLMAvailableError, match="1200 calls at once"):
        faces.whole()
    streams.pop().close()
    assert faces.whole().llm.name == "Cheap"
    for stream in streams:
        stream.close()


def test_the_place_of_a_process_that_died_is_free_once_its_time_is_over(ledger: LimitedLedger, settings: Any) -> None:
    now = [0.0]
    settings.CACHES = observed(lambda: now[0])
    faces = Faces(ledger, [entry(1, "cheap", calls_at_once=1)], FakeProvider({"cheap": "Hi you"}))
    left = faces.sync.stream("Hello", timeout=30)
    next(left)
    with pytest.raises(NoLLMAvailableError, match="1 calls at once"):
        faces.whole()
    now[0] = 41.0
    other = faces.sync.stream("Hello")
    next(other)
    left.close()  # it lives after all, and must not free the place that is another's by now
    with pytest.raises(NoLLMAvailableError):
        faces.whole()
    other.close()


@both
def test_tokens_are_estimated_before_and_counted_after(face: str, ledger: LimitedLedger, clock: Clock) -> None:
    ask = asking(ledger, face, entry(1, "cheap", tokens_per_minute=500), entry(2, "dear"))
    # 400 allowed tokens fit once; what was used after all is a few.
    assert [ask(max_tokens=400).llm.name for _ in range(3)] == ["Cheap"] * 3
    assert ask(max_tokens=1000).llm.name == "Dear"
    clock.now += 120
    assert ask(max_tokens=1000).llm.name == "Cheap"  # larger than the whole limit, and alone


@both
def test_an_estimate_stands_where_nobody_reported_tokens(face: str, ledger: LimitedLedger) -> None:
    provider = FakeProvider({"cheap": [Failure(503), "Hi"], "dear": "Hi"})
    ask = asking(ledger, face, entry(1, "cheap", tokens_per_minute=500), entry(2, "dear"), provider=provider)
    assert [ask(max_tokens=400).llm.name for _ in range(2)] == ["Dear", "Dear"]


class Refusing:
    """A ledger behind the limits that refuses everything."""

    stores_text = True

    def __init__(self) -> None:
        self.settled: list[Attempt] = []

    def refusal(self, planned: Any) -> BudgetExceededError:
        return BudgetExceededError("Used up.")

    def reserve(self, planned: Any) -> None:
        raise self.refusal(planned)

    async def areserve(self, planned: Any) -> None:
        self.reserve(planned)


@both
@pytest.mark.parametrize("limit", [{"requests_per_minute": 1}, {"calls_at_once": 1}, {}])
def test_what_the_ledger_refuses_counts_nowhere(face: str, limit: dict[str, int], clock: Clock) -> None:
    limited = entry(1, "cheap", **limit)
    ask = asking(LimitedLedger(Refusing(), RateLimits(clock=clock)), face, limited)  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(BudgetExceededError):
            ask()
    asking(LimitedLedger(None, RateLimits(clock=clock)), face, limited)()


def test_a_dry_run_says_what_is_at_its_limit_and_counts_nothing(ledger: LimitedLedger, clock: Clock) -> None:
    faces = Faces(ledger, [entry(1, "cheap", requests_per_minute=1)], FakeProvider({"cheap": "Hi"}))
    for _ in range(2):
        (candidate,) = faces.sync.explain("Hello").candidates
        assert candidate.refused is None
    faces.whole()
    (candidate,) = asyncio.run(faces.other.explain("Hello")).candidates
    assert candidate.refused is not None
    assert "1 requests per minute" in candidate.refused
    strict = LimitedLedger(Refusing(), RateLimits(clock=clock))  # type: ignore[arg-type]
    assert strict.stores_text
    (candidate,) = Faces(strict, [entry(2, "dear")], FakeProvider({})).sync.explain("Hello").candidates
    assert candidate.refused == "Used up."


@both
def test_a_cache_that_fails_limits_nobody(face: str, ledger: LimitedLedger, settings: Any, caplog: Any) -> None:
    settings.CACHES = failing()
    ask = asking(ledger, face, entry(1, "cheap", requests_per_minute=1, calls_at_once=1))
    ask()
    ask()
    assert "limits hold nobody back" in caplog.text


def test_a_cache_that_fails_afterwards_costs_no_answer(ledger: LimitedLedger, settings: Any, caplog: Any) -> None:
    faces = Faces(ledger, [entry(1, "cheap", calls_at_once=1)], FakeProvider({"cheap": "Hi you"}))
    stream = faces.sync.stream("Hello")
    next(stream)
    settings.CACHES = failing()
    assert [chunk.text for chunk in stream]
    assert stream.response.text == "Hi you"
    assert "a place stays taken" in caplog.text


def test_a_cache_that_fails_while_a_refused_call_is_taken_back_is_told(
    ledger: LimitedLedger, settings: Any, caplog: Any
) -> None:
    class Losing(Refusing):
        def reserve(self, planned: Any) -> None:
            settings.CACHES = failing()
            super().reserve(planned)

    limited = LimitedLedger(Losing(), RateLimits())  # type: ignore[arg-type]
    with pytest.raises(BudgetExceededError):
        asking(limited, "whole", entry(1, "cheap", requests_per_minute=1))()
    assert "a count stays too high" in caplog.text


@needs_redis
def test_processes_that_share_a_cache_share_the_limits(settings: Any) -> None:
    settings.CACHES = redis_caches()
    most, tries = 5, 40
    limited = entry(1, "cheap", calls_at_once=most, requests_per_minute=25)
    held, refused, gate = [], [], threading.Barrier(8)
    clock = Clock()

    def work() -> None:
        client = Faces(LimitedLedger(None, RateLimits(clock=clock)), [limited], FakeProvider({"cheap": "Hi you"})).sync
        gate.wait()
        for _ in range(tries // 8):
            stream = client.stream("Hello")
            try:
                next(stream)
            except NoLLMAvailableError as error:
                refused.append(str(error))
            else:
                held.append(stream)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(held) == most
    assert len(refused) == tries - most
    for stream in held:
        stream.close()
