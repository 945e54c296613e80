from __future__ import annotations

import json

import pytest

from creative_services.core.types import Usage

from .answers import WIRES, entry
from .responses import WIRE, answer, delta, done, end, event, message, response, stream

USAGE = {
    "input_tokens": 1500,
    "input_tokens_details": {"cached_tokens": 1000, "cache_write_tokens": 200},
    "output_tokens": 9,
    "output_tokens_details": {"reasoning_tokens": 7},
    "total_tokens": 1509,
}
THOUGHT = {
    "type": "reasoning",
    "id": "r1",
    "summary": [{"type": "summary_text", "text": "hm"}],
    "encrypted_content": "x",
}
CALL = {"type": "function_call", "id": "f1", "call_id": "c1", "name": "f", "arguments": '{"a":1}'}


def test_the_streamed_and_the_whole_answer_agree():
    searched = {"type": "web_search_call", "id": "w1", "action": {"query": "x"}}
    said = message("Hi ", "there")
    other = {**CALL, "id": "f2", "call_id": "c2", "arguments": ""}
    output = [THOUGHT, searched, said, CALL, other]
    found = stream(
        event("response.in_progress", response=response(status="in_progress")),
        event("keepalive", sequence_number=3),
        event("response.something_new", delta="x"),
        delta("reasoning_summary_text", "h", summary_index=0),
        delta("reasoning_summary_text", "m", summary_index=0),
        event("response.reasoning_summary_text.done", text="hm", output_index=0, summary_index=0),
        done(THOUGHT),
        event("response.web_search_call.searching", output_index=1),
        done(searched, 1),
        delta("output_text", "Hi ", 2, content_index=0),
        event("response.output_text.done", text="Hi ", output_index=2, content_index=0),
        delta("output_text", "the", 2, content_index=1),
        delta("output_text", "re", 2, content_index=1),
        done(said, 2),
        delta("function_call_arguments", '{"a"', 3),
        event("response.function_call_arguments.done", arguments='{"a":1}', output_index=3),
        done(CALL, 3),
        done(other, 4),
        end(*output, usage=USAGE),
    )
    expected = answer(*output, usage=USAGE)
    for name in (
        "text",
        "reasoning",
        "tool_calls",
        "finish_reason",
        "usage",
        "response_id",
        "response_model",
        "replay",
    ):
        assert getattr(found, name) == getattr(expected, name)
    assert (found.text, found.reasoning, found.ended) == ("Hi there", "hm", True)
    assert found.usage == Usage(1500, 9, 1000, 200, 7)
    assert found.tool_calls == [
        {"id": "c1", "name": "f", "arguments": '{"a":1}'},
        {"id": "c2", "name": "f", "arguments": ""},
    ]
    assert found.replay == output


def test_a_tool_call_in_the_making_is_a_sign_of_life_and_a_call_comes_once():
    reader = WIRES[WIRE].reader(entry())
    piece = json.dumps({"type": "response.function_call_arguments.delta", "delta": "{", "output_index": 0})
    assert reader.read("", piece.encode()).working
    assert reader.read("", b'{"type":"keepalive"}') is None
    assert stream(done(CALL), end(CALL)).tool_calls == [{"id": "c1", "name": "f", "arguments": '{"a":1}'}]


def test_what_only_the_last_event_says_is_not_lost():
    output = [THOUGHT, message("Hi"), CALL]
    for events in ([], [delta("output_text", "H", 1)], [event("response.output_text.done", text="Hi", output_index=1)]):
        found = stream(*events, end(*output))
        assert (found.text, found.reasoning) == ("Hi", "hm")
        assert found.tool_calls == [{"id": "c1", "name": "f", "arguments": '{"a":1}'}]
        assert found.replay == output


def test_text_that_has_gone_out_is_not_said_again():
    assert stream(delta("output_text", "Ho"), end(message("Hi"))).text == "Ho"


def test_a_gateway_may_leave_the_output_out_of_its_last_event():
    found = stream(done(THOUGHT), delta("output_text", "Hi", 1), done(message("Hi"), 1), end())
    assert (found.text, found.replay) == ("Hi", [THOUGHT, message("Hi")])


def test_items_are_told_apart_by_number_or_else_by_id():
    def piece(text, **fields):
        return event("response.output_text.delta", delta=text, **fields)

    def ends(text, **fields):
        return event("response.output_text.done", text=text, **fields)

    changing = stream(piece("H", output_index=0, item_id="a"), ends("Hi", output_index=0, item_id="b"), end())
    named = stream(piece("H", item_id="a"), ends("Hi", item_id="a"), piece("!", item_id="b"), end(message("Hi", "!")))
    odd = stream(piece("H", output_index=[1], content_index={}), ends("Hi", output_index=[1], content_index={}), end())
    assert (changing.text, named.text, odd.text) == ("Hi", "Hi!", "Hi")


def test_reasoning_is_read_as_summary_and_as_text():
    thought = {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]}
    assert answer(thought, message("Hi")).reasoning == "hm"
    assert stream(delta("reasoning_text", "hm"), end(thought)).reasoning == "hm"


def test_reasoning_that_could_not_be_found_again_is_not_sent_back():
    bare = {"type": "reasoning", "id": "r1", "summary": [{"type": "summary_text", "text": "hm"}]}
    assert answer(bare, message("Hi"), CALL).replay == []
    assert answer(bare, message("Hi", phase="final_answer")).replay == [message("Hi", phase="final_answer")]


def test_a_refusal_is_the_text_of_a_filtered_answer():
    refused = message({"type": "refusal", "refusal": "No."})
    for found in (
        answer(refused),
        stream(delta("refusal", "N"), delta("refusal", "o."), end(refused)),
        stream(delta("refusal", "No."), end()),
    ):
        assert (found.text, found.finish_reason) == ("No.", "content_filter")
    assert stream(delta("output_text", "Hi"), end(message("Hi"))).finish_reason == "stop"


@pytest.mark.parametrize(
    ("details", "reason"),
    [
        ({"reason": "max_output_tokens"}, "length"),
        ({"reason": "content_filter"}, "content_filter"),
        (None, "length"),
        ({"reason": "new_reason"}, None),
        ({"reason": ["odd"]}, None),
    ],
)
def test_an_incomplete_answer_says_why(details, reason):
    found = answer(message("Hi"), status="incomplete", incomplete_details=details)
    assert (found.finish_reason, found.ended) == (reason, True)
    assert stream(end(message("Hi"), kind="incomplete", incomplete_details=details)).finish_reason == reason


@pytest.mark.parametrize(
    ("raw", "ours"),
    [
        (None, Usage()),
        ({}, Usage()),
        ("many", Usage()),
        ({"input_tokens": 4, "output_tokens": 0}, Usage(4, 0)),
        ({"input_tokens": 4, "input_tokens_details": None, "output_tokens": 2}, Usage(4, 2)),
    ],
)
def test_usage_is_none_where_nothing_was_said(raw, ours):
    assert answer(usage=raw).usage == ours
    assert stream(end(usage=raw)).usage == ours


def test_a_call_without_an_id_is_given_one():
    nameless = {"type": "function_call", "name": "f", "arguments": {"a": 1}}
    found = answer({**nameless, "id": "f1"}, nameless, {"type": "custom_tool_call", "call_id": "c1", "input": "x"})
    assert [(call["id"], call["arguments"]) for call in found.tool_calls] == [
        ("f1", '{"a":1}'),
        ("call_resp_1_1", '{"a":1}'),
        ("c1", "x"),
    ]


def test_a_character_cut_in_half_between_pieces_is_joined():
    assert stream(delta("output_text", "a\ud83d"), delta("output_text", "\ude00b"), end(message("a😀b"))).text == "a😀b"


def test_odd_items_and_parts_add_nothing():
    found = answer(message(), message("Hi", {"type": "new"}, {"type": "output_text", "text": None}), {"type": ["x"]}, 3)
    assert (found.text, found.tool_calls) == ("Hi", [])
    assert answer({"type": "message", "content": "Hi"}).text == ""
    assert stream(event("response.output_item.done"), delta("output_text", None), end()).text == ""
