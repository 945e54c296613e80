"""The wires against recorded traffic, read where it lies beside the checkout; an independent reading is the judge."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import pytest

from creative_services.core.errors import (
    AuthenticationError,
    ContentFilterError,
    ContextLengthError,
    InvalidRequestError,
    ModelNotFoundError,
    ProviderError,
    ProviderUnavailableError,
    RateLimitError,
)

from .answers import KEY, WIRES, entry, streamed, whole

TRAFFIC = Path(__file__).resolve().parents[3].parent / "shared" / "wire"
pytestmark = pytest.mark.skipif(not TRAFFIC.is_dir(), reason="the recorded traffic is not beside this checkout")

FINISH = {
    "stop": "stop", "eos": "stop", "": "stop", "end_turn": "stop", "stop_sequence": "stop", "length": "length",
    "max_tokens": "length", "tool_calls": "tool_call", "tool_use": "tool_call", "content_filter": "content_filter",
    "refusal": "content_filter", "error": "error", None: None,
}  # fmt: skip


def recorded(wire):
    return [json.loads(path.read_text()) for path in sorted((TRAFFIC / wire).glob("*.json"))]


def name(interaction):
    return interaction["id"]


def answers(wire, *, stream):
    return [
        item
        for item in recorded(wire)
        if item["response"]["status"] == 200
        and item["fidelity"] not in {"reconstructed", "constructed"}  # shapes that nobody recorded
        and ("sse" in item["kind"] or item["response"]["body"].lstrip().startswith(("data:", "event:", ":"))) == stream
    ]


def errors():
    return [item for wire in ("openai-chat", "anthropic-messages") for item in recorded(wire) if is_error(item)]


def is_error(item):
    return item["response"]["status"] >= 400 or "error-instream" in item["kind"]


def body(item):
    return item["response"]["body"].encode()


def frames(item):
    lines = item["response"]["body"].replace("\r\n", "\n").split("\n")
    data = [line[5:].strip() for line in lines if line.startswith("data:")]
    return [json.loads(text) for text in data if text != "[DONE]"]


def said(content):
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content if part["type"] == "text")
    return json.dumps(content) if isinstance(content, dict) else content or ""


def same_text(ours, theirs):
    if theirs.startswith("{") and ours != theirs:
        return json.loads(ours) == json.loads(theirs)
    return ours == theirs


def check_chat_usage(usage, raw):
    assert usage.input_tokens == raw.get("prompt_tokens")
    reasoning = (raw.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0
    apart = raw.get("total_tokens") == raw.get("prompt_tokens", 0) + (raw.get("completion_tokens") or 0) + reasoning
    assert usage.output_tokens == raw["completion_tokens"] + (reasoning if apart else 0)
    cached = (raw.get("prompt_tokens_details") or {}).get("cached_tokens")
    if cached is not None:
        assert usage.cache_read_tokens == min(cached, raw["prompt_tokens"])


@pytest.mark.parametrize("item", answers("openai-chat", stream=False), ids=name)
def test_a_recorded_chat_answer_says_what_its_body_says(item):
    answer, raw = whole("openai_chat", body(item)), json.loads(item["response"]["body"])
    choice = raw["choices"][0]
    message = choice.get("message") or {}
    assert same_text(answer.text, said(message.get("content")) or message.get("refusal") or "")
    calls = [call.get("function") or call["custom"] for call in message.get("tool_calls") or ()]
    expected = [(call["name"], call.get("arguments", call.get("input"))) for call in calls]
    assert [(call["name"], call["arguments"]) for call in answer.tool_calls] == expected
    assert all(call["id"] for call in answer.tool_calls)
    assert answer.finish_reason == ("content_filter" if message.get("refusal") else FINISH[choice.get("finish_reason")])
    if raw.get("usage"):
        check_chat_usage(answer.usage, raw["usage"])
    if message.get("reasoning_content") or message.get("reasoning"):
        assert answer.reasoning == (message.get("reasoning_content") or message.get("reasoning"))
    assert answer.response_model == raw.get("model")


@pytest.mark.parametrize("item", answers("openai-chat", stream=True), ids=name)
def test_a_recorded_chat_stream_says_what_its_chunks_say(item):
    answer, chunks = streamed("openai_chat", body(item)), frames(item)
    choices = [choice for chunk in chunks for choice in chunk.get("choices") or () if not choice.get("index")]
    deltas = [choice.get("delta") or {} for choice in choices]
    assert answer.text == "".join(said(delta.get("content")) + (delta.get("refusal") or "") for delta in deltas)
    beside = "".join(delta.get("reasoning_content") or delta.get("reasoning") or "" for delta in deltas)
    assert not beside or answer.reasoning == beside
    calls = defaultdict(lambda: ["", ""])
    for call in (call for delta in deltas for call in delta.get("tool_calls") or ()):
        called = calls[call.get("index") or 0]
        called[0] = called[0] or call["function"].get("name")
        called[1] += call["function"].get("arguments") or ""
    assert [[call["name"], call["arguments"]] for call in answer.tool_calls] == list(calls.values())
    for call in answer.tool_calls:
        json.loads(call["arguments"] or "{}")
    reasons = [choice["finish_reason"] for choice in choices if choice.get("finish_reason") is not None]
    refused = any(delta.get("refusal") for delta in deltas)
    assert answer.finish_reason == ("content_filter" if refused else FINISH[reasons[-1] if reasons else None])
    usages = [chunk["usage"] for chunk in chunks if chunk.get("usage")]
    if usages:
        check_chat_usage(answer.usage, usages[-1])
    assert answer.ended == ("[DONE]" in item["response"]["body"])


@pytest.mark.parametrize("item", answers("anthropic-messages", stream=False), ids=name)
def test_a_recorded_message_says_what_its_body_says(item):
    raw = json.loads(item["response"]["body"])
    answer = whole("anthropic_messages", body(item))
    check_blocks(answer, raw["content"])
    assert answer.finish_reason == FINISH[raw["stop_reason"]]
    check_message_usage(answer.usage, raw["usage"])
    assert (answer.response_id, answer.response_model) == (raw["id"], raw["model"])


def check_blocks(answer, blocks):
    assert answer.text == "".join(block["text"] for block in blocks if block["type"] == "text")
    assert answer.reasoning == "".join(block["thinking"] for block in blocks if block["type"] == "thinking")
    calls = [(block["id"], block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"]
    assert [(call["id"], call["name"], json.loads(call["arguments"])) for call in answer.tool_calls] == calls
    kept = blocks if any(block["type"] not in {"text", "tool_use"} or "citations" in block for block in blocks) else []
    assert answer.replay == kept


def check_message_usage(usage, raw):
    cache = [raw.get("cache_creation_input_tokens"), raw.get("cache_read_input_tokens")]
    assert usage.input_tokens == raw["input_tokens"] + sum(number or 0 for number in cache)
    assert usage.output_tokens == raw["output_tokens"]
    assert usage.cache_read_tokens == raw.get("cache_read_input_tokens")


@pytest.mark.parametrize("item", answers("anthropic-messages", stream=True), ids=name)
def test_a_recorded_message_stream_says_what_its_events_say(item):
    blocks, usage, reason = defaultdict(dict), {}, None
    for frame in frames(item):
        kind, delta = frame["type"], frame.get("delta") or {}
        if kind == "content_block_start":
            blocks[frame["index"]] = {**frame["content_block"], "json": ""}
        elif kind == "content_block_delta":
            add_to_block(blocks[frame["index"]], delta)
        usage |= {k: v for k, v in frame.get("message", frame).get("usage", {}).items() if v is not None}
        reason = delta.get("stop_reason") or reason
    content = list(blocks.values())
    for block in content:
        given = block.pop("json")
        if given or block["type"] == "tool_use":
            block["input"] = json.loads(given or "{}")
    answer = streamed("anthropic_messages", body(item))
    check_blocks(answer, content)
    assert answer.finish_reason == FINISH[reason]
    assert answer.ended
    check_message_usage(answer.usage, usage)


def add_to_block(block, delta):
    kind = delta["type"].removesuffix("_delta")
    if kind == "input_json":
        block["json"] += delta["partial_json"]
    elif kind == "citations":
        block["citations"] = [*(block.get("citations") or ()), delta["citation"]]
    elif kind == "signature":
        block["signature"] = delta["signature"]
    else:
        block[kind] += delta[kind]


@pytest.mark.parametrize(
    "item",
    answers("openai-chat", stream=True) + answers("anthropic-messages", stream=True),
    ids=name,
)
def test_a_recorded_stream_may_be_cut_anywhere(item):
    wire, data = item["wire"].replace("-", "_"), body(item)
    expected = streamed(wire, data)
    rng = random.Random(item["id"])  # noqa: S311 -- positions to cut at, not secrets
    for pieces in (1, 2, 40):
        cuts = [0, *sorted(rng.randrange(len(data) + 1) for _ in range(pieces)), len(data)]
        assert streamed(wire, *(data[a:b] for a, b in pairwise(cuts))) == expected


def raised(item):
    wire = item["wire"].replace("-", "_")
    response = item["response"]
    if response["status"] == 200:
        with pytest.raises(ProviderError) as caught:
            streamed(wire, body(item))
        return caught.value
    headers = {key.lower(): value for key, value in response["headers"].items()}
    return WIRES[wire].parse_error(entry(), response["status"], headers, body(item))


@pytest.mark.parametrize("item", errors(), ids=name)
def test_a_recorded_error_has_a_sane_class_and_gives_nothing_away(item):
    error, status, kinds = raised(item), item["response"]["status"], set(item["kind"])
    assert isinstance(error, _expected(status, item["response"]["body"].lower(), kinds)), (str(error), type(error))
    if "non-retryable" in kinds or status in {401, 403, 404}:
        assert not error.is_retryable
    if kinds & {"retryable", "retryable-later"}:
        assert error.is_retryable
    assert "some llm" in str(error).lower()
    assert KEY not in str(error) + (error.provider_message or "")
    assert "fixture" not in str(error)
    assert error.provider_message


def _expected(status, text, kinds):
    said = {
        ContentFilterError: "content-filter" in kinds,
        ContextLengthError: "maximum context length" in text or "prompt is too long" in text or "html" in text,
        RateLimitError: status == 429 or "rate_limit_exceeded" in text,
        ModelNotFoundError: status == 404
        or any(word in text for word in ("model names are", "valid model id", "invalid_model")),
        AuthenticationError: status in {401, 402, 403} or "billing" in kinds,
        ProviderUnavailableError: status == 200 or status >= 500,
    }
    return next((error for error, is_said in said.items() if is_said), InvalidRequestError)
