"""`POST v1/embeddings`: OpenAI's shapes, vectors as numbers and as base64."""

import base64
import json
import struct

import pytest

from creative_services.testing import LlmsFactory, RawReply

EMBEDDINGS = "/api/llm/v1/embeddings"
VECTORS = [[0.5, -2.0], [1.0, 0.25]]


def answer(vectors, usage=None):
    found = [{"index": index, "embedding": vector} for index, vector in enumerate(vectors)]
    body = {"data": found, "model": "embed-1", "usage": usage}
    return RawReply([json.dumps(body).encode()], headers={"content-type": "application/json"})


@pytest.fixture(autouse=True)
def embedder(provider):
    provider.answer_with(answer(VECTORS, {"prompt_tokens": 4, "total_tokens": 4}))
    return LlmsFactory(
        name="Embedder", model="embed-1", cost_per_1k_input=0.00002, cost_per_1k_output=0, tier="economy"
    )


def test_vectors_come_as_numbers(asker, provider):
    told = asker.post(EMBEDDINGS, {"model": "Embedder", "input": ["one", "two"], "dimensions": 2, "user": "ann"})

    assert told.status == 200
    assert told.json == {
        "object": "list",
        "data": [{"object": "embedding", "index": index, "embedding": vector} for index, vector in enumerate(VECTORS)],
        "model": "embed-1",
        "usage": {"prompt_tokens": 4, "total_tokens": 4},
    }
    assert provider.requests[-1].json["input"] == ["one", "two"]
    assert provider.requests[-1].json["dimensions"] == 2


def test_the_headers_name_the_call(asker):
    headers = asker.post(EMBEDDINGS, {"model": "Embedder", "input": "one"}).headers

    assert headers["x-request-id"]
    assert (headers["x-llm-name"], headers["x-llm-attempts"], headers["x-llm-cost"]) == ("Embedder", "1", "0.00000008")


def test_vectors_come_as_base64_where_that_is_asked_for(asker):
    told = asker.post(EMBEDDINGS, {"model": "economy", "input": ["one", "two"], "encoding_format": "base64"}).json

    vectors = [list(struct.unpack("<2f", base64.b64decode(one["embedding"]))) for one in told["data"]]
    assert vectors == VECTORS


def test_a_number_that_base64_has_no_room_for_is_the_providers_fault(asker, provider):
    provider.answer_with(answer([[1e39]]))

    told = asker.post(EMBEDDINGS, {"model": "Embedder", "input": "one", "encoding_format": "base64"})

    assert (told.status, told.json["error"]["code"]) == (502, "provider_error")


def test_a_count_that_the_provider_did_not_report_is_null(asker, provider):
    provider.answer_with(answer(VECTORS))

    assert asker.post(EMBEDDINGS, {"model": "Embedder", "input": ["one", "two"]}).json["usage"] is None


@pytest.mark.parametrize("texts", [[1, 2, 3], [[1, 2], [3]], [], "", ["one", ""], {"text": "one"}, None])
def test_what_is_no_text_is_refused(asker, provider, texts):
    told = asker.post(EMBEDDINGS, {"model": "Embedder", "input": texts})

    assert told.status == 400
    assert told.json["error"]["param"] == "input"
    assert "not tokens" in told.json["error"]["message"]
    assert provider.requests == []


@pytest.mark.parametrize(
    "asked", [{"encoding_format": "int8"}, {"truncate": True}, {"dimensions": 0}, {"dimensions": "2"}]
)
def test_what_cannot_be_meant_is_refused_by_name(asker, asked):
    told = asker.post(EMBEDDINGS, {"model": "Embedder", "input": "one"} | asked)

    assert told.status == 400
    assert f"`{next(iter(asked))}`" in told.json["error"]["message"]


def test_an_error_of_the_provider_has_openais_shape(asker, provider):
    provider.answer_with(RawReply([b"{}"], status=401))

    told = asker.post(EMBEDDINGS, {"model": "Embedder", "input": "one"})

    assert told.status == 502
    assert set(told.json["error"]) == {"message", "type", "param", "code"}
