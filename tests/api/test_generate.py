"""`POST generate/`, whole answers: the body to the letter, and which error is told how."""

from decimal import Decimal
from uuid import UUID

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from creative_services.api.errors import exception_handler
from creative_services.core.errors import (
    AuthenticationError,
    BudgetExceededError,
    ContentFilterError,
    ContextLengthError,
    CreativeServicesError,
    DeadlineExceededError,
    InvalidRequestError,
    LLMNotFoundError,
    MalformedResponseError,
    MissingAPIKeyError,
    ModelNotFoundError,
    NoLLMAvailableError,
    ProviderConnectionError,
    ProviderTimeoutError,
    ProviderUnavailableError,
    RateLimitError,
    UnknownProviderError,
)
from creative_services.core.types import Usage
from creative_services.testing import Failure, Reply


def test_an_answer_has_exactly_the_documented_fields(asker, provider, cheap):
    provider.answer_with(Reply("Good day", usage=Usage(input_tokens=12, output_tokens=3)))

    told = asker.generate(prompt="Hello", tier="standard")
    body = told.json

    assert told.status == 200
    assert told.headers["Content-Type"] == "application/json"
    assert UUID(body.pop("request_id"))
    assert type(body.pop("latency_ms")) is int
    assert type(body["attempts"][0].pop("latency_ms")) is int
    assert body == {
        "text": "Good day",
        "finish_reason": "stop",
        "tool_calls": [],
        "llm": {"id": cheap.pk, "name": "Cheap", "provider": "openai", "model": "cheap-1", "tier": "standard"},
        "usage": {
            "input_tokens": 12,
            "output_tokens": 3,
            "cache_read_tokens": None,
            "cache_write_tokens": None,
            "reasoning_tokens": None,
        },
        "cost": "0.0000036",
        "attempts": [{"llm_id": cheap.pk, "outcome": "ok", "status_code": 200}],
    }


def test_what_an_answer_cost_is_exact_and_in_plain_digits(asker, provider):
    provider.answer_with(Reply("Hi", usage=Usage(input_tokens=1, output_tokens=0)))

    cost = asker.generate(prompt="Hello").json["cost"]

    assert cost == "0.00000015"
    assert Decimal(cost) == Decimal("0.00015") / 1000


def test_what_the_provider_did_not_report_is_null(asker, provider):
    provider.answer_with(Reply("Hi", usage=None))

    body = asker.generate(prompt="Hello").json

    assert body["cost"] is None
    assert set(body["usage"].values()) == {None}


def test_everything_that_may_be_asked_reaches_the_provider(asker, provider):
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}

    told = asker.generate(
        messages=[{"role": "user", "content": "Hello"}],
        tools=[tool],
        tool_choice="auto",
        response_format={"type": "json_object"},
        system="Be brief.",
        max_tokens=7,
        temperature=0,
        stop=["END"],
        stream=False,
    )
    sent = provider.requests[0].json

    assert told.status == 200
    assert [message["content"] for message in sent["messages"]] == ["Be brief.", "Hello"]
    assert (sent["temperature"], sent["stop"]) == (0, ["END"])
    assert 7 in sent.values()
    assert (sent["tools"], sent["tool_choice"], sent["response_format"]) == ([tool], "auto", {"type": "json_object"})


def test_an_llm_can_be_asked_by_its_id(asker, provider, dear):
    body = asker.generate(prompt="Hello", llm_id=dear.pk).json

    assert body["llm"]["id"] == dear.pk


def test_the_next_llm_answers_when_the_first_fails_and_both_are_told(asker, provider, cheap, dear):
    provider.answer_with({"cheap-1": Failure(401, "sk-cheap is no good"), "dear-1": "Hi"})

    body = asker.generate(prompt="Hello").json

    assert body["llm"]["id"] == dear.pk
    assert [(a["llm_id"], a["outcome"], a["status_code"]) for a in body["attempts"]] == [
        (cheap.pk, "error", 401),
        (dear.pk, "ok", 200),
    ]


def test_an_inactive_llm_is_not_found(asker, provider, cheap):
    type(cheap).objects.filter(pk=cheap.pk).update(is_active=False)

    told = asker.generate(prompt="Hello", llm_id=cheap.pk)

    assert (told.status, told.code) == (404, "llm_not_found")


def test_an_empty_tier_has_no_llm_available(asker):
    told = asker.generate(prompt="Hello", tier="premium")

    assert (told.status, told.code) == (503, "no_llm_available")


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (Failure(400, "PARROT"), 400, "invalid_request"),
        (Failure(401, "PARROT"), 502, "provider_error"),
        (Failure(403, "PARROT"), 502, "provider_error"),
        (Failure(404, "PARROT"), 502, "provider_error"),
        (Failure(500, "PARROT"), 502, "provider_error"),
        (Failure(429, "PARROT", headers={"Retry-After": "17"}), 503, "provider_rate_limited"),
        (Reply("PARROT", ending="cut"), 502, "provider_error"),
        (ProviderConnectionError("No connection."), 502, "provider_error"),
        (ProviderTimeoutError("Silent."), 504, "timeout"),
    ],
)
def test_a_failure_is_told_by_its_kind_and_not_in_the_providers_words(asker, provider, cheap, failure, status, code):
    provider.answer_with(failure)

    told = asker.generate(prompt="Tell me", llm_id=cheap.pk)

    assert (told.status, told.code) == (status, code)
    assert b"PARROT" not in told.body
    assert b"Tell me" not in told.body
    assert b"sk-" not in told.body
    assert told.headers.get("Retry-After") == ("17" if status == 503 else None)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InvalidRequestError("It."), 400, "invalid_request"),
        (ContextLengthError("It."), 400, "invalid_request"),
        (ContentFilterError("It."), 400, "invalid_request"),
        (BudgetExceededError("It."), 402, "budget_exceeded"),
        (LLMNotFoundError("It."), 404, "llm_not_found"),
        (NoLLMAvailableError("It."), 503, "no_llm_available"),
        (MissingAPIKeyError("It."), 503, "misconfigured"),
        (UnknownProviderError("It."), 503, "misconfigured"),
        (RateLimitError("It."), 503, "provider_rate_limited"),
        (AuthenticationError("It."), 502, "provider_error"),
        (ModelNotFoundError("It."), 502, "provider_error"),
        (ProviderConnectionError("It."), 502, "provider_error"),
        (ProviderUnavailableError("It."), 502, "provider_error"),
        (MalformedResponseError("It."), 502, "provider_error"),
        (ProviderTimeoutError("It."), 504, "timeout"),
        (DeadlineExceededError("It."), 504, "timeout"),
        (Http404(), 404, "not_found"),
        (PermissionDenied(), 403, "permission_denied"),
    ],
)
def test_each_error_has_its_status_and_code(error, status, code):
    response = exception_handler(error, {})

    assert (response.status_code, response.data["code"]) == (status, code)
    if isinstance(error, CreativeServicesError):
        assert response.data["detail"] == "It."


def test_a_bug_is_left_to_django():
    assert exception_handler(KeyError("bug"), {}) is None


@pytest.mark.parametrize(("advice", "header"), [(None, "5"), (0, "1"), (0.2, "1"), (2.1, "3"), (float("inf"), "86400")])
def test_a_busy_provider_is_always_told_with_a_time_to_wait(advice, header):
    response = exception_handler(RateLimitError("Busy.", retry_after=advice), {})

    assert response.headers["Retry-After"] == header
