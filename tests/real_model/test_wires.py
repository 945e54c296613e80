"""Both kinds of client, over rows of the database, against llama.cpp's own server and a model of 135M parameters."""

import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from creative_services import (
    ContextLengthError,
    DynamicLLMClient,
    InvalidRequestError,
    LLMChunk,
    LLMResponse,
    LLMTier,
    ProviderConnectionError,
    SyncDynamicLLMClient,
)
from creative_services.adapters import DjangoLLMRegistry
from creative_services.models import Llms

PROMPT = "Write a short tagline for a bakery."

pytestmark = pytest.mark.django_db


class SyncCalls:
    def generate(self, prompt: str, max_tokens: int = 24, **options: Any) -> LLMResponse:
        with SyncDynamicLLMClient(DjangoLLMRegistry()) as client:
            return client.generate(prompt, tier=LLMTier.LOCAL, max_tokens=max_tokens, **options)

    def stream(self, prompt: str, max_tokens: int = 24) -> tuple[list[LLMChunk], LLMResponse]:
        with (
            SyncDynamicLLMClient(DjangoLLMRegistry()) as client,
            client.stream(prompt, tier=LLMTier.LOCAL, max_tokens=max_tokens) as stream,
        ):
            return list(stream), stream.response

    def first_chunks(self, prompt: str, count: int) -> list[LLMChunk]:
        with (
            SyncDynamicLLMClient(DjangoLLMRegistry()) as client,
            client.stream(prompt, tier=LLMTier.LOCAL, max_tokens=500) as stream,
        ):
            return [chunk for chunk, _ in zip(stream, range(count), strict=False)]


class AsyncCalls:
    @async_to_sync
    async def generate(self, prompt: str, max_tokens: int = 24, **options: Any) -> LLMResponse:
        async with DynamicLLMClient(DjangoLLMRegistry()) as client:
            return await client.generate(prompt, tier=LLMTier.LOCAL, max_tokens=max_tokens, **options)

    @async_to_sync
    async def stream(self, prompt: str, max_tokens: int = 24) -> tuple[list[LLMChunk], LLMResponse]:
        async with (
            DynamicLLMClient(DjangoLLMRegistry()) as client,
            client.stream(prompt, tier=LLMTier.LOCAL, max_tokens=max_tokens) as stream,
        ):
            return [chunk async for chunk in stream], stream.response

    @async_to_sync
    async def first_chunks(self, prompt: str, count: int) -> list[LLMChunk]:
        chunks: list[LLMChunk] = []
        async with (
            DynamicLLMClient(DjangoLLMRegistry()) as client,
            client.stream(prompt, tier=LLMTier.LOCAL, max_tokens=500) as stream,
        ):
            async for chunk in stream:
                chunks.append(chunk)
                if len(chunks) == count:
                    break
        return chunks


@pytest.fixture(params=["openai_chat", "openai_responses", "anthropic_messages"])
def llm(request, server):
    return Llms.objects.create(
        name="SmolLM2",
        provider="llama.cpp",
        model=server.model,
        tier="local",
        api_endpoint=server.url,
        wire=request.param,
        temperature=0,
        cost_per_1k_input=0,
        cost_per_1k_output=0,
    )


@pytest.fixture(params=[SyncCalls, AsyncCalls])
def calls(request):
    return request.param()


def test_the_local_tier_answers_with_real_text(calls, llm):
    answer = calls.generate(PROMPT)

    assert answer.text.strip()
    assert answer.llm.id == llm.pk
    assert answer.finish_reason in {"stop", "length"}
    assert answer.usage.input_tokens > 10
    assert 0 < answer.usage.output_tokens <= 24
    assert answer.cost == 0


def test_a_streamed_answer_comes_word_by_word_and_adds_up(calls, llm):
    chunks, answer = calls.stream(PROMPT)

    assert len([chunk for chunk in chunks if chunk.text]) > 2
    assert "".join(chunk.text for chunk in chunks) == answer.text
    assert answer.usage.input_tokens > 10
    assert 0 < answer.usage.output_tokens <= 24
    assert answer.finish_reason in {"stop", "length"}


def test_an_answer_that_is_cut_off_says_so(calls, llm):
    answer = calls.generate("Tell me a very long story about bread.", max_tokens=4)

    # Through its Responses API this server calls every answer complete.
    assert answer.finish_reason == ("stop" if llm.wire == "openai_responses" else "length")
    assert answer.usage.output_tokens == 4


def test_a_json_schema_holds(calls, llm):
    schema = {"type": "object", "properties": {"loaves": {"type": "integer"}}, "required": ["loaves"]}
    form = {"type": "json_schema", "json_schema": {"name": "order", "schema": schema | {"additionalProperties": False}}}

    if llm.wire == "anthropic_messages":  # this server would answer, and forget the schema
        with pytest.raises(InvalidRequestError, match="`response_format` at this server"):
            calls.generate("How many loaves of bread?", response_format=form)
        return
    answer = calls.generate("How many loaves of bread?", max_tokens=60, response_format=form)

    assert isinstance(json.loads(answer.text)["loaves"], int)


def test_a_prompt_beyond_the_context_is_refused_as_that(calls, llm):
    with pytest.raises(ContextLengthError):
        calls.generate("bread " * 5000)


def test_a_stream_that_is_left_makes_room_for_the_next_call(calls, llm):
    left = calls.first_chunks("Tell me a very long story about bread.", count=3)

    assert len(left) == 3
    assert calls.generate(PROMPT).latency_seconds < 30


def test_a_server_that_is_gone_is_a_connection_error(calls, llm):
    llm.api_endpoint = "http://127.0.0.1:9"
    llm.save()

    with pytest.raises(ProviderConnectionError):
        calls.generate(PROMPT)
