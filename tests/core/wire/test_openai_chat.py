from __future__ import annotations

import json
from collections import UserList
from types import MappingProxyType

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
from creative_services.core.types import Reach, Usage
from creative_services.core.wire import base

from .answers import KEY, WIRES, entry, streamed, whole

HELLO = ({"role": "user", "content": "Grüß dich"},)


def sent(llm=None, *, stream=False, quirks=(), key=KEY, messages=HELLO, **fields):
    route = base.Route("https://acme.example/v1", key, frozenset(quirks))
    wire = WIRES["openai_chat"]
    return wire.build(llm or entry(), route, LLMRequest(messages=messages, **fields), stream=stream)


def body(*args, **options):
    return json.loads(sent(*args, **options).body)


def answer(*pieces, **more):
    return streamed("openai_chat", *(b"data: " + json.dumps(piece | more).encode() + b"\n\n" for piece in pieces))


def delta(finish_reason=None, **fields):
    return {"id": "c1", "model": "m1", "choices": [{"index": 0, "delta": fields, "finish_reason": finish_reason}]}


def message(finish_reason="stop", usage=None, **fields):
    choice = {"index": 0, "message": fields, "finish_reason": finish_reason}
    return whole("openai_chat", json.dumps({"id": "c1", "model": "m1", "choices": [choice], "usage": usage}).encode())


def test_a_plain_request_is_compact_utf_8_with_the_entrys_own_settings():
    request = sent(entry(reach=Reach.PUBLIC))
    assert (request.method, request.url) == ("POST", "https://acme.example/v1/chat/completions")
    assert request.reach is Reach.PUBLIC
    asked = '{"model":"some-model","messages":[{"role":"user","content":"Grüß dich"}],'
    asked += '"max_tokens":4096,"temperature":0.7}'
    assert request.body == asked.encode()
    assert request.headers == {
        "content-type": "application/json",
        "accept": "application/json",
        "accept-encoding": "identity",
        "authorization": f"Bearer {KEY}",
    }


def test_no_repr_shows_the_key():
    request = sent()
    assert KEY not in repr(request) + repr(request.headers)


def test_the_key_goes_where_the_route_wants_it():
    assert "authorization" not in sent(key=None).headers
    azure = sent(quirks=[base.API_KEY_HEADER]).headers
    assert azure["api-key"] == KEY
    assert "authorization" not in azure
    assert KEY not in repr(azure)


MARK = {"cache_control": {"type": "ephemeral"}}
MARKED = [
    {"role": "system", "content": [{"type": "text", "text": "Be brief."} | MARK, {"type": "text", "text": "Be kind."}]},
    {"role": "user", "content": "Hello"} | MARK,
]
MARKED_TOOL = {"type": "function", "function": {"name": "clock"}} | MARK


def test_marks_of_what_may_be_cached_go_to_servers_that_may_know_them_and_to_no_other():
    known = body(messages=MARKED, tools=[MARKED_TOOL], quirks=[base.CACHE_MARKS])
    unknown = body(messages=MARKED, tools=[MARKED_TOOL])

    assert (known["messages"], known["tools"]) == (MARKED, [MARKED_TOOL])
    assert "cache_control" not in json.dumps(unknown)
    assert unknown["messages"] == [
        {"role": "system", "content": [{"type": "text", "text": "Be brief."}, {"type": "text", "text": "Be kind."}]},
        {"role": "user", "content": "Hello"},
    ]
    assert unknown["tools"] == [{"type": "function", "function": {"name": "clock"}}]


@pytest.mark.parametrize("content", [[None], [5], ["cache_control"], [{"cache_control": 1}], "text"])
def test_of_a_tool_nothing_but_its_own_mark_is_taken(content):
    tool = {"type": "function", "function": {"name": "clock"}, "content": content}

    assert body(tools=[tool | MARK])["tools"] == [tool]


def test_a_calls_settings_go_before_the_entrys():
    asked = body(max_tokens=5, temperature=0, stop=("END",), system="Be brief.")
    assert (asked["max_tokens"], asked["temperature"], asked["stop"]) == (5, 0, ["END"])
    assert asked["messages"][0] == {"role": "system", "content": "Be brief."}
    assert "temperature" not in body(entry(temperature=None))


def test_a_stream_asks_for_its_usage_unless_the_provider_minds():
    request = sent(stream=True)
    asked = json.loads(request.body)
    assert asked["stream"] is True
    assert asked["stream_options"] == {"include_usage": True}
    assert request.headers["accept"] == "text/event-stream"
    assert "stream_options" not in body(stream=True, quirks=[base.NO_STREAM_USAGE])


def test_reasoning_models_get_the_newer_cap_and_no_temperature():
    asked = body(entry("o3-mini"))
    assert asked["max_completion_tokens"] == 4096
    assert not {"max_tokens", "temperature"} & asked.keys()
    assert "max_completion_tokens" in body(quirks=[base.MAX_COMPLETION_TOKENS])


def test_tools_and_formats_go_as_they_came():
    tools = ({"type": "function", "function": {"name": "f", "parameters": MappingProxyType({"type": "object"})}},)
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}}
    asked = body(tools=UserList(tools), tool_choice="required", response_format=form)
    assert asked["tools"] == [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    assert (asked["tool_choice"], asked["response_format"]) == ("required", form)


def test_extra_parameters_are_laid_over_the_row_first_and_the_call_last():
    llm = entry(extra_params={"seed": 1, "top_p": 0.5, "provider": {"order": ["a"], "sort": "price"}})
    asked = body(llm, extra={"seed": 2, "provider": {"sort": "speed"}, "stop": None})
    assert (asked["seed"], asked["top_p"], asked["stop"]) == (2, 0.5, None)
    assert asked["provider"] == {"order": ["a"], "sort": "speed"}


@pytest.mark.parametrize("value", [{1}, float("nan"), b"bytes"])
def test_extra_parameters_that_are_no_json_name_the_entry(value):
    with pytest.raises(ConfigurationError, match=r"LLM 7 \(Some LLM\)"):
        body(entry(extra_params={"x": value}))


def test_the_developer_role_is_sent_only_where_it_is_known():
    talk = ({"role": "developer", "content": "Be brief."}, *HELLO)
    assert body(messages=talk)["messages"][0]["role"] == "system"
    assert body(messages=talk, quirks=[base.DEVELOPER_ROLE])["messages"][0]["role"] == "developer"


@pytest.mark.parametrize(
    ("replay", "fields"),
    [
        ({"wire": "openai_chat", "blocks": [{"reasoning_content": "hm"}]}, {"reasoning_content": "hm"}),
        ({"wire": "openai_chat", "blocks": [{"role": "system"}, 3]}, {}),
        ({"wire": "anthropic_messages", "blocks": [{"reasoning_content": "hm"}]}, {}),
        ("rubbish", {}),
    ],
)
def test_what_the_provider_wants_back_is_sent_back_to_its_own_wire_only(replay, fields):
    talk = (*HELLO, {"role": "assistant", "content": "Hi", "replay": replay}, *HELLO)
    assert body(messages=talk)["messages"][1] == {"role": "assistant", "content": "Hi", **fields}


@pytest.mark.parametrize(
    ("content", "text", "reasoning"),
    [
        ("Hi", "Hi", ""),
        (None, "", ""),
        ([{"type": "text", "text": "Hi"}, {"type": "reference", "ids": [1]}, "!", 3], "Hi!", ""),
        (
            [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "Hi"}],
            "Hi",
            "hm",
        ),
        ([{"type": "thinking", "thinking": "hm"}, {"type": "refusal", "refusal": "No"}], "No", "hm"),
        ({"a": "ü"}, '{"a":"ü"}', ""),
        ("lone \ude00", "lone \ufffd", ""),
        ([{"type": "text", "text": "lone \ud83d"}], "lone \ufffd", ""),
        ({"a": 1e400, "b": "\ud83d"}, '{"a":Infinity,"b":"\ufffd"}', ""),
        ([{"type": ["odd"]}, {"type": {}}], "", ""),
        (7, "", ""),
    ],
)
def test_content_of_every_shape_is_read(content, text, reasoning):
    found = message(content=content)
    assert (found.text, found.reasoning) == (text, reasoning)
    piece = answer(delta("stop", content=content))
    assert (piece.text, piece.reasoning) == (text, reasoning)


@pytest.mark.parametrize(
    "fields", [{"reasoning_content": "hm"}, {"reasoning": "hm"}, {"reasoning": "hm", "reasoning_content": "hm"}]
)
def test_reasoning_text_is_kept_apart_from_text(fields):
    assert (message(content="Hi", **fields).reasoning, message(content="Hi", **fields).text) == ("hm", "Hi")
    assert answer(delta(content="", **fields), delta(content="Hi")).reasoning == "hm"


def test_a_character_cut_in_half_between_pieces_is_joined():
    assert (
        answer(*(delta(content=piece) for piece in ("a", "\ud83d", "", "\ude00b", "\ud83d")), delta("stop")).text
        == "a😀b"
    )


def test_a_refusal_is_an_answer_that_was_filtered():
    found = message(content=None, refusal="I cannot.")
    assert (found.text, found.finish_reason) == ("I cannot.", "content_filter")
    assert answer(delta(refusal="I can"), delta(refusal="not."), delta("stop")).text == "I cannot."


def test_a_streamed_refusal_is_filtered_too_but_not_before_its_end():
    assert answer(delta(refusal="I can"), delta(refusal="not.")).finish_reason is None
    assert answer(delta(refusal="I can"), delta(refusal="not."), delta("stop")).finish_reason == "content_filter"


def test_an_id_that_comes_after_the_model_is_not_lost():
    first = {"choices": [], "id": "", "model": "gpt-5"}
    found = answer(first, delta(content="Hi") | {"id": "chatcmpl-1", "model": "gpt-5"}, delta("stop"))
    assert (found.response_id, found.response_model) == ("chatcmpl-1", "gpt-5")


def test_an_answer_that_azure_filtered_has_no_message():
    found = whole("openai_chat", b'{"choices":[{"finish_reason":"content_filter","index":0}]}')
    assert (found.text, found.finish_reason) == ("", "content_filter")


@pytest.mark.parametrize(
    ("raw", "ours"),
    [
        ("stop", "stop"), ("eos", "stop"), ("length", "length"), ("model_length", "length"),
        ("tool_calls", "tool_call"),
        ("content_filter", "content_filter"), ("error", "error"), ("STOP", "stop"), ("whatever", None), (None, None),
        (3, None),
    ],
)  # fmt: skip
def test_finish_reasons_have_one_vocabulary(raw, ours):
    assert message(raw, content="Hi").finish_reason == ours
    assert answer(delta(content="Hi"), delta(raw)).finish_reason == ours


def test_a_blank_finish_reason_ends_an_answer_but_no_stream_that_goes_on():
    assert message("", content="Hi").finish_reason == "stop"
    assert answer(delta("", content="Hi"), delta("length", content="!")).finish_reason == "length"
    ended = streamed("openai_chat", b"data: " + json.dumps(delta("", content="Hi")).encode() + b"\n\ndata: [DONE]\n\n")
    assert (ended.finish_reason, ended.ended) == ("stop", True)


@pytest.mark.parametrize(
    ("raw", "ours"),
    [
        (None, Usage()),
        ({}, Usage()),
        ({"prompt_tokens": 9, "completion_tokens": None}, Usage(9)),
        ({"prompt_tokens": 0, "completion_tokens": 0}, Usage(0, 0)),
        ({"prompt_tokens": 9.0, "completion_tokens": "3", "total_tokens": True}, Usage(9)),
        (
            {
                "prompt_tokens": 9, "completion_tokens": 5,
                "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
                "completion_tokens_details": {"reasoning_tokens": 3},
            },
            Usage(9, 5, 4, 2, 3),
        ),
        ({"prompt_tokens": 9, "prompt_cache_hit_tokens": 8, "completion_tokens": 1}, Usage(9, 1, 8)),
        ({"prompt_tokens": 9, "cache_read_input_tokens": 8, "cache_creation_input_tokens": 0}, Usage(9, None, 8, 0)),
        ({"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": 161}}, Usage(10, None, 10)),
        (
            {
                "prompt_tokens": 12, "completion_tokens": 2, "total_tokens": 334,
                "completion_tokens_details": {"reasoning_tokens": 320},
            },
            Usage(12, 322, None, None, 320),
        ),
        ({"prompt_tokens": 1, "completion_tokens": 5, "reasoning_tokens": 4}, Usage(1, 5, None, None, 4)),
    ],
)  # fmt: skip
def test_usage_is_counted_as_it_is_billed(raw, ours):
    assert message(content="Hi", usage=raw).usage == ours
    assert answer(delta("stop", content="Hi"), {"choices": [], "usage": raw}).usage == ours


def test_usage_may_come_with_every_chunk_and_the_last_one_counts():
    usages = [{"prompt_tokens": 9, "completion_tokens": number} for number in (1, 2, 3)]
    chunks = [delta(content="x") | {"usage": usage} for usage in usages]
    assert answer(*chunks, delta("stop") | {"usage": None}).usage == Usage(9, 3)
    assert answer(delta("stop") | {"x_groq": {"usage": usages[0]}}).usage == Usage(9, 1)


def test_a_stream_is_read_with_its_comments_other_choices_and_unknown_events():
    chunks = [
        b": KEEP ALIVE\n\n",
        b'data: {"id":"","model":"","choices":[],"prompt_filter_results":[]}\n\n',
        b"event: ping\ndata:\n\n",
        b"data: " + json.dumps(delta(role="assistant", content="")).encode() + b"\n\n",
        b"data: " + json.dumps(delta(content="Hé")).encode() + b"\r\n\r\n",
        b'data: {"choices":[{"index":1,"delta":{"content":"other"},"finish_reason":null}]}\n\n',
        b'data: {"choices":[{"index":0,"delta":{"content":"llo"}}]}\n\n',
        b"data: " + json.dumps(delta("stop")).encode(),
    ]
    found = streamed("openai_chat", *chunks)
    assert (found.text, found.finish_reason, found.response_id, found.response_model) == ("Héllo", "stop", "c1", "m1")
    assert not found.ended
    assert streamed("openai_chat", *chunks, b"\n\ndata: [DONE]\n\n").ended


def call(arguments=None, **fields):
    function = {key: fields.pop(key) for key in ("name",) if key in fields}
    return fields | {"function": function | ({} if arguments is None else {"arguments": arguments})}


def test_whole_tool_calls_are_read_and_get_an_id_where_they_have_none():
    calls = [call('{"a": 1}', id="x", name="f"), call({"b": 2}, id="", name="g"), call(name="h"), "rubbish"]
    found = message("tool_calls", content=None, tool_calls=calls)
    assert found.tool_calls == [
        {"id": "x", "name": "f", "arguments": '{"a": 1}'},
        {"id": "call_c1_1", "name": "g", "arguments": '{"b":2}'},
        {"id": "call_c1_2", "name": "h", "arguments": ""},
    ]


def test_older_and_freer_forms_of_tool_calls_are_read():
    found = message("function_call", content=None, function_call={"name": "f", "arguments": "{}"})
    assert found.tool_calls == [{"id": "call_c1_0", "name": "f", "arguments": "{}"}]
    assert message(content="Hi", function_call={"name": "", "arguments": ""}).tool_calls == []
    custom = [{"id": "x", "type": "custom", "custom": {"name": "f", "input": "4 + 4"}}]
    assert message(content=None, tool_calls=custom).tool_calls == [{"id": "x", "name": "f", "arguments": "4 + 4"}]


X = {"id": "x", "name": "f", "arguments": '{"a":1}'}
Y = {"id": "y", "name": "g", "arguments": "{}"}


@pytest.mark.parametrize(
    "pieces",
    [
        [
            [call("", index=0, id="x", name="f")],
            [call('{"a"', index=0)],
            [call(":1}", index=0), call("{}", index=1, id="y", name="g")],
        ],
        [[call('{"a":1}', index=0, id="x", name="f"), call("{}", index=1, id="y", name="g")]],
        [
            [call(None, index=0, id="x", name="f")],
            [call('{"a":1}', index=0, name="")],
            [call("{}", index=2, id="y", name="g")],
        ],
        [[call('{"a":1}', id="x", name="f"), call("{}", id="y", name="g")]],
        [[call('{"a"', id="x", name="f")], [call(":1}")], [call("{}", id="y", name="g")]],
        [[call('{"a":1}', index=0, id="x", name="f")], [call("{", index=0, id="y", name="g")], [call("}", index=0)]],
        [
            [call("", index=0, id="x", name="f")],
            [call('{"a":1}', index=0, id="x", name="f")],
            [call("{}", index=1, id="y", name="g")],
        ],
    ],
    ids=[
        "fragments",
        "two in a chunk",
        "blank names",
        "no index",
        "no index, fragments",
        "one index twice",
        "name twice",
    ],
)
def test_streamed_tool_calls_of_every_dialect_come_out_the_same(pieces):
    found = answer(*(delta(tool_calls=piece) for piece in pieces), delta("tool_calls"))
    assert found.tool_calls == [X, Y]
    assert found.finish_reason == "tool_call"


def test_streamed_calls_without_ids_get_some():
    found = answer(delta(tool_calls=[call("{}", name="f")]), delta(tool_calls=[call("{}", name="g")]))
    assert [called["id"] for called in found.tool_calls] == ["call_c1_0", "call_c1_1"]


def test_reasoning_is_handed_back_with_tool_calls_and_only_then():
    reasoned = {"reasoning_content": "hm", "content": None}
    calls = [call("{}", index=0, id="x", name="f")]
    assert message(**reasoned, tool_calls=calls).replay == [{"reasoning_content": "hm"}]
    assert message(**reasoned).replay == []
    pieces = (delta(reasoning_content="h"), delta(reasoning_content="m"), delta(tool_calls=calls), delta("tool_calls"))
    assert answer(*pieces, {"choices": []}).replay == [{"reasoning_content": "hm"}]


def test_a_routers_reasoning_details_are_handed_back_whole():
    details = [
        {"type": "reasoning.text", "text": "hm", "index": 0, "signature": "s"},
        {"type": "reasoning.encrypted", "data": "ab", "index": 1},
        {"type": "reasoning.text", "text": "no index"},
    ]
    fragments = [
        {"type": "reasoning.text", "text": "h", "index": 0, "signature": None},
        {"type": "reasoning.text", "text": "m", "index": 0, "signature": "s"},
        {"type": "reasoning.text", "index": 0, "signature": None},
        *details[1:],
    ]
    assert message(content="Hi", reasoning_details=details).replay == [{"reasoning_details": details}]
    pieces = [delta(content="", reasoning_details=[fragment]) for fragment in fragments]
    assert answer(*pieces, delta("stop")).replay == [{"reasoning_details": details}]


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"<html></html>", b"[]", b"null", b'"text"', b"{}", b'{"choices":[]}', b'{"choices":[1]}', b"\xff",
        b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_answer_is_malformed(data):
    with pytest.raises(MalformedResponseError, match=r"LLM 7 \(Some LLM\)"):
        whole("openai_chat", data)


@pytest.mark.parametrize("data", [b"{", b"[]", b"7", b"plain", b'{"choices":[{"delta":{"content":"cut'])
def test_a_chunk_that_is_no_chunk_is_malformed(data):
    with pytest.raises(MalformedResponseError):
        streamed("openai_chat", b"data: " + data + b"\n\n")


@pytest.mark.parametrize(
    ("frame", "kind", "status"),
    [
        (b'data: {"error":{"message":"x","type":"server_error","code":null}}', ProviderUnavailableError, None),
        (b'data: {"error":"x"}', ProviderUnavailableError, None),
        (b'data: {"error":{"code":500,"message":"x"},"choices":[]}', ProviderUnavailableError, 500),
        (b'data: {"choices":[{"error":{"code":429,"message":"x"},"finish_reason":"error"}]}', RateLimitError, 429),
        (b'data: {"x_groq":{"error":"x"},"choices":[{"index":0,"delta":{}}]}', ProviderUnavailableError, None),
        (
            b'event: error\ndata: {"error":{"message":"x","status_code":400,"failed_generation":"y"}}',
            InvalidRequestError,
            400,
        ),
        (b'event: error\ndata: {"error":{"message":"x"},"message":"x"}', ProviderUnavailableError, None),
        (b"event: error\ndata: gone", ProviderUnavailableError, None),
        (b'error: {"code":503,"message":"x"}', ProviderUnavailableError, 503),
        (b'data: {"error":{"message":"x","code":"rate_limit_exceeded"}}', RateLimitError, None),
        (b'data: {"error":{"message":"x","type":"insufficient_quota"}}', RateLimitError, None),
        (b'data: {"error":{"message":"x","type":"invalid_request_error"}}', InvalidRequestError, None),
    ],
)
def test_an_error_in_a_stream_raises_what_it_stands_for(frame, kind, status):
    begun = b"data: " + json.dumps(delta(content="Hel")).encode() + b"\n\n"
    with pytest.raises(ProviderError) as caught:
        streamed("openai_chat", begun, frame + b"\n\ndata: [DONE]\n\n")
    assert type(caught.value) is kind
    assert caught.value.status_code == status


@pytest.mark.parametrize(
    "data",
    [
        b'{"error":{"message":"x","code":502}}',
        b'{"error":"x"}',
        b'{"object":"error","message":"x","code":503}',
        b'{"choices":[{"error":{"code":502,"message":"x"},"finish_reason":"error","message":{"content":""}}]}',
    ],
)
def test_an_error_with_status_200_is_still_an_error(data):
    with pytest.raises(ProviderUnavailableError):
        whole("openai_chat", data)
