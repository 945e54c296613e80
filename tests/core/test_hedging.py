"""Hedging: a second LLM is asked when the first is slow to begin, and whoever begins first answers."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from creative_services import (
    ConfigurationError,
    DeadlineExceededError,
    DictRegistry,
    DynamicLLMClient,
    InvalidRequestError,
    NoLLMAvailableError,
    ProviderConnectionError,
    ProviderUnavailableError,
    SyncDynamicLLMClient,
)
from creative_services.testing import Failure, FakeProvider, Reply
from tests.core.asking import Ask, entry, every_face, streamed_faces, whole_faces
from tests.core.test_selection import Cautious
from tests.core.test_streams import Book

CHEAP, MIDDLE, DEAR = entry(1, "cheap"), entry(2, "middle"), entry(3, "dear")
LATE = Reply("late", delay=5)
SOON = {"hedge_after": 0.03}


@every_face
def test_a_slow_beginning_is_overtaken_and_the_loser_is_cancelled_and_settled(ask: Ask) -> None:
    book, provider = Book(), FakeProvider({"cheap": LATE, "dear": "Hi"})
    began = time.monotonic()

    answer = ask(provider, [CHEAP, DEAR], ledger=Numbered(book), **SOON)

    assert answer.llm.id == DEAR.id
    assert time.monotonic() - began < 1
    assert sorted((attempt.llm_id, attempt.outcome) for attempt in answer.attempts) == [(1, "cancelled"), (3, "ok")]
    assert sorted(attempt.outcome for attempt in book.settled) == ["cancelled", "ok"]
    assert [planned.number for planned in book.reserved] == [1, 2]
    assert provider.open_exchanges == 0


class Numbered:
    """A book whose reservations need not be settled in turn."""

    def __init__(self, book: Book) -> None:
        self.book = book

    def reserve(self, planned: Any) -> int:
        return self.book.reserve(planned)

    def settle(self, reservation: int, attempt: Any) -> None:
        self.book.settled.append(attempt)


@every_face
def test_a_first_that_begins_in_time_is_not_hedged(ask: Ask) -> None:
    provider = FakeProvider({"cheap": "Hi", "dear": "never"})

    assert ask(provider, [CHEAP, DEAR], hedge_after=5).llm.id == CHEAP.id
    assert provider.models == ["cheap"]


@every_face
def test_a_first_that_begins_before_the_second_still_wins(ask: Ask) -> None:
    provider = FakeProvider({"cheap": Reply("Hi", delay=0.1), "dear": LATE})

    answer = ask(provider, [CHEAP, DEAR], **SOON)

    assert answer.llm.id == CHEAP.id
    assert provider.models == ["cheap", "dear"]
    assert provider.open_exchanges == 0


@streamed_faces
def test_a_stream_that_has_begun_is_not_hedged_however_slowly_it_goes_on(ask: Ask) -> None:
    provider = FakeProvider({"cheap": Reply(["a", "b", "c"], pause=0.1), "dear": "never"})

    assert ask(provider, [CHEAP, DEAR], **SOON).text == "abc"
    assert provider.models == ["cheap"]


@every_face
@pytest.mark.parametrize("failure", [Failure(503, delay=0.06), Failure(404, delay=0.06)])
def test_one_that_fails_leaves_the_race_to_the_other(ask: Ask, failure: Any) -> None:
    slow = Reply("Hi", delay=0.12)

    assert ask(FakeProvider({"cheap": failure, "dear": slow}), [CHEAP, DEAR], **SOON).llm.id == DEAR.id
    assert ask(FakeProvider({"cheap": slow, "dear": failure}), [CHEAP, DEAR], **SOON).llm.id == CHEAP.id
    refused = {"cheap": slow, "dear": ProviderConnectionError("refused")}
    assert ask(FakeProvider(refused), [CHEAP, DEAR], **SOON).llm.id == CHEAP.id


@every_face
def test_when_both_fail_the_next_is_asked_and_the_callers_fault_ends_it(ask: Ask) -> None:
    down = Failure(503, delay=0.06)

    assert ask(FakeProvider({"cheap": down, "middle": down, "dear": "Hi"}), [CHEAP, MIDDLE, DEAR], **SOON).text == "Hi"
    with pytest.raises(ProviderUnavailableError):
        ask(FakeProvider(down), [CHEAP, DEAR], **SOON)
    provider = FakeProvider({"cheap": LATE, "dear": Failure(400)})
    with pytest.raises(InvalidRequestError):
        ask(provider, [CHEAP, DEAR], **SOON)
    assert provider.open_exchanges == 0


@every_face
def test_a_failure_before_the_hedge_is_retried_as_usual(ask: Ask) -> None:
    provider = FakeProvider({"cheap": Failure(503), "dear": "Hi"})

    answer = ask(provider, [CHEAP, DEAR], hedge_after=5)

    assert [(attempt.llm_id, attempt.outcome) for attempt in answer.attempts] == [(1, "error"), (3, "ok")]


@every_face
def test_there_is_one_hedge_at_most_and_none_for_an_llm_named_by_id(ask: Ask) -> None:
    provider = FakeProvider({"cheap": Reply("Hi", delay=0.1), "middle": Reply("Ho", delay=0.4), "dear": "never"})
    assert ask(provider, [CHEAP, MIDDLE, DEAR], **SOON).llm.id == CHEAP.id
    assert provider.models == ["cheap", "middle"]

    provider = FakeProvider({"cheap": Reply("Hi", delay=0.1), "dear": "never"})
    assert ask(provider, [CHEAP, DEAR], llm_id=1, **SOON).llm.id == CHEAP.id
    assert ask(FakeProvider(Reply("Hi", delay=0.1)), [CHEAP], **SOON).llm.id == CHEAP.id


@every_face
def test_the_hedge_passes_by_what_cannot_be_asked(ask: Ask) -> None:
    slow = {"cheap": Reply("Hi", delay=0.1), "dear": "Ho"}
    broken = entry(2, "middle", unusable="broken")

    assert ask(FakeProvider(slow), [CHEAP, broken, DEAR], **SOON).llm.id == DEAR.id
    assert ask(FakeProvider(slow), [CHEAP, DEAR], breaker=Cautious(dear=9), **SOON).llm.id == CHEAP.id


@every_face
def test_a_hung_race_ends_at_the_deadline(ask: Ask) -> None:
    provider = FakeProvider(LATE)
    began = time.monotonic()

    with pytest.raises(DeadlineExceededError):
        ask(provider, [CHEAP, DEAR], timeout=0.3, **SOON)

    assert time.monotonic() - began < 0.8
    assert provider.open_exchanges == 0


def test_only_a_share_of_the_calls_is_hedged() -> None:
    provider = FakeProvider({"cheap": Reply("Hi", delay=0.03), "dear": Reply("Ho", delay=5)})
    client = SyncDynamicLLMClient(DictRegistry([CHEAP, DEAR]), transport=provider, hedge_after=0.01, hedge_share=0.1)

    for _ in range(20):
        client.generate("Hello")

    assert provider.models.count("dear") in {2, 3}


def test_a_cancelled_race_leaves_nothing_open() -> None:
    book, provider = Book(), FakeProvider(LATE)
    client = DynamicLLMClient(DictRegistry([CHEAP, DEAR]), transport=provider, ledger=Numbered(book), hedge_after=0.02)

    async def run() -> None:
        task = asyncio.create_task(client.generate("Hello"))
        await asyncio.sleep(0.15)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())

    assert provider.open_exchanges == 0
    assert [attempt.outcome for attempt in book.settled] == ["cancelled", "cancelled"]


def test_a_hedged_stream_that_is_left_leaves_nothing_open() -> None:
    provider = FakeProvider({"cheap": LATE, "dear": Reply(["a", "b"])})
    client = SyncDynamicLLMClient(DictRegistry([CHEAP, DEAR]), transport=provider, hedge_after=0.02)

    with client.stream("Hello") as stream:
        assert next(stream).text == "a"

    assert provider.open_exchanges == 0


def test_hedging_options_are_checked() -> None:
    registry = DictRegistry([CHEAP])
    with pytest.raises(ConfigurationError, match="hedge_share"):
        SyncDynamicLLMClient(registry, transport=FakeProvider(), hedge_share=2)
    client = SyncDynamicLLMClient(registry, transport=FakeProvider())
    with pytest.raises(InvalidRequestError, match="hedge_after"):
        client.generate("Hello", hedge_after=-1)
    with pytest.raises(NoLLMAvailableError):
        client.generate("Hello", tier="local", hedge_after=1)


def test_only_the_slow_few_are_answered_by_the_second() -> None:
    asked = 0

    def sometimes_slow(_: Any) -> Reply:
        nonlocal asked
        asked += 1
        return Reply("Hi", delay=5 if asked % 20 == 0 else 0)

    provider = FakeProvider({"cheap": sometimes_slow, "dear": "Ho"})
    client = SyncDynamicLLMClient(DictRegistry([CHEAP, DEAR]), transport=provider, hedge_after=0.05, hedge_share=0.06)

    answers = [client.generate("Hello").text for _ in range(100)]

    assert answers.count("Ho") == 5
    assert len(provider.requests) == 105


@whole_faces
def test_a_connection_that_breaks_during_the_race_leaves_it_to_the_other(ask: Ask) -> None:
    broken = Reply("Hi", delay=0.06, ending=ProviderConnectionError("reset"))

    answer = ask(FakeProvider({"cheap": broken, "dear": Reply("Ho", delay=0.12)}), [CHEAP, DEAR], **SOON)

    assert answer.llm.id == DEAR.id
    assert isinstance(answer.attempts[0].error, ProviderConnectionError)


def test_a_stream_says_who_answers_when_the_first_begins_after_all() -> None:
    provider = FakeProvider({"cheap": Reply(["Hi", " there"], delay=0.15), "dear": LATE})
    client = SyncDynamicLLMClient(DictRegistry([CHEAP, DEAR]), transport=provider)

    async def named_async() -> list[str | None]:
        aclient = DynamicLLMClient(DictRegistry([CHEAP, DEAR]), transport=provider)
        async with aclient.stream("Hello", **SOON) as stream:
            return [stream.llm and stream.llm.name async for _ in stream]

    with client.stream("Hello", **SOON) as stream:
        named = [stream.llm and stream.llm.name for _ in stream]

    assert stream.tries == 2
    assert {*named, *asyncio.run(named_async())} == {stream.response.llm.name} == {"Cheap"}
