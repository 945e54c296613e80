"""The most that a caller may ask for: messages, pictures, tokens of a prompt."""

from __future__ import annotations

from base64 import b64encode

import pytest

from creative_services import DictRegistry, InvalidRequestError, SyncDynamicLLMClient
from creative_services.core.bounds import Bounds
from creative_services.core.content import MOST_DEPTH
from creative_services.testing import FakeProvider, RawReply
from tests.core.asking import ENTRY, Ask, every_face


def png(size: int) -> str:
    return "data:image/png;base64," + b64encode(b"x" * size).decode()


def look(*urls: object) -> list[dict[str, object]]:
    parts = [{"type": "image_url", "image_url": url} for url in urls]
    return [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, *parts]}]


def said(count: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": "Hi"}] * count


def refusal(ask: Ask, bounds: Bounds, **asked: object) -> str:
    provider = FakeProvider()
    with pytest.raises(InvalidRequestError) as caught:
        ask(provider, ENTRY, bounds=bounds, **asked)
    assert provider.requests == []
    return str(caught.value)


@every_face
def test_a_call_may_send_so_many_messages(ask: Ask) -> None:
    bounds = Bounds(messages=3)

    assert ask(FakeProvider("Hi"), ENTRY, prompt=None, messages=said(3), bounds=bounds).text == "Hi"
    assert "4 messages. Send at most 3, or raise MAX_MESSAGES" in refusal(ask, bounds, prompt=None, messages=said(4))


@every_face
@pytest.mark.parametrize("size", [98, 99, 100])
@pytest.mark.parametrize("as_text", [False, True])
def test_a_picture_may_have_so_many_bytes_whatever_its_padding(ask: Ask, size: int, as_text: bool) -> None:
    url = png(size) if as_text else {"url": png(size)}
    messages = [*said(1), *look("https://example.com/a.png", url)]

    assert ask(FakeProvider("Hi"), ENTRY, prompt=None, messages=messages, bounds=Bounds(image_bytes=size)).text == "Hi"
    told = refusal(ask, Bounds(image_bytes=size - 1), prompt=None, messages=messages)
    assert told == (
        f"`messages[1].content` holds an image of {size} bytes. Send at most {size - 1}, or raise MAX_IMAGE_BYTES."
    )


@every_face
def test_a_picture_in_another_spelling_is_measured_as_it_stands(ask: Ask) -> None:
    messages = look({"url": "DATA:image/svg+xml,%3Csvg/%3E"})

    assert "an image of 10 bytes" in refusal(ask, Bounds(image_bytes=9), prompt=None, messages=messages)


@every_face
def test_pictures_are_no_text(ask: Ask) -> None:
    bounds = Bounds(prompt_chars=300, prompt_tokens=50)
    messages = look(png(3000), {"url": png(2000)})

    assert ask(FakeProvider("Hi"), ENTRY, prompt=None, messages=messages, bounds=bounds).text == "Hi"
    assert "MAX_PROMPT_CHARS" in refusal(ask, bounds, prompt=None, messages=messages, system="x" * 250)


@every_face
def test_a_picture_by_url_is_text_and_what_is_no_picture_is_left_to_the_provider(ask: Ask) -> None:
    messages = look("https://example.com/" + "a" * 300)
    odd = look({"url": 5}, None, 7)

    assert "MAX_PROMPT_CHARS" in refusal(ask, Bounds(prompt_chars=300), prompt=None, messages=messages)
    assert ask(FakeProvider("Hi"), ENTRY, prompt=None, messages=odd, bounds=Bounds(image_bytes=1)).text == "Hi"


@every_face
@pytest.mark.parametrize("word", ["four", "日本", "é¾"])
def test_a_prompt_may_have_so_many_tokens_of_four_bytes(ask: Ask, word: str) -> None:
    text = word * 100
    tokens = -(-len(text.encode()) // 4)

    assert ask(FakeProvider("Hi"), ENTRY, prompt=text, bounds=Bounds(prompt_tokens=tokens)).text == "Hi"
    told = refusal(ask, Bounds(prompt_tokens=tokens), prompt=text, system="More")
    assert f"about {tokens + 1} tokens" in told
    assert f"at most {tokens}, or raise MAX_PROMPT_TOKENS" in told


@every_face
def test_all_that_is_sent_counts_as_tokens(ask: Ask) -> None:
    tools = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "n": [1, None, 2.5]}}}]

    assert "MAX_PROMPT_TOKENS" in refusal(ask, Bounds(prompt_tokens=10), tools=tools)
    assert "MAX_PROMPT_TOKENS" in refusal(ask, Bounds(prompt_tokens=10), stop=["x" * 50])


def test_texts_to_embed_have_the_same_bound() -> None:
    provider = FakeProvider(RawReply([b'{"data": [{"index": 0, "embedding": [0.5]}]}']))
    client = SyncDynamicLLMClient(DictRegistry([ENTRY]), transport=provider, bounds=Bounds(prompt_tokens=2))

    assert client.embed("12345678").vectors == [[0.5]]
    with pytest.raises(InvalidRequestError, match="MAX_PROMPT_TOKENS"):
        client.embed(["12345678", "9"])


@every_face
def test_what_is_nested_too_deeply_says_how_deep_it_may_be(ask: Ask) -> None:
    nested: object = "deep"
    for _ in range(MOST_DEPTH + 1):
        nested = [nested]

    assert f"deeper than {MOST_DEPTH} levels" in refusal(ask, Bounds(), extra={"x": nested})
