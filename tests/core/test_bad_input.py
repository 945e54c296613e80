"""What callers get wrong is a clear InvalidRequestError, before any provider is asked."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from creative_services import DictRegistry, DynamicLLMClient, InvalidRequestError, SyncDynamicLLMClient
from creative_services.core.bounds import Bounds
from creative_services.testing import FakeProvider
from tests.core.asking import ENTRY, Ask, every_face

USER = {"role": "user", "content": "Hello"}


def deep(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


BAD: list[tuple[dict[str, Any], str]] = [
    ({"prompt": None}, "Give `prompt` or `messages`"),
    ({"messages": [USER]}, "one of them, and not both"),
    ({"prompt": ""}, "`prompt` is empty"),
    ({"prompt": " \n"}, "`prompt` is empty"),
    ({"prompt": 7}, "`prompt` must be a str, not int"),
    ({"prompt": b"bytes"}, "not bytes"),
    ({"prompt": "half \ud83d"}, "lone surrogate"),
    ({"prompt": "nul \0"}, "NUL"),
    ({"prompt": "x" * 5_000_000}, "too long"),
    ({"prompt": None, "messages": []}, "at least one message"),
    ({"prompt": None, "messages": "Hello"}, "must be a list"),
    ({"prompt": None, "messages": ["Hello"]}, r"messages\[0\]"),
    ({"prompt": None, "messages": [USER, {"role": "boss", "content": "x"}]}, r"messages\[1\]\.role"),
    ({"prompt": None, "messages": [{"role": "user"}]}, r"messages\[0\]\.content` is missing"),
    ({"prompt": None, "messages": [{"role": "user", "content": 7}]}, "string or a list of parts"),
    ({"prompt": None, "messages": [{"role": "user", "content": ["x"]}]}, "objects with a `type`"),
    ({"prompt": None, "messages": [{"role": "user", "content": [{"type": 7}]}]}, "objects with a `type`"),
    ({"prompt": None, "messages": [{"role": "user", "content": "x\0"}]}, "`messages` holds a NUL"),
    ({"prompt": None, "messages": [{"role": "user", "content": "x", "extra": object()}]}, "JSON does not have"),
    ({"prompt": None, "messages": [{"role": "user", "content": "x", 7: 7}]}, "key that is not a string"),
    ({"system": 7}, "`system` must be a str"),
    ({"system": "\ud800"}, "`system` holds half a character"),
    ({"tier": "standard", "llm_id": 1}, "not both"),
    ({"tier": "luxury"}, "Unknown tier 'luxury'. Use one of: economy, standard, premium, local"),
    ({"tier": 7}, "Unknown tier"),
    ({"llm_id": "1"}, "`llm_id` must be an int, not str"),
    ({"llm_id": True}, "`llm_id` must be an int"),
    ({"max_tokens": 0}, "`max_tokens` must be an int from 1"),
    ({"max_tokens": -5}, "`max_tokens`"),
    ({"max_tokens": 10**12}, "`max_tokens`"),
    ({"max_tokens": 1.5}, "`max_tokens`"),
    ({"max_tokens": True}, "`max_tokens`"),
    ({"max_tokens": "9"}, "`max_tokens`"),
    ({"temperature": 2.1}, "`temperature`"),
    ({"temperature": -0.1}, "`temperature`"),
    ({"temperature": float("nan")}, "`temperature`"),
    ({"temperature": "warm"}, "`temperature`"),
    ({"temperature": False}, "`temperature`"),
    ({"stop": 7}, "`stop`"),
    ({"stop": ["a", ""]}, "`stop`"),
    ({"stop": [7]}, "`stop`"),
    ({"tools": "hammer"}, "`tools` must be a list"),
    ({"tools": [7]}, r"`tools\[0\]`"),
    ({"tools": [{"type": "function", "function": {"name": "x", "n": float("inf")}}]}, "number that JSON does not have"),
    ({"tool_choice": 7}, "`tool_choice`"),
    ({"response_format": "json"}, "`response_format` must be an object"),
    ({"response_format": {"type": "json_object", "deep": deep(70)}}, "nested deeper"),
    ({"extra": "x"}, "`extra` must be an object"),
    ({"extra": {"x": {1, 2}}}, "holds a set"),
    ({"timeout": 0}, "`timeout`"),
    ({"timeout": -1}, "`timeout`"),
    ({"timeout": "soon"}, "`timeout`"),
    ({"timeout": float("nan")}, "`timeout`"),
    ({"timeout": 10**400}, "`timeout`"),
    ({"limits": {"total": 5}}, "`limits` must be a Limits, not dict"),
    ({"extra": {"seed": 10**400}}, "`extra` holds a number that JSON does not have"),
    *(
        ({"prompt": None, "messages": [{"role": "assistant", "content": "x", "tool_calls": calls}]}, r"\.tool_calls`")
        for calls in (7, True, "x", {}, [7], ["x"])
    ),
]


@every_face
@pytest.mark.parametrize(("options", "message"), BAD)
def test_bad_input_is_named_before_anybody_is_asked(ask: Ask, options: dict[str, Any], message: str) -> None:
    provider = FakeProvider()

    with pytest.raises(InvalidRequestError, match=message) as raised:
        ask(provider, ENTRY, **options)

    assert provider.requests == []
    assert len(str(raised.value)) < 300


def test_a_stream_refuses_bad_input_at_once() -> None:
    with pytest.raises(InvalidRequestError):
        SyncDynamicLLMClient(DictRegistry([ENTRY]), transport=FakeProvider()).stream("")
    with pytest.raises(InvalidRequestError):
        DynamicLLMClient(DictRegistry([ENTRY]), transport=FakeProvider()).stream("")


@every_face
def test_the_bounds_are_the_clients(ask: Ask) -> None:
    bounds = Bounds(prompt_chars=10, max_tokens=5)

    assert ask(FakeProvider("Hi"), ENTRY, prompt="0123456789", max_tokens=5, bounds=bounds).text == "Hi"
    for options in ({"prompt": "0123456789a"}, {"prompt": "0123456789", "system": "a"}, {"max_tokens": 6}):
        with pytest.raises(InvalidRequestError):
            ask(FakeProvider(), ENTRY, bounds=bounds, **options)


@every_face
def test_what_is_given_reaches_the_provider(ask: Ask) -> None:
    provider = FakeProvider("Hi")

    ask(
        provider,
        ENTRY,
        prompt=None,
        messages=[
            {"role": "user", "content": [{"type": "text", "text": "Hello"}]},
            {"role": "assistant", "content": "Hi ✓"},
            {"role": "user", "content": "Again"},
        ],
        system="Be brief.",
        max_tokens=7,
        temperature=0,
        stop="END",
        extra={"seed": 1, "top_p": 0.5},
    )

    sent = provider.requests[0].json
    assert [message["role"] for message in sent["messages"]] == ["system", "user", "assistant", "user"]
    assert (sent["max_tokens"], sent["temperature"], sent["stop"], sent["seed"], sent["top_p"]) == (
        7,
        0,
        ["END"],
        1,
        0.5,
    )
    assert provider.requests[0].json["model"] == "cheap"


def test_the_entrys_own_values_are_used_where_the_call_says_nothing() -> None:
    provider = FakeProvider("Hi")
    client = DynamicLLMClient(DictRegistry([ENTRY]), transport=provider)

    asyncio.run(client.generate("Hello"))

    assert (provider.requests[0].json["max_tokens"], provider.requests[0].json["temperature"]) == (4096, 0.7)


def test_a_transport_of_the_callers_is_not_closed_with_the_client() -> None:
    provider = FakeProvider("Hi")
    with SyncDynamicLLMClient(DictRegistry([ENTRY]), transport=provider) as client:
        client.generate("Hello")

    async def run() -> None:
        async with DynamicLLMClient(DictRegistry([ENTRY]), transport=provider) as client:
            await client.generate("Hello")

    asyncio.run(run())
    assert not provider.closed
