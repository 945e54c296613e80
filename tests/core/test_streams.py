"""Streams: chunks as they come, one whole answer at the end, and nothing left behind when the caller leaves."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from typing import Any

import pytest

from creative_services import (
    DictRegistry,
    DynamicLLMClient,
    Limits,
    LLMChunk,
    MalformedResponseError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    SyncDynamicLLMClient,
)
from creative_services.core.ledger import PlannedAttempt
from creative_services.core.types import Attempt, LLMEntry
from creative_services.testing import Failure, FakeProvider, RawReply, Reply
from tests.core.asking import ENTRY, ONCE, Ask, entry, every_face, streamed_faces

CHEAP, DEAR = entry(1, "cheap"), entry(3, "dear")
CALL = {"id": "call_1", "name": "weather", "arguments": '{"city": "Oslo"}'}


class Book:
    """A ledger that remembers."""

    def __init__(self) -> None:
        self.reserved: list[PlannedAttempt] = []
        self.settled: list[Attempt] = []

    def reserve(self, planned: PlannedAttempt) -> int:
        self.reserved.append(planned)
        return len(self.reserved)

    def settle(self, reservation: int, attempt: Attempt) -> None:
        assert reservation == len(self.reserved)
        self.settled.append(attempt)


def client(provider: FakeProvider, *entries: LLMEntry, **options: Any) -> SyncDynamicLLMClient:
    return SyncDynamicLLMClient(DictRegistry(entries or [ENTRY]), transport=provider, retry=ONCE, **options)


def async_client(provider: FakeProvider, *entries: LLMEntry, **options: Any) -> DynamicLLMClient:
    return DynamicLLMClient(DictRegistry(entries or [ENTRY]), transport=provider, retry=ONCE, **options)


def collect(provider: FakeProvider, *entries: LLMEntry, **options: Any) -> list[LLMChunk]:
    return list(client(provider, *entries).stream("Hello", **options))


def acollect(provider: FakeProvider, *entries: LLMEntry, **options: Any) -> list[LLMChunk]:
    async def run() -> list[LLMChunk]:
        return [chunk async for chunk in async_client(provider, *entries).stream("Hello", **options)]

    return asyncio.run(run())


both_ways = pytest.mark.parametrize("chunks_of", [collect, acollect])


@both_ways
def test_text_comes_piece_by_piece_and_the_last_chunk_says_how_it_ended(chunks_of: Any) -> None:
    chunks = chunks_of(FakeProvider(Reply(["Once", " upon", " a time"])))

    assert [chunk.text for chunk in chunks] == ["Once", " upon", " a time", ""]
    assert [chunk.finish_reason for chunk in chunks] == [None, None, None, "stop"]
    assert chunks[-1].usage is not None


@both_ways
def test_a_tool_call_comes_once_and_whole(chunks_of: Any) -> None:
    chunks = chunks_of(FakeProvider(Reply(tool_calls=[CALL])))

    assert [list(chunk.tool_calls) for chunk in chunks if chunk.tool_calls] == [[CALL]]
    assert chunks[-1].finish_reason == "tool_call"


@every_face
def test_a_streamed_and_a_whole_answer_say_the_same(ask: Ask) -> None:
    reply = Reply(["Let me ", "see."], reasoning="Hm.", tool_calls=[CALL])
    answer, reference = ask(FakeProvider(reply)), client(FakeProvider(reply)).generate("Hello")

    for name in ("text", "reasoning", "tool_calls", "finish_reason", "usage", "cost", "message", "response_model"):
        assert getattr(answer, name) == getattr(reference, name), name
    assert answer.message["tool_calls"][0]["function"] == {"name": "weather", "arguments": '{"city": "Oslo"}'}


def test_the_response_is_there_only_after_the_end() -> None:
    stream = client(FakeProvider(Reply(["a", "b"]))).stream("Hello")

    next(stream)
    with pytest.raises(RuntimeError, match="has not ended"):
        _ = stream.response
    assert len(list(stream)) == 2
    assert stream.response.text == "ab"


def test_an_async_stream_can_be_advanced_by_hand() -> None:
    async def run() -> str:
        stream = async_client(FakeProvider(Reply(["a", "b"]))).stream("Hello")
        first = await anext(stream)
        with pytest.raises(RuntimeError, match="has not ended"):
            _ = stream.response
        await stream.aclose()
        return first.text

    assert asyncio.run(run()) == "a"


@both_ways
def test_the_hand_over_before_the_first_word_is_invisible(chunks_of: Any) -> None:
    chunks = chunks_of(FakeProvider({"cheap": Failure(503), "dear": Reply("Hi")}), CHEAP, DEAR)

    assert [chunk.text for chunk in chunks] == ["Hi", ""]


@both_ways
@pytest.mark.parametrize(
    ("ending", "error"),
    [
        ("cut", MalformedResponseError),
        (ProviderConnectionError("reset"), ProviderConnectionError),
        (Failure(529), ProviderError),
    ],
)
def test_nobody_takes_over_after_the_first_word(chunks_of: Any, ending: Any, error: type[ProviderError]) -> None:
    provider = FakeProvider({"cheap": Reply(["Once", " upon"], ending=ending), "dear": "never"})

    with pytest.raises(error) as raised:
        chunks_of(provider, CHEAP, DEAR)

    assert raised.value.partial == "Once upon"
    assert provider.models == ["cheap"]
    assert provider.open_exchanges == 0


@both_ways
def test_a_caller_who_allows_it_gets_a_new_beginning_from_the_next_llm(chunks_of: Any) -> None:
    provider = FakeProvider({"cheap": Reply("Once", ending="cut"), "dear": Reply(["Whole", " story"])})

    chunks = chunks_of(provider, CHEAP, DEAR, on_interrupt="restart")

    assert [(chunk.text, chunk.restart) for chunk in chunks] == [
        ("Once", False),
        ("", True),
        ("Whole", False),
        (" story", False),
        ("", False),
    ]


@both_ways
def test_with_nobody_left_to_begin_anew_the_error_is_raised(chunks_of: Any) -> None:
    with pytest.raises(MalformedResponseError) as raised:
        chunks_of(FakeProvider(Reply("Once", ending="cut")), CHEAP, on_interrupt="restart")

    assert raised.value.partial == "Once"


@both_ways
def test_a_stream_without_any_end_is_not_taken_for_complete(chunks_of: Any) -> None:
    body = b'data: {"choices":[{"delta":{"content":"Once"}}]}\n\n'
    provider = FakeProvider(RawReply([body], headers={"content-type": "text/event-stream"}))

    with pytest.raises(MalformedResponseError, match="before the answer was complete"):
        chunks_of(provider)


@both_ways
def test_a_finish_reason_without_an_end_mark_is_an_end(chunks_of: Any) -> None:
    body = b'data: {"choices":[{"delta":{"content":"Once"},"finish_reason":"stop"}]}'
    provider = FakeProvider(RawReply([body], headers={"content-type": "text/event-stream"}))

    assert [chunk.text for chunk in chunks_of(provider)] == ["Once", ""]


@both_ways
def test_a_provider_that_answers_a_stream_request_whole_is_understood(chunks_of: Any) -> None:
    body = b'{"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]}'
    empty = b'{"choices":[{"message":{"content":""},"finish_reason":"stop"}]}'

    def provider(body: bytes) -> FakeProvider:
        return FakeProvider(RawReply([body], headers={"content-type": "application/json"}))

    assert [chunk.text for chunk in chunks_of(provider(body))] == ["Hi", ""]
    assert [chunk.text for chunk in chunks_of(provider(empty))] == [""]


@both_ways
def test_a_stream_whose_first_word_is_too_late_is_handed_over(chunks_of: Any) -> None:
    provider = FakeProvider({"cheap": Reply("late", delay=5), "dear": "Hi"})

    chunks = chunks_of(provider, CHEAP, DEAR, limits=Limits(first_token=0.1))

    assert chunks[0].text == "Hi"


@both_ways
def test_a_stream_that_stalls_ends_with_what_came(chunks_of: Any) -> None:
    provider = FakeProvider(Reply(["Once", " upon"], pause=5))
    began = time.monotonic()

    with pytest.raises(ProviderTimeoutError) as raised:
        chunks_of(provider, limits=Limits(stall=0.1))

    assert raised.value.partial == "Once"
    assert time.monotonic() - began < 1
    assert provider.open_exchanges == 0


@streamed_faces
def test_every_attempt_is_booked_before_and_after(ask: Ask) -> None:
    book = Book()

    ask(FakeProvider({"cheap": Failure(503), "dear": "Hi"}), [CHEAP, DEAR], ledger=book, caller="report 7")

    assert [(planned.number, planned.entry.id, planned.is_stream) for planned in book.reserved] == [
        (1, 1, True),
        (2, 3, True),
    ]
    assert {planned.caller.name for planned in book.reserved} == {"report 7"}
    assert [attempt.outcome for attempt in book.settled] == ["error", "ok"]


def test_closing_a_stream_ends_the_call_and_settles_it() -> None:
    book, provider = Book(), FakeProvider(Reply(["a", "b", "c"]))

    with client(provider, ledger=book).stream("Hello") as stream:
        next(stream)
        assert provider.open_exchanges == 1

    assert provider.open_exchanges == 0
    assert [attempt.outcome for attempt in book.settled] == ["cancelled"]


def test_dropping_the_last_reference_ends_the_call_without_the_garbage_collector() -> None:
    book, provider = Book(), FakeProvider(Reply(["a", "b", "c"]))
    gc.disable()
    try:
        stream = client(provider, ledger=book).stream("Hello")
        next(stream)
        del stream

        assert provider.open_exchanges == 0
    finally:
        gc.enable()
    assert [attempt.outcome for attempt in book.settled] == ["cancelled"]


def test_an_async_stream_that_is_left_ends_the_call() -> None:
    book, provider = Book(), FakeProvider(Reply(["a", "b", "c"]))

    async def leave() -> None:
        async with async_client(provider, ledger=book).stream("Hello") as stream:
            async for _ in stream:
                break

    asyncio.run(leave())

    assert provider.open_exchanges == 0
    assert [attempt.outcome for attempt in book.settled] == ["cancelled"]


def test_an_async_stream_that_is_dropped_ends_the_call() -> None:
    book, provider = Book(), FakeProvider(Reply(["a", "b", "c"]))

    async def drop() -> None:
        stream = async_client(provider, ledger=book).stream("Hello")
        await anext(stream)
        del stream
        await asyncio.sleep(0.1)
        assert provider.open_exchanges == 0

    asyncio.run(drop())
    assert [attempt.outcome for attempt in book.settled] == ["cancelled"]


@pytest.mark.parametrize("streamed", [False, True])
def test_a_cancelled_task_ends_the_call_and_settles_it(streamed: bool) -> None:
    book, provider = Book(), FakeProvider(Reply("late", delay=5))

    async def ask() -> None:
        asking = async_client(provider, ledger=book)
        if streamed:
            async for _ in asking.stream("Hello"):
                pass
        else:
            await asking.generate("Hello")

    async def run() -> None:
        task = asyncio.create_task(ask())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())

    assert provider.open_exchanges == 0
    assert [attempt.outcome for attempt in book.settled] == ["cancelled"]


def events(*pieces: bytes, pause: float = 0.0) -> RawReply:
    return RawReply(pieces, headers={"content-type": "text/event-stream"}, pause=pause)


WORD = b'data: {"choices":[{"delta":{"content":"Once"},"finish_reason":null}]}\n\n'
END = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"


@both_ways
def test_a_complete_answer_does_not_wait_for_its_end_mark_for_ever(chunks_of: Any) -> None:
    began = time.monotonic()

    chunks = chunks_of(FakeProvider(events(WORD + END, DONE, pause=5)), limits=Limits(stall=0.1))

    assert chunks[-1].finish_reason == "stop"
    assert time.monotonic() - began < 1


@both_ways
def test_what_follows_the_end_mark_is_passed_over_and_not_waited_for(chunks_of: Any) -> None:
    assert chunks_of(FakeProvider(events(WORD + END + DONE, b": bye\n\n")))[-1].finish_reason == "stop"

    began = time.monotonic()
    assert chunks_of(FakeProvider(events(WORD + END + DONE, b": bye\n\n", pause=5)))[-1].finish_reason == "stop"
    assert time.monotonic() - began < 1


@both_ways
def test_pings_and_comments_are_no_first_word(chunks_of: Any) -> None:
    with pytest.raises(ProviderTimeoutError):
        chunks_of(FakeProvider(events(*[b": ping\n\n"] * 50, pause=0.02)), limits=Limits(first_token=0.2))


@both_ways
def test_a_long_tool_call_that_is_being_written_is_no_stall(chunks_of: Any) -> None:
    def event(**value: Any) -> bytes:
        return f"event: {value['type']}\ndata: {json.dumps(value)}\n\n".encode()

    pieces = ["{", '"city"', ": ", '"Oslo"', "}"]
    call = {"type": "tool_use", "id": "t1", "name": "weather", "input": {}}
    script = [
        event(
            type="message_start", message={"id": "m", "model": "c", "usage": {"input_tokens": 1, "output_tokens": 1}}
        ),
        event(type="content_block_start", index=0, content_block=call),
        *[
            event(type="content_block_delta", index=0, delta={"type": "input_json_delta", "partial_json": piece})
            for piece in pieces
        ],
        event(type="content_block_stop", index=0),
        event(type="message_delta", delta={"stop_reason": "tool_use"}, usage={"output_tokens": 9}),
        event(type="message_stop"),
    ]

    chunks = chunks_of(
        FakeProvider(events(*script, pause=0.06)), entry(1, "claude", provider="anthropic"), limits=Limits(stall=0.2)
    )

    assert chunks[-1].tool_calls == [{"id": "t1", "name": "weather", "arguments": '{"city": "Oslo"}'}]


def test_the_time_of_a_stream_runs_from_when_it_is_first_read() -> None:
    stream = client(FakeProvider(Reply(["a", "b"]))).stream("Hello", timeout=0.2)
    time.sleep(0.3)

    assert [chunk.text for chunk in stream] == ["a", "b", ""]


def test_a_stream_tells_whether_another_chunk_is_there_already() -> None:
    words = [b'data: {"choices":[{"delta":{"content":"%d"}}]}\n\n' % number for number in range(5)]
    pieces = [b"".join(words[:3]), words[3] + b": ping\n\n", words[4] + b"data: [DONE]\n\n"]
    provider = FakeProvider(events(*pieces))

    async def read_async() -> list[tuple[str, bool]]:
        async with DynamicLLMClient(DictRegistry([ENTRY]), transport=provider).stream("Hello") as stream:
            return [(chunk.text, stream.has_more) async for chunk in stream]

    with SyncDynamicLLMClient(DictRegistry([ENTRY]), transport=provider).stream("Hello") as stream:
        found = [(chunk.text, stream.has_more) for chunk in stream]

    assert found[:5] == [("0", True), ("1", True), ("2", False), ("3", False), ("4", False)]
    assert asyncio.run(read_async()) == found


def test_who_reads_slowly_does_not_make_the_provider_late() -> None:
    provider = FakeProvider(events(WORD + WORD, WORD, END + DONE))
    client = SyncDynamicLLMClient(DictRegistry([ENTRY]), transport=provider, limits=Limits(stall=0.3), retry=ONCE)

    with client.stream("Hello") as stream:
        for _ in stream:
            time.sleep(0.35)

    assert stream.response.text == "Once" * 3
