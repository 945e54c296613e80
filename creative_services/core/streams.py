"""What `stream` returns: chunks to iterate over, and the whole answer after the last one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Generator, Iterator
    from types import TracebackType

    from creative_services.core.drivers import Run
    from creative_services.core.flow import CallFlow
    from creative_services.core.types import LLMChunk, LLMEntry, LLMResponse


class Outcome:
    """Where a driver leaves what its flow comes to.

    An object of its own: if the generator referred to its stream, an abandoned stream would wait for the garbage
    collector with the provider's connection open.
    """

    __slots__ = ("_response",)

    def __init__(self) -> None:
        self._response: Any = None

    def set(self, response: Any) -> None:
        """Leave the response."""
        self._response = response

    @property
    def response(self) -> Any:
        """The response. Raises RuntimeError before the end."""
        if self._response is None:
            raise RuntimeError("The stream has not ended: `.response` is there after its last chunk.")
        return self._response


class StreamedCall:
    """What is known of a call that is answered in pieces."""

    def __init__(self, outcome: Outcome, call: CallFlow) -> None:
        self._outcome = outcome
        self._call = call

    @property
    def request_id(self) -> str:
        """The call's own id, as in the ledger."""
        return self._call.request_id

    @property
    def llm(self) -> LLMEntry | None:
        """Who is answering, or is being asked, without its key; None before anybody was."""
        attempt = self._call.answering
        return None if attempt is None else attempt.entry.without_key()

    @property
    def has_more(self) -> bool:
        """Whether the next chunk is here already: several that came together may be sent on together."""
        attempt = self._call.answering
        return attempt is not None and attempt.has_more

    @property
    def tries(self) -> int:
        """How many tries have begun."""
        return self._call.tries

    @property
    def response(self) -> LLMResponse:
        """The whole answer, after the last chunk. Raises RuntimeError before."""
        response: LLMResponse = self._outcome.response
        return response


class LLMStream(StreamedCall):
    """An answer in pieces: an iterator of `LLMChunk`. Closing it, or leaving its `with`, ends the provider's call."""

    def __init__(self, chunks: Generator[LLMChunk, None, None], outcome: Outcome, call: CallFlow) -> None:
        super().__init__(outcome, call)
        self._chunks = chunks

    def __iter__(self) -> Iterator[LLMChunk]:
        return self._chunks

    def __next__(self) -> LLMChunk:
        return next(self._chunks)

    def close(self) -> None:
        """End the call; what came so far is accounted for."""
        self._chunks.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class AsyncLLMStream(StreamedCall):
    """An answer in pieces: an async iterator of `LLMChunk`. Closing it, or leaving its `async with`, ends the call."""

    def __init__(self, chunks: AsyncGenerator[LLMChunk, None], outcome: Outcome, call: CallFlow, run: Run) -> None:
        super().__init__(outcome, call)
        self._chunks = chunks
        self._run = run

    def prepare(self) -> None:
        """Choose an LLM and book the call on this thread, blocking, before an event loop iterates over the chunks.

        For a thread that must wait for a database anyway, and hands the stream to a loop that need not. Raises the
        errors of a call. What was prepared is iterated over, or closed.
        """
        self._run.prepare()

    def __aiter__(self) -> AsyncIterator[LLMChunk]:
        return self._chunks

    def __anext__(self) -> Awaitable[LLMChunk]:
        return self._chunks.__anext__()

    async def aclose(self) -> None:
        """End the call; what came so far is accounted for."""
        if self._run.is_prepared:  # chunks that nobody has asked for have nothing to close
            self._run.give_up()
            await anext(self._chunks, None)
        await self._chunks.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()
