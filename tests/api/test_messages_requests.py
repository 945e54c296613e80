"""`POST v1/messages`: what reaches the provider, what is left out, and what is refused by its name."""

import json

import pytest

from creative_services.testing import LlmsFactory
from tests.api.asking import Asker

MESSAGES = "/api/llm/v1/messages"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"name": "weather", "description": "The weather.", "input_schema": SCHEMA}
HELLO = {"role": "user", "content": "Hello"}
MARK = {"cache_control": {"type": "ephemeral"}}
USE = {"type": "tool_use", "id": "call_a", "name": "weather", "input": {"city": "Graz"}}
RESULT = {"type": "tool_result", "tool_use_id": "call_a", "content": "Rain"}
CALLED = {
    "id": "call_a",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"city":"Graz"}'},
}
THOUGHT = {"type": "thinking", "thinking": "It may rain.", "signature": "c2ln"}


@pytest.fixture
def asker(caller, provider):
    """In one world only: the body is read by the same code in both, and the files beside this one ask in both."""
    return Asker("wsgi", caller)


def ask(asker, **body):
    return asker.post(MESSAGES, {"model": "standard", "max_tokens": 100, "messages": [HELLO]} | body)


@pytest.fixture
def sent(asker, provider):
    """What the provider receives for a body."""

    def send(**body):
        told = ask(asker, **body)
        assert told.status == 200, told.body
        return provider.requests[-1].json

    return send


def says(*blocks, role="user"):
    return {"role": role, "content": list(blocks)}


def text(words, **more):
    return {"type": "text", "text": words} | more


def image(**source):
    return {"type": "image", "source": source}


def document(more, **source):
    return {"type": "document", "source": source} | more


CONVERSATIONS = {
    "a string": ([HELLO], [HELLO]),
    "a block": ([says(text("Hello"))], [HELLO]),
    "two blocks": ([says(text("A"), text("B"))], [says(text("A"), text("B"))]),
    "turns": (
        [HELLO, says(text("Hi"), role="assistant"), HELLO],
        [HELLO, {"role": "assistant", "content": "Hi"}, HELLO],
    ),
    "silence": (
        [HELLO, says(role="assistant"), HELLO, {"role": "assistant", "content": ""}, HELLO],
        [HELLO, {"role": "assistant", "content": ""}, HELLO, {"role": "assistant", "content": ""}, HELLO],
    ),
    "nothing": ([says()], [{"role": "user", "content": ""}]),
    "a system turn": (
        [HELLO, {"role": "system", "content": "Be brief."}],
        [HELLO, {"role": "system", "content": "Be brief."}],
    ),
    "an image": (
        [says(image(type="base64", media_type="image/png", data="QUJD"))],
        [says({"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}})],
    ),
    "an image elsewhere": (
        [says(image(type="url", url="https://a.example/b.png"))],
        [says({"type": "image_url", "image_url": {"url": "https://a.example/b.png"}})],
    ),
    "a document": (
        [says(document({"title": "a.pdf"}, type="base64", media_type="application/pdf", data="QUJD"))],
        [says({"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"}})],
    ),
    "a document elsewhere": (
        [says(document({"citations": {"enabled": False}, "context": None}, type="url", url="https://a.example/b"))],
        [says({"type": "file", "file": {"filename": "document.pdf", "file_data": "https://a.example/b"}})],
    ),
    "a call and its result": (
        [HELLO, says(text("Let me see."), USE, role="assistant"), says(text("Go on."), RESULT)],
        [
            HELLO,
            {"role": "assistant", "content": "Let me see.", "tool_calls": [CALLED]},
            {"role": "tool", "tool_call_id": "call_a", "content": "Rain"},
            {"role": "user", "content": "Go on."},
        ],
    ),
    "results of all kinds": (
        [
            HELLO,
            says(USE, role="assistant"),
            says(
                RESULT | {"content": None},
                RESULT | {"content": [text("Rain")]},
                RESULT | {"content": "None.", "is_error": True},
            ),
        ],
        [
            HELLO,
            {"role": "assistant", "content": None, "tool_calls": [CALLED]},
            {"role": "tool", "tool_call_id": "call_a", "content": ""},
            {"role": "tool", "tool_call_id": "call_a", "content": "Rain"},
            {"role": "tool", "tool_call_id": "call_a", "content": [text("Error:"), text("None.")]},
        ],
    ),
    "thoughts of another model": (
        [HELLO, says(THOUGHT, text("Hi"), role="assistant"), HELLO],
        [HELLO, {"role": "assistant", "content": "Hi"}, HELLO],
    ),
}


@pytest.mark.parametrize(("given", "wanted"), CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_the_conversation_reaches_the_provider_in_its_words(sent, given, wanted):
    assert sent(messages=given)["messages"] == wanted


TOOL = {"type": "function", "function": {"name": "weather", "description": "The weather.", "parameters": SCHEMA}}
FORM = {"type": "json_schema", "schema": SCHEMA}
RESPONSE_FORMAT = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA}}
FIELDS = {
    "a cap": ({"max_tokens": 17}, {"max_tokens": 17}),
    "a system prompt": ({"system": "Be brief."}, {"messages": [{"role": "system", "content": "Be brief."}, HELLO]}),
    "a system prompt in blocks": (
        {"system": [text("Be brief."), text("Be kind.")]},
        {"messages": [{"role": "system", "content": "Be brief.\n\nBe kind."}, HELLO]},
    ),
    "no system prompt": ({"system": ""}, {"messages": [HELLO]}),
    "a temperature": ({"temperature": 0.25}, {"temperature": 0.25}),
    "stop sequences": ({"stop_sequences": ["END"]}, {"stop": ["END"]}),
    "tools": ({"tools": [WEATHER]}, {"tools": [TOOL], "tool_choice": None}),
    "a strict tool": (
        {"tools": [WEATHER | {"type": "custom", "strict": True}]},
        {"tools": [TOOL | {"function": TOOL["function"] | {"strict": True}}]},
    ),
    "any tool": ({"tools": [WEATHER], "tool_choice": {"type": "any"}}, {"tool_choice": "required"}),
    "no tool": (
        {"tools": [WEATHER], "tool_choice": {"type": "none", "disable_parallel_tool_use": False}},
        {"tool_choice": "none"},
    ),
    "single calls": (
        {"tools": [WEATHER], "tool_choice": {"type": "any", "disable_parallel_tool_use": True}},
        {"tool_choice": "required", "parallel_tool_calls": False},
    ),
    "single calls of nothing": (
        {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
        {"parallel_tool_calls": None},
    ),
    "nucleus sampling": ({"top_p": 0.5}, {"top_p": 0.5}),
    "this tool": (
        {"tools": [WEATHER], "tool_choice": {"type": "tool", "name": "weather"}},
        {"tool_choice": {"type": "function", "function": {"name": "weather"}}},
    ),
    "a choice of nothing": ({"tools": [], "tool_choice": {"type": "auto"}}, {"tools": None, "tool_choice": None}),
    "a schema": ({"output_config": {"format": FORM, "effort": "low"}}, {"response_format": RESPONSE_FORMAT}),
    "a schema in older words": ({"output_format": FORM}, {"response_format": RESPONSE_FORMAT}),
    "an effort": ({"output_config": {"effort": "low"}}, {"response_format": None}),
}


@pytest.mark.parametrize(("given", "wanted"), FIELDS.values(), ids=FIELDS)
def test_fields_reach_the_provider_in_its_words(sent, given, wanted):
    found = sent(**given)

    assert {name: found.get(name) for name in wanted} == wanted


def test_what_changes_nothing_is_ignored(sent):
    bare = sent()
    neutral = {
        "metadata": {"user_id": "ann"}, "service_tier": "auto", "thinking": {"type": "enabled", "budget_tokens": 1024},
        "speed": "standard", "mcp_servers": [], "top_p": 1, "stream": None, "container": None, "system": None,
        "cache_control": {"type": "ephemeral"},
    }  # fmt: skip

    found = sent(**neutral)

    assert found.pop("messages") == [says(text("Hello"))]
    assert bare.pop("messages") == [HELLO]
    assert found == bare


REFUSED = {
    "sampling that is none": ({"top_p": "most"}, "top_p"),
    "the best few": ({"top_k": 5}, "top_k"),
    "servers of tools": ({"mcp_servers": [{"name": "x"}]}, "mcp_servers"),
    "a container": ({"container": "c"}, "container"),
    "a place": ({"inference_geo": "eu"}, "inference_geo"),
    "a field nobody knows": ({"fancy": 1}, "fancy"),
    "no model": ({"model": None}, "model"),
    "no cap": ({"max_tokens": None}, "max_tokens"),
    "a cap of zero": ({"max_tokens": 0}, "max_tokens"),
    "a cap that is none": ({"max_tokens": "9"}, "max_tokens"),
    "a stream that is none": ({"stream": 1}, "stream"),
    "no messages": ({"messages": None}, "messages"),
    "an empty list": ({"messages": [], "system": [text("x") | MARK]}, "messages"),
    "an empty list to mark": ({"messages": []} | MARK, "messages"),
    "messages that are none": ({"messages": "Hello"}, "messages"),
    "a message that is none": ({"messages": ["Hello"]}, "messages[0]"),
    "a role nobody has": ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
    "a role that is none": ({"messages": [{"role": {}, "content": "x"}]}, "messages[0].role"),
    "no content": ({"messages": [{"role": "user"}]}, "messages[0].content"),
    "a block that is none": ({"messages": [says("x")]}, "messages[0].content[0]"),
    "a block nobody knows": ({"messages": [says({"type": "search_result"})]}, "messages[0].content[0]"),
    "a block of no type": ({"messages": [says({"type": []})]}, "messages[0].content[0]"),
    "an assistant's image": (
        {"messages": [HELLO, says(image(type="url", url="https://a.example/b"), role="assistant")]},
        "messages[1].content[0]",
    ),
    "an image in a system prompt": ({"system": [image(type="url", url="https://a.example/b")]}, "system[0]"),
    "a system prompt that is none": ({"system": 7}, "system"),
    "a system turn of images": ({"messages": [says(image(), role="system")]}, "messages[0].content[0]"),
    "text that is none": ({"messages": [says(text(7))]}, "messages[0].content[0].text"),
    "an image without a source": ({"messages": [says({"type": "image"})]}, "messages[0].content[0].source"),
    "an image that is kept": (
        {"messages": [says(image(type="file", file_id="f"))]},
        "messages[0].content[0].source",
    ),
    "an image without data": (
        {"messages": [says(image(type="base64", media_type="image/png"))]},
        "messages[0].content[0].source.data",
    ),
    "an image without an address": ({"messages": [says(image(type="url"))]}, "messages[0].content[0].source.url"),
    "a document to cite": (
        {"messages": [says(document({"citations": {"enabled": True}}, type="url", url="https://a.example/b"))]},
        "messages[0].content[0].citations",
    ),
    "a document of text": (
        {"messages": [says(document({}, type="text", media_type="text/plain", data="x"))]},
        "messages[0].content[0].source",
    ),
    "a call without an id": (
        {"messages": [HELLO, says(USE | {"id": None}, role="assistant")]},
        "messages[1].content[0].id",
    ),
    "a call without a name": (
        {"messages": [HELLO, says(USE | {"name": None}, role="assistant")]},
        "messages[1].content[0].name",
    ),
    "a call with a string": (
        {"messages": [HELLO, says(USE | {"input": "{}"}, role="assistant")]},
        "messages[1].content[0].input",
    ),
    "a result without an id": (
        {"messages": [says(RESULT | {"tool_use_id": None})]},
        "messages[0].content[0].tool_use_id",
    ),
    "a result of numbers": ({"messages": [says(RESULT | {"content": 7})]}, "messages[0].content[0].content"),
    "a tool that runs elsewhere": ({"tools": [{"type": "web_search_20260318", "name": "web_search"}]}, "tools[0]"),
    "a tool without a name": ({"tools": [{"input_schema": SCHEMA}]}, "tools[0].name"),
    "a tool without a schema": ({"tools": [{"name": "x"}]}, "tools[0].input_schema"),
    "a choice nobody knows": ({"tools": [WEATHER], "tool_choice": {"type": "always"}}, "tool_choice"),
    "a choice that is none": ({"tools": [WEATHER], "tool_choice": "auto"}, "tool_choice"),
    "a choice without a name": ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
    "single calls that are none": (
        {"tools": [WEATHER], "tool_choice": {"type": "auto", "disable_parallel_tool_use": "yes"}},
        "tool_choice.disable_parallel_tool_use",
    ),
    "a format nobody knows": ({"output_format": {"type": "xml"}}, "output_format"),
    "a format without a schema": (
        {"output_config": {"format": {"type": "json_schema"}}},
        "output_config.format.schema",
    ),
    "a setting nobody knows": ({"output_config": {"fancy": 1}}, "output_config.fancy"),
    "settings that are none": ({"output_config": 7}, "output_config"),
}


@pytest.mark.parametrize(("given", "name"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_served_is_refused_by_its_name(asker, provider, given, name):
    told = ask(asker, **given)

    assert told.status == 400
    assert told.json["error"]["type"] == "invalid_request_error"
    assert f"`{name}`" in told.json["error"]["message"]
    assert provider.requests == []


@pytest.fixture
def native(db, sent):
    """What an LLM of Anthropic's own receives."""
    LlmsFactory(name="Claude", provider="anthropic", model="claude-1", api_key="sk-claude", tier="premium")

    def send(**body):
        return sent(model="Claude", **body)

    return send


def test_signed_thoughts_go_back_as_they_came(native):
    hidden = {"type": "redacted_thinking", "data": "aGlkZGVu"}
    turn = [THOUGHT, hidden, text("Let me see.", citations=None), USE]

    found = native(messages=[HELLO, says(*turn, role="assistant"), says(RESULT)])

    assert found["messages"][1]["content"] == [THOUGHT, hidden, text("Let me see."), USE]


def test_thoughts_without_a_signature_do_not_go_back(native):
    turn = [THOUGHT | {"signature": ""}, {"type": "redacted_thinking", "data": "creative_services-1-broken"}]

    found = native(messages=[HELLO, says(*turn, text("Hi"), role="assistant"), HELLO])

    assert found["messages"][1]["content"] == "Hi"


def test_marks_for_the_cache_reach_those_who_know_them(native):
    found = native(
        system=[text("Be brief.") | MARK],
        tools=[WEATHER | MARK],
        messages=[
            says(text("Hello") | MARK),
            says(USE, role="assistant"),
            says(RESULT | MARK, RESULT | {"content": ""} | MARK),
        ],
    )

    assert found["system"] == [text("Be brief.") | MARK]
    assert found["tools"] == [WEATHER | MARK]
    assert found["messages"][0]["content"] == [text("Hello") | MARK]
    assert found["messages"][2]["content"][0]["content"] == [text("Rain") | MARK]


@pytest.mark.parametrize(
    "ending",
    [says(text("A"), text("B")), HELLO, says(image(type="url", url="https://a.example/b"))],
)
def test_a_mark_for_the_whole_is_set_where_it_ends(native, ending):
    last = native(messages=[HELLO, {"role": "assistant", "content": "Hi"}, ending], **MARK)["messages"][-1]

    assert [block.get("cache_control") for block in last["content"]][-1] == MARK["cache_control"]
    assert "cache_control" not in last["content"][0] or len(last["content"]) == 1


def test_a_mark_has_no_place_in_silence(native):
    ending = says(USE, role="assistant")

    assert "cache_control" not in json.dumps(native(messages=[HELLO, ending], **MARK))


def test_a_body_nested_beyond_reason_is_refused(asker):
    deep = "[" * 300 + "]" * 300
    body = json.dumps({"model": "standard", "max_tokens": 5, "messages": [HELLO], "stop_sequences": 1})

    assert asker.send(body.replace(": 1}", f": {deep}}}"), path=MESSAGES).status == 400
