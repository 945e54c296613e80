"""The Responses wire against recorded traffic; the judge is an independent reading of the same body."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from pathlib import Path

import pytest

from creative_services import DictRegistry, Retry, SyncDynamicLLMClient
from creative_services.core.errors import (
    AuthenticationError,
    InvalidRequestError,
    MalformedResponseError,
    ModelNotFoundError,
    ProviderError,
    RateLimitError,
)
from creative_services.testing import FakeProvider, RawReply

from .answers import KEY, WIRES, entry, streamed, whole

WIRE = "openai_responses"
TRAFFIC = Path(__file__).resolve().parents[3].parent / "shared" / "wire" / "openai-responses"
pytestmark = pytest.mark.skipif(not TRAFFIC.is_dir(), reason="the recorded traffic is not beside this checkout")


def recorded():
    items = [json.loads(path.read_text()) for path in sorted(TRAFFIC.glob("*.json"))]
    return [item for item in items if item["fidelity"] not in {"reconstructed", "constructed"}]


def name(item):
    return item["id"]


def is_error(item):
    return item["response"]["status"] >= 400 or "error-instream" in item["kind"]


def answers(*, stream):
    return [item for item in recorded() if not is_error(item) and ("sse" in item["kind"]) == stream]


def body(item):
    return item["response"]["body"].encode()


def frames(item):
    lines = item["response"]["body"].replace("\r\n", "\n").split("\n")
    return [json.loads(line[5:]) for line in lines if line.startswith("data:")]


def joined(items, kind, field="content"):
    parts = [part for item in items if item["type"] == kind for part in item.get(field) or ()]
    return "".join(part.get("text") or part.get("refusal") or "" for part in parts)


def check_answer(answer, response):
    """The answer says what the response object says that stands whole in a body, or at the end of a stream."""
    output = response["output"]
    assert answer.text == joined(output, "message")
    assert answer.reasoning == joined(output, "reasoning", "summary") + joined(output, "reasoning")
    calls = [(item["call_id"], item["name"], item["arguments"]) for item in output if item["type"] == "function_call"]
    assert [(call["id"], call["name"], call["arguments"]) for call in answer.tool_calls] == calls
    assert answer.finish_reason == expected_reason(response)
    usage = response["usage"]
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (usage["input_tokens"], usage["output_tokens"])
    assert answer.usage.cache_read_tokens == usage.get("input_tokens_details", {}).get("cached_tokens")
    assert answer.usage.cache_write_tokens == usage.get("input_tokens_details", {}).get("cache_write_tokens")
    assert answer.usage.reasoning_tokens == usage.get("output_tokens_details", {}).get("reasoning_tokens")
    assert usage["total_tokens"] == answer.usage.input_tokens + answer.usage.output_tokens
    assert answer.response_model == response["model"]
    assert answer.ended
    secrets = [item["encrypted_content"] for item in output if item.get("encrypted_content")]
    assert [item["encrypted_content"] for item in answer.replay if item.get("encrypted_content")] == secrets


def expected_reason(response):
    if '"refusal":' in json.dumps(response["output"]):
        return "content_filter"
    return "stop" if response["status"] == "completed" else {"max_output_tokens": "length"}[cause(response)]


def cause(response):
    return response["incomplete_details"]["reason"]


@pytest.mark.parametrize("item", answers(stream=False), ids=name)
def test_a_recorded_response_says_what_its_body_says(item):
    raw = json.loads(item["response"]["body"])
    answer = whole(WIRE, body(item))
    check_answer(answer, raw)
    assert answer.response_id == raw["id"]


@pytest.mark.parametrize("item", answers(stream=True), ids=name)
def test_a_recorded_response_stream_says_what_its_events_say(item):
    events = frames(item)
    (end,) = [event["response"] for event in events if event["type"] in {"response.completed", "response.incomplete"}]
    answer = streamed(WIRE, body(item))
    check_answer(answer, end)
    pieces = [event["delta"] for event in events if event["type"] in {"response.output_text.delta", *REFUSALS}]
    # One recording's deltas were thinned out by its makers.
    assert answer.text == "".join(pieces) or item["id"] == "openai-cache-stream-3a61d465e9"
    assert answer.response_id == events[0]["response"]["id"]


REFUSALS = ("response.refusal.delta",)


@pytest.mark.parametrize("item", answers(stream=True), ids=name)
def test_a_recorded_response_stream_and_its_last_event_agree(item):
    end = json.dumps(frames(item)[-1]["response"]).encode()
    one, other = streamed(WIRE, body(item)), whole(WIRE, end)
    for field in ("text", "reasoning", "tool_calls", "finish_reason", "usage", "replay", "response_model", "ended"):
        assert getattr(one, field) == getattr(other, field)


@pytest.mark.parametrize("item", answers(stream=True), ids=name)
def test_a_recorded_response_stream_may_be_cut_anywhere(item):
    data = body(item)
    expected = streamed(WIRE, data)
    rng = random.Random(item["id"])  # noqa: S311 -- positions to cut at, not secrets
    for pieces in (1, 2, 40):
        cuts = [0, *sorted(rng.randrange(len(data) + 1) for _ in range(pieces)), len(data)]
        assert streamed(WIRE, *(data[a:b] for a, b in pairwise(cuts))) == expected


@pytest.mark.parametrize("item", answers(stream=True), ids=name)
def test_a_recorded_response_stream_that_is_torn_raises(item):
    data = body(item)
    data = data[: data.rindex(b"}") + 1]
    rng = random.Random(item["id"])  # noqa: S311 -- positions to tear at, not secrets
    for end in (*(rng.randrange(1, len(data)) for _ in range(5)), data.rindex(b"data:"), len(data) - 1):
        torn = RawReply([data[:end]], headers={"content-type": "text/event-stream"})
        llm = entry(wire=WIRE, api_endpoint="https://acme.example/v1")
        with (
            SyncDynamicLLMClient(DictRegistry([llm]), transport=FakeProvider(torn), retry=Retry(0)) as client,
            client.stream("Hi", llm_id=llm.id) as chunks,
            pytest.raises(MalformedResponseError),
        ):
            list(chunks)


ERRORS = {
    "deepseek-error-400-3cd0c291db": InvalidRequestError,
    "openai-error-400-2d04503d92": ModelNotFoundError,
    "openai-error-400-eb97a2066e": ModelNotFoundError,
    "openai-error-401-5156c43c3d": AuthenticationError,
    "openai-error-401-cee4662f66": AuthenticationError,
    "openai-error-instream-stream-a7ba282abe": RateLimitError,
    "xai-error-400-8c7c17ef3f": AuthenticationError,
}


@pytest.mark.parametrize("item", [item for item in recorded() if is_error(item)], ids=name)
def test_a_recorded_error_of_this_api_has_its_class(item):
    error = raised(item)
    assert type(error) is ERRORS[item["id"]]
    assert not error.is_retryable
    assert error.provider_message
    assert "Some LLM" in str(error)
    assert KEY not in str(error) + error.provider_message


def raised(item):
    response = item["response"]
    if response["status"] == 200:
        with pytest.raises(ProviderError) as caught:
            streamed(WIRE, body(item))
        return caught.value
    headers = {key.lower(): value for key, value in response["headers"].items()}
    return WIRES[WIRE].parse_error(entry(), response["status"], headers, body(item))
