"""Clients that exist, over our routes, with a real model behind them; too small a one to call tools."""

import asyncio
from contextlib import ExitStack
from functools import cache

import pytest
from anthropic import Anthropic
from langchain_openai import ChatOpenAI
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from tests.api.clients.gateway import gateway_to

PROMPT = "Write a short tagline for a bakery."
MESSAGES = [{"role": "user", "content": PROMPT}]
MODEL = "SmolLM2"


class Order(BaseModel):
    loaves: int


@pytest.fixture(scope="module")
def sites(server, tmp_path_factory):
    rows = [{"name": MODEL, "model": server.model, "tier": "economy"}]
    with ExitStack() as running:
        yield cache(
            lambda kind: running.enter_context(
                gateway_to(f"{server.url}/v1", rows, kind, tmp_path_factory.mktemp(kind))
            )
        )


@pytest.fixture(params=["uvicorn", "gunicorn-threads"])
def site(request, sites):
    return sites(request.param)


def keyed(site):
    return {"base_url": site.openai_url, "api_key": site.key, "max_retries": 0, "timeout": 60}


@pytest.fixture
def openai(site):
    with OpenAI(**keyed(site)) as client:
        yield client


def test_openai_chat(openai):
    answer = openai.chat.completions.create(model="economy", messages=MESSAGES, max_tokens=16)

    assert answer.choices[0].message.content.strip()
    assert answer.choices[0].finish_reason in {"stop", "length"}
    assert 0 < answer.usage.completion_tokens <= 16


def test_openai_stream(openai):
    with openai.chat.completions.create(
        model=MODEL, messages=MESSAGES, max_tokens=16, stream=True, stream_options={"include_usage": True}
    ) as stream:
        chunks = list(stream)

    assert len([chunk for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]) > 2
    assert 0 < chunks[-1].usage.completion_tokens <= 16


def test_openai_async(site):
    async def ask():
        async with AsyncOpenAI(**keyed(site)) as client:
            return await client.chat.completions.create(model=MODEL, messages=MESSAGES, max_tokens=8)

    assert asyncio.run(ask()).choices[0].message.content.strip()


def test_openai_json_schema(openai):
    answer = openai.chat.completions.parse(model=MODEL, messages=MESSAGES, max_tokens=60, response_format=Order)

    assert isinstance(answer.choices[0].message.parsed.loaves, int)


def test_openai_responses(openai):
    answer = openai.responses.create(model=MODEL, input=PROMPT, max_output_tokens=16)

    assert answer.output_text.strip()


def test_anthropic(site):
    with Anthropic(base_url=site.anthropic_url, api_key=site.key, max_retries=0) as client:
        whole = client.messages.create(model=MODEL, messages=MESSAGES, max_tokens=16)
        with client.messages.stream(model=MODEL, messages=MESSAGES, max_tokens=16) as stream:
            told = list(stream.text_stream)

    assert whole.content[0].text.strip()
    assert len(told) > 2


def test_langchain(site):
    chat = ChatOpenAI(model=MODEL, max_tokens=16, **keyed(site))

    assert chat.invoke(PROMPT).text.strip()
    assert len([chunk for chunk in chat.stream(PROMPT) if chunk.text]) > 2


def test_pydantic_ai(site):
    async def ask():
        async with AsyncOpenAI(**keyed(site)) as client:
            agent = Agent(OpenAIChatModel(MODEL, provider=OpenAIProvider(openai_client=client)))
            return await agent.run(PROMPT, model_settings={"max_tokens": 16})

    assert asyncio.run(ask()).output.strip()
