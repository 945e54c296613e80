"""`POST v1/messages`: errors, before and after the first word, as Anthropic's SDK raises them."""

import anthropic
import pytest

from creative_services.api.dialects.base import Fault
from creative_services.api.dialects.messages_errors import error_body
from creative_services.testing import Failure, Reply
from tests.api.sdks import anthropic_sdk

MESSAGES = "/api/llm/v1/messages"
WORDS = ("Once", " upon", " a time")
ASKED = {"model": "standard", "max_tokens": 100, "messages": [{"role": "user", "content": "Hello"}]}


ERRORS = {
    "the provider refuses the key": (Failure(401), anthropic.InternalServerError, 502, "api_error"),
    "the provider is busy": (
        Failure(429, headers={"retry-after": "30"}),
        anthropic.InternalServerError,
        503,
        "overloaded_error",
    ),
    "the provider refuses the request": (Failure(400), anthropic.BadRequestError, 400, "invalid_request_error"),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("reply", "kind", "status", "word"), ERRORS.values(), ids=ERRORS)
def test_an_error_before_the_first_word_is_raised_as_its_class(asker, provider, reply, kind, status, word, stream):  # noqa: PLR0917
    provider.answer_with(reply)

    with anthropic_sdk(asker) as client, pytest.raises(kind) as raised:
        client.messages.create(**ASKED, stream=stream)

    assert raised.value.status_code == status
    assert set(raised.value.body) == {"type", "error", "request_id"}
    assert raised.value.body["type"] == "error"
    assert raised.value.body["error"]["type"] == word
    assert raised.value.body["request_id"] == raised.value.request_id


def test_a_model_nobody_has_is_not_found(asker):
    with anthropic_sdk(asker) as client, pytest.raises(anthropic.NotFoundError) as raised:
        client.messages.create(**ASKED | {"model": "Elsewhere"})

    assert raised.value.body["error"]["type"] == "not_found_error"


def test_a_stranger_is_told_so(asker):
    asker.user = None

    with (
        anthropic_sdk(asker) as client,
        pytest.raises((anthropic.AuthenticationError, anthropic.PermissionDeniedError)),
    ):
        client.messages.create(**ASKED)


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (402, "billing_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (413, "request_too_large"),
        (415, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (502, "api_error"),
        (503, "overloaded_error"),
        (504, "timeout_error"),
    ],
)
def test_each_status_has_the_word_that_anthropic_has_for_it(status, word):
    assert error_body(Fault(status, "code", "What happened.", "req")) == {
        "type": "error",
        "error": {"type": word, "message": "What happened."},
        "request_id": "req",
    }


@pytest.mark.parametrize("reply", [Reply(WORDS, ending="cut"), Reply("", reasoning="Hm.", ending="cut")])
def test_an_error_after_the_first_word_is_told_in_the_stream(asker, provider, reply):
    provider.answer_with(reply)

    told = asker.post(MESSAGES, ASKED | {"stream": True})
    name, error = told.events[-1]

    assert (told.status, name) == (200, "error")
    assert set(error) == {"type", "error", "request_id"}
    assert error["error"]["type"] == "api_error"
    assert error["request_id"] == told.headers["x-request-id"]


def test_the_sdk_raises_what_breaks_a_stream(asker, provider):
    provider.answer_with(Reply(WORDS, ending="cut"))

    with (
        anthropic_sdk(asker) as client,
        pytest.raises(anthropic.APIStatusError),
        client.messages.stream(**ASKED) as stream,
    ):
        stream.get_final_message()
