"""`POST v1/messages`: what Anthropic's own SDK reads in our answers, whole and streamed."""

import json

import pytest
from anthropic.types import Message
from pydantic import BaseModel

from creative_services.core.types import Usage
from creative_services.testing import LlmsFactory, RawReply, Reply
from tests.api.sdks import anthropic_sdk

MESSAGES = "/api/llm/v1/messages"
WORDS = ("Once", " upon", " a\u2028time", " 👋")
COUNTS = Usage(input_tokens=12, output_tokens=9, cache_read_tokens=4, cache_write_tokens=2, reasoning_tokens=5)
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
}
HELLO = {"role": "user", "content": "Hello"}


def ask(asker, stream=False, **body):
    return asker.post(MESSAGES, {"model": "standard", "max_tokens": 100, "messages": [HELLO], "stream": stream} | body)


@pytest.fixture
def thinker(db):
    """An LLM of Anthropic's, which the premium tier asks."""
    return LlmsFactory(name="Thinker", provider="anthropic", model="thinker-1", api_key="sk-thinker", tier="premium")


def essence(message):
    """What an answer says, however it came."""
    said = message.model_dump(exclude={"id"})
    said["content"] = [
        {name: value for name, value in block.items() if value is not None and name != "parsed_output"}
        for block in said["content"]
    ]
    return said


def both(asker):
    """An answer as the SDK reads it whole, and as it puts the stream together."""
    asked = {"model": "standard", "max_tokens": 100, "messages": [HELLO]}
    with anthropic_sdk(asker) as client:
        whole = client.messages.create(**asked)
        with client.messages.stream(**asked) as stream:
            text = "".join(stream.text_stream)
            streamed = stream.get_final_message()
    assert text == "".join(block.text for block in streamed.content if block.type == "text")
    return essence(whole), essence(streamed)


@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
def test_the_sdk_reads_the_same_in_a_stream_as_in_a_whole_answer(asker, provider, reply):
    provider.answer_with(reply)

    whole, streamed = both(asker)

    assert streamed == whole
    assert "".join(block.get("text", "") for block in whole["content"]) == "".join(reply.pieces)
    assert [block["thinking"] for block in whole["content"] if block["type"] == "thinking"] == (
        [reply.reasoning] if reply.reasoning else []
    )
    assert [
        (block["id"], block["name"], block["input"]) for block in whole["content"] if block["type"] == "tool_use"
    ] == [(call["id"], call["name"], json.loads(call["arguments"])) for call in reply.tool_calls]


@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
def test_an_answer_has_all_that_the_sdks_types_demand(asker, provider, reply):
    provider.answer_with(reply)

    body = ask(asker).json

    Message.model_validate(body)
    assert set(body) == {"id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "usage"}


def test_a_stream_has_anthropics_events_in_their_order(asker, provider):
    provider.answer_with(Reply(["Let me", " see."], reasoning="It may rain.", tool_calls=CALLS[:1], usage=COUNTS))

    told = ask(asker, stream=True)
    events = [(name, data.get("index"), (data.get("delta") or {}).get("type")) for name, data in told.events]

    assert all(name == data["type"] for name, data in told.events)
    assert events[:-2] == [
        ("message_start", None, None),
        ("content_block_start", 0, None),
        ("content_block_delta", 0, "thinking_delta"),
        ("content_block_stop", 0, None),
        ("content_block_start", 1, None),
        ("content_block_delta", 1, "text_delta"),
        ("content_block_delta", 1, "text_delta"),
        ("content_block_stop", 1, None),
        ("content_block_start", 2, None),
        ("content_block_delta", 2, "input_json_delta"),
        ("content_block_stop", 2, None),
        ("content_block_start", 3, None),
        ("content_block_stop", 3, None),
    ]
    assert told.events[-2:] == [
        (
            "message_delta",
            {
                "type": "message_delta",
                "delta": {"stop_reason": "tool_use", "stop_sequence": None},
                "usage": {
                    "input_tokens": 6,
                    "cache_read_input_tokens": 4,
                    "cache_creation_input_tokens": 2,
                    "output_tokens": 9,
                },
            },
        ),
        ("message_stop", {"type": "message_stop"}),
    ]


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("stop", "end_turn"),
        ("length", "max_tokens"),
        ("content_filter", "refusal"),
        ("tool_call", "tool_use"),
        ("error", None),
    ],
)
def test_why_an_answer_ended_is_said_in_anthropics_words(asker, provider, reason, word):
    provider.answer_with(Reply("Hi", finish_reason=reason))

    assert ask(asker).json["stop_reason"] == word
    assert ask(asker, stream=True).events[-2][1]["delta"]["stop_reason"] == word


def test_an_answer_without_a_reason_has_ended_its_turn(asker, provider):
    body = b'{"choices": [{"message": {"role": "assistant", "content": "Hi"}}]}'
    provider.answer_with(RawReply([body], headers={"content-type": "application/json"}))

    assert ask(asker).json["stop_reason"] == "end_turn"


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        (
            Usage(input_tokens=12, output_tokens=9, cache_read_tokens=4, cache_write_tokens=2),
            {
                "input_tokens": 6,
                "cache_read_input_tokens": 4,
                "cache_creation_input_tokens": 2,
                "output_tokens": 9,
            },
        ),
        (Usage(input_tokens=12, output_tokens=9), {"input_tokens": 12, "output_tokens": 9}),
        (None, {"input_tokens": 0, "output_tokens": 0}),
    ],
)
def test_input_is_counted_without_what_the_cache_held(thinker, asker, provider, usage, counts):
    provider.answer_with(Reply("Hi", usage=usage))

    assert ask(asker, model="premium").json["usage"] == counts
    assert ask(asker, model="premium", stream=True).events[-2][1]["usage"] == counts


@pytest.mark.parametrize("written", ['{"city":', "[1]", "", "nothing", '{"a":' * 5000])
def test_a_call_without_an_object_is_given_an_empty_one(asker, provider, written):
    call = {"index": 0, "id": "call_a", "type": "function", "function": {"name": "weather", "arguments": written}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    body = json.dumps({"choices": [{"message": message, "finish_reason": "tool_calls"}]}).encode()
    provider.answer_with(RawReply([body], headers={"content-type": "application/json"}))

    (block,) = ask(asker).json["content"]

    assert block == {"type": "tool_use", "id": "call_a", "name": "weather", "input": {}}


def test_what_anthropic_wrote_is_handed_on_as_it_is(thinker, asker, provider):
    provider.answer_with(Reply("Hi", reasoning="They greet me."))

    assert ask(asker, model="Thinker").json["content"] == [
        {"type": "thinking", "thinking": "They greet me.", "signature": "ZmFrZQ=="},
        {"type": "text", "text": "Hi"},
    ]


@pytest.mark.parametrize("kind", ["server_tool_use", ["odd"]])
def test_what_a_tool_of_anthropics_did_is_told_in_words_alone(thinker, asker, provider, kind):
    blocks = [
        {"type": kind, "id": "srvtoolu_1", "name": "web_search", "input": {}},
        {"type": "text", "text": "It rains."},
    ]
    answer = {"type": "message", "role": "assistant", "content": blocks, "stop_reason": "end_turn"}
    provider.answer_with(RawReply([json.dumps(answer).encode()], headers={"content-type": "application/json"}))

    assert ask(asker, model="Thinker").json["content"] == blocks[1:]


@pytest.mark.parametrize("stream", [False, True])
def test_the_id_of_a_call_is_where_anthropics_clients_look_for_it(asker, stream):
    headers = ask(asker, stream=stream).headers

    assert headers["request-id"] == headers["x-request-id"]


def test_what_is_no_call_has_no_id(asker, client):
    client.force_login(asker.user)

    assert "request-id" not in client.options(MESSAGES).headers


def test_the_headers_name_the_call(asker):
    told = ask(asker)

    assert told.headers["x-llm-name"] == "Cheap"
    assert told.json["id"] == "msg_" + told.headers["x-request-id"].replace("-", "")
    assert told.json["model"] == "cheap-1"


RESULT = {"type": "tool_result", "tool_use_id": "call_a", "content": "Rain"}


@pytest.mark.parametrize("stream", [False, True])
def test_signed_thoughts_travel_through_the_client(thinker, asker, provider, stream):
    provider.answer_with([Reply("Let me see.", reasoning="It may rain.", tool_calls=CALLS[:1]), Reply("Rain.")])
    asked = {"model": "Thinker", "max_tokens": 100, "tools": [{"name": "weather", "input_schema": {"type": "object"}}]}

    with anthropic_sdk(asker) as client:
        if stream:
            with client.messages.stream(messages=[HELLO], **asked) as events:
                turn = events.get_final_message()
        else:
            turn = client.messages.create(messages=[HELLO], **asked)
        client.messages.create(messages=[HELLO, turn.to_param(), {"role": "user", "content": [RESULT]}], **asked)

    assert provider.requests[-1].json["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "It may rain.", "signature": "ZmFrZQ=="},
        {"type": "text", "text": "Let me see."},
        {"type": "tool_use", "id": "call_a", "name": "weather", "input": {"city": "Graz"}},
    ]


@pytest.mark.parametrize("stream", [False, True])
def test_what_any_provider_wants_back_travels_through_the_client(asker, provider, stream):
    LlmsFactory(name="Signer", provider="gemini", model="signer-1", api_key="k", tier="premium")
    parts = [{"functionCall": {"id": "call_a", "name": "weather", "args": {}}, "thoughtSignature": "c2ln"}]
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}
    answer = json.dumps({"candidates": [candidate]}).encode()
    kind = "text/event-stream" if stream else "application/json"
    raw = b"data: " + answer + b"\r\n\r\n" if stream else answer
    provider.answer_with([RawReply([raw], headers={"content-type": kind}), Reply("Rain.")])
    asked = {"model": "Signer", "max_tokens": 100}

    with anthropic_sdk(asker) as client:
        if stream:
            with client.messages.stream(messages=[HELLO], **asked) as events:
                turn = events.get_final_message()
        else:
            turn = client.messages.create(messages=[HELLO], **asked)
        client.messages.create(messages=[HELLO, turn.to_param(), {"role": "user", "content": [RESULT]}], **asked)

    assert [block.type for block in turn.content] == ["tool_use", "redacted_thinking"]
    assert provider.requests[-1].json["contents"][1]["parts"] == parts


class City(BaseModel):
    name: str


def test_the_sdk_parses_what_keeps_to_a_schema(asker, provider):
    provider.answer_with(Reply('{"name":"Graz"}'))

    with anthropic_sdk(asker) as client:
        whole = client.messages.parse(model="standard", max_tokens=9, messages=[HELLO], output_format=City)

    assert whole.parsed_output == City(name="Graz")
    assert provider.requests[-1].json["response_format"]["json_schema"]["schema"]["properties"].keys() == {"name"}
