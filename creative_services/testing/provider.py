"""A provider that lives in the test's own process: no sockets, but the real bytes of the real wires."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import repeat
from typing import TYPE_CHECKING

from creative_services.core.errors import ProviderError
from creative_services.testing.exchanges import AsyncFakeExchange, FakeExchange, answer
from creative_services.testing.replies import Failure, RawReply, Reply
from creative_services.testing.requests import ReceivedRequest

if TYPE_CHECKING:
    from creative_services.core.http import HttpRequest
    from creative_services.testing.exchanges import Answer

Step = str | Reply | Failure | RawReply | ProviderError | Callable[[ReceivedRequest], "Step"]
"""What one request is answered with; text is a Reply of it, and an error is raised instead of an answer."""

Script = Step | Iterable[Step]
"""One step answers every request alike; several answer one request each, in order."""


class FakeProvider:
    """A Transport that answers from a script and remembers what it was asked. Safe to use from several threads.

    The script is one step for all requests, or steps in order, or a mapping of model names to either. A request that
    the script does not cover raises AssertionError. `requests` are those received so far, `open_exchanges` the
    answers that nobody has closed yet, `closed` whether a client has closed this transport.
    """

    def __init__(self, script: Script | Mapping[str, Script] = "Hello") -> None:
        self.requests: list[ReceivedRequest] = []
        self.open_exchanges = 0
        self.closed = False
        self._lock = threading.Lock()
        self.answer_with(script)

    def __repr__(self) -> str:
        return f"<FakeProvider: {len(self.requests)} received, {self.open_exchanges} open>"

    def answer_with(self, script: Script | Mapping[str, Script]) -> None:
        """Answer from this script from now on."""
        with self._lock:
            if isinstance(script, Mapping):
                self._scripts = {model: _steps(steps) for model, steps in script.items()}
                self._otherwise: Iterator[Step] | None = None
            else:
                self._scripts = {}
                self._otherwise = _steps(script)

    @property
    def prompts(self) -> list[str]:
        """The text of the last message of each request received."""
        return [request.prompt for request in self.requests]

    @property
    def models(self) -> list[str]:
        """The model each request received asked for."""
        return [request.model for request in self.requests]

    def open(self, request: HttpRequest) -> FakeExchange:
        return FakeExchange(self._receive(request), self._closed_one)

    async def aopen(self, request: HttpRequest) -> AsyncFakeExchange:
        return AsyncFakeExchange(self._receive(request), self._closed_one)

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True

    def _receive(self, request: HttpRequest) -> Answer:
        with self._lock:
            received = ReceivedRequest.of(request)
            self.requests.append(received)
            step = self._next_step(received)
            number = len(self.requests)
        while callable(step):
            step = step(received)
        if isinstance(step, ProviderError):
            raise copy.copy(step)  # the caller may write its own facts into an error
        ready = answer(Reply(step) if isinstance(step, str) else step, received, number)
        with self._lock:
            self.open_exchanges += 1
        return ready

    def _next_step(self, received: ReceivedRequest) -> Step:
        steps = self._scripts.get(received.model, self._otherwise)
        if steps is None:
            known = ", ".join(map(repr, self._scripts))
            msg = f"FakeProvider was asked for model {received.model!r}, but its script has only: {known}."
            raise AssertionError(msg)
        try:
            return next(steps)
        except StopIteration:
            msg = f"FakeProvider has no answer left for request {len(self.requests)}: {received!r}. Script one more."
            raise AssertionError(msg) from None

    def _closed_one(self) -> None:
        with self._lock:
            self.open_exchanges -= 1


def _steps(script: Script) -> Iterator[Step]:
    if isinstance(script, str | Reply | Failure | RawReply | ProviderError) or callable(script):
        return repeat(script)
    return iter(script)
