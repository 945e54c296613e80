"""Gemini's wire against recorded traffic; the judge is an independent reading of the same body."""

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
    ProviderUnavailableError,
    RateLimitError,
)
from creative_services.testing import FakeProvider, RawReply

from .answers import KEY, WIRES, entry, streamed, whole

TRAFFIC = Path(__file__).resolve().parents[3].parent / "shared" / "wire" / "gemini"
pytestmark = pytest.mark.skipif(not TRAFFIC.is_dir(), reason="the recorded traffic is not beside this checkout")

FINISH = {
    "STOP": "stop", 1: "stop", "MAX_TOKENS": "length", "SAFETY": "content_filter", "UNEXPECTED_TOOL_CALL": "error",
}  # fmt: skip


def recorded():
    return [json.loads(path.read_text()) for path in sorted(TRAFFIC.glob("*.json"))]


def name(item):
    return item["id"]


def is_sse(item):
    return item["response"]["body"].startswith("data:")


def answers(*, stream):
    return [item for item in recorded() if item["response"]["status"] == 200 and is_sse(item) == stream]


def body(item):
    return item["response"]["body"].encode()


def chunks(item):
    text = item["response"]["body"]
    if is_sse(item):
        return [json.loads(line[5:]) for line in text.split("\n") if line.startswith("data:")]
    value = json.loads(text)
    return value if isinstance(value, list) else [value]


def check(answer, chunks):
    candidates = [chunk["candidates"][0] for chunk in chunks if chunk.get("candidates")]
    parts = [part for candidate in candidates for part in candidate.get("content", {}).get("parts", ())]
    texts = [part for part in parts if "text" in part]
    assert answer.text == "".join(part["text"] for part in texts if not part.get("thought"))
    assert answer.reasoning == "".join(part["text"] for part in texts if part.get("thought"))
    called = [part["functionCall"] for part in parts if "functionCall" in part]
    check_calls(answer.tool_calls, called)
    reasons = [FINISH[candidate["finishReason"]] for candidate in candidates if candidate.get("finishReason")]
    assert answer.finish_reason == (reasons[-1] if reasons else "content_filter")
    assert bool(reasons) != any("promptFeedback" in chunk for chunk in chunks)
    check_usage(answer.usage, chunks[-1]["usageMetadata"])
    signatures = [part["thoughtSignature"] for part in parts if "thoughtSignature" in part]
    assert [part["thoughtSignature"] for part in answer.replay if "thoughtSignature" in part] == signatures
    if answer.replay:
        names = [part["functionCall"]["name"] for part in answer.replay if "functionCall" in part]
        assert names == [call["name"] for call in answer.tool_calls]
        assert "".join(part["text"] for part in answer.replay if "text" in part) == answer.reasoning + answer.text
    model = {chunk["modelVersion"] for chunk in chunks if "modelVersion" in chunk}
    assert {answer.response_model} == (model or {None})
    assert answer.response_id == chunks[0].get("responseId")


def check_calls(calls, called):
    begun = [call for call in called if "name" in call]
    assert [call["name"] for call in calls] == [call["name"] for call in begun]
    assert len({call["id"] for call in calls} - {""}) == len(calls)
    for call, raw in zip(calls, begun, strict=True):
        assert call["id"] == raw.get("id", call["id"])
    arguments = [json.loads(call["arguments"]) for call in calls]
    if any("willContinue" in call for call in called):
        pieces = [piece for call in called for piece in call.get("partialArgs", ())]
        assert [leaf for given in arguments for leaf in leaves("$", given)] == joined(pieces)
    else:
        assert arguments == [call.get("args", {}) for call in called]


def joined(pieces):
    """Path and text of each value, the pieces of one text put together."""
    whole, goes_on = [], False
    for piece in pieces:
        path, said = whole.pop() if goes_on else (piece["jsonPath"], "")
        assert path == piece["jsonPath"]
        whole.append((path, said + piece["stringValue"]))
        goes_on = piece.get("willContinue", False)
    return sorted(whole)


def leaves(path, value):
    if isinstance(value, str):
        return [(path, value)]
    items = value.items() if isinstance(value, dict) else enumerate(value)
    steps = [(f"{path}.{key}" if isinstance(value, dict) else f"{path}[{key}]", below) for key, below in items]
    return sorted(leaf for step, below in steps for leaf in leaves(step, below))


def check_usage(usage, raw):
    if "promptTokenCount" not in raw:
        assert usage.input_tokens is usage.output_tokens is None
        return
    assert usage.input_tokens == raw["promptTokenCount"] + raw.get("toolUsePromptTokenCount", 0)
    assert usage.output_tokens == raw.get("candidatesTokenCount", 0) + raw.get("thoughtsTokenCount", 0)
    assert usage.input_tokens + usage.output_tokens == raw["totalTokenCount"]
    assert usage.cache_read_tokens == raw.get("cachedContentTokenCount")
    assert usage.reasoning_tokens == raw.get("thoughtsTokenCount")


@pytest.mark.parametrize("item", answers(stream=False), ids=name)
def test_a_recorded_gemini_answer_says_what_its_body_says(item):
    answer = whole("gemini", body(item))
    check(answer, chunks(item))
    assert answer.ended


@pytest.mark.parametrize("item", answers(stream=True), ids=name)
def test_a_recorded_gemini_stream_says_what_its_chunks_say(item):
    check(streamed("gemini", body(item)), chunks(item))


@pytest.mark.parametrize("item", answers(stream=True), ids=name)
def test_a_recorded_gemini_stream_and_the_list_of_its_chunks_agree(item):
    one, other = streamed("gemini", body(item)), whole("gemini", json.dumps(chunks(item)).encode())
    for field in ("text", "reasoning", "tool_calls", "finish_reason", "usage", "replay", "response_id"):
        assert getattr(one, field) == getattr(other, field)


@pytest.mark.parametrize("item", answers(stream=True), ids=name)
def test_a_recorded_gemini_stream_may_be_cut_anywhere(item):
    data = body(item)
    expected = streamed("gemini", data)
    rng = random.Random(item["id"])  # noqa: S311 -- positions to cut at, not secrets
    for pieces in (1, 2, 40):
        cuts = [0, *sorted(rng.randrange(len(data) + 1) for _ in range(pieces)), len(data)]
        assert streamed("gemini", *(data[a:b] for a, b in pairwise(cuts))) == expected


@pytest.mark.parametrize("item", answers(stream=True), ids=name)
def test_a_recorded_gemini_stream_that_is_torn_raises(item):
    data = body(item)
    data = data[: data.rindex(b"}") + 1]
    rng = random.Random(item["id"])  # noqa: S311 -- positions to tear at, not secrets
    for end in (*(rng.randrange(1, len(data)) for _ in range(5)), data.rindex(b"data:"), len(data) - 1):
        torn = RawReply([data[:end]], headers={"content-type": "text/event-stream"})
        llm = entry(wire="gemini", api_endpoint="https://acme.example/v1beta")
        with (
            SyncDynamicLLMClient(DictRegistry([llm]), transport=FakeProvider(torn), retry=Retry(0)) as client,
            client.stream("Hi", llm_id=llm.id) as answer,
            pytest.raises(MalformedResponseError),
        ):
            list(answer)


ERRORS = {
    "gemini-error-400-1b495768cd": (AuthenticationError, False, None),
    "gemini-error-400-52509d4438": (AuthenticationError, False, None),
    "gemini-error-404-c72b632fb7": (ModelNotFoundError, False, None),
    "gemini-error-404-c8b20cb71b": (ModelNotFoundError, False, None),
    "gemini-error-404-d1279e4009": (ModelNotFoundError, False, None),
    "gemini-error-429-5c43b74d01": (RateLimitError, True, 48.0),
    "gemini-error-429-984b91e1cb": (RateLimitError, True, 34.4),
    "gemini-error-429-9c840a55fd": (RateLimitError, False, None),
    "gemini-error-500-48d41681c4": (ProviderUnavailableError, True, None),
    "gemini-error-503-82851d8af1": (ProviderUnavailableError, True, None),
    "vertexai-error-400-bc378d1c40": (InvalidRequestError, False, None),
}


def test_every_recorded_gemini_interaction_is_an_answer_or_a_known_error():
    refused = [item for item in recorded() if item["response"]["status"] != 200]
    assert {item["id"] for item in refused} == ERRORS.keys()
    assert len(answers(stream=True)) + len(answers(stream=False)) + len(refused) == len(recorded())


@pytest.mark.parametrize("is_listed", [False, True])
@pytest.mark.parametrize("item", [item for item in recorded() if item["response"]["status"] != 200], ids=name)
def test_a_recorded_gemini_error_means_what_google_says(item, is_listed):
    response = item["response"]
    data = b"[" + body(item) + b"]" if is_listed else body(item)  # a stream's errors come in a list
    error = WIRES["gemini"].parse_error(entry(), response["status"], response["headers"], data)
    assert (type(error), error.is_retryable, error.retry_after) == ERRORS[item["id"]]
    assert error.provider_message == " ".join(json.loads(body(item))["error"]["message"].split())[:500]
    assert KEY not in str(error)
    assert "fixture" not in str(error)


@pytest.mark.parametrize("path", sorted(TRAFFIC.parent.glob("models/gemini-*.json")), ids=lambda path: path.stem)
def test_googles_recorded_model_lists(path):
    item = json.loads(path.read_text())
    wire, response = WIRES["gemini"], item["response"]
    if response["status"] == 200:
        names = [model["name"] for model in json.loads(response["body"])["models"]]
        assert [f"models/{model}" for model in wire.parse_listing(entry(), body(item))] == names
    else:
        assert type(wire.parse_error(entry(), response["status"], {}, body(item))) is AuthenticationError
