"""An answer as server-sent events. The first event is awaited, so that an earlier error can still be a plain one.

Under WSGI a sync iterator is sent on piece by piece, under ASGI an async one; the other way round Django collects
everything first. So there are two of each here, and they differ in `async` only.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from asgiref.sync import async_to_sync
from django.http import StreamingHttpResponse

from creative_services.api.bodies import answer_body, chunk_body
from creative_services.api.errors import error_body
from creative_services.api.rendering import to_json
from creative_services.core.errors import CreativeServicesError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator

    from creative_services.core.streams import AsyncLLMStream, LLMStream
    from creative_services.core.types import LLMChunk


def event_stream(events: BegunEvents | BegunAsyncEvents) -> StreamingHttpResponse:
    """The response that sends `events` as they come, past proxies that would collect them."""
    return StreamingHttpResponse(
        events,
        content_type="text/event-stream",
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
    )


def event(name: str, data: dict[str, Any]) -> bytes:
    """One server-sent event."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), to_json(data))


class BegunEvents:
    """The events of a stream whose first has come; `close` ends the provider's exchange as well."""

    def __init__(self, stream: LLMStream) -> None:
        self._rest = _events(stream)
        self._first = next(self._rest)

    def __iter__(self) -> Iterator[bytes]:
        yield self._first
        yield from self._rest

    def close(self) -> None:
        self._rest.close()


class BegunAsyncEvents:
    """The same for an ASGI server; made by `begin`."""

    def __init__(self, first: bytes, rest: AsyncGenerator[bytes]) -> None:
        self._first = first
        self._rest = rest
        self._ended = False
        self._closing: asyncio.Task[None] | None = None

    @classmethod
    async def begin(cls, stream: AsyncLLMStream) -> BegunAsyncEvents:
        rest = _async_events(stream)
        return cls(await anext(rest), rest)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._first
        async for later in self._rest:
            yield later
        self._ended = True

    async def aclose(self) -> None:
        await self._rest.aclose()

    def close(self) -> None:
        """End the provider's exchange. Django calls this in a thread, its test client in the loop itself."""
        if self._ended:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            async_to_sync(self.aclose)()
        else:
            self._closing = loop.create_task(self.aclose())


def _event_of(chunk: LLMChunk) -> bytes | None:
    if chunk.restart:
        return event("restart", {})
    body = chunk_body(chunk)
    return event("chunk", body) if body else None


def _events(stream: LLMStream) -> Generator[bytes]:
    begun = False
    with stream:
        try:
            for chunk in stream:
                if told := _event_of(chunk):
                    begun = True
                    yield told
        except CreativeServicesError as error:
            if not begun:
                raise
            yield event("error", error_body(error))
        else:
            yield event("done", answer_body(stream.response))


async def _async_events(stream: AsyncLLMStream) -> AsyncGenerator[bytes]:
    begun = False
    async with stream:
        try:
            async for chunk in stream:
                if told := _event_of(chunk):
                    begun = True
                    yield told
        except CreativeServicesError as error:
            if not begun:
                raise
            yield event("error", error_body(error))
        else:
            yield event("done", answer_body(stream.response))
