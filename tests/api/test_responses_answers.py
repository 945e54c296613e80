"""`POST v1/responses`: what OpenAI's own SDK reads in our answers, whole and streamed."""

import pytest
from openai.types.responses import Response
from pydantic import BaseModel

from creative_services.core.types import Usage
from creative_services.testing import Reply
from tests.api.sdks import openai_sdk

WORDS = ("Once", " upon", " a\u2028time", " 👋")
COUNTS = Usage(input_tokens=12, output_tokens=9, cache_read_tokens=4, reasoning_tokens=5)
CALLS = (
    {"id": "call_a", "name": "weather", "arguments": '{"city":"Graz"}'},
    {"id": "call_b", "name": "clock", "arguments": "{}"},
)
REPLIES = {
    "words": Reply(WORDS, usage=COUNTS),
    "words of one piece": Reply("Hello"),
    "thoughts and words": Reply(WORDS, reasoning="They greet me.", usage=COUNTS),
    "tool calls": Reply("", tool_calls=CALLS),
    "words and tool calls": Reply(WORDS, tool_calls=CALLS, reasoning="I must look."),
    "nothing": Reply(""),
    "an answer cut off": Reply(WORDS, finish_reason="length"),
    "a refusal": Reply(WORDS, finish_reason="content_filter"),
    "no counts": Reply(WORDS, usage=None),
    "one count": Reply(WORDS, usage=Usage(output_tokens=9)),
}


def ask(asker, stream=False, **body):
    return asker.post("/api/llm/v1/responses", {"model": "standard", "input": "Hello", "stream": stream} | body)


def essence(response):
    """What an answer says, however it came."""
    return {
        "text": response.output_text,
        "calls": [
            (item.call_id, item.name, item.arguments) for item in response.output if item.type == "function_call"
        ],
        "kinds": [item.type for item in response.output],
        "thoughts": [part.text for item in response.output if item.type == "reasoning" for part in item.summary],
        "status": (response.status, response.incomplete_details and response.incomplete_details.reason),
        "usage": response.usage and response.usage.model_dump(),
        "model": response.model,
    }


@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
def test_the_sdk_reads_the_same_in_a_stream_as_in_a_whole_answer(asker, provider, reply):
    provider.answer_with(reply)

    with openai_sdk(asker) as client:
        whole = client.responses.create(model="standard", input="Hello")
        with client.responses.stream(model="standard", input="Hello") as stream:
            events = list(stream)

    last = events[-1].response
    assert essence(last) == essence(whole)
    assert essence(whole)["text"] == "".join(reply.pieces)
    assert essence(whole)["thoughts"] == ([reply.reasoning] if reply.reasoning else [])
    assert essence(whole)["calls"] == [(call["id"], call["name"], call["arguments"]) for call in reply.tool_calls]
    assert [event.sequence_number for event in events] == list(range(len(events)))


@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
def test_an_answer_has_all_that_the_sdks_types_demand(asker, provider, reply):
    provider.answer_with(reply)

    asked = {"tools": [{"type": "function", "name": "weather"}], "metadata": {"job": "7"}, "temperature": 0.5}
    body = ask(asker, **asked).json

    Response.model_validate(body, strict=True)
    assert set(body) <= set(Response.model_fields) | {"store", "user"}


@pytest.mark.parametrize(
    ("reason", "status", "details"),
    [
        ("stop", "completed", None),
        ("length", "incomplete", {"reason": "max_output_tokens"}),
        ("content_filter", "incomplete", {"reason": "content_filter"}),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_how_an_answer_ended_is_its_status(asker, provider, stream, reason, status, details):
    provider.answer_with(Reply("Hi", finish_reason=reason))

    told = ask(asker, stream=stream)
    name, body = (
        (f"response.{status}", told.json) if not stream else (told.events[-1][0], told.events[-1][1]["response"])
    )

    assert name == f"response.{status}"
    assert (body["status"], body["incomplete_details"], body["error"]) == (status, details, None)
    assert body["output"][0]["status"] == ("completed" if status == "completed" else "incomplete")


class City(BaseModel):
    name: str


def test_the_sdk_parses_what_keeps_to_a_schema(asker, provider):
    provider.answer_with(Reply('{"name":"Graz"}'))

    with openai_sdk(asker) as client:
        whole = client.responses.parse(model="standard", input="Where?", text_format=City)
        with client.responses.stream(model="standard", input="Where?", text_format=City) as events:
            streamed = events.get_final_response()

    assert whole.output_parsed == streamed.output_parsed == City(name="Graz")
    (asked, _) = (request.json["response_format"] for request in provider.requests)
    assert asked["json_schema"]["name"] == "City"
    assert asked["json_schema"]["strict"] is True
    assert whole.text.format.name == "City"
