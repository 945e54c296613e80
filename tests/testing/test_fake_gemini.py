import json
import math
from typing import Any

import pytest

from creative_services.core.http import HttpRequest
from creative_services.core.types import Usage
from creative_services.testing import Failure, FakeProvider, Reply

MODEL = "https://api.example.com/v1beta/models/m-1"
CALL = {"id": "call_1", "name": "weather", "arguments": '{"city":"Köln"}'}
SAID = {"role": "user", "parts": [{"text": "H"}, {"text": "i"}]}


def ask(provider: FakeProvider, method: str = "generateContent", **body: Any) -> bytes:
    asked = json.dumps({"contents": [SAID]} | body).encode()
    exchange = provider.open(HttpRequest("POST", f"{MODEL}:{method}", {}, asked))
    exchange.begin(math.inf)
    pieces = b"".join(iter(lambda: exchange.read(math.inf), b""))
    exchange.close()
    return pieces


def chunks(provider: FakeProvider) -> list[Any]:
    lines = ask(provider, "streamGenerateContent?alt=sse").decode().split("\r\n\r\n")
    return [json.loads(line.removeprefix("data: ")) for line in lines if line]


def parts(value: Any) -> Any:
    return value["candidates"][0]["content"]["parts"]


def test_an_answer_is_spelled_as_gemini_spells_it() -> None:
    usage = Usage(input_tokens=9, output_tokens=4, cache_read_tokens=2, reasoning_tokens=1)
    answer = json.loads(ask(FakeProvider(Reply("Hello", reasoning="Hm", tool_calls=[CALL], usage=usage))))

    assert parts(answer) == [
        {"text": "Hm", "thought": True},
        {"text": "Hello"},
        {"functionCall": {"id": "call_1", "name": "weather", "args": {"city": "Köln"}}},
    ]
    assert answer["candidates"][0]["finishReason"] == "STOP"
    assert (answer["modelVersion"], answer["responseId"]) == ("m-1", "fake-1")
    assert answer["usageMetadata"] == {
        "promptTokenCount": 9,
        "cachedContentTokenCount": 2,
        "candidatesTokenCount": 3,
        "thoughtsTokenCount": 1,
    }


def test_what_is_not_known_is_not_said() -> None:
    answer = json.loads(ask(FakeProvider(Reply("", usage=Usage(input_tokens=9)))))
    assert (parts(answer), answer["usageMetadata"]) == ([], {"promptTokenCount": 9})
    assert "usageMetadata" not in json.loads(ask(FakeProvider(Reply("Hel", finish_reason="length", usage=None))))


def test_a_stream_comes_in_its_pieces_and_ends_with_the_reason() -> None:
    found = chunks(FakeProvider(Reply(["Hel", "lo"], reasoning="Hm", tool_calls=[CALL], finish_reason="length")))

    assert [parts(chunk)[0].get("text") for chunk in found] == ["Hm", "Hel", "lo", None]
    assert [chunk["candidates"][0].get("finishReason") for chunk in found] == [None, None, None, "MAX_TOKENS"]
    assert "functionCall" in parts(found[-1])[0]
    assert [chunk for chunk in found if "usageMetadata" in chunk] == found[-1:]


@pytest.mark.parametrize(
    ("failure", "status"),
    [(Failure(429), "RESOURCE_EXHAUSTED"), (Failure(500), "INTERNAL"), (Failure(400, code="OTHER"), "OTHER")],
)
def test_failures_have_googles_names(failure: Failure, status: str) -> None:
    for value in (json.loads(ask(FakeProvider(failure))), chunks(FakeProvider(Reply("", ending=failure)))[-1]):
        assert (value["error"]["code"], value["error"]["status"]) == (failure.status, status)


def test_a_request_says_what_was_asked() -> None:
    provider = FakeProvider({"m-1": "Hello"})
    ask(provider)
    ask(provider, "streamGenerateContent?alt=sse")
    ask(provider, contents=[{"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {}}}]}])

    assert provider.models == ["m-1"] * 3
    assert [request.is_stream for request in provider.requests] == [False, True, False]
    assert provider.prompts == ["Hi", "Hi", ""]
