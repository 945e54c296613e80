"""Streams that a thread prepares, and an event loop then reads: what is asked of whom, and where."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from creative_services import (
    Attempt,
    BudgetExceededError,
    DictRegistry,
    DynamicLLMClient,
    LLMChunk,
    NoLLMAvailableError,
)
from creative_services.core.ledger import PlannedAttempt
from creative_services.core.streams import AsyncLLMStream
from creative_services.testing import Failure, FakeProvider
from tests.core.asking import ONCE, entry

CHEAP, DEAR = entry(1, "cheap"), entry(3, "dear")


class Book:
    """A ledger that remembers what it was told, and on which thread."""

    def __init__(self, refusal: Exception | None = None) -> None:
        self.reserved: list[str] = []
        self.settled: list[Attempt] = []
        self.threads: list[threading.Thread] = []
        self._refusal = refusal

    def reserve(self, planned: PlannedAttempt) -> None:
        self.threads.append(threading.current_thread())
        if self._refusal is not None:
            raise self._refusal
        self.reserved.append(planned.entry.model)

    def settle(self, reservation: None, attempt: Attempt) -> None:
        self.settled.append(attempt)


def stream_of(provider: FakeProvider, book: Book, *entries: Any) -> AsyncLLMStream:
    registry = DictRegistry(entries or [CHEAP, DEAR])
    client = DynamicLLMClient(registry, transport=provider, retry=ONCE, ledger=book)
    return client.stream("Hello", tier="standard")


def read(stream: AsyncLLMStream) -> list[LLMChunk]:
    async def chunks() -> list[LLMChunk]:
        return [chunk async for chunk in stream]

    return asyncio.run(chunks())


def test_it_is_booked_here_before_anybody_is_asked_and_then_streams_as_any_other():
    provider, book = FakeProvider("Hello there"), Book()

    stream = stream_of(provider, book)
    stream.prepare()
    assert (book.reserved, book.threads, provider.models) == (["cheap"], [threading.current_thread()], [])

    text = "".join(chunk.text for chunk in read(stream))
    assert (text, stream.response.text, provider.models) == ("Hello there", "Hello there", ["cheap"])
    assert [attempt.outcome for attempt in book.settled] == ["ok"]


def test_whoever_fails_on_the_loop_is_followed_by_the_next():
    provider, book = FakeProvider([Failure(500), "Hi"]), Book()

    stream = stream_of(provider, book)
    stream.prepare()
    read(stream)

    assert (stream.response.llm.model, book.reserved) == ("dear", ["cheap", "dear"])
    assert [attempt.outcome for attempt in book.settled] == ["error", "ok"]


@pytest.mark.parametrize(
    ("entries", "refusal", "error"),
    [
        ([entry(1, "mini", tier="premium")], None, NoLLMAvailableError),
        ([CHEAP], BudgetExceededError("Nothing is left."), BudgetExceededError),
    ],
)
def test_what_stands_in_the_way_is_raised_here(entries, refusal, error):
    provider, book = FakeProvider(), Book(refusal)

    stream = stream_of(provider, book, *entries)
    with pytest.raises(error):
        stream.prepare()
    with pytest.raises(error):
        read(stream)

    assert (provider.models, book.settled) == ([], [])


def test_one_that_nobody_reads_is_taken_back():
    provider, book = FakeProvider(), Book()

    async def leave(stream: AsyncLLMStream) -> None:
        async with stream:
            stream.prepare()
        await stream.aclose()

    asyncio.run(leave(stream_of(provider, book)))

    assert [(attempt.outcome, attempt.was_sent) for attempt in book.settled] == [("cancelled", False)]
    assert provider.models == []


def test_one_that_was_read_is_not_taken_back():
    provider, book = FakeProvider("Hi"), Book()

    stream = stream_of(provider, book)
    stream.prepare()
    read(stream)
    asyncio.run(stream.aclose())

    assert [attempt.outcome for attempt in book.settled] == ["ok"]
