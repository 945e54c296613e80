from __future__ import annotations

import json

import pytest

from creative_services.core.errors import InvalidRequestError
from creative_services.core.request import LLMRequest
from creative_services.core.wire.base import API_KEY_HEADER, CHAT_OPTIONS, DEVELOPER_ROLE, Route

from .answers import KEY, WIRES, entry

HELLO = {"role": "user", "content": "Grüß dich"}
TOOL = {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
SAID = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}
CALLED = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a":1}'}


def sent(*messages, llm=None, stream=False, key=KEY, quirks=(), **fields):
    request = LLMRequest(messages=messages or (HELLO,), **fields)
    route = Route("https://acme.example/v1", key, frozenset(quirks))
    return WIRES["openai_responses"].build(llm or entry(), route, request, stream=stream)


def body(*messages, **options):
    return json.loads(sent(*messages, **options).body)


def items(*messages, **options):
    return body(*messages, **options)["input"]


def parts(*given, role="user"):
    return items({"role": role, "content": list(given)})[0]["content"]


def test_a_plain_request():
    request = sent()
    assert (request.method, request.url) == ("POST", "https://acme.example/v1/responses")
    assert json.loads(request.body) == {
        "model": "some-model",
        "input": [HELLO],
        "max_output_tokens": 4096,
        "temperature": 0.7,
        "store": False,
    }
    assert request.headers == {
        "content-type": "application/json",
        "accept": "application/json",
        "accept-encoding": "identity",
        "authorization": f"Bearer {KEY}",
    }
    assert KEY not in repr(request) + repr(request.headers)


def test_the_key_goes_where_the_provider_looks_for_it():
    assert sent(quirks={API_KEY_HEADER}).headers["api-key"] == KEY
    assert not {"authorization", "api-key"} & sent(key=None).headers.keys()


def test_a_calls_settings_go_before_the_entrys():
    asked = body(max_tokens=16, temperature=0, extra={"top_p": 0.3}, llm=entry(extra_params={"top_p": 0.2}))
    assert (asked["max_output_tokens"], asked["temperature"], asked["top_p"]) == (16, 0, 0.3)
    assert "temperature" not in body(llm=entry(temperature=None))
    assert "temperature" not in body(llm=entry("o3"), temperature=0.5)
    assert body(extra={"store": True})["store"] is True


def test_a_stream_is_asked_for():
    request = sent(stream=True)
    assert json.loads(request.body)["stream"] is True
    assert request.headers["accept"] == "text/event-stream"


@pytest.mark.parametrize(
    "model", ["o3", "o4-mini", "gpt-5-nano", "gpt-5.6-luna", "openai/gpt-5.6-sol", "openai.gpt-5.5", "grok-4.3"]
)
def test_reasoning_models_are_asked_for_what_they_need_back(model):
    assert body(llm=entry(model))["include"] == ["reasoning.encrypted_content"]


@pytest.mark.parametrize(
    "model", ["gpt-4o", "gpt-4.1-mini", "gpt-5-chat-latest", "grok-3", "grok-4-fast-non-reasoning", "my-o3", "solo3"]
)
def test_models_without_encrypted_reasoning_are_not_asked_for_it(model):
    assert "include" not in body(llm=entry(model))


def test_the_system_argument_is_the_instructions_and_system_messages_stay_in_their_place():
    told = {"role": "system", "content": "B"}
    asked = body(HELLO, told, system="A")
    assert (asked["instructions"], asked["input"]) == ("A", [HELLO, told])


def test_the_developer_role_is_sent_to_those_who_know_it():
    told = {"role": "developer", "content": [{"type": "text", "text": "B"}]}
    content = [{"type": "input_text", "text": "B"}]
    assert items(told, quirks={DEVELOPER_ROLE}) == [{"role": "developer", "content": content}]
    assert items(told) == [{"role": "system", "content": content}]


def test_images_and_files_go_as_parts():
    url, data = "https://acme.example/a.png", "data:application/pdf;base64,AAAA"
    assert parts(
        {"type": "text", "text": "Look", "cache_control": {"type": "ephemeral"}},
        {"type": "text", "text": "here", "prompt_cache_breakpoint": {"mode": "explicit"}},
        {"type": "image_url", "image_url": {"url": url, "detail": "low"}},
        {"type": "image_url", "image_url": url},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": data}},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "file", "file": {"file_data": "https://acme.example/a.pdf"}},
    ) == [
        {"type": "input_text", "text": "Look"},
        {"type": "input_text", "text": "here", "prompt_cache_breakpoint": {"mode": "explicit"}},
        {"type": "input_image", "image_url": url, "detail": "low"},
        {"type": "input_image", "image_url": url},
        {"type": "input_file", "filename": "a.pdf", "file_data": data},
        {"type": "input_file", "file_id": "file-1"},
        {"type": "input_file", "file_url": "https://acme.example/a.pdf"},
    ]


def test_tool_calls_and_results_are_items_of_their_own():
    turn = {"role": "assistant", "content": "Hi", "tool_calls": [CALL]}
    result = {"role": "tool", "tool_call_id": "c1", "name": "f", "content": [{"type": "text", "text": "15"}]}
    output = {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "15"}]}
    assert items(HELLO, turn, result) == [HELLO, SAID, CALLED, output]
    assert items(turn | {"content": None}, result | {"content": "15"}) == [CALLED, output | {"output": "15"}]


def test_parts_of_the_assistant_are_output():
    assert items({"role": "assistant", "content": [{"type": "text", "text": "Hi"}]}) == [SAID]
    assert items(HELLO, {"role": "assistant", "content": ""}) == [HELLO]


def test_arguments_may_be_given_as_an_object_or_left_out():
    def written(arguments):
        call = {"id": "c1", "function": {"name": "f", "arguments": arguments}}
        return items({"role": "assistant", "tool_calls": [call]})[0]["arguments"]

    assert (written({"a": 1}), written(None), written("")) == ('{"a":1}', "{}", "{}")


def test_a_refusal_is_said_again():
    refusal = {"type": "refusal", "refusal": "No."}
    expected = [{"type": "message", "role": "assistant", "content": [refusal]}]
    assert items({"role": "assistant", "content": [refusal]}) == expected
    assert items({"role": "assistant", "content": "", "refusal": "No."}) == expected


KEPT = [
    {"type": "reasoning", "id": "r1", "summary": [], "encrypted_content": "secret"},
    {**SAID, "id": "m1", "status": "completed"},
    {**CALLED, "id": "f1"},
]


def test_what_the_provider_wants_back_goes_back_untouched():
    turn = {"role": "assistant", "content": "Hi", "tool_calls": [CALL]}
    kept = {"wire": "openai_responses", "blocks": KEPT}
    assert items(turn | {"replay": kept}) == KEPT
    assert items(turn | {"replay": kept, "content": "Ho"})[0]["content"][0]["text"] == "Ho"
    assert items(turn | {"replay": kept | {"wire": "openai_chat"}}) == [SAID, CALLED]


def test_tools_are_flattened_and_not_strict_unless_it_is_said():
    strict = {"type": "function", "function": {"name": "g", "strict": True}}
    own = {"type": "web_search", "search_context_size": "low"}
    assert body(tools=[TOOL, strict, own])["tools"] == [
        {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}, "strict": False},
        {"type": "function", "name": "g", "parameters": {"type": "object", "properties": {}}, "strict": True},
        own,
    ]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("auto", "auto"),
        ("any", "required"),
        ({"type": "function", "function": {"name": "f"}}, {"type": "function", "name": "f"}),
        ({"type": "web_search"}, {"type": "web_search"}),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "f"}}, 3]},
            },
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}, 3]},
        ),
        ({"type": 3}, {"type": 3}),
    ],
)
def test_tool_choices_are_flattened(given, expected):
    assert body(tools=[TOOL], tool_choice=given)["tool_choice"] == expected


def test_formats_are_said_in_this_apis_words():
    schema = {"name": "n", "strict": True, "description": None, "schema": {"type": "object"}}
    form = body(response_format={"type": "json_schema", "json_schema": schema}, extra={"text": {"verbosity": "low"}})
    assert form["text"] == {
        "format": {"type": "json_schema", "name": "n", "strict": True, "schema": {"type": "object"}},
        "verbosity": "low",
    }
    nameless = body(response_format={"type": "json_schema", "json_schema": {"schema": {}}})
    assert nameless["text"]["format"]["name"] == "answer"
    assert body(response_format={"type": "json_object"})["text"] == {"format": {"type": "json_object"}}
    assert "text" not in body(response_format={"type": "text"})


def test_a_server_with_the_options_of_chat_gets_them():
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}
    asked = body(stop=("END",), response_format=form, quirks={CHAT_OPTIONS})
    assert (asked["stop"], asked["response_format"]) == (["END"], form)
    assert "text" not in asked
    assert not {"stop", "response_format"} & body(quirks={CHAT_OPTIONS}).keys()


REFUSED = {
    "`stop`": {"stop": ("END",)},
    "`tool_choice`": {"tool_choice": "sometimes"},
    r"`tools\[0\]` of type custom": {"tools": [{"type": "custom", "custom": {"name": "f"}}]},
    r"`tools\[0\]\.function` must be": {"tools": [{"type": "function"}]},
    "`response_format` grammar": {"response_format": {"type": "grammar"}},
    r"json_schema\.schema` must be": {"response_format": {"type": "json_schema", "json_schema": {}}},
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_this_api_cannot_express_is_refused_by_name(message):
    with pytest.raises(InvalidRequestError, match=message):
        body(**REFUSED[message])


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"role": "user", "content": "a", "prefix": True}, r"messages\[0\]\.prefix"),
        ({"role": "user", "content": "a", "name": "Ann"}, r"messages\[0\]\.name"),
        ({"role": "user", "content": "a", "tool_calls": [CALL]}, "Only the assistant calls tools"),
        ({"role": "user", "content": []}, r"empty message `messages\[0\]`"),
        (
            {"role": "user", "content": [{"type": "input_audio"}]},
            "`input_audio` part .* It takes: text, image_url, file",
        ),
        ({"role": "user", "content": [{"type": "text"}]}, r"content\[0\]\.text` must be a string"),
        ({"role": "user", "content": [{"type": "image_url"}]}, r"image_url\.url` must be a string"),
        ({"role": "user", "content": [{"type": "file"}]}, "must hold `file_data` or `file_id`"),
        ({"role": "system", "content": [{"type": "image_url"}]}, "It takes: text"),
        ({"role": "assistant", "content": [{"type": "image_url"}]}, "It takes: text, refusal"),
        ({"role": "assistant", "tool_calls": [{"id": "c1"}]}, r"tool_calls\[0\]` must be an object with"),
        ({"role": "assistant", "tool_calls": [3]}, r"tool_calls\[0\]` must be an object with"),
        ({"role": "tool", "content": "15"}, "tool_call_id` is missing"),
    ],
)
def test_a_message_that_cannot_be_sent_is_refused_by_name(message, said):
    with pytest.raises(InvalidRequestError, match=said):
        body(message)
