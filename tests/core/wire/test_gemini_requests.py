from __future__ import annotations

import json

import pytest

from creative_services.core.errors import ConfigurationError, InvalidRequestError
from creative_services.core.request import EmbedRequest, LLMRequest
from creative_services.core.wire.base import Route

from .answers import KEY, WIRES, entry

WIRE = WIRES["gemini"]
BASE = "https://acme.example/v1beta"
HELLO = {"role": "user", "content": "Grüß dich"}
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


def sent(*messages, llm=None, stream=False, key=KEY, **fields):
    request = LLMRequest(messages=messages or (HELLO,), **fields)
    return WIRE.build(llm or entry(), Route(BASE, key), request, stream=stream)


def body(*messages, **options):
    return json.loads(sent(*messages, **options).body)


def config(**options):
    return body(**options)["generationConfig"]


def test_a_plain_request():
    request = sent()
    assert (request.method, request.url) == ("POST", f"{BASE}/models/some-model:generateContent")
    assert json.loads(request.body) == {
        "contents": [{"role": "user", "parts": [{"text": "Grüß dich"}]}],
        "generationConfig": {"maxOutputTokens": 4096, "temperature": 0.7},
    }
    assert "Grüß".encode() in request.body
    assert request.headers == {
        "content-type": "application/json",
        "accept": "application/json",
        "accept-encoding": "identity",
        "x-goog-api-key": KEY,
    }
    assert KEY not in repr(request) + repr(request.headers) + request.url


def test_a_stream_is_asked_for_as_events():
    request = sent(stream=True, key=None)
    assert request.url == f"{BASE}/models/some-model:streamGenerateContent?alt=sse"
    assert request.headers["accept"] == "text/event-stream"
    assert "x-goog-api-key" not in request.headers


@pytest.mark.parametrize(
    ("model", "resource"),
    [
        ("gemini-2.5-flash", "models/gemini-2.5-flash"),
        ("models/gemini-2.5-flash", "models/gemini-2.5-flash"),
        ("tunedModels/mine-1", "tunedModels/mine-1"),
        ("../../files?x=1#y", "models/..%2F..%2Ffiles%3Fx%3D1%23y"),
        ("a b:delete", "models/a%20b%3Adelete"),
    ],
)
def test_a_models_name_stays_in_its_place_in_the_address(model, resource):
    assert sent(llm=entry(model)).url == f"{BASE}/{resource}:generateContent"


def test_system_messages_go_before_the_conversation():
    system = {"role": "system", "content": [{"type": "text", "text": "B"}]}
    made = body(system, HELLO, {"role": "developer", "content": "C"}, system="A")
    assert made["systemInstruction"] == {"parts": [{"text": "A"}, {"text": "B"}, {"text": "C"}]}
    assert len(made["contents"]) == 1


def test_options_go_into_the_generation_config():
    assert config(max_tokens=9, temperature=0, stop=("a", "b")) == {
        "maxOutputTokens": 9, "temperature": 0, "stopSequences": ["a", "b"],
    }  # fmt: skip
    assert config(llm=entry(temperature=None, max_tokens=7)) == {"maxOutputTokens": 7}


def test_extra_parameters_are_laid_over_the_body():
    llm = entry(extra_params={"generationConfig": {"topK": 3}, "safetySettings": []})
    made = body(llm=llm, extra={"generationConfig": {"thinkingConfig": {"thinkingBudget": 0}}})
    assert made["safetySettings"] == []
    assert made["generationConfig"] == {
        "maxOutputTokens": 4096, "temperature": 0.7, "topK": 3, "thinkingConfig": {"thinkingBudget": 0},
    }  # fmt: skip
    with pytest.raises(ConfigurationError, match="Some LLM"):
        sent(llm=entry(extra_params={"labels": {1, 2}}))


def test_output_formats():
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    asked = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    plain = config()
    assert config(response_format={"type": "text"}) == plain
    assert config(response_format={"type": "json_object"}) == plain | {"responseMimeType": "application/json"}
    assert config(response_format=asked) == plain | {
        "responseMimeType": "application/json", "responseJsonSchema": schema,
    }  # fmt: skip


def test_tools_and_googles_own_tools():
    described = {"type": "function", "function": {"name": "now", "description": "The time."}}
    made = body(tools=[WEATHER, {"type": "google_search", "excludeDomains": ["a.example"]}, described])
    assert made["tools"] == [
        {
            "functionDeclarations": [
                {"name": "weather", "parametersJsonSchema": {"type": "object"}},
                {"name": "now", "description": "The time."},
            ]
        },
        {"google_search": {"excludeDomains": ["a.example"]}},
    ]
    assert body(tools=[{"type": "code_execution"}])["tools"] == [{"code_execution": {}}]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", {"mode": "AUTO"}),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        (
            {"type": "function", "function": {"name": "weather"}},
            {"mode": "ANY", "allowedFunctionNames": ["weather"]},
        ),
    ],
)
def test_tool_choices(choice, expected):
    assert body(tools=[WEATHER], tool_choice=choice)["toolConfig"] == {"functionCallingConfig": expected}


def test_strict_tools_are_validated_where_the_model_may_choose():
    strict = {"type": "function", "function": {"name": "now", "strict": True}}
    assert "toolConfig" not in body(tools=[WEATHER])
    for choice in (None, "auto"):
        made = body(tools=[WEATHER, strict], tool_choice=choice)
        assert made["toolConfig"] == {"functionCallingConfig": {"mode": "VALIDATED"}}
    made = body(tools=[strict], tool_choice="required")
    assert made["toolConfig"] == {"functionCallingConfig": {"mode": "ANY"}}
    made = body(tools=[strict], tool_choice={"type": "function", "function": {"name": "now"}})
    assert made["toolConfig"] == {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["now"]}}


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"response_format": {"type": "grammar"}}, "`response_format` grammar"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema.schema"),
        ({"response_format": {"type": "json_schema", "json_schema": {"schema": "x"}}}, "json_schema.schema"),
        ({"tools": [{"type": "web_search"}]}, r"`tools\[0\]` of type web_search"),
        ({"tools": [{"type": "function", "function": {}}]}, r"tools\[0\].function"),
        ({"tools": [{"type": "function"}]}, r"tools\[0\].function"),
        ({"tools": [WEATHER], "tool_choice": "sometimes"}, "tool_choice"),
        ({"tools": [WEATHER], "tool_choice": {"type": "function"}}, "tool_choice"),
        ({"tools": [WEATHER], "tool_choice": {"type": "allowed_tools"}}, "tool_choice"),
    ],
)
def test_what_no_option_can_say_is_named(options, named):
    with pytest.raises(InvalidRequestError, match=named):
        sent(**options)


def test_embeddings_are_asked_for_in_one_batch():
    request = WIRE.build_embeddings(entry("embed-1"), Route(BASE, KEY), EmbedRequest(("a", "b"), 256))
    assert request.url == f"{BASE}/models/embed-1:batchEmbedContents"
    assert request.headers["x-goog-api-key"] == KEY
    asked = [{"model": "models/embed-1", "content": {"parts": [{"text": text}]}} for text in "ab"]
    assert json.loads(request.body) == {"requests": [one | {"outputDimensionality": 256} for one in asked]}
    request = WIRE.build_embeddings(entry("embed-1"), Route(BASE), EmbedRequest(("a", "b")))
    assert json.loads(request.body) == {"requests": asked}


def test_the_models_are_listed():
    request = WIRE.build_listing(entry(), Route(BASE, KEY))
    assert (request.method, request.url) == ("GET", f"{BASE}/models?pageSize=1000")
    assert request.headers["x-goog-api-key"] == KEY
    assert KEY not in repr(request)
