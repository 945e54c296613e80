"""One try at one LLM: send, wait, read, fold."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any

from creative_services.core.answer import Answer
from creative_services.core.errors import (
    CreativeServicesError,
    DeadlineExceededError,
    MalformedResponseError,
    ProviderError,
    ProviderTimeoutError,
)
from creative_services.core.pricing import cost
from creative_services.core.steps import Begin, Close, Open, Read, Step
from creative_services.core.types import Attempt, LLMResponse
from creative_services.core.wire.error_body import request_id
from creative_services.core.wire.sse import SSEDecoder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from creative_services.core.http import HttpRequest
    from creative_services.core.types import Limits, LLMChunk, LLMEntry, Outcome
    from creative_services.core.wire.base import Reader, Wire

MAX_BODY = 64 * 1024 * 1024
FOREVER = float("inf")
LINGER = 0.25  # seconds to wait for a stream's connection to be free again after its end mark
Clock = Callable[[], float]
Peek = Callable[[], Generator[Step, Any, "LLMEntry | None"]]


class AttemptFlow:
    """Asks one LLM with one prepared request; each `run` is a try of its own and begins a new answer.

    `peek` tells whether another LLM could take over: only while one can does the limit per attempt hold.
    """

    def __init__(self, entry: LLMEntry, wire: Wire, request: HttpRequest, limits: Limits, *, is_stream: bool) -> None:
        self.entry = entry
        self.answer = Answer()
        self.has_emitted = False
        self._wire = wire
        self._request = request
        self._limits = limits
        self._is_stream = is_stream

    def run(self, clock: Clock, deadline: float, peek: Peek) -> Generator[Step, Any, None]:
        """Fill `answer`, emitting chunks if the call is a stream. Raises the error that ended the try."""
        self.answer = Answer()
        self._status: int | None = None
        self._headers: Mapping[str, str] = {}
        self._clock, self._deadline, self._peek = clock, deadline, peek
        try:
            yield from self._exchange()
        except CreativeServicesError as error:
            failure = error
        else:
            return
        if isinstance(failure, ProviderError):
            self._name(failure)
        # Raised anew, without the frames in which bodies and headers lie: debug pages print local variables.
        failure.__context__ = None
        raise failure.with_traceback(None)

    def record(self, outcome: Outcome, error: CreativeServicesError | None, latency: float, waited: float) -> Attempt:
        """What happened, for the caller and the ledger."""
        return Attempt(
            llm_id=self.entry.id,
            llm_name=self.entry.name,
            outcome=outcome,
            error=error,
            status_code=self._status,
            usage=self.answer.usage,
            cost=cost(self.entry, self.answer.usage),
            latency_seconds=latency,
            waited_seconds=waited,
        )

    def response(self, call_id: str, latency: float, attempts: Iterable[Attempt]) -> LLMResponse:
        """The answer as callers get it."""
        answer = self.answer
        return LLMResponse(
            text=answer.text,
            reasoning=answer.reasoning,
            llm=self.entry.without_key(),
            finish_reason=answer.finish_reason,
            usage=answer.usage,
            cost=cost(self.entry, answer.usage),
            tool_calls=answer.tool_calls,
            message=answer.message(self._wire.name),
            response_id=answer.response_id,
            response_model=answer.response_model,
            request_id=call_id,
            latency_seconds=latency,
            attempts=tuple(attempts),
            provider_request_id=request_id(self._headers),
        )

    def _exchange(self) -> Generator[Step, Any, None]:
        now = self._clock()
        self._patience = now + self._limits.attempt
        self._silence = now + self._limits.first_token if self._is_stream else FOREVER
        self._request.deadline = self._deadline
        self._request.connect_deadline = min(now + self._limits.connect, self._deadline)
        exchange = yield Open(self._request)
        try:
            yield from self._wait(Begin(exchange, 0.0))
            self._status, self._headers = exchange.status, exchange.headers
            is_json = exchange.headers.get("content-type", "").startswith("application/json")
            if not 200 <= exchange.status < 300:
                raise self._wire.parse_error(
                    self.entry, exchange.status, exchange.headers, (yield from self._body(exchange))
                )
            if self._is_stream and not is_json:
                yield from self._stream(exchange)
            else:
                yield from self._whole(exchange)
        finally:
            yield Close(exchange)

    def _whole(self, exchange: Any) -> Generator[Step, Any, None]:
        chunk = self.answer.add(self._wire.parse(self.entry, (yield from self._body(exchange))))
        if self._is_stream:  # asked to stream, the provider answered whole
            self.has_emitted = True
            if chunk is not None:
                yield chunk
            yield self.answer.last_chunk()

    def _body(self, exchange: Any) -> Generator[Step, Any, bytes]:
        pieces: list[bytes] = []
        size = 0
        while piece := (yield from self._wait(Read(exchange, 0.0))):
            pieces.append(piece)
            size += len(piece)
            if size > MAX_BODY:
                raise MalformedResponseError(f"The answer is longer than {MAX_BODY} bytes.")
        return b"".join(pieces)

    def _stream(self, exchange: Any) -> Generator[Step, Any, None]:
        answer, decoder, reader = self.answer, SSEDecoder(), self._wire.reader(self.entry)
        step = Read(exchange, 0.0)
        data = b" "
        while data and not answer.ended:
            data = yield from self._piece(step)
            progress = False
            for chunk in self._read(reader, decoder.feed(data) if data else decoder.flush()):
                progress = True
                if chunk is not None:
                    self.has_emitted = True
                    yield chunk
            if progress:
                self._patience, self._silence = FOREVER, self._clock() + self._limits.stall
        if not answer.is_complete:
            raise MalformedResponseError("The stream ended before the answer was complete.")
        self.has_emitted = True
        yield answer.last_chunk()
        yield from self._drain(step)

    def _piece(self, step: Read) -> Generator[Step, Any, bytes]:
        """The next bytes of a stream; b"" also where only the end mark of a complete answer fails to come."""
        try:
            return (yield from self._wait(step))  # type: ignore[no-any-return]  # a step's result is what is sent
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
        step.until = min(self._clock() + LINGER, self._deadline)
        try:
            while (yield step):
                pass
        except ProviderError:
            return

    def _wait(self, step: Begin | Read) -> Generator[Step, Any, Any]:
        """Carry a waiting step out, again with more time where nobody else could take the call over."""
        while True:
            step.until = min(self._patience, self._silence, self._deadline)
            try:
                return (yield step)
            except ProviderTimeoutError as error:
                timeout = error
            now = self._clock()
            if now >= self._deadline:
                raise DeadlineExceededError("The call's own time ran out.")
            if not self._patience <= now < self._silence or (yield from self._peek()) is not None:
                raise timeout
            self._patience = FOREVER

    def _name(self, error: ProviderError) -> None:
        """Say on the error which LLM it was, where whoever raised it could not know."""
        error.partial = self.answer.text
        if error.llm_id is not None:
            return
        entry = self.entry
        error.llm_id, error.provider, error.model = entry.id, entry.provider, entry.model
        error.status_code = error.status_code or self._status
        error.provider_request_id = error.provider_request_id or request_id(self._headers)
        error.args = (f"LLM #{entry.id} {entry.name!r} ({entry.provider}): {error}",)
