"""`POST v1/chat/completions`: OpenAI's shapes to the letter, whole and streamed, under WSGI and ASGI."""

import re

import pytest

from creative_services.core.types import Usage
from creative_services.testing import Failure, LlmsFactory, RawReply, Reply

CALLS = [
    {"id": "call_1", "name": "weather", "arguments": '{"city": "Ulm"}'},
    {"id": "call_2", "name": "weather", "arguments": '{"city": "Bonn"}'},
]
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "city", "schema": {"type": "object"}}}
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
WORDS = ("Once", " upon", " a\u2028time", " 👋")


@pytest.fixture
def thinker(provider):
    row = LlmsFactory(name="Thinker", provider="anthropic", model="thinker-1", api_key="sk-thinker", tier="premium")
    provider.answer_with(Reply("Hi", reasoning="They greet me."))
    return row


def test_an_answer_has_exactly_the_fields_of_openai(asker, provider):
    usage = Usage(input_tokens=12, output_tokens=3, cache_read_tokens=8, cache_write_tokens=2, reasoning_tokens=1)
    provider.answer_with(Reply("Good day", usage=usage))

    told = asker.chat()
    body = told.json

    assert told.status == 200
    assert body.pop("id") == f"chatcmpl-{told.headers['x-request-id']}"
    assert type(body.pop("created")) is int
    assert body == {
        "object": "chat.completion",
        "model": "cheap-1",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Good day", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 12,
            "completion_tokens": 3,
            "total_tokens": 15,
            "prompt_tokens_details": {"cached_tokens": 8, "cache_write_tokens": 2},
            "completion_tokens_details": {"reasoning_tokens": 1},
        },
    }


def test_a_stream_has_exactly_the_chunks_of_openai(asker, provider):
    provider.answer_with(Reply(WORDS))

    told = asker.chat(stream=True)
    *chunks, done = told.data

    assert done == "[DONE]"
    assert {chunk.pop("id") for chunk in chunks} == {f"chatcmpl-{told.headers['x-request-id']}"}
    assert {type(chunk.pop("created")) for chunk in chunks} == {int}
    assert {(chunk.pop("object"), chunk.pop("model")) for chunk in chunks} == {("chat.completion.chunk", "cheap-1")}
    deltas = [{"role": "assistant", "content": "", "refusal": None}, *({"content": word} for word in WORDS), {}]
    assert chunks == [
        {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None if delta else "stop"}]}
        for delta in deltas
    ]


def test_usage_comes_last_where_it_is_asked_for(asker, provider):
    provider.answer_with(Reply(WORDS, usage=Usage(input_tokens=12, output_tokens=3)))

    *chunks, last, done = asker.chat(stream=True, stream_options={"include_usage": True}).data

    assert done == "[DONE]"
    assert last["choices"] == []
    assert last["usage"] == {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}
    assert {chunk["usage"] for chunk in chunks} == {None}


def test_usage_that_the_provider_did_not_report_is_null_and_never_zero(asker, provider):
    provider.answer_with(Reply("Hi", usage=None))

    assert asker.chat().json["usage"] is None
    *_chunks, last, _done = asker.chat(stream=True, stream_options={"include_usage": True}).data
    assert last["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize(
    ("reason", "word"),
    [("stop", "stop"), ("length", "length"), ("content_filter", "content_filter"), ("tool_call", "tool_calls")],
)
def test_why_an_answer_ended_is_said_in_openais_words(asker, provider, reason, word):
    provider.answer_with(Reply("Hi", finish_reason=reason))

    assert asker.chat().json["choices"][0]["finish_reason"] == word
    assert asker.chat(stream=True).data[-2]["choices"][0]["finish_reason"] == word


def test_an_answer_without_a_reason_has_stopped(asker, provider):
    body = b'{"choices": [{"message": {"role": "assistant", "content": "Hi"}}]}'
    provider.answer_with(RawReply([body], headers={"content-type": "application/json"}))

    assert asker.chat().json["choices"][0]["finish_reason"] == "stop"


def test_tool_calls_have_openais_form(asker, provider):
    provider.answer_with(Reply("", tool_calls=CALLS))
    wanted = [
        {"id": call["id"], "type": "function", "function": {"name": call["name"], "arguments": call["arguments"]}}
        for call in CALLS
    ]

    (choice,) = asker.chat(tools=[TOOL], tool_choice="auto").json["choices"]
    streamed = [chunk["choices"][0]["delta"] for chunk in asker.chat(tools=[TOOL], stream=True).data[:-1]]
    (told,) = [delta["tool_calls"] for delta in streamed if "tool_calls" in delta]

    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"] == {"role": "assistant", "content": None, "refusal": None, "tool_calls": wanted}
    assert told == [{"index": at, **call} for at, call in enumerate(wanted)]


def test_reasoning_comes_beside_the_text(asker, thinker):
    message = asker.chat(model="Thinker").json["choices"][0]["message"]
    deltas = [chunk["choices"][0]["delta"] for chunk in asker.chat(model="Thinker", stream=True).data[:-1]]

    assert message["reasoning_content"] == "They greet me."
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == "They greet me."
    assert "".join(delta.get("content") or "" for delta in deltas) == "Hi"


def test_what_a_provider_wants_back_rides_in_the_message_and_comes_back(asker, provider, thinker):
    message = asker.chat(model="Thinker").json["choices"][0]["message"]
    streamed = asker.chat(model="Thinker", stream=True).data[-3]["choices"][0]["delta"]
    asker.chat(
        model="Thinker", messages=[{"role": "user", "content": "Hello"}, message, {"role": "user", "content": "Go on"}]
    )

    assert streamed["replay"]["blocks"][0] == message["replay"]["blocks"][0]
    assert provider.requests[-1].json["messages"][1]["content"][0]["thinking"] == "They greet me."


def test_everything_that_openai_asks_for_reaches_the_provider(asker, provider):
    options = {
        "temperature": 0.2,
        "stop": ["END"],
        "tools": [TOOL],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "response_format": SCHEMA,
    }
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "What is this?"}, PICTURE]},
    ]

    assert asker.chat(messages=messages, max_tokens=7, **options).status == 200
    sent = provider.requests[-1].json

    assert sent["messages"] == messages
    assert sent["max_tokens"] == 7
    assert {name: sent[name] for name in options} == options


@pytest.mark.parametrize(
    "asked", [{"max_tokens": 7}, {"max_completion_tokens": 7}, {"max_completion_tokens": 7, "max_tokens": None}]
)
def test_both_names_of_the_longest_answer_are_taken(asker, provider, asked):
    asker.chat(**asked)

    assert provider.requests[-1].json["max_tokens"] == 7


def test_options_reach_the_provider_in_its_own_words(asker, provider):
    options = {
        "top_p": 0.9,
        "seed": 7,
        "presence_penalty": 0.5,
        "frequency_penalty": -0.5,
        "parallel_tool_calls": False,
    }

    asker.chat(**options)

    assert provider.requests[-1].json.items() >= options.items()


def test_an_option_that_the_llms_api_has_no_word_for_is_refused_by_name(asker, provider, thinker):
    told = asker.chat(model="Thinker", presence_penalty=0.5)

    assert told.status == 400
    assert "`presence_penalty`" in told.json["error"]["message"]


NEUTRAL = {
    "top_p": 1,
    "presence_penalty": 0.0,
    "frequency_penalty": 0,
    "parallel_tool_calls": True,
    "reasoning_effort": "high",
    "n": 1,
    "logprobs": False,
    "top_logprobs": 0,
    "logit_bias": {},
    "modalities": ["text"],
    "functions": [],
    "function_call": "none",
    "store": False,
    "service_tier": "auto",
    "audio": None,
    "web_search_options": None,
    "anything": None,
    "user": "ann",
    "metadata": {"trace": "1"},
    "safety_identifier": "x",
    "prompt_cache_key": "k",
    "prediction": {"type": "content", "content": "Hi"},
    "stream_options": None,
}


def test_what_changes_nothing_is_taken_and_goes_nowhere(asker, provider):
    assert asker.chat(**NEUTRAL).status == 200

    assert set(provider.requests[-1].json) == {"model", "messages", "max_tokens", "temperature"}


REFUSED = {
    "top_p": 2,
    "seed": "7",
    "parallel_tool_calls": "no",
    "n": 2,
    "logprobs": True,
    "top_logprobs": 3,
    "logit_bias": {"50256": -100},
    "modalities": ["text", "audio"],
    "functions": [{"name": "f"}],
    "function_call": {"name": "f"},
    "store": True,
    "service_tier": "priority",
    "audio": {"voice": "alloy", "format": "wav"},
    "web_search_options": {},
    "venice_parameters": {"disable_thinking": True},
    "stream": "yes",
    "stream_options": "usage",
    "max_tokens": 0,
    "messages": "Hello",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_change_the_answer_and_cannot_be_passed_on_is_refused_by_name(asker, provider, name):
    told = asker.chat(**{name: REFUSED[name]})

    assert told.status == 400
    assert told.json["error"]["type"] == "invalid_request_error"
    assert f"`{name}`" in told.json["error"]["message"]
    assert provider.requests == []


@pytest.mark.parametrize("asked", [{"n": 1.5}, {"n": True}, {"logprobs": 0}, {"stream_options": {"include_usage": 1}}])
def test_types_are_exact(asker, asked):
    assert asker.chat(**asked).status == 400


def test_functions_of_old_are_refused_in_messages_too(asker):
    call = {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}}

    told = asker.chat(messages=[{"role": "user", "content": "Hello"}, call])

    assert told.json["error"] == {
        "message": "`messages[1].function_call` is not supported. Use `tool_calls`.",
        "type": "invalid_request_error",
        "param": "messages[1].function_call",
        "code": "unsupported_parameter",
    }


def test_an_error_before_the_first_word_is_a_plain_one(asker, provider):
    provider.answer_with(Reply("", ending=Failure(401)))

    told = asker.chat(model="Cheap", stream=True)

    assert told.status == 502
    assert set(told.json) == {"error"}
    assert (told.json["error"]["type"], told.json["error"]["code"]) == ("server_error", "provider_error")


def test_an_error_after_the_first_word_is_the_last_event(asker, provider):
    provider.answer_with(Reply(WORDS, ending="cut"))

    told = asker.chat(model="Cheap", stream=True)
    *chunks, last = told.data

    assert told.status == 200
    assert len(chunks) == 1 + len(WORDS)
    assert set(last) == {"error"}
    assert set(last["error"]) == {"message", "type", "param", "code"}


def test_another_llm_takes_over_unseen_before_the_first_word(asker, provider):
    provider.answer_with({"cheap-1": Failure(400, code="model_not_found"), "dear-1": Reply(WORDS)})

    told = asker.chat(stream=True)

    assert {chunk["model"] for chunk in told.data[:-1]} == {"dear-1"}
    assert (told.headers["x-llm-name"], told.headers["x-llm-attempts"]) == ("Dear", "2")
    assert provider.open_exchanges == 0


def test_events_are_lines_of_ascii_that_no_reader_can_break(asker, provider):
    provider.answer_with(Reply(WORDS))

    body = asker.chat(stream=True).body

    assert body.isascii()
    assert all(re.fullmatch(rb"data: [^\n]+", block) for block in body.removesuffix(b"\n\n").split(b"\n\n"))
