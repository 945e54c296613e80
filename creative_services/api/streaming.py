"""An answer as server-sent events. The first chunk is awaited, so that an earlier error can still be a plain one.

Events of chunks that came together are sent together: most of what a stream costs a server is sending.

Under WSGI a sync iterator is sent on piece by piece, under ASGI an async one; the other way round Django collects
everything first. So there are two of each here, and they differ in `async` only.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from asgiref.sync import async_to_sync
from django.http import StreamingHttpResponse

from creative_services.adapters.connections import give_back_borrowed
from creative_services.adapters.finishing import to_the_end
from creative_services.api.errors import call_fault
from creative_services.api.headers import call_headers
from creative_services.core.errors import CreativeServicesError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator

    from creative_services.api.dialects.base import Writer
    from creative_services.core.streams import AsyncLLMStream, LLMStream
    from creative_services.core.types import LLMEntry

    Writing = Callable[[str, LLMEntry], Writer]


def event_stream(events: BegunEvents | BegunAsyncEvents) -> StreamingHttpResponse:
    """The response that sends `events` as they come, past proxies and middleware that would collect them.

    Django's GZipMiddleware holds them back under WSGI, and under ASGI packs each by itself, of which clients read the
    first only; it leaves alone what says how it is encoded.
    """
    return StreamingHttpResponse(
        events,
        content_type="text/event-stream",
        headers={
            "Cache-Control": "no-cache",
            "Content-Encoding": "identity",
            "X-Accel-Buffering": "no",
            **events.headers,
        },
    )


class BegunEvents:
    """The events of a stream whose first chunk has come; `close` ends the provider's exchange as well."""

    def __init__(self, stream: LLMStream, writing: Writing) -> None:
        self._events = _events(stream, writing)
        next(self._events)
        self.headers = _headers(stream)

    def __iter__(self) -> Iterator[bytes]:
        return self._events

    def close(self) -> None:
        self._events.close()


class BegunAsyncEvents:
    """The same for an ASGI server; made by `begin`."""

    def __init__(self, stream: AsyncLLMStream, events: AsyncGenerator[bytes]) -> None:
        self._events = events
        self._closing: asyncio.Task[None] | None = None
        self.headers = _headers(stream)

    @classmethod
    async def begin(cls, stream: AsyncLLMStream, writing: Writing) -> BegunAsyncEvents:
        # On the thread that waits for this, and all at once: each question by itself would be a way there and back.
        _, has_left = await to_the_end(_prepare, stream)
        if has_left:
            await stream.aclose()
            raise asyncio.CancelledError
        events = _async_events(stream, writing)
        await anext(events)
        return cls(stream, events)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._events

    async def aclose(self) -> None:
        await self._events.aclose()

    def close(self) -> None:
        """End the provider's exchange. Django calls this in a thread, its test client in the loop itself."""
        if getattr(self._events, "ag_frame", None) is None:  # it has ended; the stubs do not know the frame
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            async_to_sync(self.aclose)()
        else:
            self._closing = loop.create_task(self.aclose())


def _prepare(stream: AsyncLLMStream) -> None:
    stream.prepare()
    give_back_borrowed()


def _headers(stream: LLMStream | AsyncLLMStream) -> dict[str, str]:
    return call_headers(stream.request_id, _answering(stream).name, stream.tries)


def _answering(stream: LLMStream | AsyncLLMStream) -> LLMEntry:
    llm = stream.llm
    assert llm is not None  # noqa: S101 - it has sent a chunk
    return llm


def _events(stream: LLMStream, writing: Writing) -> Generator[bytes]:
    with stream:
        first = next(stream)
        writer = writing(stream.request_id, _answering(stream))
        yield b""  # for whoever awaits the first chunk; what follows is sent
        told = writer.begin() + writer.chunk(first)
        try:
            if told and not stream.has_more:
                yield told
                told = b""
            for chunk in stream:
                told += writer.chunk(chunk)
                if told and not stream.has_more:
                    yield told
                    told = b""
        except CreativeServicesError as error:
            yield told + writer.error(call_fault(error))
        else:
            yield told + writer.done(stream.response)


async def _async_events(stream: AsyncLLMStream, writing: Writing) -> AsyncGenerator[bytes]:
    async with stream:
        first = await anext(stream)
        writer = writing(stream.request_id, _answering(stream))
        yield b""  # for whoever awaits the first chunk; what follows is sent
        told = writer.begin() + writer.chunk(first)
        try:
            if told and not stream.has_more:
                yield told
                told = b""
            async for chunk in stream:
                told += writer.chunk(chunk)
                if told and not stream.has_more:
                    yield told
                    told = b""
        except CreativeServicesError as error:
            yield told + writer.error(call_fault(error))
        else:
            yield told + writer.done(stream.response)
