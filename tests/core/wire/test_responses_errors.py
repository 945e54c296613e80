from __future__ import annotations

import json

import pytest

from creative_services.core.errors import (
    AuthenticationError,
    ContentFilterError,
    InvalidRequestError,
    MalformedResponseError,
    ModelNotFoundError,
    ProviderError,
    ProviderUnavailableError,
    RateLimitError,
)

from .answers import WIRES, entry, streamed, whole
from .responses import WIRE, answer, end, event, message, stream

FAILURES = {
    "server_error": ProviderUnavailableError,
    "rate_limit_exceeded": RateLimitError,
    "insufficient_quota": RateLimitError,
    "model_not_found": ModelNotFoundError,
    "invalid_prompt": InvalidRequestError,
    "image_content_policy_violation": ContentFilterError,
    "new_code": ProviderUnavailableError,
}


@pytest.mark.parametrize("code", FAILURES)
def test_a_failed_answer_raises_what_its_code_stands_for(code):
    error = {"code": code, "message": "Sorry."}
    for call in (
        lambda: answer(status="failed", error=error),
        lambda: stream(end(kind="failed", error=error)),
        lambda: stream(event("error", **error)),
        lambda: stream(event("error", error=error)),
        lambda: stream(b"data: " + json.dumps({"error": error}).encode() + b"\n\n"),
    ):
        with pytest.raises(ProviderError) as caught:
            call()
        assert type(caught.value) is FAILURES[code]
        assert caught.value.provider_message == "Sorry."


def test_an_answer_that_failed_without_a_word_is_no_answer():
    for call in (
        lambda: answer(status="failed"),
        lambda: answer(status="cancelled"),
        lambda: stream(end(kind="cancelled")),
    ):
        with pytest.raises(ProviderUnavailableError):
            call()
    with pytest.raises(ProviderUnavailableError):
        streamed(WIRE, b"event: error\ndata: gone\n\n")


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"null", b"{}", b'{"output":"text"}', b'{"status":"in_progress","output":[]}', b"<html>"],
)
def test_what_is_no_answer_is_malformed(data):
    with pytest.raises(MalformedResponseError, match=r"LLM 7 \(Some LLM\)"):
        whole(WIRE, data)


@pytest.mark.parametrize("data", [b"{", b"[]", b"plain"])
def test_an_event_that_is_no_event_is_malformed(data):
    with pytest.raises(MalformedResponseError):
        streamed(WIRE, b"data: " + data + b"\n\n")


def test_an_end_mark_of_chat_completions_is_passed_over():
    assert stream(end(message("Hi")), b"data: [DONE]\n\n").text == "Hi"
    assert not stream(b"data:\n\n", b"data: [DONE]\n\n").ended


def test_an_error_with_status_200_is_still_an_error():
    with pytest.raises(AuthenticationError):
        whole(WIRE, b'{"error":{"code":"invalid_api_key","message":"x"}}')
    with pytest.raises(ProviderUnavailableError):
        whole(WIRE, b'{"object":"error","message":"x"}')


def test_a_missing_model_is_a_bad_request_here():
    body = json.dumps({"error": {"code": "model_not_found", "type": "invalid_request_error", "message": "x"}})
    error = WIRES[WIRE].parse_error(entry(), 400, {}, body.encode())
    assert type(error) is ModelNotFoundError
