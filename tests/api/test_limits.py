"""How much may be asked for over HTTP: too much is refused by name, in every dialect, and costs nobody a call."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import pytest
from django.test import Client, override_settings

from creative_services.core.content import MOST_DEPTH

PNG = b64encode(b"x" * 3000).decode()
URL = f"data:image/png;base64,{PNG}"
TEXT = {"type": "text", "text": "What is it?"}

PATHS = {
    "generate": "generate/",
    "chat": "v1/chat/completions",
    "responses": "v1/responses",
    "messages": "v1/messages",
    "embeddings": "v1/embeddings",
}
PICTURES: Mapping[str, Mapping[str, Any]] = {
    "generate": {"messages": [{"role": "user", "content": [TEXT, {"type": "image_url", "image_url": {"url": URL}}]}]},
    "chat": {"messages": [{"role": "user", "content": [TEXT, {"type": "image_url", "image_url": {"url": URL}}]}]},
    "responses": {
        "input": [
            {
                "role": "user",
                "content": [{"type": "input_text", "text": "What is it?"}, {"type": "input_image", "image_url": URL}],
            }
        ]
    },
    "messages": {
        "messages": [
            {
                "role": "user",
                "content": [
                    TEXT,
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
                ],
            }
        ]
    },
}


def said(text: str, count: int = 1) -> dict[str, Mapping[str, Any]]:
    """The body with `count` messages of a user's, in each dialect."""
    messages = [{"role": "user", "content": text}] * count
    return {
        "generate": {"messages": messages},
        "chat": {"messages": messages},
        "responses": {"input": messages},
        "messages": {"messages": messages},
        "embeddings": {"input": [text] * count},
    }


def with_tool(schema: Any) -> dict[str, Mapping[str, Any]]:
    """The body with a tool that takes this, in each dialect."""
    chat = {"tools": [{"type": "function", "function": {"name": "look", "parameters": schema}}]}
    return {
        "generate": chat,
        "chat": chat,
        "responses": {"tools": [{"type": "function", "name": "look", "parameters": schema}]},
        "messages": {"tools": [{"name": "look", "input_schema": schema}]},
    }


@pytest.fixture
def ask(caller, provider):
    """Asks in a dialect; the settings are the limits."""
    client = Client(raise_request_exception=False)
    client.force_login(caller)

    def send(dialect: str, body: Mapping[str, Any] | str, **limits: int) -> Any:
        known = {} if dialect == "generate" else {"model": "standard"}
        known |= {"max_tokens": 9} if dialect == "messages" else {}
        text = body if isinstance(body, str) else json.dumps(known | dict(body))
        with override_settings(CREATIVE_SERVICES=limits):
            return client.post(f"/api/llm/{PATHS[dialect]}", text, "application/json")

    send.provider = provider
    return send


def refused(ask: Any, response: Any) -> str:
    assert 400 <= response.status_code < 500, response.content
    assert ask.provider.requests == []
    return response.content.decode()


@pytest.mark.parametrize("dialect", ["generate", "chat", "responses", "messages"])
def test_messages_are_counted(ask, dialect):
    told = refused(ask, ask(dialect, said("Hi", 4)[dialect], MAX_MESSAGES=3))

    assert "4 messages. Send at most 3, or raise MAX_MESSAGES" in told
    assert ask(dialect, said("Hi", 3)[dialect], MAX_MESSAGES=3).status_code == 200


@pytest.mark.parametrize("dialect", PICTURES)
def test_images_are_weighed(ask, dialect):
    told = refused(ask, ask(dialect, PICTURES[dialect], MAX_IMAGE_BYTES=2999))

    assert "an image of 3000 bytes. Send at most 2999, or raise MAX_IMAGE_BYTES" in told
    assert ask(dialect, PICTURES[dialect], MAX_IMAGE_BYTES=3000, MAX_PROMPT_TOKENS=50).status_code == 200


@pytest.mark.parametrize("dialect", PATHS)
def test_tokens_of_the_prompt_are_estimated(ask, dialect):
    told = refused(ask, ask(dialect, said("four" * 60)[dialect], MAX_PROMPT_TOKENS=50))

    assert "Send at most 50, or raise MAX_PROMPT_TOKENS" in told


@pytest.mark.parametrize("dialect", PATHS)
def test_bodies_are_measured(ask, dialect):
    response = ask(dialect, said("x" * 300)[dialect], MAX_BODY_BYTES=200)

    assert response.status_code == 413
    assert "MAX_BODY_BYTES" in refused(ask, response)


@pytest.mark.parametrize("levels", [33, 200, 450])
@pytest.mark.parametrize("dialect", PICTURES)
def test_nested_values_have_a_depth(ask, dialect, levels):
    nested = '{"type":"object","properties":{"x":' * levels + "1" + "}}" * levels
    known = {} if dialect == "generate" else {"model": "standard", "max_tokens": 9}
    body = json.dumps(known | said("Hi")[dialect] | with_tool("HERE")[dialect])

    told = refused(ask, ask(dialect, body.replace('"HERE"', nested)))

    assert f"`tools` is nested deeper than {MOST_DEPTH} levels" in told


@pytest.mark.parametrize("bracket", ["[", '{"a":'])
@pytest.mark.parametrize("dialect", PATHS)
def test_what_no_parser_follows_is_refused_too(ask, dialect, bracket):
    for field in ("messages", "input", "tools"):
        told = refused(ask, ask(dialect, f'{{"{field}": {bracket * 100_000}'))

        assert "nested" in told


@pytest.mark.parametrize("levels", [70, 900])
@pytest.mark.parametrize("dialect", PATHS)
@pytest.mark.parametrize("field", ["messages", "input", "tool_choice", "metadata"])
def test_depth_is_refused_by_the_fields_name_wherever_it_is(ask, dialect, field, levels):
    known = {} if dialect == "generate" else {"model": "standard", "max_tokens": 9}
    for nested in ("[" * levels + "]" * levels, '{"content":' * levels + '"x"' + "}" * levels):
        for shape in ("HERE", '[{"role": "user", "content": HERE}]', '{"type": HERE}'):
            body = json.dumps(known | said("Hi")[dialect] | {field: "THERE"})

            told = refused(ask, ask(dialect, body.replace('"THERE"', shape.replace("HERE", nested))))

            assert f"`{field}` is nested deeper than {MOST_DEPTH} levels" in told
