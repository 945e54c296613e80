"""`POST v1/responses`: what reaches the provider, what is left out, and what is refused by its name."""

import json

import pytest

from creative_services.testing import Reply
from tests.api.asking import Asker

RESPONSES = "/api/llm/v1/responses"
PNG = "data:image/png;base64,iVBORw0KGgo="
PDF = "data:application/pdf;base64,JVBERi0="
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"type": "function", "name": "weather", "description": "The weather.", "parameters": SCHEMA, "strict": True}
HELLO = {"role": "user", "content": "Hello"}
CALL = {"type": "function_call", "call_id": "call_a", "name": "weather", "arguments": '{"city":"Graz"}'}
RESULT = {"type": "function_call_output", "call_id": "call_a", "output": "Rain"}
CALLED = {
    "id": "call_a",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"city":"Graz"}'},
}


@pytest.fixture
def asker(caller, provider):
    """In one world only: the body is read by the same code in both, and the files beside this one ask in both."""
    return Asker("wsgi", caller)


def ask(asker, **body):
    return asker.post(RESPONSES, {"model": "standard", "input": "Hello"} | body)


@pytest.fixture
def sent(asker, provider):
    """What the provider receives for a body."""

    def send(**body):
        told = ask(asker, **body)
        assert told.status == 200, told.body
        return provider.requests[-1].json

    return send


CONVERSATIONS = {
    "a string": ("Hello", [HELLO]),
    "a message": ([HELLO], [HELLO]),
    "a typed message": ([{"type": "message", "status": "completed", **HELLO}], [HELLO]),
    "a piece of text": ([{"role": "user", "content": [{"type": "input_text", "text": "Hello"}]}], [HELLO]),
    "two pieces": (
        [{"role": "user", "content": [{"type": "input_text", "text": "A"}, {"type": "input_text", "text": "B"}]}],
        [{"role": "user", "content": [{"type": "text", "text": "A"}, {"type": "text", "text": "B"}]}],
    ),
    "no pieces": ([HELLO, {"role": "assistant", "content": []}, HELLO], [HELLO, HELLO]),
    "a system and a developer message": (
        [{"role": "system", "content": "Be brief."}, {"role": "developer", "content": "Be kind."}, HELLO],
        [{"role": "system", "content": "Be brief."}, {"role": "developer", "content": "Be kind."}, HELLO],
    ),
    "an image": (
        [{"role": "user", "content": [{"type": "input_image", "image_url": PNG, "detail": "auto"}]}],
        [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": PNG}}]}],
    ),
    "an image elsewhere, looked at closely": (
        [{"role": "user", "content": [{"type": "input_image", "image_url": "https://a.example/b", "detail": "high"}]}],
        [
            {
                "role": "user",
                "content": [{"type": "image_url", "image_url": {"url": "https://a.example/b", "detail": "high"}}],
            }
        ],
    ),
    "a file": (
        [{"role": "user", "content": [{"type": "input_file", "filename": "a.pdf", "file_data": PDF}]}],
        [{"role": "user", "content": [{"type": "file", "file": {"filename": "a.pdf", "file_data": PDF}}]}],
    ),
    "a file elsewhere": (
        [{"role": "user", "content": [{"type": "input_file", "file_url": "https://a.example/b.pdf"}]}],
        [{"role": "user", "content": [{"type": "file", "file": {"file_data": "https://a.example/b.pdf"}}]}],
    ),
    "what was answered before": (
        [HELLO, {"role": "assistant", "content": [{"type": "output_text", "text": "Hi", "annotations": []}]}, HELLO],
        [HELLO, {"role": "assistant", "content": "Hi"}, HELLO],
    ),
    "what was said in silence": (
        [HELLO, {"role": "assistant", "content": ""}, HELLO],
        [HELLO, {"role": "assistant", "content": ""}, HELLO],
    ),
    "what was refused before": (
        [HELLO, {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}, HELLO],
        [HELLO, {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}, HELLO],
    ),
    "a call and its result": (
        [HELLO, CALL, RESULT],
        [
            HELLO,
            {"role": "assistant", "content": None, "tool_calls": [CALLED]},
            {"role": "tool", "tool_call_id": "call_a", "content": "Rain"},
        ],
    ),
    "thoughts, words and calls of one turn": (
        [
            HELLO,
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {"role": "assistant", "content": "Let me see."},
            CALL,
            CALL | {"call_id": "call_b", "arguments": ""},
            RESULT,
            RESULT | {"call_id": "call_b", "output": [{"type": "input_text", "text": "Sun"}]},
        ],
        [
            HELLO,
            {
                "role": "assistant",
                "content": "Let me see.",
                "tool_calls": [
                    CALLED,
                    CALLED | {"id": "call_b", "function": {"name": "weather", "arguments": "{}"}},
                ],
            },
            {"role": "tool", "tool_call_id": "call_a", "content": "Rain"},
            {"role": "tool", "tool_call_id": "call_b", "content": "Sun"},
        ],
    ),
    "thoughts alone": ([HELLO, {"type": "reasoning", "id": "rs_1", "summary": []}], [HELLO]),
}


@pytest.mark.parametrize(("given", "wanted"), CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_the_conversation_reaches_the_provider_in_its_words(sent, given, wanted):
    assert sent(input=given)["messages"] == wanted


TOOL = {
    "type": "function",
    "function": {"name": "weather", "description": "The weather.", "parameters": SCHEMA, "strict": True},
}
FIELDS = {
    "instructions": (
        {"instructions": "Be brief."},
        {"messages": [{"role": "system", "content": "Be brief."}, HELLO]},
    ),
    "no instructions": ({"instructions": ""}, {"messages": [HELLO]}),
    "a cap": ({"max_output_tokens": 17}, {"max_tokens": 17}),
    "a temperature": ({"temperature": 0.25}, {"temperature": 0.25}),
    "tools": ({"tools": [WEATHER]}, {"tools": [TOOL], "tool_choice": None}),
    "a tool with nothing but a name": (
        {"tools": [{"type": "function", "name": "clock", "parameters": None, "strict": None}]},
        {"tools": [{"type": "function", "function": {"name": "clock"}}]},
    ),
    "single calls": ({"tools": [WEATHER], "parallel_tool_calls": False}, {"parallel_tool_calls": False}),
    "single calls of nothing": ({"parallel_tool_calls": False}, {"parallel_tool_calls": None}),
    "nucleus sampling": ({"top_p": 0.5}, {"top_p": 0.5}),
    "a choice": ({"tools": [WEATHER], "tool_choice": "required"}, {"tools": [TOOL], "tool_choice": "required"}),
    "this tool": (
        {"tools": [WEATHER], "tool_choice": {"type": "function", "name": "weather"}},
        {"tool_choice": {"type": "function", "function": {"name": "weather"}}},
    ),
    "a choice of nothing": ({"tool_choice": "auto", "tools": []}, {"tools": None, "tool_choice": None}),
    "a schema": (
        {"text": {"format": {"type": "json_schema", "name": "city", "schema": SCHEMA, "strict": True}}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "city", "schema": SCHEMA, "strict": True}}},
    ),
    "JSON": ({"text": {"format": {"type": "json_object"}}}, {"response_format": {"type": "json_object"}}),
    "plain text": ({"text": {"format": {"type": "text"}, "verbosity": "low"}}, {"response_format": None}),
}


@pytest.mark.parametrize(("given", "wanted"), FIELDS.values(), ids=FIELDS)
def test_fields_reach_the_provider_in_its_words(sent, given, wanted):
    found = sent(**given)

    assert {name: found.get(name) for name in wanted} == wanted


def test_what_changes_nothing_is_ignored(sent):
    bare = sent()
    neutral = {
        "background": False, "conversation": None, "include": ["reasoning.encrypted_content"], "max_tool_calls": 3,
        "metadata": {"job": "7"}, "parallel_tool_calls": True, "previous_response_id": None, "prompt_cache_key": "k",
        "reasoning": {"effort": "low"}, "safety_identifier": "u", "service_tier": "auto", "store": False,
        "stream": None, "stream_options": {}, "top_logprobs": 0, "top_p": 1, "truncation": "disabled", "user": "ann",
    }  # fmt: skip

    assert sent(**neutral) == bare


def test_an_answer_repeats_what_was_asked(asker):
    asked = {
        "instructions": "Be brief.", "max_output_tokens": 17, "metadata": {"job": "7"}, "temperature": 0.25,
        "text": {"format": {"type": "json_schema", "name": "city", "schema": SCHEMA}}, "tools": [WEATHER],
        "tool_choice": {"type": "function", "name": "weather"}, "user": "ann", "top_p": 0.5,
        "parallel_tool_calls": False,
    }  # fmt: skip

    body = ask(asker, **asked).json

    assert {name: body[name] for name in asked} == asked
    assert (body["store"], body["previous_response_id"], body["background"]) == (False, None, False)
    assert body["id"] == f"resp_{ask_id(body)}"


def ask_id(body):
    (item,) = body["output"]
    return item["id"].removeprefix("msg_")[:32]


def user_part(**part):
    return {"input": [{"role": "user", "content": [part]}]}


REFUSED = {
    "a response that was kept": ({"previous_response_id": "resp_1"}, "previous_response_id"),
    "a conversation that was kept": ({"conversation": "conv_1"}, "conversation"),
    "a prompt that was kept": ({"prompt": {"id": "pmpt_1"}}, "prompt"),
    "keeping": ({"store": True}, "store"),
    "the background": ({"background": True}, "background"),
    "truncation": ({"truncation": "auto"}, "truncation"),
    "probabilities": ({"top_logprobs": 3}, "top_logprobs"),
    "probabilities among what is included": ({"include": ["message.output_text.logprobs"]}, "include"),
    "an include that is none": ({"include": "all"}, "include"),
    "a field nobody knows": ({"provider": {"only": ["x"]}}, "provider"),
    "metadata of other things": ({"metadata": {"job": 7}}, "metadata"),
    "metadata that is none": ({"metadata": "job"}, "metadata"),
    "a user that is none": ({"user": 7}, "user"),
    "a stream that is none": ({"stream": "yes"}, "stream"),
    "no model": ({"model": None}, "model"),
    "no input": ({"input": None}, "input"),
    "an empty input": ({"input": []}, "input"),
    "an input that is none": ({"input": 7}, "input"),
    "an item that is none": ({"input": ["Hello"]}, "input[0]"),
    "an item of another tool": ({"input": [{"type": "web_search_call", "id": "ws_1"}]}, "input[0]"),
    "an item that is kept elsewhere": ({"input": [{"type": "item_reference", "id": "x"}]}, "input[0]"),
    "an item of no type": ({"input": [{"type": ["message"]}]}, "input[0]"),
    "a role nobody has": ({"input": [{"role": "tool", "content": "x"}]}, "input[0].role"),
    "a role that is none": ({"input": [{"role": ["user"], "content": "x"}]}, "input[0].role"),
    "no content": ({"input": [{"role": "user"}]}, "input[0].content"),
    "sound": (user_part(type="input_audio", input_audio={}), "input[0].content[0]"),
    "a part of no type": (user_part(type={}), "input[0].content[0]"),
    "an image in a system message": (
        {"input": [{"role": "system", "content": [{"type": "input_image", "image_url": PNG}]}]},
        "input[0].content[0]",
    ),
    "text that is none": (user_part(type="input_text", text=7), "input[0].content[0].text"),
    "an image that is kept": (user_part(type="input_image", file_id="file_1"), "input[0].content[0].file_id"),
    "an image without an address": (user_part(type="input_image"), "input[0].content[0].image_url"),
    "a file that is kept": (user_part(type="input_file", file_id="file_1"), "input[0].content[0].file_id"),
    "a file without data": (user_part(type="input_file", filename="a"), "input[0].content[0].file_data"),
    "a call without an id": ({"input": [CALL | {"call_id": None}]}, "input[0].call_id"),
    "a call without a name": ({"input": [CALL | {"name": 7}]}, "input[0].name"),
    "a call with an object": ({"input": [CALL | {"arguments": {"a": 1}}]}, "input[0].arguments"),
    "a result without an id": ({"input": [RESULT | {"call_id": None}]}, "input[0].call_id"),
    "a result of nothing": ({"input": [RESULT | {"output": None}]}, "input[0].output"),
    "a tool that runs elsewhere": ({"tools": [{"type": "web_search"}]}, "tools[0]"),
    "a tool of free text": ({"tools": [WEATHER, {"type": "custom", "name": "x"}]}, "tools[1]"),
    "a tool without a name": ({"tools": [{"type": "function"}]}, "tools[0].name"),
    "tools that are none": ({"tools": {"a": 1}}, "tools"),
    "a choice nobody knows": ({"tools": [WEATHER], "tool_choice": "always"}, "tool_choice"),
    "a choice among some": ({"tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": []}}, "tool_choice"),
    "a choice that is none": ({"tool_choice": 7}, "tool_choice"),
    "a choice without a name": ({"tool_choice": {"type": "function"}}, "tool_choice.name"),
    "text settings that are none": ({"text": "json"}, "text"),
    "a format that is none": ({"text": {"format": "json"}}, "text.format"),
    "a format nobody knows": ({"text": {"format": {"type": "grammar"}}}, "text.format"),
    "a schema that is none": ({"text": {"format": {"type": "json_schema", "name": "x"}}}, "text.format.schema"),
    "a cap of zero": ({"max_output_tokens": 0}, "max_output_tokens"),
    "a cap that is none": ({"max_output_tokens": True}, "max_output_tokens"),
    "instructions in a list": ({"instructions": ["x"]}, "instructions"),
}


@pytest.mark.parametrize(("given", "name"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_served_is_refused_by_its_name(asker, provider, given, name):
    told = ask(asker, **given)

    assert told.status == 400
    assert told.json["error"]["type"] == "invalid_request_error"
    assert told.json["error"]["param"] == name
    assert f"`{name}`" in told.json["error"]["message"]
    assert provider.requests == []


@pytest.mark.parametrize("name", ["top_p", "parallel_tool_calls", "temperature"])
def test_values_that_no_provider_takes_are_refused(asker, name):
    told = ask(asker, tools=[WEATHER], **{name: "most"})

    assert told.status == 400
    assert f"`{name}`" in told.json["error"]["message"]


@pytest.fixture
def thinker(cheap):
    """The LLM speaks the Responses API itself."""
    cheap.wire = "openai_responses"
    cheap.save()
    return cheap


REASONING = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "ZmFrZQ=="}


def test_thoughts_of_the_same_api_go_back_as_they_came(thinker, sent):
    turn = [REASONING, {"type": "message", "id": "msg_1", "role": "assistant", "content": [], "phase": None}, CALL]
    said = {"type": "output_text", "text": "Let me see.", "annotations": []}
    turn[1]["content"] = [said]

    items = sent(input=[HELLO, *turn, RESULT])["input"]

    assert items[1:4] == [
        REASONING,
        {"type": "message", "id": "msg_1", "role": "assistant", "content": [said]},
        CALL,
    ]


@pytest.mark.parametrize("stream", [False, True])
def test_what_the_provider_wants_back_travels_through_the_client(thinker, asker, provider, stream):
    call = {"id": "call_a", "name": "weather", "arguments": "{}"}
    provider.answer_with([Reply("Let me see.", reasoning="It may rain.", tool_calls=[call]), Reply("Rain.")])

    told = ask(asker, stream=stream, tools=[WEATHER])
    output = (told.events[-1][1]["response"] if stream else told.json)["output"]
    ask(asker, input=[HELLO, *output, RESULT])

    assert [item["type"] for item in output] == ["reasoning", "message", "function_call", "reasoning"]
    (thought,) = [item for item in provider.requests[-1].json["input"] if item.get("type") == "reasoning"]
    assert thought["encrypted_content"] == "ZmFrZQ=="


@pytest.mark.parametrize("seal", ["creative_services-1-", "creative_services-1-bm8=", "creative_services-1-WzFd"])
def test_a_seal_that_was_broken_is_as_none(thinker, sent, seal):
    items = sent(input=[HELLO, REASONING | {"encrypted_content": seal}, CALL, RESULT])["input"]

    assert [item.get("type", "message") for item in items] == ["message", "function_call", "function_call_output"]


def test_a_body_nested_beyond_reason_is_refused(asker):
    deep = "[" * 300 + "]" * 300
    for body in ({"input": "x", "metadata": 1}, {"input": 1}, {"tools": 1, "input": "x"}):
        text = json.dumps({"model": "standard"} | body).replace(": 1", f": {deep}")

        assert asker.send(text, path=RESPONSES).status == 400
