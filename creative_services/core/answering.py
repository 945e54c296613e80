"""A try at an answer, whole or streamed."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from creative_services.core.answer import Answer
from creative_services.core.attempt import AttemptFlow
from creative_services.core.errors import (
    CreativeServicesError,
    MalformedResponseError,
    ProviderError,
    ProviderTimeoutError,
)
from creative_services.core.steps import Read, Step
from creative_services.core.types import LLMResponse, Usage
from creative_services.core.wire.sse import SSEDecoder

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from creative_services.core.http import HttpRequest
    from creative_services.core.limits import Limits
    from creative_services.core.types import FinishReason, LLMChunk, LLMEntry
    from creative_services.core.wire.base import Reader, Wire

LINGER = 0.25  # seconds to wait for a stream's connection to be free again after its end mark


class Upstream(Enum):
    """How the provider is asked, and what the caller sees of it.

    GATHERED is a whole answer for the caller over a stream from the provider: the limits of streams guard it, and an
    answer that breaks begins anew, since nobody has seen it.
    """

    WHOLE = "whole"
    GATHERED = "gathered"
    STREAM = "stream"


class AnswerAttempt(AttemptFlow):
    """Folds what comes into one answer, and emits its chunks if the caller asked for a stream."""

    def __init__(self, entry: LLMEntry, wire: Wire, request: HttpRequest, limits: Limits, upstream: Upstream) -> None:
        super().__init__(entry, wire, request, limits)
        self.is_stream = upstream is not Upstream.WHOLE
        self._emits = upstream is Upstream.STREAM
        self.answer = Answer()

    def begin(self) -> None:
        self.answer = Answer()

    @property
    def usage(self) -> Usage:  # type: ignore[override]  # computed here, a plain attribute elsewhere
        """Tokens as far as the provider has reported them."""
        return self.answer.usage

    @property
    def finish_reason(self) -> FinishReason | None:  # type: ignore[override]  # as above
        """Why the model stopped, as far as it has said."""
        return self.answer.finish_reason

    @property
    def partial(self) -> str:  # type: ignore[override]  # as above
        """Text that has come so far."""
        return self.answer.text

    def take(self, exchange: Any) -> Generator[Step, Any, None]:
        if self.is_stream and not exchange.headers.get("content-type", "").startswith("application/json"):
            yield from self._stream(exchange)
        else:
            yield from self._whole(exchange)

    def response(self, call_id: str, latency: float) -> LLMResponse:
        """The answer as callers get it."""
        answer = self.answer
        return LLMResponse(
            text=answer.text,
            reasoning=answer.reasoning,
            llm=self.entry.without_key(),
            finish_reason=answer.finish_reason,
            usage=answer.usage,
            cost=self.cost(),
            tool_calls=answer.tool_calls,
            message=answer.message(self.wire.name),
            response_id=answer.response_id,
            response_model=answer.response_model,
            request_id=call_id,
            latency_seconds=latency,
            attempts=(),
            provider_request_id=self.provider_request_id(),
        )

    def _whole(self, exchange: Any) -> Generator[Step, Any, None]:
        chunk = self.answer.add(self.wire.parse(self.entry, (yield from self.body(exchange))))
        if self._emits:  # asked to stream, the provider answered whole
            self.has_emitted = True
            if chunk is not None:
                yield chunk
            yield self.answer.last_chunk()

    def _stream(self, exchange: Any) -> Generator[Step, Any, None]:
        answer, decoder, reader = self.answer, SSEDecoder(), self.wire.reader(self.entry)
        step = Read(exchange, 0.0)
        data = b" "
        while data and not answer.ended:
            data = yield from self._piece(step)
            found, failure = self._taken(self._read(reader, decoder.feed(data) if data else decoder.flush()))
            chunks = [chunk for chunk in found if chunk is not None] if self._emits else []
            for number, chunk in enumerate(chunks, 1):
                self.has_emitted, self.has_more = True, number < len(chunks)
                yield chunk
            if failure is not None:
                raise failure
            if found:  # only now: whoever reads slowly does not make the provider late
                self.allow_silence(self.limits.stall)
        if not answer.is_complete:
            raise MalformedResponseError("The stream ended before the answer was complete.")
        if self._emits:
            self.has_emitted = True
            yield answer.last_chunk()
        yield from self._drain(step)

    def _taken(self, coming: Iterable[LLMChunk | None]) -> tuple[list[LLMChunk | None], CreativeServicesError | None]:
        """All that one read has brought, and the error that ended it."""
        found: list[LLMChunk | None] = []
        try:
            for chunk in coming:
                if chunk is not None and self.first_token_at is None:
                    self.first_token_at = self.clock()
                found.append(chunk)
        except CreativeServicesError as error:
            return found, error
        return found, None

    def _piece(self, step: Read) -> Generator[Step, Any, bytes]:
        """The next bytes of a stream; b"" also where only the end mark of a complete answer fails to come."""
        try:
            return (yield from self.wait(step))  # type: ignore[no-any-return]  # a step's result is what is sent
        except ProviderTimeoutError:
            if not self.answer.is_complete:
                raise
            return b""

    def _read(self, reader: Reader, events: Iterable[tuple[str, bytes]]) -> Generator[LLMChunk | None, None, None]:
        """The chunks that these events bring; None for one that brings something else than text."""
        add = self.answer.add
        for event, data in events:
            delta = reader.read(event, data)
            if delta is not None:
                chunk = add(delta)
                if chunk is not None or delta.tool_calls or delta.working:
                    yield chunk

    def _drain(self, step: Read) -> Generator[Step, Any, None]:
        """Read on to the body's end, for a moment: only then can the connection serve another call."""
        step.until = min(self.clock() + LINGER, self.deadline)
        try:
            while (yield step):
                pass
        except ProviderError:
            return
