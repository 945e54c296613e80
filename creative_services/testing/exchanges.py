"""Answers on their way: bytes, pauses and errors, read by deadline."""

from __future__ import annotations

import asyncio
import copy
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from creative_services.core.errors import ProviderError, ProviderTimeoutError
from creative_services.testing.replies import Failure, RawReply, Reply
from creative_services.testing.spelling import compact
from creative_services.testing.spellings import spelling_for

if TYPE_CHECKING:
    from creative_services.testing.requests import ReceivedRequest
    from creative_services.testing.spelling import Spelling


@dataclass(frozen=True)
class Part:
    """What one read brings, after a pause in seconds."""

    content: bytes | ProviderError
    pause: float = 0.0


@dataclass(frozen=True)
class Answer:
    """A response ready to go out, `delay` seconds after it was asked for."""

    status: int
    headers: Mapping[str, str]
    parts: list[Part]
    delay: float


def answer(step: Reply | Failure | RawReply, request: ReceivedRequest, number: int) -> Answer:
    """The response that this step of a script means for this request."""
    if isinstance(step, RawReply):
        parts = [Part(piece, step.pause if index else 0.0) for index, piece in enumerate(step.pieces) if piece]
        return Answer(step.status, _lower(step.headers), parts, step.delay)
    spelling = spelling_for(request.url, request.json, number)
    headers = {"content-type": "application/json", spelling.request_id_header: f"fake-{number}"}
    if isinstance(step, Failure):
        return _failed(step, spelling, headers)
    if request.is_stream:
        headers["content-type"] = "text/event-stream"
        return Answer(200, headers, _streamed(step, spelling), step.delay)
    if isinstance(step.ending, Failure):
        return _failed(step.ending, spelling, headers)
    return Answer(200, headers, _whole(step, step.ending, spelling), step.delay)


def _failed(failure: Failure, spelling: Spelling, headers: Mapping[str, str]) -> Answer:
    body = compact(spelling.failure(failure)) if failure.body is None else failure.body
    return Answer(failure.status, {**headers, **_lower(failure.headers)}, [Part(body)], failure.delay)


def _whole(reply: Reply, ending: Literal["cut"] | ProviderError | None, spelling: Spelling) -> list[Part]:
    body = compact(spelling.whole(reply))
    if ending is None:
        return [Part(body)]
    half = Part(body[: len(body) // 2])
    return [half] if ending == "cut" else [half, Part(ending)]


def _streamed(reply: Reply, spelling: Spelling) -> list[Part]:
    parts = [Part(event) for event in spelling.opening(reply)]
    for index, piece in enumerate(reply.pieces):
        parts.append(Part(spelling.piece(reply, piece), reply.pause if index else 0.0))
    if reply.ending is None:
        parts += [Part(event) for event in spelling.closing(reply)]
    elif isinstance(reply.ending, Failure):
        parts.append(Part(spelling.failure_event(reply.ending), reply.ending.delay))
    elif reply.ending != "cut":
        parts.append(Part(reply.ending))
    return parts


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


class _Pace:
    """What both exchanges share: what is left to wait for, and one closing however often it is asked for."""

    def __init__(self, ready: Answer, on_close: Callable[[], None]) -> None:
        self._ready = ready
        self._on_close = on_close
        self._is_closed = False
        self._left = ready.delay
        self._parts = deque(ready.parts)

    def _wait(self, until: float) -> float:
        """Seconds to sleep now; those that `until` does not allow are left for the next call."""
        if self._is_closed:
            raise AssertionError("A closed exchange was read.")
        wait = max(0.0, min(self._left, until - time.monotonic()))
        self._left -= wait
        return wait

    def _check(self, until: float) -> None:
        if self._left > 0 or time.monotonic() >= until:
            raise ProviderTimeoutError("The fake provider was silent for too long.")

    def _begin(self, until: float) -> None:
        self._check(until)
        self.status = self._ready.status
        self.headers = self._ready.headers
        self._left = self._parts[0].pause if self._parts else 0.0

    def _read(self, until: float) -> bytes:
        if not self._parts:
            return b""
        self._check(until)
        content = self._parts.popleft().content
        self._left = self._parts[0].pause if self._parts else 0.0
        if isinstance(content, ProviderError):
            raise copy.copy(content)
        return content

    def _close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._on_close()


class FakeExchange(_Pace):
    """A request on its way to a fake provider."""

    def begin(self, until: float) -> None:
        time.sleep(self._wait(until))
        self._begin(until)

    def read(self, until: float) -> bytes:
        time.sleep(self._wait(until))
        return self._read(until)

    def close(self) -> None:
        self._close()


class AsyncFakeExchange(_Pace):
    """The same, awaited."""

    async def begin(self, until: float) -> None:
        await asyncio.sleep(self._wait(until))
        self._begin(until)

    async def read(self, until: float) -> bytes:
        await asyncio.sleep(self._wait(until))
        return self._read(until)

    async def aclose(self) -> None:
        self._close()
