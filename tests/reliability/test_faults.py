"""What a caller gets, and how often the provider was asked, for each way in which providers misbehave."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any, Literal

import pytest

from creative_services import (
    ContentFilterError,
    ContextLengthError,
    CreativeServicesError,
    DeadlineExceededError,
    DictRegistry,
    Limits,
    LLMEntry,
    MalformedResponseError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    ProviderUnavailableError,
    RateLimitError,
    Retry,
    SyncDynamicLLMClient,
)
from creative_services.core.transport import HttpTransport
from creative_services.testing import LoopbackProvider, faults
from tests.core.asking import ONCE, STREAMED, WHOLE, Ask, entry
from tests.core.test_selection import Cautious
from tests.reliability.faces import by_every_face

SOON = 4.0  # seconds: the limits of the cases, a back-off, and a busy machine

Gets = str | type[CreativeServicesError]
NO_CONNECTION, BROKEN = ProviderConnectionError, MalformedResponseError
TOO_LATE, OUT_OF_TIME = ProviderTimeoutError, DeadlineExceededError


@dataclass(frozen=True)
class Case:
    """A fault, and what comes of it where there is one LLM, and where there is a healthy one behind.

    `gets` is the text or the error; `streamed` where a stream differs, with `partial` as what came before it. `asked`
    counts the requests with one retry allowed; a stream that has begun is never asked for again. `hangs` says when, so
    that only those wait, and only for what hangs: on a busy machine the healthy are slow too.
    """

    name: str
    fault: Callable[[], Any]
    gets: Gets
    asked: int = 1
    streamed: Gets | None = None
    streamed_asked: int | None = None
    partial: str = ""
    stops: bool = False
    hangs: Literal["never", "at first", "midway"] = "never"

    def limits(self, *, alone: bool, streamed: bool) -> Limits:
        """The limit that ends the hanging one, and no other that is short."""
        if self.hangs == "never":
            return Limits()
        if not streamed:
            return Limits(total=0.3) if alone else Limits(attempt=0.3)
        if self.hangs == "midway":
            return Limits(stall=0.4)
        return Limits(first_token=0.3) if alone else Limits(attempt=0.3)

    @property
    def retry(self) -> Retry:
        """As few retries as the case allows, so that nobody waits."""
        return Retry(max_retries=1) if self.gets == "Hello" else ONCE

    def __str__(self) -> str:
        return self.name


CASES = [
    Case("429", faults.rate_limited, RateLimitError, asked=2),
    Case("429, come back soon", lambda: faults.rate_limited(0.05), RateLimitError, asked=2),
    Case("429, come back much later", lambda: faults.rate_limited(60), RateLimitError),
    Case(
        "429, come back at a date",
        lambda: faults.rate_limited(formatdate(time.time() + 60, usegmt=True)),
        RateLimitError,
    ),
    Case("one 500", faults.hiccup, "Hello", asked=2),
    Case("steady 503", faults.unavailable, ProviderUnavailableError, asked=2),
    Case("context too long", faults.context_too_long, ContextLengthError),
    Case("content refused", faults.content_refused, ContentFilterError, stops=True),
    Case("half-open", faults.half_open, OUT_OF_TIME, streamed=TOO_LATE, hangs="at first"),
    Case("reset", faults.reset, NO_CONNECTION, asked=2),
    Case("hang-up", faults.hang_up, NO_CONNECTION, asked=2),
    Case("silence", faults.silence, OUT_OF_TIME, streamed=TOO_LATE, hangs="at first"),
    Case("slow first token", faults.slow_first_token, OUT_OF_TIME, streamed=TOO_LATE, hangs="at first"),
    Case("stall", faults.stall, OUT_OF_TIME, streamed=TOO_LATE, partial="He", hangs="midway"),
    Case("slow loris", lambda: faults.trickle(seconds=0.05), OUT_OF_TIME, streamed=TOO_LATE, hangs="at first"),
    Case("cut", faults.cut, BROKEN, asked=2, streamed_asked=1, partial="Hello"),
    Case("reset midway", faults.reset_midway, ProviderError, asked=2, streamed_asked=1, partial="Hello"),
    Case("no end mark", faults.no_end_mark, BROKEN, asked=2, streamed_asked=1, partial="Hello"),
    Case("malformed", faults.malformed, BROKEN, asked=2, streamed_asked=1, partial="Hello"),
    Case("web page", faults.web_page, BROKEN, asked=2),
    Case("mislabelled", faults.mislabelled, "Hello"),
    Case("mislabelled as HTML", lambda: faults.mislabelled(content_type="text/html"), "Hello"),
]

each_case = pytest.mark.parametrize("case", CASES, ids=str)


def at(provider: LoopbackProvider, id: int = 1) -> LLMEntry:
    return entry(id, f"model-{id}", api_endpoint=provider.url)


def outcome(ask: Ask, entries: list[LLMEntry], **options: Any) -> Any:
    transport = HttpTransport()
    try:
        return ask(transport, entries, **options)
    except CreativeServicesError as error:
        return error
    finally:
        transport.close()


@each_case
def test_what_the_caller_gets_of_one_misbehaving_llm(case: Case) -> None:
    def check(ask: Ask) -> None:
        is_streamed = ask in STREAMED
        gets = case.streamed or case.gets if is_streamed else case.gets
        asked = case.streamed_asked or case.asked if is_streamed else case.asked
        limits = case.limits(alone=True, streamed=is_streamed)
        with LoopbackProvider(case.fault()) as provider:
            began = time.monotonic()
            came = outcome(ask, [at(provider)], limits=limits, retry=Retry(max_retries=1))

            assert time.monotonic() - began < SOON
            assert provider.has_closed()
        assert (len(provider.requests) or provider.connections) == asked
        assert len(came.attempts) == asked
        if isinstance(gets, str):
            assert came.text == gets
        else:
            assert isinstance(came, gets)
            assert came.partial == (case.partial if is_streamed else "")

    by_every_face(check)


@each_case
def test_what_the_caller_gets_with_a_healthy_llm_behind(case: Case) -> None:
    def check(ask: Ask) -> None:
        has_begun = case.partial and ask in STREAMED
        with LoopbackProvider(case.fault()) as ill, LoopbackProvider("Hi") as well:
            limits = case.limits(alone=False, streamed=ask in STREAMED)
            came = outcome(ask, [at(ill), at(well, 2)], limits=limits, retry=case.retry)

        if case.stops or has_begun:
            assert isinstance(came, CreativeServicesError)
            assert [attempt.llm_id for attempt in came.attempts] == [1]
        else:
            assert came.text == ("Hello" if case.gets == "Hello" else "Hi")
            assert came.llm.id == (1 if case.gets == "Hello" else 2)

    by_every_face(check)


@pytest.mark.parametrize("case", [case for case in CASES if case.partial], ids=str)
def test_a_stream_that_may_begin_anew_is_answered_whole(case: Case) -> None:
    def check(ask: Ask) -> None:
        with LoopbackProvider(case.fault()) as ill, LoopbackProvider("Hi") as well:
            came = outcome(
                ask,
                [at(ill), at(well, 2)],
                limits=case.limits(alone=False, streamed=True),
                retry=ONCE,
                on_interrupt="restart",
            )

        assert came.text == "Hi"
        assert [attempt.outcome for attempt in came.attempts] == ["error", "ok"]

    by_every_face(check, STREAMED)


@pytest.mark.parametrize("case", [case for case in CASES if case.partial], ids=str)
def test_a_whole_answer_gathered_from_a_stream_begins_anew_by_itself(case: Case) -> None:
    def check(ask: Ask) -> None:
        with LoopbackProvider(case.fault()) as ill, LoopbackProvider("Hi") as well:
            came = outcome(
                ask,
                [at(ill), at(well, 2)],
                limits=case.limits(alone=False, streamed=True),
                retry=ONCE,
                upstream="stream",
            )

        assert came.text == "Hi"
        assert [attempt.outcome for attempt in came.attempts] == ["error", "ok"]

    by_every_face(check, WHOLE)


def test_a_whole_answer_without_end_is_given_up_before_it_fills_the_memory() -> None:
    for ask in WHOLE:
        with LoopbackProvider(faults.flood()) as provider:
            came = outcome(ask, [at(provider)], retry=ONCE)

            assert isinstance(came, MalformedResponseError)
            assert "longer than" in str(came)
            assert provider.has_closed()


def test_flapping_goes_unnoticed_while_another_llm_is_there() -> None:
    texts: set[str] = set()
    with LoopbackProvider(faults.flapping("Ho", down=0.1, up=0.1)) as flapping, LoopbackProvider("Hi") as well:
        # A breaker that never opens, so that both states of the first are met.
        client = SyncDynamicLLMClient(DictRegistry([at(flapping), at(well, 2)]), retry=ONCE, breaker=Cautious())
        until = time.monotonic() + 10
        while texts != {"Ho", "Hi"} and time.monotonic() < until:
            texts.add(client.generate("Hello").text)
        client.close()

    assert texts == {"Ho", "Hi"}


ENTRIES_OF_WIRES = [
    {"provider": "openai"},
    {"provider": "openai", "wire": "openai_responses"},
    {"provider": "anthropic"},
    {"provider": "gemini", "wire": "gemini"},
]


@pytest.mark.parametrize("fields", ENTRIES_OF_WIRES, ids=lambda fields: fields.get("wire", fields["provider"]))
@pytest.mark.parametrize("case", [case for case in CASES if case.hangs == "never"], ids=str)
def test_every_wire_format_misbehaves_alike(case: Case, fields: dict[str, Any]) -> None:
    def check(ask: Ask) -> None:
        with LoopbackProvider(case.fault()) as provider:
            came = outcome(ask, [entry(1, "m", api_endpoint=provider.url, **fields)], retry=case.retry)
        assert came.text == "Hello" if case.gets == "Hello" else isinstance(came, case.gets)

    by_every_face(check)
