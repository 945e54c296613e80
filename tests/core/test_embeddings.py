"""Embeddings and lists of models, through both clients."""

from __future__ import annotations

import asyncio
import base64
import json
import struct
import sys
from array import array
from decimal import Decimal
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest

from creative_services import (
    AuthenticationError,
    DictRegistry,
    DynamicLLMClient,
    InvalidRequestError,
    Limits,
    MalformedResponseError,
    MissingAPIKeyError,
    NoLLMAvailableError,
    ProviderError,
    ProviderUnavailableError,
    SyncDynamicLLMClient,
    Usage,
)
from creative_services.testing import FakeProvider, RawReply
from tests.core.asking import ONCE, entry

SMALL = entry(1, "embedder", price=0.00002, cost_per_1k_output=0)
CLAUDE = entry(2, "claude", provider="anthropic")
RECORDED = Path(__file__).parents[3] / "shared" / "wire"


def reply(value: Any, status: int = 200) -> RawReply:
    return RawReply([json.dumps(value).encode()], status=status, headers={"content-type": "application/json"})


VECTORS = reply({
    "data": [{"index": 1, "embedding": [3, 4.5]}, {"index": 0, "embedding": [1.0, 2.0]}],
    "model": "embedder-1",
    "usage": {"prompt_tokens": 7, "total_tokens": 7},
})  # fmt: skip

DOWN = reply({"error": {"message": "Down."}}, status=503)


def sync_call(method: str, provider: FakeProvider, entries: Any, *args: Any, **options: Any) -> Any:
    client = SyncDynamicLLMClient(DictRegistry(entries), transport=provider, retry=ONCE)
    return getattr(client, method)(*args, **options)


def async_call(method: str, provider: FakeProvider, entries: Any, *args: Any, **options: Any) -> Any:
    client = DynamicLLMClient(DictRegistry(entries), transport=provider, retry=ONCE)
    return asyncio.run(getattr(client, method)(*args, **options))


both = pytest.mark.parametrize("call", [sync_call, async_call])


@both
def test_vectors_come_in_the_order_of_their_texts_with_usage_and_cost(call: Any) -> None:
    provider = FakeProvider(VECTORS)

    found = call("embed", provider, [SMALL], ["one", "two"], llm_id=1, dimensions=2, extra={"user": "u"})

    assert found.vectors == [[1.0, 2.0], [3.0, 4.5]]
    assert found.usage == Usage(input_tokens=7)
    assert found.cost == Decimal("0.00000014")
    assert (found.llm.id, found.llm.api_key, found.response_model) == (1, None, "embedder-1")
    assert [attempt.outcome for attempt in found.attempts] == ["ok"]
    sent = provider.requests[0]
    assert sent.url.endswith("/v1/embeddings")
    assert sent.json == {
        "model": "embedder",
        "input": ["one", "two"],
        "encoding_format": "float",
        "dimensions": 2,
        "user": "u",
    }


@both
@pytest.mark.parametrize("output_price", [None, 0, 5])
def test_embeddings_cost_their_input_whatever_the_price_of_output(call: Any, output_price: float | None) -> None:
    priced = entry(1, "embedder", price=0.02, cost_per_1k_output=output_price)
    answer = reply({"data": [{"embedding": [1.0]}], "usage": {"prompt_tokens": 8}})

    found = call("embed", FakeProvider(answer), [priced], "one")

    assert found.cost == Decimal("0.00016")
    assert found.usage == Usage(input_tokens=8)


@both
def test_embeddings_cost_what_the_provider_says_where_it_does(call: Any) -> None:
    answer = reply({"data": [{"embedding": [1.0]}], "usage": {"prompt_tokens": 8, "cost": 0.003}})
    assert call("embed", FakeProvider(answer), [SMALL], "one").cost == Decimal("0.003")


def test_an_unknown_price_of_output_makes_no_embedding_dear() -> None:
    cheap = entry(1, "embedder", price=1, cost_per_1k_output=None)
    dear = entry(2, "embedder", price=2, cost_per_1k_output=0)
    client = SyncDynamicLLMClient(
        DictRegistry([dear, cheap]), transport=FakeProvider(VECTORS), strategy="cheapest_for_call"
    )
    assert client.embed("one").llm.id == 1


@both
def test_embeddings_are_handed_over_and_refused_like_answers(call: Any) -> None:
    provider = FakeProvider({"embedder": DOWN, "second": VECTORS})
    second = entry(3, "second", price=9)

    assert call("embed", provider, [SMALL, second], "one").llm.id == 3
    with pytest.raises(ProviderUnavailableError):
        call("embed", FakeProvider(DOWN), [SMALL], "one")
    with pytest.raises(InvalidRequestError, match="has no embeddings"):
        call("embed", FakeProvider(), [CLAUDE], "one")
    with pytest.raises(NoLLMAvailableError):
        call("embed", FakeProvider(), [SMALL], "one", tier="local")


@both
@pytest.mark.parametrize(
    "options",
    [
        {"texts": []},
        {"texts": ""},
        {"texts": [1]},
        {"texts": 7},
        {"texts": ["a\0"]},
        {"texts": "x" * 3_000_000},
        {"texts": "a", "dimensions": 0},
        {"texts": "a", "dimensions": True},
        {"texts": "a", "extra": 7},
        {"texts": "a", "tier": "luxury"},
    ],
)
def test_bad_input_is_named_before_anybody_is_asked(call: Any, options: dict[str, Any]) -> None:
    provider = FakeProvider()

    with pytest.raises(InvalidRequestError):
        call("embed", provider, [SMALL], **options)
    assert provider.requests == []


@both
@pytest.mark.parametrize(
    "answer",
    [
        RawReply([b"<html>"]),
        reply([]),
        reply({"data": []}),
        reply({"data": [{"embedding": []}]}),
        reply({"data": [{"embedding": "%%%"}]}),
        reply({"data": [{"embedding": ["a"]}]}),
        reply({"data": [{"embedding": base64.b64encode(b"abc").decode()}]}),
        reply({"data": [{"embedding": base64.b64encode(struct.pack("<2f", 0.5, nan)).decode()}]}),
        reply({"data": [{"embedding": [0.5, nan]}]}),
        reply({"data": [{"embedding": [inf, 0.5]}]}),
        reply({"data": [{"embedding": [10**400]}]}),
    ],
)
def test_what_holds_no_vectors_is_malformed(call: Any, answer: RawReply) -> None:
    with pytest.raises(MalformedResponseError):
        call("embed", FakeProvider(answer), [SMALL], "one")


@both
def test_packed_vectors_and_errors_within_an_answer_are_understood(call: Any) -> None:
    packed = base64.b64encode(struct.pack("<2f", 0.5, -2.0)).decode()

    found = call("embed", FakeProvider(reply({"data": [{"embedding": packed}]})), [SMALL], "one")
    assert found.vectors == [[0.5, -2.0]]
    assert found.usage == Usage()

    with pytest.raises(ProviderUnavailableError):
        call("embed", FakeProvider(reply({"error": {"message": "busy", "type": "server_error"}})), [SMALL], "one")


@both
def test_a_provider_lists_its_models(call: Any) -> None:
    listed = reply({"data": [{"id": "a"}, {"id": "b"}, {"name": "c"}, 7]})

    provider = FakeProvider(listed)
    assert call("list_models", provider, [], SMALL) == ["a", "b"]
    assert (provider.requests[0].method, provider.requests[0].url) == ("GET", "https://api.openai.com/v1/models")

    provider = FakeProvider(listed)
    assert call("list_models", provider, [], CLAUDE) == ["a", "b"]
    assert provider.requests[0].url == "https://api.anthropic.com/v1/models?limit=1000"
    assert call("list_models", FakeProvider(reply([{"id": "a"}])), [], SMALL) == ["a"]


@both
def test_a_list_that_cannot_be_had_is_an_error_like_a_calls(call: Any) -> None:
    with pytest.raises(AuthenticationError) as raised:
        call("list_models", FakeProvider(reply({"error": {}}, status=401)), [], SMALL)
    assert raised.value.llm_id == 1
    with pytest.raises(MissingAPIKeyError):
        call("list_models", FakeProvider(), [], entry(1, "keyless", api_key=None))
    for answer in (RawReply([b"no"]), reply({"data": 7}), reply("no")):
        with pytest.raises(MalformedResponseError):
            call("list_models", FakeProvider(answer), [], SMALL)


def test_embeddings_know_the_order_of_a_strategy_and_lists_have_all_the_time_there_is() -> None:
    client = SyncDynamicLLMClient(
        DictRegistry([SMALL, entry(3, "second", price=9)]),
        transport=FakeProvider(VECTORS),
        strategy="cheapest_for_call",
    )
    assert client.embed("one").llm.id == 1

    slow = RawReply([b'{"data": [{"id": "a"}]}'], delay=0.15)
    patient = SyncDynamicLLMClient(DictRegistry(), transport=FakeProvider(slow), limits=Limits(attempt=0.05))
    assert patient.list_models(SMALL) == ["a"]


def recordings(folder: str) -> list[Any]:
    if not RECORDED.exists():
        reason = "the recorded traffic is not beside this checkout"
        return [pytest.param({}, marks=pytest.mark.skip(reason=reason))]
    found = (json.loads(path.read_text()) for path in sorted((RECORDED / folder).glob("*.json")))
    return [pytest.param(one, id=one["id"]) for one in found]


@pytest.mark.parametrize("recorded", recordings("openai-embeddings"))
def test_recorded_embeddings_are_read_as_they_were_sent(recorded: Any) -> None:
    status, body = recorded["response"]["status"], recorded["response"]["body"]
    provider = FakeProvider(RawReply([body.encode()], status=status, headers=recorded["response"]["headers"]))

    if status != 200:
        with pytest.raises(ProviderError, match=f"answered {status}"):
            sync_call("embed", provider, [SMALL], "one", llm_id=1)
        return
    found = sync_call("embed", provider, [SMALL], "one", llm_id=1)
    data = json.loads(body)
    assert len(found.vectors) == len(data["data"])
    assert found.usage.input_tokens == data["usage"]["prompt_tokens"]
    for vector, item in zip(found.vectors, data["data"], strict=True):
        sent = item["embedding"]
        assert len(vector) == (len(base64.b64decode(sent)) // 4 if isinstance(sent, str) else len(sent))
        assert list(vector) == (floats(sent) if isinstance(sent, str) else sent)


def floats(packed: str) -> list[float]:
    """Base64 of little-endian floats of four bytes."""
    found = array("f", base64.b64decode(packed))
    if sys.byteorder == "big":
        found.byteswap()
    return found.tolist()


@pytest.mark.parametrize("recorded", [one for one in recordings("models") if "gemini" not in str(one.id)])
def test_recorded_lists_of_models_are_read_as_they_were_sent(recorded: Any) -> None:
    response = recorded["response"]
    provider = FakeProvider(RawReply([response["body"].encode()], status=response["status"]))
    ids = [item["id"] for item in json.loads(response["body"]).get("data", [])] if response["status"] == 200 else None

    if ids is None:
        with pytest.raises(AuthenticationError):
            sync_call("list_models", provider, [], SMALL)
    elif ids:
        assert sync_call("list_models", provider, [], SMALL) == ids
    else:
        with pytest.raises(MalformedResponseError):
            sync_call("list_models", provider, [], SMALL)
