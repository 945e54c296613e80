from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from creative_services.core.errors import (
    AuthenticationError,
    ContentFilterError,
    ContextLengthError,
    InvalidRequestError,
    MalformedResponseError,
    ModelNotFoundError,
    ProviderUnavailableError,
    RateLimitError,
)

from .answers import KEY, WIRES, entry


def error(status, body=b"", headers=None, wire="openai_chat"):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return WIRES[wire].parse_error(entry(), status, headers or {}, data)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequestError), (401, AuthenticationError), (402, AuthenticationError),
        (403, AuthenticationError), (404, ModelNotFoundError), (405, InvalidRequestError),
        (408, ProviderUnavailableError), (409, ProviderUnavailableError), (413, ContextLengthError),
        (422, InvalidRequestError), (429, RateLimitError), (498, ProviderUnavailableError),
        (500, ProviderUnavailableError), (503, ProviderUnavailableError), (529, ProviderUnavailableError),
        (301, MalformedResponseError),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b"<html><style>p{}</style><h1>No</h1></html>", b"[]", b"{}", b"null", b"7"]
)
@pytest.mark.parametrize("wire", sorted(WIRES))
def test_the_status_alone_gives_the_class_whatever_the_body_is(status, kind, body, wire):
    found = error(status, body, wire=wire)
    assert type(found) is kind
    assert found.status_code == status
    assert (found.provider, found.model, found.llm_id) == ("acme", "some-model", 7)


SHAPES = [
    {"error": {"message": "No luck.", "type": "t1", "code": "c1", "param": "p1"}},
    [{"error": {"message": "No luck.", "status": "t1", "code": "c1", "param": "p1"}}],
    {"type": "error", "error": {"type": "t1", "message": "No luck.", "code": "c1", "param": "p1"}, "request_id": "r1"},
    {"object": "error", "message": "No luck.", "type": "t1", "code": "c1", "param": "p1", "raw_status_code": 400},
    {"error": "No luck.", "code": "c1", "type": "t1", "param": "p1"},
    {"message": "No luck.", "error_type": "x", "type": "t1", "code": "c1", "param": "p1"},
    {"detail": [{"msg": "No luck.", "type": "t1", "loc": ["body"], "code": "c1", "param": "p1"}]},
    {"message": {"detail": [{"msg": "No luck.", "type": "t1", "code": "c1", "param": "p1"}]}},
    {"errors": [{"message": "No luck.", "type": "t1", "code": "c1", "param": "p1"}], "success": False},
]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_body_shape_gives_its_identifiers_and_its_sentence(shape):
    found = error(400, shape)
    assert found.provider_message == "No luck."
    assert "(code c1, type t1, param p1)" in str(found)
    assert "No luck" not in str(found)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"detail": "Invalid API Key"}, "Invalid API Key"),
        (b"upstream connect error", "upstream connect error"),
        (b'"Just a string"', "Just a string"),
        (b"<html><head><title>Bad</title></head><body> gateway </body></html>", "Bad gateway"),
        (
            {"error": {"message": "Provider returned error", "metadata": {"raw": "busy"}}},
            "Provider returned error busy",
        ),
        ({"error": {"message": 5}}, None),
        (b"", None),
    ],
)
def test_the_providers_sentence_is_found(body, message):
    assert error(400, body).provider_message == message


def test_a_routers_nested_reason_decides():
    raw = json.dumps({"error": {"message": "Too long", "code": "context_length_exceeded"}})
    body = {"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": raw}}}
    found = error(400, body)
    assert isinstance(found, ContextLengthError)
    assert found.provider_message == "Provider returned error Too long"
    broken = {"error": {"message": "Provider returned error", "metadata": {"raw": "{broken"}}}
    assert type(error(400, broken)) is InvalidRequestError


def code(value, message="No.", **more):
    return {"error": {"message": message, "code": value, **more}}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, code("invalid_api_key"), AuthenticationError),
        (400, {"code": "invalid-argument", "error": "Incorrect API key provided: ab***yz."}, AuthenticationError),
        (400, code(400, "API key not valid.", details=[{"reason": "API_KEY_INVALID"}]), AuthenticationError),
        (400, code(None, "Your credit balance is too low to use the API."), AuthenticationError),
        (403, code("forbidden"), AuthenticationError),
        (403, {"error": {"message": "x", "metadata": {"reasons": ["a"], "flagged_input": "b"}}}, ContentFilterError),
        (400, code("content_filter"), ContentFilterError),
        (400, code(None, inner_error={"code": "ResponsibleAIPolicyViolation"}), ContentFilterError),
        (400, code("context_length_exceeded"), ContextLengthError),
        (400, code(None, "prompt is too long: 20 tokens > 10 maximum"), ContextLengthError),
        (400, code("invalid_request_error", "This model's maximum context length is 10 tokens."), ContextLengthError),
        (400, code(400, "too big", type="exceed_context_size_error"), ContextLengthError),
        (400, code("model_decommissioned"), ModelNotFoundError),
        (400, code(400, "acme/x is not a valid model ID"), ModelNotFoundError),
        (404, code("404", "Resource not found"), ModelNotFoundError),
        (413, code("rate_limit_exceeded", type="tokens"), RateLimitError),
        (413, b"<html>413 Request Entity Too Large</html>", ContextLengthError),
    ],
)
def test_the_body_decides_where_the_status_lies(status, body, kind):
    found = error(status, body)
    assert type(found) is kind
    assert not found.is_retryable


def test_an_identifier_outweighs_a_phrase_of_another_kind():
    assert type(error(400, code("model_not_found", "maximum context length"))) is ModelNotFoundError


@pytest.mark.parametrize(
    "body",
    [
        code("insufficient_quota"),
        code(None, type="insufficient_quota"),
        code("rate_limit_exceeded", "Request too large for x on tokens per min: Limit 3, Requested 4."),
        {
            "type": "error",
            "error": {"type": "rate_limit_error", "details": {"error_code": "enforced_spend_limit_reached"}},
        },
        {"error": {"details": [{"violations": [{"quotaId": "RequestsPerDayPerProject"}, {"quotaId": 3}]}]}},
    ],
)
def test_an_exhausted_quota_is_not_worth_a_retry(body):
    found = error(429, body)
    assert type(found) is RateLimitError
    assert not found.is_retryable
    assert found.may_fall_back
    assert "quota" in str(found)


def test_an_ordinary_rate_limit_is_worth_a_retry():
    assert error(429, code("slow_down", type="rate_limit_error")).is_retryable


def test_a_provider_may_say_that_a_retry_is_no_use():
    assert not error(529, b"", {"x-should-retry": "false"}).is_retryable
    assert error(529, b"", {"x-should-retry": "true"}).is_retryable


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after-ms": "0", "retry-after": "7"}, 7),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "Sun, 22 Nov 2026 08:31:32 GMT", "date": "Sun, 22 Nov 2026 08:31:02 GMT"}, 30),
        ({"retry-after": "Sun, 22 Nov 2015 08:31:32 GMT"}, 0),
        ({"retry-after": "Sun, 42 Nov 2026 08:31:32 GMT"}, None),
        ({"retry-after": "Sun, 22 Noo 2026 08:31:32 GMT"}, None),
    ],
)
def test_the_wait_that_headers_ask_for(headers, seconds):
    assert error(429, b"", headers).retry_after == seconds


def test_a_date_to_wait_for_is_read_by_our_clock_where_the_server_tells_none():
    later = datetime.now(UTC) + timedelta(seconds=60)
    assert 50 < error(503, b"", {"retry-after": f"{later:%a, %d %b %Y %H:%M:%S} GMT"}).retry_after <= 60


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        (
            {
                "error": {
                    "code": 429,
                    "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "27s"}],
                }
            },
            27,
        ),
        ({"error": {"code": 429, "details": [{"retryDelay": "whenever"}]}}, None),
        (code("rate_limit_exceeded", "Please try again in 14m24.5s."), 864.5),
        (code("rate_limit_exceeded", "Please try again in 700ms."), 0.7),
        (code("429", "Please retry after 27 seconds."), 27),
    ],
)
def test_the_wait_that_a_body_asks_for(body, seconds):
    assert error(429, body).retry_after == (seconds if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize("name", ["x-request-id", "request-id", "apim-request-id", "mistral-correlation-id"])
def test_the_providers_request_id_is_kept(name):
    assert error(500, b"", {name: "req_1"}).provider_request_id == "req_1"
    assert error(500, {"request_id": "req_2", "error": {}}).provider_request_id == "req_2"


def test_no_key_and_no_sentence_stands_where_people_read():
    body = code(
        KEY, f"Bad key {KEY} or Bearer abcdefgh1234 or gsk_abcdefghijkl " + "x" * 900, param="a sentence, quoted"
    )
    found = error(401, body)
    assert KEY not in found.provider_message
    assert "abcdefgh" not in found.provider_message
    assert len(found.provider_message) == 500
    assert str(found) == (
        "acme answered 401 to LLM 7 (Some LLM): "
        "the key or its account was refused. Check this LLM's key, its rights and its billing."
    )


@pytest.mark.parametrize("piece", [KEY[-10:], KEY[:12], KEY[2:-2]])
def test_a_longer_piece_of_the_key_shows_nowhere_either(piece):
    found = error(401, code(piece, f"Bad key …{piece}! It ends in {KEY[-4:]}.", param=piece), {"x-request-id": piece})
    assert piece not in str(found)
    assert found.provider_request_id is None
    assert found.provider_message == f"Bad key …***! It ends in {KEY[-4:]}."


def test_an_entry_without_a_key_still_has_key_like_words_taken_out():
    found = WIRES["openai_chat"].parse_error(entry(api_key=None), 401, {}, b"bad sk-abcdefghijkl0123")
    assert found.provider_message == "bad ***"


@pytest.mark.parametrize("depth", [3, 50, 100_000])
def test_deeply_nested_bodies_are_read_as_far_as_makes_sense(depth):
    body = b'{"error":' * depth + b'{"message":"deep"}' + b"}" * depth
    assert type(error(400, body)) is InvalidRequestError


def test_a_page_of_markup_that_never_closes_is_read_soon():
    began = time.process_time()
    for body in (b"<" * 262_144, b"<script " * 32_768, b"<a " * 80_000, b"<style>Sorry"):
        WIRES["openai_chat"].parse_error(entry(), 502, {}, body)
    assert time.process_time() - began < 2


def test_a_request_id_that_repeats_the_key_is_left_out():
    error = WIRES["openai_chat"].parse_error(entry(), 500, {"x-request-id": f"req-{KEY}"}, b"")
    assert error.provider_request_id is None
