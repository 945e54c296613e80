"""LangChain's client of OpenAI's API."""

import asyncio
from functools import partial

import pytest
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from openai import DefaultAsyncHttpxClient
from pydantic import BaseModel

from tests.api.clients.gateway import ORDER, TEXT, VECTOR

HELLO = "Write a tagline for a bakery."


class Order(BaseModel):
    """An order at the bakery."""

    bread: str
    loaves: int


@tool
def weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny, {city}"


@pytest.fixture(params=[False, True], ids=["chat", "responses"])
def make(request, site):
    """Makes a client of either of OpenAI's APIs."""
    options = {"base_url": site.openai_url, "api_key": site.key, "max_retries": 0, "timeout": 20, "temperature": 0.2}
    return partial(ChatOpenAI, model="standard", use_responses_api=request.param, **options)


@pytest.fixture
def chat(make):
    return make()


def run(make, ask):
    """What `ask` makes of a client with connections of its own: those that LangChain keeps outlive their loop."""

    async def within():
        async with DefaultAsyncHttpxClient() as http_client:
            return await ask(make(http_async_client=http_client))

    return asyncio.run(within())


def test_invoke(chat):
    answer = chat.invoke(HELLO)

    assert answer.text == TEXT
    assert answer.usage_metadata["total_tokens"] == 8
    assert answer.response_metadata["model_name"] == "baker-1"


def test_invoke_async(make):
    answer = run(make, lambda chat: chat.ainvoke([("system", "Be brief."), ("user", HELLO)]))

    assert answer.text == TEXT


def test_stream(chat):
    chunks = list(chat.stream(HELLO))

    assert "".join(chunk.text for chunk in chunks) == TEXT
    assert len([chunk for chunk in chunks if chunk.text]) > 2


def test_stream_async(make):
    async def ask(chat):
        return [chunk.text async for chunk in chat.astream(HELLO)]

    assert "".join(run(make, ask)) == TEXT


def test_batch(chat):
    assert [answer.text for answer in chat.batch([HELLO, HELLO])] == [TEXT, TEXT]


def test_a_tool_is_called_and_its_result_answered(chat):
    bound = chat.bind_tools([weather])
    first = bound.invoke(HELLO)
    (call,) = first.tool_calls

    assert (call["name"], call["args"]) == ("weather", {"city": "Oslo"})

    result = ToolMessage(weather.invoke(call["args"]), tool_call_id=call["id"])
    assert bound.invoke([HumanMessage(HELLO), first, result]).text == "It is sunny, Oslo in Oslo."


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_with_structured_output(chat, method):
    assert chat.with_structured_output(Order, method=method).invoke(HELLO) == Order(**ORDER)


def test_embeddings(site):
    # Texts as they are: tokens would be those of another model, by a table that has to be downloaded.
    embeddings = OpenAIEmbeddings(
        model="standard", base_url=site.openai_url, api_key=site.key, check_embedding_ctx_length=False, max_retries=0
    )

    assert embeddings.embed_documents(["bread", "rolls"]) == [VECTOR, VECTOR]
    assert embeddings.embed_query("bread") == VECTOR
