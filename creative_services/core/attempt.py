"""One try at one LLM: send, wait, read; the same for all that can be asked for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any

from creative_services.core.errors import (
    CreativeServicesError,
    DeadlineExceededError,
    MalformedResponseError,
    ProviderError,
    ProviderTimeoutError,
)
from creative_services.core.pricing import cost
from creative_services.core.steps import Begin, Close, Open, Read, Step
from creative_services.core.types import Attempt
from creative_services.core.wire.error_body import request_id
from creative_services.core.wire.errors import without_key

if TYPE_CHECKING:
    from decimal import Decimal

    from creative_services.core.http import HttpRequest
    from creative_services.core.limits import Limits
    from creative_services.core.types import FinishReason, LLMEntry, Outcome, Usage
    from creative_services.core.wire.base import Wire

MAX_BODY = 64 * 1024 * 1024
FOREVER = float("inf")
Clock = Callable[[], float]
Peek = Callable[[], Generator[Step, Any, "LLMEntry | None"]]


class AttemptFlow(ABC):
    """Asks one LLM with one prepared request; each `run` is a try of its own and begins anew.

    What is asked for is the subclasses' matter: they take the response in, and say what it comes to.
    """

    usage: Usage
    partial = ""
    """Text that has come so far."""
    has_emitted = False
    """Whether the caller has seen anything of it."""
    has_more = False
    """Whether the next chunk is here already, so that nothing is waited for until it is emitted."""
    is_stream = False
    max_tokens: int | None = None
    """Fewer output tokens than the call asked for, where a budget pays for no more."""
    finish_reason: FinishReason | None = None
    first_token_at: float | None = None

    def __init__(self, entry: LLMEntry, wire: Wire, request: HttpRequest, limits: Limits) -> None:
        self.entry = entry
        self.limits = limits
        self.wire = wire
        self.request = request

    @abstractmethod
    def begin(self) -> None:
        """Forget what an earlier try has brought."""

    @abstractmethod
    def take(self, exchange: Any) -> Generator[Step, Any, None]:
        """Read a successful response."""

    @abstractmethod
    def response(self, call_id: str, latency: float) -> Any:
        """What the caller gets; the call adds its attempts."""

    def run(self, clock: Clock, deadline: float, peek: Peek) -> Generator[Step, Any, None]:
        """Ask and take the answer in, emitting chunks if it is a stream. Raises the error that ended the try.

        `peek` tells whether another LLM could take over: only while one can does the limit per attempt hold.
        """
        self.begin()
        self.began, self.first_token_at = clock(), None
        self._status: int | None = None
        self._headers: Mapping[str, str] = {}
        self._was_sent = False
        self.clock, self.deadline, self._peek = clock, deadline, peek
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
            usage=self.usage,
            cost=self.cost(),
            latency_seconds=latency,
            waited_seconds=waited,
            finish_reason=self.finish_reason,
            first_token_seconds=None if self.first_token_at is None else self.first_token_at - self.began,
            was_sent=self._was_sent,
        )

    def cost(self) -> Decimal | None:
        """US dollars that this try cost, by the provider's own word where it says so; None where it is not known."""
        return cost(self.entry, self.billed()) if self.usage.cost is None else self.usage.cost

    def billed(self) -> Usage:
        """The tokens that are paid for."""
        return self.usage

    def provider_request_id(self) -> str | None:
        """The provider's own id of this try."""
        return without_key(request_id(self._headers), self.entry.api_key)

    def allow_silence(self, seconds: float) -> None:
        """From now on only silence of so many seconds ends the try: it has begun to answer."""
        self._patience, self._silence = FOREVER, self.clock() + seconds

    def _exchange(self) -> Generator[Step, Any, None]:
        now = self.clock()
        self._patience = now + self.limits.attempt
        self._silence = now + self.limits.first_token if self.is_stream else FOREVER
        self.request.deadline = self.deadline
        self.request.connect_deadline = min(now + self.limits.connect, self.deadline)
        exchange = yield Open(self.request)
        self._was_sent = True
        try:
            yield from self.wait(Begin(exchange, 0.0))
            self._status, self._headers = exchange.status, exchange.headers
            if not 200 <= exchange.status < 300:
                raise self.wire.parse_error(
                    self.entry, exchange.status, exchange.headers, (yield from self.body(exchange))
                )
            yield from self.take(exchange)
        finally:
            yield Close(exchange)

    def body(self, exchange: Any) -> Generator[Step, Any, bytes]:
        """The whole body. Raises MalformedResponseError for one beyond all bounds."""
        pieces: list[bytes] = []
        size = 0
        while piece := (yield from self.wait(Read(exchange, 0.0))):
            pieces.append(piece)
            size += len(piece)
            if size > MAX_BODY:
                raise MalformedResponseError(f"The answer is longer than {MAX_BODY} bytes.")
        return b"".join(pieces)

    def wait(self, step: Begin | Read) -> Generator[Step, Any, Any]:
        """Carry a waiting step out, again with more time where nobody else could take the call over."""
        while True:
            step.until = min(self._patience, self._silence, self.deadline)
            try:
                return (yield step)
            except ProviderTimeoutError as error:
                timeout = error
            now = self.clock()
            if now >= self.deadline:
                raise DeadlineExceededError("The call's own time ran out.")
            if not self._patience <= now < self._silence or (yield from self._peek()) is not None:
                raise timeout
            self._patience = FOREVER

    def _name(self, error: ProviderError) -> None:
        """Say on the error which LLM it was, where whoever raised it could not know."""
        error.partial = self.partial
        if error.llm_id is not None:
            return
        entry = self.entry
        error.llm_id, error.provider, error.model = entry.id, entry.provider, entry.model
        error.status_code = error.status_code or self._status
        error.provider_request_id = error.provider_request_id or self.provider_request_id()
        error.args = (f"LLM #{entry.id} {entry.name!r} ({entry.provider}): {error}",)
