"""The fake provider and the wires are written apart; here they must understand each other."""

import asyncio
from collections.abc import Callable
from typing import Any

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
from creative_services.testing import Failure, FakeProvider, RawReply, Reply

CALL = {"id": "call_1", "name": "weather", "arguments": '{"city":"Köln"}'}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}

Run = Callable[..., LLMResponse]


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


@pytest.fixture(params=["openai", "anthropic"])
def registry(request: pytest.FixtureRequest) -> DictRegistry:
    provider = request.param
    return DictRegistry(
        [
            LLMEntry(1, "One", provider, "m-1", LLMTier.STANDARD, api_key="sk-test"),
            LLMEntry(2, "Two", provider, "m-2", LLMTier.STANDARD, api_key="sk-test"),
        ]
    )


@pytest.fixture(params=[generate, stream, agenerate, astream])
def run(request: pytest.FixtureRequest, registry: DictRegistry) -> Run:
    options: dict[str, Any] = {"limits": Limits(first_token=0.2, attempt=0.2), "retry": Retry(max_retries=0)}

    def run(provider: FakeProvider, **asked: Any) -> Any:
        if request.param in {generate, stream}:
            return request.param(SyncDynamicLLMClient(registry, transport=provider, **options), **asked)
        return asyncio.run(request.param(DynamicLLMClient(registry, transport=provider, **options), **asked))

    return run


def test_text_usage_and_reason_arrive(run: Run) -> None:
    usage = Usage(input_tokens=9, output_tokens=4, cache_read_tokens=2)
    provider = FakeProvider(Reply(["Grüß ", "Gott"], reasoning="Hm", usage=usage, finish_reason="length"))

    answer = run(provider)

    assert (answer.text, answer.reasoning, answer.finish_reason) == ("Grüß Gott", "Hm", "length")
    assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.cache_read_tokens) == (9, 4, 2)
    assert answer.provider_request_id == "fake-1"
    assert provider.prompts == ["Hi"]
    assert provider.open_exchanges == 0


def test_tool_calls_arrive(run: Run) -> None:
    answer = run(FakeProvider(Reply(tool_calls=[CALL])), tools=[TOOL])

    assert answer.tool_calls == [CALL]
    assert answer.finish_reason == "tool_call"


def test_unreported_usage_is_unknown(run: Run) -> None:
    assert run(FakeProvider(Reply("Hello", usage=None))).usage == Usage()


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
    provider = FakeProvider(failure)

    with pytest.raises(error):
        run(provider)

    assert provider.open_exchanges == 0


def test_an_answer_that_is_cut_is_malformed(run: Run) -> None:
    provider = FakeProvider(Reply("Hello", ending="cut"))

    with pytest.raises(MalformedResponseError):
        run(provider)

    assert provider.open_exchanges == 0


def test_a_failure_reported_at_the_end_is_an_error(run: Run) -> None:
    with pytest.raises(ProviderError):
        run(FakeProvider(Reply("Hello", ending=Failure(529, "Overloaded."))))


def test_a_silent_llm_hands_over_in_time(run: Run) -> None:
    provider = FakeProvider({"m-1": Reply("Hello", delay=60), "m-2": "Hello"})

    answer = run(provider)

    assert answer.llm.id == 2
    assert isinstance(answer.attempts[0].error, ProviderTimeoutError)
    assert provider.open_exchanges == 0
