"""Ready-made misbehaviour of providers, by name.

Each function makes a fresh script for a LoopbackProvider. They speak whichever API the request is for, and misbehave
in whole and streamed answers alike. Seconds without end last until the client leaves.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import chain, repeat
from typing import TYPE_CHECKING

from creative_services.core.errors import ProviderConnectionError
from creative_services.testing.exchanges import answer
from creative_services.testing.replies import Failure, HalfOpen, OnTheWire, RawReply, Reply

if TYPE_CHECKING:
    from creative_services.testing.loopback_server import LoopbackStep
    from creative_services.testing.requests import ReceivedRequest

FOREVER = float("inf")

Decided = Callable[["ReceivedRequest"], "LoopbackStep"]
Rewrite = Callable[[bytes, "ReceivedRequest"], list[bytes]]


# Refusals


def rate_limited(retry_after: float | str | None = None) -> Failure:
    """429, with a Retry-After of these seconds, or of this date, or without one."""
    return Failure(429, headers={} if retry_after is None else {"Retry-After": str(retry_after)})


def unavailable() -> Failure:
    """503, again and again."""
    return Failure(503)


def hiccup(then: str = "Hello", *, times: int = 1) -> Iterator[LoopbackStep]:
    """500 once, or some `times`, and good answers from then on."""
    return chain(repeat(Failure(500), times), repeat(then))


def flapping(then: str = "Hello", *, down: float, up: float) -> Decided:
    """503 for `down` seconds from the first request on, good answers for `up` seconds, and so on."""
    began: float | None = None

    def decide(_: ReceivedRequest) -> LoopbackStep:
        nonlocal began
        now = time.monotonic()
        began = now if began is None else began
        return Failure(503) if (now - began) % (down + up) < down else then

    return decide


def context_too_long() -> Failure:
    """400: the prompt does not fit the model's context."""
    return Failure(400, "Your prompt is too long: the model's maximum context length is 8192 tokens.")


def content_refused() -> Failure:
    """400: the provider's filter refuses the prompt."""
    return Failure(400, "Output blocked by content filtering policy.")


# No answer at all


def half_open() -> HalfOpen:
    """The connection is accepted and then left alone: nothing is read, nothing answered, no TLS handshake made."""
    return HalfOpen()


def reset() -> OnTheWire:
    """The connection is reset before the response's headers."""
    return OnTheWire(ending="reset")


def hang_up() -> OnTheWire:
    """The connection is closed before the response's headers, without a word."""
    return OnTheWire()


def silence() -> OnTheWire:
    """The request is read, and no byte comes back."""
    return OnTheWire(ending="silence")


# Answers that come too late, or not to an end


def slow_first_token(text: str = "Hello", *, seconds: float = FOREVER) -> Decided:
    """Headers come at once, in streams a comment too, and the first word after so many seconds."""

    def delayed(body: bytes, request: ReceivedRequest) -> list[bytes]:
        return [b": still there\n\n" if request.is_stream else b" ", body]

    return _rewritten(Reply(text), delayed, pause=seconds)


def stall(text: str = "Hello", *, seconds: float = FOREVER) -> Decided:
    """The answer stops in the middle of its text, and goes on after so many seconds."""
    half = len(text) // 2
    streamed = Reply([text[:half], text[half:]], pause=seconds)
    whole = _rewritten(Reply(text), lambda body, _: [body[:half], body[half:]], pause=seconds)
    return lambda request: streamed if request.is_stream else whole(request)


def trickle(text: str = "Hello", *, seconds: float = 1.0) -> Decided:
    """The body comes byte by byte, one in so many seconds: a slow loris."""
    return _rewritten(Reply(text), lambda body, _: [bytes([byte]) for byte in body], pause=seconds)


def flood() -> Decided:
    """Comments of a stream without end, or blanks before a whole answer, as fast as they are taken."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\n\r\n"

    def decide(request: ReceivedRequest) -> OnTheWire:
        if request.is_stream:
            return OnTheWire(chain([head % b"text/event-stream"], repeat(b": still there\n\n" * 10_000)))
        return OnTheWire(chain([head % b"application/json"], repeat(b" " * 100_000)))

    return decide


def cut(text: str = "Hello") -> Reply:
    """The answer breaks off after its text: HTTP says that more was to come."""
    return Reply(text, ending="cut")


def reset_midway(text: str = "Hello") -> Reply:
    """The connection is reset after the answer's text, before its end."""
    return Reply(text, ending=ProviderConnectionError("Reset."))


# Answers that are none


def no_end_mark(text: str = "Hello") -> Decided:
    """HTTP ends as it should, but a stream has neither finish reason nor end mark; a whole answer's JSON is half."""
    return _rewritten(Reply(text, ending="cut"), lambda body, _: [body])


def malformed(text: str = "Hello") -> Decided:
    """After a stream's text comes an event that is no JSON; a whole answer is no JSON."""

    def broken(body: bytes, request: ReceivedRequest) -> list[bytes]:
        return [body, b'data: {"broken\n\n'] if request.is_stream else [b'{"broken']

    return _rewritten(Reply(text, ending="cut"), broken)


def web_page() -> RawReply:
    """200, and a page of HTML: a proxy's, or a captive portal's."""
    return RawReply([b"<!doctype html><title>Sign in</title>"], headers={"content-type": "text/html; charset=utf-8"})


def mislabelled(text: str = "Hello", *, content_type: str = "text/plain") -> Decided:
    """A good answer under a wrong content type."""
    return _rewritten(Reply(text), lambda body, _: [body], content_type=content_type)


def _rewritten(reply: Reply, rewrite: Rewrite, *, pause: float = 0.0, content_type: str | None = None) -> Decided:
    """The reply as its API spells it, its body cut into other pieces with a pause between them."""

    def decide(request: ReceivedRequest) -> LoopbackStep:
        ready = answer(reply, request, 1)
        body = b"".join(part.content for part in ready.parts if isinstance(part.content, bytes))
        headers = {**ready.headers, "content-type": content_type or ready.headers["content-type"]}
        return RawReply(rewrite(body, request), headers=headers, pause=pause)

    return decide
