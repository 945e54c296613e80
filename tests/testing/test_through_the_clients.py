"""The fake provider and the wires are written apart; here they must understand each other.

The same holds for the same script on loopback, through the real transport.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, cast

import pytest

from creative_services import (
    DictRegistry,
    DynamicLLMClient,
    Limits,
    LLMEntry,
    LLMResponse,
    LLMTier,
    Retry,
    SyncDynamicLLMClient,
    Usage,
)
from creative_services.core.errors import (
    AuthenticationError,
    InvalidRequestError,
    MalformedResponseError,
    ModelNotFoundError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    ProviderUnavailableError,
    RateLimitError,
)
from creative_services.core.http import Transport
from creative_services.testing import Failure, FakeProvider, RawReply, Reply
from tests.loopback import LoopbackProvider

CALL = {"id": "call_1", "name": "weather", "arguments": '{"city":"Köln"}'}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}

Run = Callable[..., LLMResponse]
Line = Callable[[Any], AbstractContextManager[tuple[str | None, Transport | None]]]


@contextmanager
def fake(script: Any) -> Iterator[tuple[None, FakeProvider]]:
    provider = FakeProvider(script)
    yield None, provider
    assert provider.open_exchanges == 0


@contextmanager
def loopback(script: Any) -> Iterator[tuple[str, None]]:
    with LoopbackProvider(script) as provider:
        yield provider.url, None
        assert provider.has_closed()


def generate(client: SyncDynamicLLMClient, **asked: Any) -> LLMResponse:
    return client.generate("Hi", **asked)


def stream(client: SyncDynamicLLMClient, **asked: Any) -> LLMResponse:
    with client.stream("Hi", **asked) as chunks:
        for _ in chunks:
            pass
    return chunks.response


async def agenerate(client: DynamicLLMClient, **asked: Any) -> LLMResponse:
    return await client.generate("Hi", **asked)


async def astream(client: DynamicLLMClient, **asked: Any) -> LLMResponse:
    async with client.stream("Hi", **asked) as chunks:
        async for _ in chunks:
            pass
    return chunks.response


@pytest.fixture(params=["openai_chat", "openai_responses", "anthropic_messages", "gemini"])
def wire(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[fake, loopback])
def line(request: pytest.FixtureRequest) -> Line:
    return cast("Line", request.param)


@pytest.fixture(params=[generate, stream, agenerate, astream])
def run(request: pytest.FixtureRequest, wire: str, line: Line) -> Run:
    ask = request.param
    options: dict[str, Any] = {"limits": Limits(first_token=0.3, attempt=0.3), "retry": Retry(max_retries=0)}

    def registry(url: str | None) -> DictRegistry:
        return DictRegistry(
            [
                LLMEntry(1, "One", "openai", "m-1", LLMTier.STANDARD, "sk-test", url, wire=wire),
                LLMEntry(2, "Two", "openai", "m-2", LLMTier.STANDARD, "sk-test", url, wire=wire),
            ]
        )

    async def arun(url: str | None, transport: Transport | None, asked: Mapping[str, Any]) -> Any:
        async with DynamicLLMClient(registry(url), transport=transport, **options) as client:
            return await ask(client, **asked)

    def run(script: Any, **asked: Any) -> Any:
        with line(script) as (url, transport):
            if ask in {agenerate, astream}:
                return asyncio.run(arun(url, transport, asked))
            with SyncDynamicLLMClient(registry(url), transport=transport, **options) as client:
                return ask(client, **asked)

    return run


def test_text_usage_and_reason_arrive(run: Run) -> None:
    usage = Usage(input_tokens=9, output_tokens=4, cache_read_tokens=2)

    answer = run(Reply(["Grüß ", "Gott"], reasoning="Hm", usage=usage, finish_reason="length"))

    assert (answer.text, answer.reasoning, answer.finish_reason) == ("Grüß Gott", "Hm", "length")
    assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.cache_read_tokens) == (9, 4, 2)
    assert answer.provider_request_id == "fake-1"


def test_tool_calls_arrive(run: Run) -> None:
    answer = run(Reply(tool_calls=[CALL]), tools=[TOOL])

    assert answer.tool_calls == [CALL]
    assert answer.finish_reason == "tool_call"


def test_unreported_usage_is_unknown(run: Run) -> None:
    assert run(Reply("Hello", usage=None)).usage == Usage()


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (Failure(400), InvalidRequestError),
        (Failure(401), AuthenticationError),
        (Failure(404), ModelNotFoundError),
        (Failure(429), RateLimitError),
        (Failure(503), ProviderUnavailableError),
        (ProviderConnectionError("Refused."), ProviderConnectionError),
        (RawReply([b"<html>"]), MalformedResponseError),
    ],
    ids=repr,
)
def test_failures_become_their_errors(
    run: Run, failure: Failure | ProviderError | RawReply, error: type[Exception]
) -> None:
    with pytest.raises(error):
        run(failure)


def test_an_answer_that_is_cut_is_malformed(run: Run) -> None:
    with pytest.raises(MalformedResponseError):
        run(Reply("Hello", ending="cut"))


def test_a_failure_reported_at_the_end_is_an_error(run: Run) -> None:
    with pytest.raises(ProviderError):
        run(Reply("Hello", ending=Failure(529, "Overloaded.")))


def test_a_silent_llm_hands_over_in_time(run: Run) -> None:
    answer = run(lambda request: Reply("Hello", delay=60 if request.model == "m-1" else 0))

    assert answer.llm.id == 2
    assert isinstance(answer.attempts[0].error, ProviderTimeoutError)
