from __future__ import annotations

import json

import pytest

from creative_services.core.errors import (
    ConfigurationError,
    InvalidRequestError,
    MalformedResponseError,
    ProviderError,
    ProviderUnavailableError,
    RateLimitError,
)
from creative_services.core.request import LLMRequest
from creative_services.core.types import Usage
from creative_services.core.wire.base import CHAT_OPTIONS, Route

from .answers import KEY, WIRES, entry, streamed, whole

HELLO = {"role": "user", "content": "Grüß dich"}


def sent(*messages, llm=None, stream=False, key=KEY, **fields):
    request = LLMRequest(messages=messages or (HELLO,), **fields)
    wire = WIRES["anthropic_messages"]
    return wire.build(llm or entry(), Route("https://acme.example/v1", key), request, stream=stream)


def body(*messages, **options):
    return json.loads(sent(*messages, **options).body)


def user(*parts):
    return {"role": "user", "content": list(parts)}


def called(arguments, call_id="t1", name="f", **fields):
    call = {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
    return {"role": "assistant", "content": None, "tool_calls": [call], **fields}


def test_a_plain_request():
    request = sent()
    assert (request.method, request.url) == ("POST", "https://acme.example/v1/messages")
    assert json.loads(request.body) == {
        "model": "some-model",
        "max_tokens": 4096,
        "messages": [HELLO],
        "temperature": 0.7,
    }
    assert "Grüß".encode() in request.body
    assert request.headers == {
        "content-type": "application/json",
        "accept": "application/json",
        "accept-encoding": "identity",
        "anthropic-version": "2023-06-01",
        "x-api-key": KEY,
    }
    assert KEY not in repr(request) + repr(request.headers)
    assert "x-api-key" not in sent(key=None).headers


def test_a_calls_settings_go_before_the_entrys():
    asked = body(max_tokens=5, temperature=0, stop=("END",), extra={"top_k": 3}, llm=entry(extra_params={"top_k": 2}))
    assert (asked["max_tokens"], asked["temperature"], asked["stop_sequences"], asked["top_k"]) == (5, 0, ["END"], 3)
    assert "temperature" not in body(llm=entry(temperature=None))
    assert "temperature" not in body(llm=entry("claude-opus-5"), temperature=0.5)


def test_a_stream_is_asked_for():
    request = sent(stream=True)
    assert json.loads(request.body)["stream"] is True
    assert request.headers["accept"] == "text/event-stream"


def test_a_temperature_above_one_is_the_callers_or_the_entrys_fault():
    with pytest.raises(InvalidRequestError, match="`temperature` from 0 to 1"):
        body(temperature=1.5)
    with pytest.raises(ConfigurationError, match=r"LLM 7 \(Some LLM\) has temperature 1\.5"):
        body(llm=entry(temperature=1.5))
    assert body(temperature=1, llm=entry(temperature=1.5))["temperature"] == 1


def test_system_messages_become_the_system_prompt():
    talk = (
        {"role": "system", "content": "B"},
        HELLO,
        {"role": "developer", "content": [{"type": "text", "text": "C"}]},
    )
    asked = body(*talk, system="A")
    assert asked["system"] == "A\n\nB\n\nC"
    assert asked["messages"] == [HELLO]
    assert "system" not in body()


def test_a_system_prompt_with_cache_marks_keeps_them():
    part = {"type": "text", "text": "B", "cache_control": {"type": "ephemeral"}}
    assert body({"role": "system", "content": [part]}, HELLO, system="A")["system"] == [
        {"type": "text", "text": "A"},
        part,
    ]


def test_a_message_may_be_marked_for_caching():
    asked = body(HELLO | {"cache_control": {"type": "ephemeral"}})
    text = {"type": "text", "text": "Grüß dich", "cache_control": {"type": "ephemeral"}}
    assert asked["messages"] == [{"role": "user", "content": [text]}]


def test_turns_of_one_role_are_joined_and_empty_answers_left_out():
    talk = (
        HELLO,
        {"role": "assistant", "content": ""},
        user({"type": "text", "text": "Again"}, {"type": "text", "text": ""}),
    )
    assert body(*talk)["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "Grüß dich"}, {"type": "text", "text": "Again"}]}
    ]


def test_tool_calls_and_results_are_translated():
    talk = (
        HELLO,
        called('{"a": 1}', content="Let me see.", refusal=None, annotations=[]),
        {"role": "tool", "tool_call_id": "t1", "name": "f", "content": "42"},
        {
            "role": "tool",
            "tool_call_id": "t2",
            "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
        },
        {"role": "tool", "tool_call_id": "t3", "content": ""},
        {"role": "user", "content": "And?"},
    )
    _, assistant, results = body(*talk)["messages"]
    assert assistant["content"] == [
        {"type": "text", "text": "Let me see."},
        {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}},
    ]
    assert results == {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "t1", "content": "42"},
            {
                "type": "tool_result",
                "tool_use_id": "t2",
                "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
            },
            {"type": "tool_result", "tool_use_id": "t3"},
            {"type": "text", "text": "And?"},
        ],
    }
    assert body(HELLO, called(""))["messages"][1]["content"][0]["input"] == {}
    assert body(HELLO, called({"a": 1}))["messages"][1]["content"][0]["input"] == {"a": 1}


def test_refusals_go_back_as_text():
    told = (
        {"role": "assistant", "content": None, "refusal": "No."},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
    )
    for message in told:
        assert body(HELLO, message)["messages"][1] == {"role": "assistant", "content": "No."}


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (
            {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}},
            {"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}},
        ),
        (
            {"type": "image_url", "image_url": "data:image/png;base64,QUJD", "cache_control": {"type": "ephemeral"}},
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"},
                "cache_control": {"type": "ephemeral"},
            },
        ),
        (
            {"type": "file", "file": {"file_data": "data:application/pdf;name=a.pdf;base64,QUJD", "filename": "a.pdf"}},
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "QUJD"},
                "title": "a.pdf",
            },
        ),
        (
            {"type": "file", "file": {"file_data": "https://a.example/b.pdf"}},
            {"type": "document", "source": {"type": "url", "url": "https://a.example/b.pdf"}},
        ),
    ],
)
def test_images_and_files_become_blocks(part, block):
    assert body(user(part))["messages"] == [{"role": "user", "content": [block]}]


@pytest.mark.parametrize(
    ("message", "named"),
    [
        (user({"type": "input_audio", "input_audio": {}}), r"a `input_audio` part in `messages\[0\].content`"),
        (user({"type": "file", "file": {"file_id": "x"}}), r"`messages\[0\].content\[0\].file` without `file_data`"),
        (user({"type": "file"}), "without `file_data`"),
        (user({"type": "image_url", "image_url": {"url": "ftp://x"}}), "the address in"),
        (user({"type": "image_url"}), "must hold a URL"),
        (user({"type": "text"}), r"`messages\[0\].content\[0\].text` must be a string"),
        ({"role": "user", "content": ""}, r"the empty message `messages\[0\]`"),
        ({"role": "user", "content": "x", "name": "Ann"}, r"`messages\[0\].name`"),
        ({"role": "user", "content": "x", "tool_calls": [{}]}, r"`messages\[0\].tool_calls` of a user"),
        ({"role": "assistant", "content": "x", "audio": {"id": "y"}}, r"`messages\[0\].audio`"),
        ({"role": "tool", "content": "x"}, r"`messages\[0\].tool_call_id` is missing"),
        ({"role": "assistant", "content": [{"type": "image_url"}]}, "a `image_url` part"),
        ({"role": "system", "content": [{"type": "image_url"}]}, "a `image_url` part"),
        ({"role": "system", "content": "Only this."}, "no user message"),
        (called("{"), "must be the JSON text of an object"),
        (called("[]"), "must be the JSON text of an object"),
        ({"role": "assistant", "content": None, "tool_calls": [{"id": "x"}]}, r"`messages\[0\].tool_calls\[0\]`"),
        ({"role": "assistant", "content": None, "tool_calls": ["x"]}, "`id` and `function`"),
    ],
)
def test_what_the_api_cannot_say_is_refused_by_name(message, named):
    with pytest.raises(InvalidRequestError, match=named):
        sent(message)


def test_tools_and_their_choice_are_translated():
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    function = {"name": "f", "description": "d", "parameters": schema, "strict": True}
    own = {"type": "web_search_20260318", "name": "web_search"}
    plain = {"type": "function", "function": {"name": "g"}}
    asked = body(tools=({"type": "function", "function": function}, plain, own), tool_choice="required")
    assert asked["tools"] == [
        {"name": "f", "description": "d", "input_schema": schema, "strict": True},
        {"name": "g", "input_schema": {"type": "object", "properties": {}}},
        own,
    ]
    assert asked["tool_choice"] == {"type": "any"}
    assert body(tool_choice="auto")["tool_choice"] == {"type": "auto"}
    chosen = {"type": "function", "function": {"name": "f"}}
    assert body(tool_choice=chosen)["tool_choice"] == {"type": "tool", "name": "f"}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"tools": ({"type": "custom"},)}, r"`tools\[0\]` of type custom"),
        ({"tools": ({"type": "function"},)}, r"`tools\[0\].function`"),
        ({"tool_choice": "sometimes"}, "this `tool_choice`"),
        ({"tool_choice": {"type": "allowed_tools"}}, "this `tool_choice`"),
        ({"response_format": {"type": "json_object"}}, "`response_format` json_object"),
        ({"response_format": {"type": "json_schema"}}, "`response_format.json_schema.schema`"),
    ],
)
def test_tools_and_formats_that_cannot_be_said_are_refused_by_name(fields, named):
    with pytest.raises(InvalidRequestError, match=named):
        sent(**fields)


def test_a_json_schema_is_asked_for_and_extra_parameters_leave_it_standing():
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}
    asked = body(response_format=form, extra={"output_config": {"effort": "low"}})
    assert asked["output_config"] == {"format": {"type": "json_schema", "schema": {"type": "object"}}, "effort": "low"}
    assert "output_config" not in body(response_format={"type": "text"})


def test_a_format_that_the_server_would_forget_is_refused():
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}
    request = LLMRequest(messages=(HELLO,), response_format=form)
    route = Route("https://acme.example/v1", KEY, frozenset({CHAT_OPTIONS}))
    with pytest.raises(InvalidRequestError, match="`response_format` at this server"):
        WIRES["anthropic_messages"].build(entry(), route, request, stream=False)


THINKING = {"type": "thinking", "thinking": "hm", "signature": "s1"}
USE = {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}}


def replayed(blocks, wire="anthropic_messages"):
    return {"wire": wire, "blocks": blocks}


def test_thinking_goes_back_untouched_in_its_place():
    blocks = [THINKING, {"type": "text", "text": "Hi"}, USE]
    turn = called('{"a":1}', content="Hi", replay=replayed(blocks))
    assert body(HELLO, turn)["messages"][1]["content"] == blocks


@pytest.mark.parametrize(
    "replay", [replayed([THINKING, {"type": "text", "text": "Other"}]), replayed([THINKING], "openai_chat"), "rubbish"]
)
def test_kept_blocks_that_do_not_fit_the_turn_are_not_sent(replay):
    turn = {"role": "assistant", "content": "Hi", "replay": replay}
    assert body(HELLO, turn)["messages"][1]["content"] == "Hi"


def answer(*blocks, stop_reason="end_turn", usage=None, **fields):
    message = {"type": "message", "id": "m1", "model": "claude", "content": list(blocks), "stop_reason": stop_reason}
    return whole("anthropic_messages", json.dumps(message | {"usage": usage} | fields).encode())


def frames(*values):
    return b"".join(b"event: %s\ndata: %s\n\n" % (v["type"].encode(), json.dumps(v).encode()) for v in values)


def start(usage=None, message_id="m1"):
    message = {"id": message_id, "model": "claude", "content": [], "usage": usage}
    return {"type": "message_start", "message": message}


def block(index, content, *deltas):
    return [
        {"type": "content_block_start", "index": index, "content_block": content},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def end(stop_reason="end_turn", usage=None):
    return [
        {"type": "message_delta", "delta": {"stop_reason": stop_reason}, "usage": usage},
        {"type": "message_stop"},
    ]


def stream(*values):
    return streamed("anthropic_messages", frames(*values))


def test_the_streamed_and_the_whole_answer_agree():
    usage = {"input_tokens": 4, "cache_read_input_tokens": 1500, "cache_creation_input_tokens": 10, "output_tokens": 9}
    searched = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "x"}}
    cited = {"type": "text", "text": "Hi", "citations": [{"cited_text": "a"}, {"cited_text": "b"}]}
    blocks = [
        THINKING,
        {"type": "redacted_thinking", "data": "xyz"},
        searched,
        cited,
        USE,
        USE | {"id": "t2", "input": {}},
    ]
    expected = answer(*blocks, stop_reason="tool_use", usage=usage)
    found = stream(
        start(usage | {"output_tokens": 1}),
        {"type": "ping"},
        {"type": "something_new"},
        *block(
            0, {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": "h"}, {"type": "thinking_delta", "thinking": "m"},
            {"type": "signature_delta", "signature": "s1"},
        ),
        *block(1, {"type": "redacted_thinking", "data": "xyz"}),
        *block(2, searched | {"input": {}}, {"type": "input_json_delta", "partial_json": '{"query":"x"}'}),
        *block(
            3, {"type": "text", "text": "", "citations": None},
            {"type": "citations_delta", "citation": {"cited_text": "a"}},
            {"type": "citations_delta", "citation": {"cited_text": "b"}},
            {"type": "text_delta", "text": "H"}, {"type": "text_delta", "text": "i"},
            {"type": "new_delta"}, {"type": 3},
        ),
        *block(
            4, USE | {"input": {}},
            {"type": "input_json_delta", "partial_json": ""}, {"type": "input_json_delta", "partial_json": '{"a"'},
            {"type": "input_json_delta", "partial_json": ":1}"},
        ),
        *block(5, USE | {"id": "t2", "input": {}}, {"type": "input_json_delta", "partial_json": ""}),
        *end("tool_use", {"output_tokens": 9}),
    )  # fmt: skip
    assert (
        found.tool_calls
        == expected.tool_calls
        == [
            {"id": "t1", "name": "f", "arguments": '{"a":1}'},
            {"id": "t2", "name": "f", "arguments": "{}"},
        ]
    )
    assert found.replay == expected.replay == blocks
    assert found.usage == expected.usage == Usage(1514, 9, 1500, 10)
    for name in ("text", "reasoning", "finish_reason", "response_id", "response_model", "ended"):
        assert getattr(found, name) == getattr(expected, name)
    assert (found.text, found.reasoning) == ("Hi", "hm")


def test_an_answer_of_text_and_calls_needs_nothing_kept():
    assert answer({"type": "text", "text": "Hi"}, USE).replay == []


def test_arguments_that_are_no_json_reach_the_caller_as_they_came():
    found = stream(
        start(), *block(0, dict(USE), {"type": "input_json_delta", "partial_json": '{"a'}), *end("max_tokens")
    )
    assert found.tool_calls == [{"id": "t1", "name": "f", "arguments": '{"a'}]


def test_a_character_cut_in_half_between_pieces_is_joined():
    pieces = ({"type": "text_delta", "text": text} for text in ("a\ud83d", "\ude00b", None))
    assert stream(start(), *block(0, {"type": "text", "text": ""}, *pieces), *end()).text == "a😀b"


@pytest.mark.parametrize("kind", [["text"], {}, None])
def test_a_block_of_no_known_type_adds_nothing_and_is_kept(kind):
    found = stream(start(), *block(0, {"type": kind}), *end())
    assert (found.text, found.tool_calls, found.replay) == ("", [], [{"type": kind}])
    assert answer({"type": kind}).replay == [{"type": kind}]


def test_a_gateway_may_begin_again_and_the_unfinished_call_is_forgotten():
    cut = block(0, USE | {"input": {}}, {"type": "input_json_delta", "partial_json": '{"a'})[:-1]
    anew = block(0, USE | {"id": "t2", "input": {}}, {"type": "input_json_delta", "partial_json": '{"a":2}'})
    found = stream(start(), *cut, start(message_id="m2"), *anew, *end("tool_use"))
    assert found.tool_calls == [{"id": "t2", "name": "f", "arguments": '{"a":2}'}]


def test_deltas_of_a_block_that_never_began_are_read_too():
    piece = {"type": "content_block_delta", "index": None, "delta": {"type": "text_delta", "text": "Hi"}}
    signed = {"type": "content_block_delta", "index": 9, "delta": {"type": "signature_delta", "signature": "s"}}
    found = stream(start(), piece, signed, {"type": "content_block_stop", "index": 4}, *end())
    assert found.text == "Hi"


@pytest.mark.parametrize(
    ("raw", "ours"),
    [
        ("end_turn", "stop"), ("stop_sequence", "stop"), ("pause_turn", "stop"), ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"), ("tool_use", "tool_call"), ("refusal", "content_filter"),
        ("new_reason", None), (None, None), (3, None),
    ],
)  # fmt: skip
def test_stop_reasons_have_our_words(raw, ours):
    assert answer(stop_reason=raw).finish_reason == ours
    assert stream(start(), *end(raw)).finish_reason == ours


@pytest.mark.parametrize(
    ("raw", "ours"),
    [
        (None, Usage()),
        ({}, Usage()),
        ({"input_tokens": 4, "output_tokens": 2}, Usage(4, 2)),
        ({"output_tokens": 0}, Usage(None, 0)),
        ({"input_tokens": 4, "cache_read_input_tokens": 0, "output_tokens": 2}, Usage(4, 2, 0)),
        (
            {"input_tokens": 4, "cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 2}},
            Usage(9, None, None, 5, cache_write_1h_tokens=2),
        ),
        ({"output_tokens": 9, "output_tokens_details": {"thinking_tokens": 7}}, Usage(None, 9, None, None, 7)),
    ],
)
def test_usage_is_counted_as_it_is_billed(raw, ours):
    assert answer(usage=raw).usage == ours
    assert stream(start(raw), *end()).usage == ours


def test_the_last_usage_of_a_stream_counts_field_by_field():
    began = {"input_tokens": 4, "cache_read_input_tokens": 100, "output_tokens": 1}
    assert stream(start(began), *end(usage={"output_tokens": 9})).usage == Usage(104, 9, 100)
    later = {"input_tokens": 7, "cache_read_input_tokens": None, "output_tokens": 9}
    assert stream(start(began), *end(usage=later)).usage == Usage(107, 9, 100)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"{}", b'{"content":"text"}', b"<html>"])
def test_what_is_no_answer_is_malformed(data):
    with pytest.raises(MalformedResponseError, match=r"LLM 7 \(Some LLM\)"):
        whole("anthropic_messages", data)


@pytest.mark.parametrize("data", [b"{", b"[]", b"plain"])
def test_an_event_that_is_no_event_is_malformed(data):
    with pytest.raises(MalformedResponseError):
        streamed("anthropic_messages", b"data: " + data + b"\n\n")


def test_an_empty_event_is_nothing():
    assert not streamed("anthropic_messages", b"data:\n\n").ended


OVERLOADED = {"type": "error", "error": {"details": None, "type": "overloaded_error", "message": "Overloaded"}}


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (frames(OVERLOADED), ProviderUnavailableError),
        (b"data: " + json.dumps(OVERLOADED).encode() + b"\n\n", ProviderUnavailableError),
        (b'event: error\ndata: {"message":"x"}\n\n', ProviderUnavailableError),
        (b"event: error\ndata: gone\n\n", ProviderUnavailableError),
        (b'data: {"error":{"type":"rate_limit_error","message":"x"}}\n\n', RateLimitError),
    ],
)
def test_an_error_in_a_stream_raises_what_it_stands_for(frame, kind):
    with pytest.raises(ProviderError) as caught:
        streamed("anthropic_messages", frames(start()), frame)
    assert type(caught.value) is kind


def test_an_error_with_status_200_is_still_an_error():
    with pytest.raises(ProviderUnavailableError):
        whole("anthropic_messages", json.dumps(OVERLOADED).encode())
