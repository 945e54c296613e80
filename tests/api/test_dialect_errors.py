"""Errors of routes under `v1/`: the statuses and bodies from which OpenAI's SDK makes its classes, and the headers."""

import json
from decimal import Decimal
from urllib.parse import unquote
from uuid import UUID

import pytest
from django.test import Client, override_settings
from rest_framework.authentication import BasicAuthentication
from rest_framework.throttling import UserRateThrottle

from creative_services.api.dialects.base import Fault
from creative_services.api.dialects.openai_errors import error_object
from creative_services.api.errors import call_fault, exception_handler
from creative_services.core.errors import (
    BudgetExceededError,
    ContentFilterError,
    ContextLengthError,
    LimitExceededError,
    LLMNotFoundError,
    NoLLMAvailableError,
    ProviderTimeoutError,
    RateLimitError,
    TierNotAllowedError,
)
from creative_services.core.types import Usage
from creative_services.testing import Failure, LlmsFactory, Reply
from tests.api.asking import CHAT, Asker

PATHS = (CHAT, "/api/llm/v1/embeddings", "/api/llm/v1/models", "/api/llm/v1/models/standard")
HERE = "tests.api.test_dialect_errors"
BODY = {"model": "standard", "messages": [{"role": "user", "content": "Hello"}], "input": "Hello"}


class OncePerDay(UserRateThrottle):
    THROTTLE_RATES = {"user": "1/day"}  # noqa: RUF012


def told_by(path, user, **headers):
    asker = Asker("wsgi", user)
    return asker.get(path, **headers) if "models" in path else asker.send(json.dumps(BODY), path=path, **headers)


def error_in(told):
    assert set(told.json) == {"error"}
    assert set(told.json["error"]) == {"message", "type", "param", "code"}
    assert UUID(told.headers["x-request-id"])
    return told.json["error"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", PATHS)
@override_settings(
    REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": [f"{BasicAuthentication.__module__}.BasicAuthentication"]}
)
def test_a_stranger_is_a_401(path):
    told = told_by(path, None)

    assert told.status == 401
    assert told.headers["WWW-Authenticate"]
    assert error_in(told)["code"] == "invalid_api_key"


@pytest.mark.parametrize("path", PATHS)
def test_who_may_not_is_a_403(path, django_user_model, provider):
    told = told_by(path, django_user_model.objects.create_user("bob"))

    assert told.status == 403
    assert error_in(told)["type"] == "permission_error"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.usefixtures("locmem")
@override_settings(REST_FRAMEWORK={"DEFAULT_THROTTLE_CLASSES": [f"{HERE}.OncePerDay"]})
def test_who_asks_too_often_is_a_429_that_says_when(path, caller, provider):
    told_by(path, caller)
    told = told_by(path, caller)

    assert told.status == 429
    assert int(told.headers["Retry-After"]) > 80_000
    assert error_in(told)["code"] == "rate_limit_exceeded"


@pytest.mark.parametrize("path", PATHS)
def test_a_method_that_the_route_has_not_is_a_405(path, caller):
    client = Client()
    client.force_login(caller)

    told = client.delete(path)

    assert told.status_code == 405
    assert told.json()["error"]["code"] == "method_not_allowed"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["v1/files", "v1/chat/completions/", "v1/"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_route_that_is_not_there_is_a_404_for_everybody(path, method):
    told = Client().generic(method, f"/api/llm/{path}")

    if path == "v1/":
        assert told.status_code == 404
    else:
        assert (told.status_code, told.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("body", ["", "{", "[]", '"Hello"', "NaN", "{}"])
def test_a_body_that_cannot_be_meant_is_a_400(asker, body):
    told = asker.send(body, path=CHAT)

    assert told.status == 400
    assert error_in(told)["type"] == "invalid_request_error"


def test_a_body_of_another_type_is_a_415(asker):
    told = asker.send("{}", content_type="text/plain", path=CHAT)

    assert (told.status, error_in(told)["code"]) == (415, "unsupported_media_type")


@override_settings(CREATIVE_SERVICES={"MAX_BODY_BYTES": 20})
def test_a_body_that_is_too_long_is_a_413(asker):
    told = asker.chat()

    assert (told.status, error_in(told)["type"]) == (413, "invalid_request_error")


@pytest.mark.parametrize(
    ("error", "status", "kind", "code"),
    [
        (ContextLengthError("It."), 400, "invalid_request_error", "context_length_exceeded"),
        (ContentFilterError("It."), 400, "invalid_request_error", "content_filter"),
        (BudgetExceededError("It."), 402, "insufficient_quota", "budget_exceeded"),
        (TierNotAllowedError("It."), 403, "permission_error", "permission_denied"),
        (LLMNotFoundError("It."), 404, "invalid_request_error", "model_not_found"),
        (LimitExceededError("It.", is_callers=True), 429, "rate_limit_error", "rate_limit_exceeded"),
        (LimitExceededError("It."), 429, "rate_limit_error", "rate_limit_exceeded"),
        (NoLLMAvailableError("It."), 503, "server_error", "no_llm_available"),
        (RateLimitError("It."), 503, "server_error", "provider_rate_limited"),
        (ProviderTimeoutError("It."), 504, "server_error", "timeout"),
    ],
)
def test_each_error_of_a_call_has_its_status_type_and_code(error, status, kind, code):
    fault = call_fault(error)

    assert fault.status == status
    assert error_object(fault) == {"message": "It.", "type": kind, "param": None, "code": code}


def test_a_code_that_openai_has_no_word_for_stays(django_user_model):
    told = error_object(Fault(405, "method_not_allowed", "It.", "1"))

    assert (told["type"], told["code"]) == ("invalid_request_error", "method_not_allowed")


@pytest.mark.parametrize(("advice", "header"), [(None, "5"), (0.2, "1"), (41, "41")])
def test_a_limit_says_when_to_come_again(advice, header):
    response = exception_handler(LimitExceededError("Busy.", retry_after=advice), {})

    assert response.headers["Retry-After"] == header


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("route", ["chat", "generate"])
def test_headers_say_who_answered_at_what_price(asker, provider, stream, route):
    provider.answer_with({"cheap-1": Failure(401), "dear-1": Reply("Hi", usage=Usage(12, 3))})

    asked = {"stream": stream} if route == "chat" else {"stream": stream, "prompt": "Hello"}
    headers = getattr(asker, route)(**asked).headers

    assert UUID(headers["x-request-id"])
    assert headers["x-llm-name"] == "Dear"
    assert headers["x-llm-attempts"] == "2"
    assert stream or Decimal(headers["x-llm-cost"]) == Decimal("0.015")
    assert ("x-llm-cost" in headers) is not stream


def test_a_price_that_nobody_knows_is_in_no_header(asker, provider):
    provider.answer_with(Reply("Hi", usage=None))

    assert "x-llm-cost" not in asker.chat().headers


def test_headers_of_an_error_say_who_was_asked(asker, provider):
    provider.answer_with(Failure(401))

    told = asker.chat()

    assert error_in(told)["code"] == "provider_error"
    assert (told.headers["x-llm-name"], told.headers["x-llm-attempts"]) == ("Dear", "2")


def test_headers_of_an_error_before_anybody_was_asked_name_nobody(asker):
    headers = asker.chat(model="nobody").headers

    assert headers["x-llm-attempts"] == "0"
    assert "x-llm-name" not in headers


@pytest.mark.parametrize("name", ["Grüße 100 %", "Zeile\r\nx-evil: 1", "模型", " edge "])
def test_any_name_makes_a_header_that_is_safe(asker, provider, name):
    LlmsFactory(name=name, model="named", tier="premium")

    headers = asker.chat(model="premium").headers

    assert headers["x-llm-name"].isascii()
    assert unquote(headers["x-llm-name"]) == name.strip()
    assert "x-evil" not in headers
