from __future__ import annotations

import json

import pytest

from creative_services.core.errors import InvalidRequestError
from creative_services.core.request import LLMRequest
from creative_services.core.wire.base import Route

from .answers import WIRES, entry

HELLO = {"role": "user", "content": "Hello"}


def contents(*messages, llm=None):
    request = LLMRequest(messages=messages)
    made = WIRES["gemini"].build(llm or entry(), Route("https://acme.example/v1beta"), request, stream=False)
    return json.loads(made.body)["contents"]


def user(*parts):
    return {"role": "user", "content": list(parts)}


def parts_of(*parts):
    return contents(user(*parts))[0]["parts"]


def called(arguments='{"city":"Köln"}', call_id="c1", name="weather", **fields):
    call = {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
    return {"role": "assistant", "content": None, "tool_calls": [call], **fields}


def result(content, call_id="c1", **fields):
    return {"role": "tool", "tool_call_id": call_id, "content": content, **fields}


def test_parallel_calls_and_their_results():
    asked = called() | {"content": "Wait."}
    asked["tool_calls"] += called("", "c2", "now")["tool_calls"]
    made = contents(HELLO, asked, result("Rain"), result([{"type": "text", "text": '{"hour":3}'}], "c2"), HELLO)
    assert [turn["role"] for turn in made] == ["user", "model", "user", "user"]
    assert made[1]["parts"] == [
        {"text": "Wait."},
        {"functionCall": {"id": "c1", "name": "weather", "args": {"city": "Köln"}}},
        {"functionCall": {"id": "c2", "name": "now", "args": {}}},
    ]
    assert made[2]["parts"] == [
        {"functionResponse": {"id": "c1", "name": "weather", "response": {"output": "Rain"}}},
        {"functionResponse": {"id": "c2", "name": "now", "response": {"hour": 3}}},
    ]


@pytest.mark.parametrize(
    ("content", "response"),
    [
        ("", {"output": ""}),
        ("[1]", {"output": "[1]"}),
        ('{"error":"gone"}', {"error": "gone"}),
        ('{"output":1}', {"output": 1}),
        ('{"output":1,"more":2}', {"output": {"output": 1, "more": 2}}),
    ],
)
def test_a_tools_result_becomes_an_object(content, response):
    assert contents(called(), result(content))[1]["parts"][0]["functionResponse"]["response"] == response


def test_a_result_may_name_its_function_itself():
    made = contents(HELLO, result("Rain", "c9", name="weather"))
    assert made[1]["parts"] == [
        {"functionResponse": {"id": "c9", "name": "weather", "response": {"output": "Rain"}}},
    ]


@pytest.mark.parametrize(
    ("model", "is_marked"),
    [("gemini-3-flash-preview", True), ("models/gemini-4-argon", True), ("gemini-2.5-pro", False)],
)
def test_calls_that_other_models_made_are_marked_where_signatures_are_demanded(model, is_marked):
    asked = called() | {"content": "Wait."}
    asked["tool_calls"] += called("{}", "c2")["tool_calls"]
    parts = contents(HELLO, asked, result("x"), result("y", "c2"), llm=entry(model))[1]["parts"]
    marks = [part.get("thoughtSignature") for part in parts]
    assert marks == [None, "skip_thought_signature_validator" if is_marked else None, None]


def test_kept_parts_are_sent_back_for_what_was_not_changed():
    kept = [
        {"text": "Hm", "thought": True},
        {"functionCall": {"id": "c1", "name": "weather", "args": {"city": "Köln"}}, "thoughtSignature": "c2ln"},
    ]
    asked = called(replay={"wire": "gemini", "blocks": kept})
    llm = entry("gemini-3-pro")
    assert contents(asked, result("x"), llm=llm)[0] == {"role": "model", "parts": kept}
    for changed in (
        asked | {"content": "Other words."},
        asked | {"replay": {"wire": "anthropic_messages", "blocks": kept}},
        asked | {"tool_calls": called(call_id="c2")["tool_calls"]},
    ):
        (made,) = [turn for turn in contents(HELLO, changed, llm=llm) if turn["role"] == "model"]
        assert "c2ln" not in json.dumps(made)


def test_an_assistants_turn_without_words_says_nothing():
    assert [turn["role"] for turn in contents(HELLO, {"role": "assistant", "content": ""}, HELLO)] == ["user", "user"]
    refused = {"role": "assistant", "content": "", "refusal": "No."}
    assert contents(HELLO, refused)[1]["parts"] == [{"text": "No."}]
    listed = {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}], "reasoning_content": "Hm"}
    assert contents(HELLO, listed)[1]["parts"] == [{"text": "No."}]


def test_images_files_and_sound():
    assert parts_of(
        {"type": "text", "text": "Look:"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO", "detail": "auto"}},
        {"type": "image_url", "image_url": "https://a.example/b.JPG?c=d.png"},
        {"type": "image_url", "image_url": {"url": "https://a.example/b"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"}},
        {"type": "file", "file": {"file_id": "gs://bucket/film", "mime_type": "video/mp4"}},
        {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
        {"type": "text", "text": ""},
    ) == [
        {"text": "Look:"},
        {"inlineData": {"mimeType": "image/png", "data": "iVBO"}},
        {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://a.example/b.JPG?c=d.png"}},
        {"fileData": {"fileUri": "https://a.example/b"}},
        {"inlineData": {"mimeType": "application/pdf", "data": "JVBE"}},
        {"fileData": {"mimeType": "video/mp4", "fileUri": "gs://bucket/film"}},
        {"inlineData": {"mimeType": "audio/wav", "data": "UklG"}},
    ]


IMAGE = {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}


@pytest.mark.parametrize(
    ("messages", "named"),
    [
        ([{"role": "system", "content": "Only this."}], "no user message"),
        ([{"role": "user", "content": ""}], r"the empty message `messages\[0\]`"),
        ([HELLO | {"name": "Ada"}], r"`messages\[0\].name`"),
        ([HELLO | {"tool_calls": called()["tool_calls"]}], r"`messages\[0\].tool_calls` of a user"),
        ([user({"type": "video_url"})], r"`video_url` part in `messages\[0\].content`"),
        ([user({"type": "text", "text": 3})], r"messages\[0\].content\[0\].text"),
        ([user({"type": "image_url", "image_url": {}})], r"content\[0\].image_url` must hold a URL"),
        ([user({"type": "image_url", "image_url": "data:image/png,x"})], r"the address in `messages\[0\].content\[0\]"),
        ([user({"type": "image_url", "image_url": "https://[secret"})], r"^`\S+image_url` must hold a URL.$"),
        ([user({"type": "file", "file": {"file_data": "https://secret\u2100/a"}})], r"^`\S+file` must hold a URL.$"),
        ([user({"type": "file", "file": "x"})], r"content\[0\].file` must hold a URL"),
        ([user({"type": "file", "file": {"file_id": "file-123"}})], r"the address in .*content\[0\].file"),
        ([user({"type": "input_audio", "input_audio": {"data": "x"}})], "input_audio"),
        ([user({"type": "input_audio", "input_audio": {"format": "wav"}})], "input_audio"),
        ([{"role": "system", "content": [IMAGE]}, HELLO], r"`image_url` part in `messages\[0\]"),
        ([called(), result([IMAGE])], r"`image_url` part in `messages\[1\]"),
        ([called(), result("x", None)], r"messages\[1\].tool_call_id` is missing"),
        ([called(), result("x", "c2")], r"messages\[1\].tool_call_id` is the id of no tool call"),
        ([called("[1]")], r"tool_calls\[0\].function.arguments"),
        ([called("{")], r"tool_calls\[0\].function.arguments"),
        ([called(name=None)], r"tool_calls\[0\].function.name"),
        ([called(call_id=None)], r"messages\[0\].tool_calls\[0\]"),
        ([{"role": "assistant", "content": None, "tool_calls": ["x"]}], r"messages\[0\].tool_calls\[0\]"),
    ],
)
def test_what_cannot_be_said_in_a_conversation_is_named(messages, named):
    with pytest.raises(InvalidRequestError, match=named):
        contents(*messages)
