import json
import math
from collections.abc import Sequence
from typing import Any

import pytest

from creative_services.core.http import HttpRequest
from creative_services.core.types import Usage
from creative_services.testing import Failure, FakeProvider, Reply

CALL = {"id": "call_1", "name": "weather", "arguments": '{"city":"Köln"}'}


def ask(provider: FakeProvider, **body: Any) -> bytes:
    asked = {"model": "m-1", "input": [{"role": "user", "content": "Hi"}]} | body
    exchange = provider.open(
        HttpRequest("POST", "https://api.example.com/v1/responses", {}, json.dumps(asked).encode())
    )
    exchange.begin(math.inf)
    pieces = b"".join(iter(lambda: exchange.read(math.inf), b""))
    exchange.close()
    return pieces


def kinds(values: Sequence[dict[str, Any]]) -> list[str]:
    return [value["type"] for value in values]


def test_an_answer_is_spelled_as_the_responses_api_spells_it() -> None:
    usage = Usage(input_tokens=9, output_tokens=4, cache_read_tokens=2, cache_write_tokens=3, reasoning_tokens=1)
    answer = json.loads(ask(FakeProvider(Reply("Hello", reasoning="Hm", tool_calls=[CALL], usage=usage))))

    assert (answer["object"], answer["status"], answer["model"]) == ("response", "completed", "m-1")
    assert kinds(answer["output"]) == ["reasoning", "message", "function_call"]
    assert answer["output"][2]["call_id"] == "call_1"
    assert answer["usage"] == {
        "input_tokens": 9,
        "output_tokens": 4,
        "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 3},
        "output_tokens_details": {"reasoning_tokens": 1},
    }


def test_an_answer_that_is_cut_off_is_incomplete() -> None:
    answer = json.loads(ask(FakeProvider(Reply("Hel", finish_reason="length", usage=None))))

    assert (answer["status"], answer["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert answer["usage"] is None


def test_a_stream_comes_in_its_pieces_and_ends_with_the_whole() -> None:
    provider = FakeProvider(Reply(["Hel", "lo"], reasoning="Hm", tool_calls=[CALL]))
    lines = ask(provider, stream=True).decode().splitlines()
    events = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]

    assert [line.removeprefix("event: ") for line in lines if line.startswith("event: ")] == kinds(events)
    assert [event["delta"] for event in events if event["type"] == "response.output_text.delta"] == ["Hel", "lo"]
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert done == events[-1]["response"]["output"]
    assert events[-1]["type"] == "response.completed"
    assert events[-1]["response"]["usage"] == {"input_tokens": 3, "output_tokens": 5}


@pytest.mark.parametrize(
    ("status", "kind", "code"), [(503, "server_error", None), (401, "invalid_request_error", "invalid_api_key")]
)
def test_a_failure_has_its_usual_code(status: int, kind: str, code: str | None) -> None:
    error = json.loads(ask(FakeProvider(Failure(status))))["error"]

    assert (error["type"], error["code"]) == (kind, code)


def test_prompts_are_read_from_the_last_item() -> None:
    provider = FakeProvider()
    ask(provider)
    ask(provider, input=[{"role": "user", "content": [{"type": "input_text", "text": "Ho"}]}])
    ask(provider, input=[{"type": "function_call_output", "call_id": "call_1", "output": "15 °C"}])

    assert provider.prompts == ["Hi", "Ho", "15 °C"]
