"""Anthropic's own SDK, sync and async."""

import asyncio

import anthropic
import pytest
from anthropic import Anthropic, AsyncAnthropic
from pydantic import BaseModel

from tests.api.clients.gateway import ORDER, PIXEL, TEXT, WORDS

HELLO = [{"role": "user", "content": "Write a tagline for a bakery."}]
ASKED = {"model": "standard", "max_tokens": 50, "messages": HELLO}
WEATHER_TOOL = {
    "name": "weather",
    "description": "The weather of a city.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


class Order(BaseModel):
    bread: str
    loaves: int


def options(site, key=None):
    return {"base_url": site.anthropic_url, "api_key": key or site.key, "max_retries": 0, "timeout": 20}


@pytest.fixture
def client(site):
    with Anthropic(**options(site)) as client:
        yield client


def with_async_client(site, ask):
    async def run():
        async with AsyncAnthropic(**options(site)) as client:
            return await ask(client)

    return asyncio.run(run())


def test_a_message(client):
    answer = client.messages.create(**ASKED, system="Be brief.", stop_sequences=["\n\n"])

    assert [block.text for block in answer.content] == [TEXT]
    assert answer.stop_reason == "end_turn"
    assert answer.model == "baker-1"
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (3, 5)
    assert answer.id.startswith("msg_")


def test_a_message_async(site):
    answer = with_async_client(site, lambda client: client.messages.create(**ASKED))

    assert answer.content[0].text == TEXT


def test_a_bearer_token_is_taken_as_well(site):
    with Anthropic(base_url=site.anthropic_url, auth_token=site.key, max_retries=0) as client:
        assert client.messages.create(**ASKED).content[0].text == TEXT


def test_headers_say_who_answered_and_what_it_cost(client):
    response = client.messages.with_raw_response.create(**ASKED)

    assert response.headers["x-llm-name"] == "Baker"
    assert response.headers["x-llm-cost"] == "0.013"


def test_a_stream(client):
    with client.messages.stream(**ASKED) as stream:
        texts = list(stream.text_stream)
        answer = stream.get_final_message()

    assert texts == WORDS
    assert answer.content[0].text == TEXT
    assert answer.stop_reason == "end_turn"
    assert answer.usage.output_tokens == 5


def test_a_stream_async(site):
    async def ask(client):
        async with client.messages.stream(**ASKED) as stream:
            return [text async for text in stream.text_stream]

    assert with_async_client(site, ask) == WORDS


def test_a_stream_of_events(client):
    with client.messages.create(**ASKED, stream=True) as stream:
        kinds = [event.type for event in stream]

    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]


def test_an_image(client, site):
    source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
    content = [{"type": "image", "source": source}, {"type": "text", "text": "What is it?"}]
    client.messages.create(model="standard", max_tokens=50, messages=[{"role": "user", "content": content}])

    sent = site.provider.requests[-1].json["messages"][0]["content"]
    assert sent[0]["image_url"]["url"] == f"data:image/png;base64,{PIXEL}"


@pytest.mark.parametrize("streamed", [False, True])
def test_a_tool_is_called_and_its_result_answered(client, streamed):
    asked = {**ASKED, "tools": [WEATHER_TOOL]}
    if streamed:
        with client.messages.stream(**asked) as stream:
            first = stream.get_final_message()
    else:
        first = client.messages.create(**asked)
    (call,) = [block for block in first.content if block.type == "tool_use"]

    assert first.stop_reason == "tool_use"
    assert (call.name, call.input) == ("weather", {"city": "Oslo"})

    result = {"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}
    turns = [*HELLO, {"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
    second = client.messages.create(**asked | {"messages": turns})

    assert second.content[0].text == "It is sunny in Oslo."


def test_an_answer_is_parsed_into_a_model(client):
    answer = client.messages.parse(**ASKED, output_format=Order)

    assert answer.parsed_output == Order(**ORDER)


def test_an_answer_is_parsed_into_a_model_async(site):
    answer = with_async_client(site, lambda client: client.messages.parse(**ASKED, output_format=Order))

    assert answer.parsed_output == Order(**ORDER)


# Errors


def asked_with(site, key, error, **changes):
    with Anthropic(**options(site, key)) as client, pytest.raises(error) as caught:
        client.messages.create(**ASKED | changes)
    return caught.value


@pytest.mark.parametrize("key", ["sk-of-nobody", "csk_0123456789ab_" + "x" * 43])
def test_a_wrong_key(site, key):
    assert asked_with(site, key, anthropic.AuthenticationError).type == "authentication_error"


def test_a_revoked_key(site):
    asked_with(site, site.revoked_key, anthropic.AuthenticationError)


def test_a_user_who_may_not(site):
    assert asked_with(site, site.powerless_key, anthropic.PermissionDeniedError).type == "permission_error"


def test_a_user_who_asks_too_often(site):
    error = asked_with(site, site.hasty_key, anthropic.RateLimitError)

    assert error.response.headers["retry-after"] == "7"
    assert error.type == "rate_limit_error"


def test_an_unknown_model(site):
    error = asked_with(site, site.key, anthropic.NotFoundError, model="claude-99")

    assert error.type == "not_found_error"
    assert "claude-99" in error.message


@pytest.mark.parametrize(
    ("field", "value"), [("max_tokens", 0), ("temperature", "hot"), ("mcp_servers", [{"type": "url"}])]
)
def test_what_cannot_be_served_is_a_bad_request_that_names_it(site, field, value):
    changes = {field: value} if field == "max_tokens" else {"extra_body": {field: value}}
    error = asked_with(site, site.key, anthropic.BadRequestError, **changes)

    assert field in error.message
    assert error.type == "invalid_request_error"


@pytest.mark.parametrize("model", ["Forgetful", "Prudish"])
def test_a_prompt_that_is_refused_is_a_bad_request(site, model):
    asked_with(site, site.key, anthropic.BadRequestError, model=model)


@pytest.mark.parametrize("model", ["Limited", "Down"])
@pytest.mark.parametrize("stream", [True, False])
def test_a_provider_that_fails_is_a_servers_error(site, model, stream):
    error = asked_with(site, site.key, anthropic.InternalServerError, model=model, stream=stream)

    assert error.status_code in {502, 503}
    assert error.type in {"api_error", "overloaded_error"}


def test_a_stream_that_breaks_off_is_an_error(client):
    told = []
    with pytest.raises(anthropic.APIError), client.messages.stream(**ASKED | {"model": "Cut"}) as stream:
        told.extend(stream.text_stream)

    assert "".join(told) == TEXT


def test_a_clients_own_timeout(site):
    with Anthropic(**options(site) | {"timeout": 0.3}) as client, pytest.raises(anthropic.APITimeoutError):
        client.messages.create(**ASKED | {"model": "Silent"})
