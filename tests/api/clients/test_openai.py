"""OpenAI's own SDK, sync and async."""

import asyncio
import json

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from tests.api.clients.gateway import ORDER, PIXEL, TEXT, VECTOR, WEATHER, WORDS

HELLO = [{"role": "user", "content": "Write a tagline for a bakery."}]
WEATHER_TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


class Order(BaseModel):
    bread: str
    loaves: int


def no_retries(site, key):
    return {"base_url": site.openai_url, "api_key": key, "max_retries": 0, "timeout": 20}


@pytest.fixture
def client(site):
    with OpenAI(**no_retries(site, site.key)) as client:
        yield client


def with_async_client(site, ask):
    """What `ask` makes of an async client."""

    async def run():
        async with AsyncOpenAI(**no_retries(site, site.key)) as client:
            return await ask(client)

    return asyncio.run(run())


# Chat


def test_chat(client):
    answer = client.chat.completions.create(model="standard", messages=HELLO)

    assert answer.choices[0].message.content == TEXT
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == "baker-1"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (3, 5, 8)
    assert answer.id.startswith("chatcmpl-")


@pytest.mark.parametrize("model", ["standard", "Baker", "near/baker-1"])
def test_a_model_is_a_tier_or_a_name_or_a_providers_model(client, model):
    assert client.chat.completions.create(model=model, messages=HELLO).model == "baker-1"


def test_headers_say_who_answered_and_what_it_cost(client):
    response = client.chat.completions.with_raw_response.create(model="standard", messages=HELLO)

    assert response.headers["x-llm-name"] == "Baker"
    assert response.headers["x-llm-attempts"] == "1"
    assert response.headers["x-llm-cost"] == "0.013"
    assert response.parse()._request_id == response.headers["x-request-id"]


def test_chat_async(site):
    answer = with_async_client(site, lambda client: client.chat.completions.create(model="standard", messages=HELLO))

    assert answer.choices[0].message.content == TEXT


def test_stream(client):
    with client.chat.completions.create(
        model="standard", messages=HELLO, stream=True, stream_options={"include_usage": True}
    ) as stream:
        chunks = list(stream)

    told = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    assert [text for text in told if text] == WORDS
    assert chunks[-1].usage.total_tokens == 8
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"


def test_stream_async(site):
    async def ask(client):
        stream = await client.chat.completions.create(model="standard", messages=HELLO, stream=True)
        return [chunk.choices[0].delta.content async for chunk in stream]

    assert "".join(filter(None, with_async_client(site, ask))) == TEXT


def test_the_sdks_own_stream_reader_puts_an_answer_together(client):
    with client.chat.completions.stream(model="standard", messages=HELLO) as stream:
        kinds = {event.type for event in stream}
        answer = stream.get_final_completion()

    assert "content.delta" in kinds
    assert answer.choices[0].message.content == TEXT


def test_many_parameters_at_their_usual_values(client):
    answer = client.chat.completions.create(
        model="standard",
        messages=[{"role": "developer", "content": "Be brief."}, *HELLO],
        max_completion_tokens=50,
        temperature=0.2,
        stop=["\n\n"],
        n=1,
        seed=7,
        user="ann",
        top_p=1,
        presence_penalty=0,
        frequency_penalty=0,
        metadata={"job": "1"},
    )

    assert answer.choices[0].message.content == TEXT


def test_an_image(client, site):
    pixel = f"data:image/png;base64,{PIXEL}"
    content = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": pixel}}]
    answer = client.chat.completions.create(model="standard", messages=[{"role": "user", "content": content}])

    assert answer.choices[0].message.content == TEXT
    assert site.provider.requests[-1].json["messages"][0]["content"][1]["image_url"]["url"] == pixel


# Tools and schemas


def test_a_tool_is_called_and_its_result_answered(client):
    first = client.chat.completions.create(model="standard", messages=HELLO, tools=[WEATHER_TOOL])
    message = first.choices[0].message
    (call,) = message.tool_calls

    assert first.choices[0].finish_reason == "tool_calls"
    assert (call.id, call.function.name, call.function.arguments) == tuple(
        json.dumps(json.loads(value)) if name == "arguments" else value for name, value in WEATHER.items()
    )

    result = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
    second = client.chat.completions.create(model="standard", messages=[*HELLO, message, result], tools=[WEATHER_TOOL])

    assert second.choices[0].message.content == "It is sunny in Oslo."


def test_a_tool_is_called_in_a_stream(client):
    with client.chat.completions.stream(model="standard", messages=HELLO, tools=[WEATHER_TOOL]) as stream:
        for _ in stream:
            pass
        message = stream.get_final_completion().choices[0].message

    assert json.loads(message.tool_calls[0].function.arguments) == {"city": "Oslo"}


def test_an_answer_is_parsed_into_a_model(client):
    answer = client.chat.completions.parse(model="standard", messages=HELLO, response_format=Order)

    assert answer.choices[0].message.parsed == Order(**ORDER)


def test_an_answer_is_parsed_into_a_model_async(site):
    answer = with_async_client(
        site,
        lambda client: client.chat.completions.parse(model="standard", messages=HELLO, response_format=Order),
    )

    assert answer.choices[0].message.parsed == Order(**ORDER)


# Embeddings and models


def test_embeddings(client):
    one = client.embeddings.create(model="standard", input="bread")
    two = client.embeddings.create(model="standard", input=["bread", "rolls"], encoding_format="float")

    assert one.data[0].embedding == VECTOR
    assert [item.embedding for item in two.data] == [VECTOR, VECTOR]
    assert one.usage.prompt_tokens == 4


def test_embeddings_async(site):
    found = with_async_client(site, lambda client: client.embeddings.create(model="Baker", input="bread"))

    assert found.data[0].embedding == VECTOR


def test_models(client):
    names = [model.id for model in client.models.list()]

    assert {"standard", "Baker"} <= set(names)
    assert client.models.retrieve("Baker").id == "Baker"
    assert client.models.retrieve("near/baker-1").id == "near/baker-1"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("Nobody")


# Errors


def ask(client, model="standard", **more):
    return client.chat.completions.create(model=model, messages=HELLO, **more)


@pytest.mark.parametrize("key", ["sk-of-nobody", "csk_0123456789ab_" + "x" * 43])
def test_a_wrong_key(site, key):
    with OpenAI(**no_retries(site, key)) as client, pytest.raises(openai.AuthenticationError):
        ask(client)


def test_a_revoked_key(site):
    with OpenAI(**no_retries(site, site.revoked_key)) as client, pytest.raises(openai.AuthenticationError):
        ask(client)


def test_a_user_who_may_not(site):
    with OpenAI(**no_retries(site, site.powerless_key)) as client, pytest.raises(openai.PermissionDeniedError):
        ask(client)


def test_a_user_who_asks_too_often(site):
    with OpenAI(**no_retries(site, site.hasty_key)) as client, pytest.raises(openai.RateLimitError) as caught:
        ask(client)

    assert caught.value.response.headers["retry-after"] == "7"


def test_an_unknown_model(client):
    with pytest.raises(openai.NotFoundError) as caught:
        ask(client, "gpt-99")

    assert caught.value.code == "model_not_found"
    assert "gpt-99" in caught.value.message


@pytest.mark.parametrize(
    ("field", "value"), [("n", 2), ("temperature", "hot"), ("logprobs", True), ("stream_options", 1), ("max_tokens", 0)]
)
def test_what_cannot_be_served_is_a_bad_request_that_names_it(client, field, value):
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, extra_body={field: value})

    assert field in caught.value.message
    assert caught.value.type == "invalid_request_error"


def test_a_prompt_that_is_too_long_says_so_by_its_code(client):
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, "Forgetful")

    assert caught.value.code == "context_length_exceeded"


def test_refused_content_says_so_by_its_code(client):
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, "Prudish")

    assert caught.value.code == "content_filter"


@pytest.mark.parametrize(("model", "status"), [("Limited", 503), ("Down", 502)])
def test_a_provider_that_fails_is_a_servers_error(client, model, status):
    with pytest.raises(openai.InternalServerError) as caught:
        ask(client, model)

    assert caught.value.status_code == status
    assert caught.value.request_id


def test_a_provider_that_fails_is_a_servers_error_before_a_stream_too(site):
    with pytest.raises(openai.InternalServerError):
        with_async_client(site, lambda client: ask(client, "Down", stream=True))


def test_a_stream_that_breaks_off_is_an_error(client):
    told = []
    with pytest.raises(openai.APIError), ask(client, "Cut", stream=True) as stream:
        told.extend(chunk.choices[0].delta.content for chunk in stream)

    assert "".join(filter(None, told)) == TEXT


def test_a_clients_own_timeout(site):
    with OpenAI(**no_retries(site, site.key) | {"timeout": 0.3}) as client, pytest.raises(openai.APITimeoutError):
        ask(client, "Silent")
