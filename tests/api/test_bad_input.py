"""What callers may send that cannot be meant: told as such, before any provider is asked, and never a 500."""

import io
import json

import pytest
from django.test import Client, override_settings

from tests.api.asking import GENERATE

HELLO = {"prompt": "Hello"}
DEEP = 100_000


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"prompt": ""},
        {"prompt": " \n"},
        {"prompt": None},
        {"prompt": 9},
        {"prompt": ["Hello"]},
        {"prompt": "Hello", "messages": [{"role": "user", "content": "Hello"}]},
        {"messages": []},
        {"messages": "Hello"},
        {"messages": {}},
        {"messages": ["Hello"]},
        {"messages": [None]},
        {"messages": [{"role": "user"}]},
        {"messages": [{"role": "friend", "content": "Hello"}]},
        {"messages": [{"role": ["user"], "content": "Hello"}]},
        {"messages": [{"role": "user", "content": 9}]},
        {"messages": [{"role": "user", "content": [9]}]},
        {"messages": [{"role": "user", "content": "a\0b"}]},
        {"prompt": "a\0b"},
        {"prompt": "\ud83d"},
        {"prompt": "Hello", "system": "\udc00"},
        {"prompt": "Hello", "\ud83d": 1},
        {"prompt": "x" * 2_000_001},
        {"prompt": "Hello", "system": 9},
        {"prompt": "Hello", "tier": "best"},
        {"prompt": "Hello", "tier": 1},
        {"prompt": "Hello", "tier": ["standard"]},
        {"prompt": "Hello", "tier": {"standard": 1}},
        {"prompt": "Hello", "tier": "standard", "llm_id": 1},
        {"prompt": "Hello", "llm_id": "9"},
        {"prompt": "Hello", "llm_id": True},
        {"prompt": "Hello", "llm_id": 1.0},
        {"prompt": "Hello", "llm_id": [1]},
        {"prompt": "Hello", "max_tokens": "9"},
        {"prompt": "Hello", "max_tokens": True},
        {"prompt": "Hello", "max_tokens": 0},
        {"prompt": "Hello", "max_tokens": -1},
        {"prompt": "Hello", "max_tokens": 1.5},
        {"prompt": "Hello", "max_tokens": 10**30},
        {"prompt": "Hello", "temperature": "0.5"},
        {"prompt": "Hello", "temperature": False},
        {"prompt": "Hello", "temperature": -0.1},
        {"prompt": "Hello", "temperature": 2.1},
        {"prompt": "Hello", "temperature": 10**400},
        {"prompt": "Hello", "stop": 9},
        {"prompt": "Hello", "stop": ""},
        {"prompt": "Hello", "stop": [""]},
        {"prompt": "Hello", "stop": [9]},
        {"prompt": "Hello", "stop": {"a": "b"}},
        {"prompt": "Hello", "tools": "search"},
        {"prompt": "Hello", "tools": {}},
        {"prompt": "Hello", "tools": [9]},
        {"prompt": "Hello", "tool_choice": 9},
        {"prompt": "Hello", "tool_choice": ["auto"]},
        {"prompt": "Hello", "response_format": "json"},
        {"prompt": "Hello", "response_format": {"schema": "a\0b"}},
        {"prompt": "Hello", "stream": "true"},
        {"prompt": "Hello", "stream": 1},
        {"prompt": "Hello", "stream": 0},
        {"prompt": "Hello", "on_interrupt": "restart"},
        {"prompt": "Hello", "on_interrupt": "error", "stream": False},
        {"prompt": "Hello", "on_interrupt": "panic", "stream": True},
        {"prompt": "Hello", "on_interrupt": "", "stream": True},
        {"prompt": "Hello", "on_interrupt": True, "stream": True},
        {"prompt": "Hello", "on_interrupt": ["restart"], "stream": True},
        {"prompt": "Hello", "on_interrupt": {"restart": 1}, "stream": True},
        {"prompt": "Hello", "promt": "Hello"},
        {"prompt": "Hello", "extra": {"top_p": 1}},
        {"prompt": "Hello", "timeout": 3},
        {"prompt": "Hello", "api_endpoint": "http://elsewhere"},
        {"prompt": "Hello", "limits": {}},
        {"prompt": "Hello", "caller": "me"},
        [],
        ["prompt"],
        "Hello",
        9,
        True,
        None,
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_and_no_provider_asked(asker, provider, body):
    told = asker.send(json.dumps(body))

    assert (told.status, told.code) == (400, "invalid_request")
    assert provider.requests == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b'{"prompt": "Hello"',
        b"prompt=Hello",
        b"\xff\xfe\x00",
        b'{"prompt": "\xff"}',
        b'{"prompt": "\xed\xa0\x80"}',
        b'\xef\xbb\xbf{"prompt": "Hello"}',
        b'{"prompt": "Hello", "temperature": NaN}',
        b'{"prompt": "Hello", "temperature": Infinity}',
        b'{"prompt": "Hello", "temperature": -Infinity}',
        b'{"prompt": "Hello", "temperature": 1e999}',
        b'{"prompt": "Hello", "tools": [{"type": "function", "weight": 1e999}]}',
        b'{"prompt": "Hello", "max_tokens": ' + b"9" * 5000 + b"}",
        b"[" * DEEP,
        b'{"prompt": ' * DEEP,
        b"[" * DEEP + b"]" * DEEP,
        b'{"prompt": "Hello", "tools": ' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"prompt": "Hello", "tools": [{"type": "function", "function": ' + b"[" * 900 + b"]" * 900 + b"}]}",
        b'{"prompt": "Hello\nthere"}',
    ],
)
def test_what_is_not_json_is_refused_and_no_provider_asked(asker, provider, body):
    told = asker.send(body)

    assert (told.status, told.code) == (400, "invalid_request")
    assert provider.requests == []


def test_an_unknown_field_is_named_beside_the_known_ones(asker):
    detail = asker.generate(promt="Hello").json["detail"]

    assert "`promt`" in detail
    assert "prompt" in detail.replace("promt", "")


def test_a_prompt_is_never_quoted_back(asker):
    told = asker.generate(prompt="my\0secret")

    assert b"secret" not in told.body


@pytest.mark.parametrize("body", [HELLO, HELLO | {"stream": True}])
def test_null_means_that_a_field_was_not_given(asker, provider, body):
    names = ("messages", "system", "tier", "llm_id", "max_tokens", "temperature", "stop", "tools", "on_interrupt")
    nulls = dict.fromkeys(names)

    assert asker.generate(**nulls | body).status == 200


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml",
     "application/json; charset=utf-16", "application/jsonl"],
)  # fmt: skip
def test_only_json_in_utf8_is_read(asker, provider, content_type):
    told = asker.send(json.dumps(HELLO), content_type)

    assert (told.status, told.code) == (415, "unsupported_media_type")
    assert provider.requests == []


def test_the_usual_spellings_of_the_content_type_are_read(asker):
    assert asker.send(json.dumps(HELLO), "Application/JSON; charset=UTF-8").status == 200


@override_settings(CREATIVE_SERVICES={"MAX_BODY_BYTES": 100})
@pytest.mark.parametrize("length", [101, 10_000])
def test_a_body_beyond_the_limit_is_refused_in_json(asker, provider, length):
    frame = len(json.dumps({"prompt": ""}))

    told = asker.generate(prompt="x" * (length - frame))

    assert (told.status, told.code) == (413, "invalid_request")
    assert "MAX_BODY_BYTES" in told.json["detail"]
    assert provider.requests == []


@override_settings(CREATIVE_SERVICES={"MAX_BODY_BYTES": 100})
def test_a_body_at_the_limit_is_taken(asker):
    frame = len(json.dumps({"prompt": ""}))

    assert asker.generate(prompt="x" * (100 - frame)).status == 200


@override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=100)
def test_our_limit_holds_and_not_the_one_for_forms(asker):
    assert asker.generate(prompt="x" * 1000).status == 200


def test_any_letters_reach_the_provider_as_they_are(asker, provider):
    prompt = "Grüße, 你好 👋🏽 \u2028 \u0085 \ufeff"

    told = asker.generate(prompt=prompt)

    assert told.status == 200
    assert provider.prompts == [prompt]


@pytest.mark.parametrize("llm_id", [0, -1, 4_711, 2**63, 10**30])
def test_an_id_that_no_llm_has_is_not_found(asker, provider, llm_id):
    told = asker.generate(prompt="Hello", llm_id=llm_id)

    assert (told.status, told.code) == (404, "llm_not_found")
    assert provider.requests == []


class Torn(io.RawIOBase):
    """A body whose sender has gone."""

    def readable(self):
        return True

    def readinto(self, buffer):
        raise ConnectionResetError


@pytest.mark.parametrize(
    "environ", [{"wsgi.input": Torn(), "CONTENT_LENGTH": "20"}, {"CONTENT_LENGTH": "many"}, {"CONTENT_LENGTH": "5"}]
)
def test_a_body_that_cannot_be_read_whole_is_refused(caller, provider, environ):
    client = Client()
    client.force_login(caller)

    response = client.post(GENERATE, HELLO, "application/json", **environ)

    assert response.status_code == 400
    assert response.json()["code"] == "invalid_request"


@pytest.mark.parametrize("stream", [True, False])
def test_middleware_may_ask_for_the_body_afterwards(asker, settings, stream):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "tests.api.test_bad_input.keep_body"]

    told = asker.generate(prompt="Hello", stream=stream)

    assert told.status == 200
    assert json.loads(told.headers["X-Body"])["prompt"] == "Hello"


def keep_body(get_response):
    """Middleware that reads the body after the view, as request logs do."""

    def middleware(request):
        response = get_response(request)
        response["X-Body"] = request.body.decode()
        return response

    return middleware
