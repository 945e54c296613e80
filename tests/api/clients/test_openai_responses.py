"""The Responses API of OpenAI's own SDK, sync and async."""

import asyncio
import json

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from tests.api.clients.gateway import ORDER, TEXT, WORDS

HELLO = "Write a tagline for a bakery."
WEATHER_TOOL = {
    "type": "function",
    "name": "weather",
    "description": "The weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": False,
}


class Order(BaseModel):
    bread: str
    loaves: int


def options(site):
    return {"base_url": site.openai_url, "api_key": site.key, "max_retries": 0, "timeout": 20}


@pytest.fixture
def client(site):
    with OpenAI(**options(site)) as client:
        yield client


def test_a_response(client):
    answer = client.responses.create(model="standard", input=HELLO, instructions="Be brief.", max_output_tokens=50)

    assert answer.output_text == TEXT
    assert answer.status == "completed"
    assert answer.model == "baker-1"
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (3, 5)


def test_a_response_async(site):
    async def ask():
        async with AsyncOpenAI(**options(site)) as client:
            return await client.responses.create(model="standard", input=[{"role": "user", "content": HELLO}])

    assert asyncio.run(ask()).output_text == TEXT


def test_a_stream(client):
    with client.responses.create(model="standard", input=HELLO, stream=True) as stream:
        events = list(stream)

    assert events[0].type == "response.created"
    assert [event.delta for event in events if event.type == "response.output_text.delta"] == WORDS
    assert events[-1].response.output_text == TEXT


def test_the_sdks_own_stream_reader_puts_a_response_together(client):
    with client.responses.stream(model="standard", input=HELLO) as stream:
        for _ in stream:
            pass
        answer = stream.get_final_response()

    assert answer.output_text == TEXT


def test_a_stream_async(site):
    async def ask():
        async with AsyncOpenAI(**options(site)) as client:
            stream = await client.responses.create(model="standard", input=HELLO, stream=True)
            return [event.delta async for event in stream if event.type == "response.output_text.delta"]

    assert asyncio.run(ask()) == WORDS


@pytest.mark.parametrize("streamed", [False, True])
def test_a_tool_is_called_and_its_result_answered(client, streamed):
    asked = {"model": "standard", "tools": [WEATHER_TOOL]}
    if streamed:
        with client.responses.stream(input=HELLO, **asked) as stream:
            for _ in stream:
                pass
            first = stream.get_final_response()
    else:
        first = client.responses.create(input=HELLO, **asked)
    (call,) = [item for item in first.output if item.type == "function_call"]

    assert (call.name, json.loads(call.arguments)) == ("weather", {"city": "Oslo"})

    result = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
    turns = [{"role": "user", "content": HELLO}, *first.output, result]
    second = client.responses.create(input=turns, **asked)

    assert second.output_text == "It is sunny in Oslo."


def test_an_answer_is_parsed_into_a_model(client):
    answer = client.responses.parse(model="standard", input=HELLO, text_format=Order)

    assert answer.output_parsed == Order(**ORDER)


def test_what_needs_a_memory_is_refused_by_name(client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model="standard", input=HELLO, previous_response_id="resp_1")

    assert "previous_response_id" in caught.value.message


def test_an_unknown_model(client):
    with pytest.raises(openai.NotFoundError):
        client.responses.create(model="gpt-99", input=HELLO)


def test_what_was_said_cannot_be_looked_up_later(client):
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve("resp_1")


def test_a_provider_that_fails_is_a_servers_error(client):
    with pytest.raises(openai.InternalServerError):
        client.responses.create(model="Down", input=HELLO)


def test_a_stream_that_breaks_off_is_an_error(client):
    told = []
    with (
        client.responses.create(model="Cut", input=HELLO, stream=True) as stream,
        pytest.raises(openai.APIError, match="broke off"),
    ):
        told.extend(event.delta for event in stream if event.type == "response.output_text.delta")

    assert "".join(told) == TEXT
