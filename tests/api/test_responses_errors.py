"""`POST v1/responses`: errors, before and after the first word, as OpenAI's SDK raises them."""

import openai
import pytest

from creative_services.core.errors import ProviderConnectionError
from creative_services.testing import Failure, RawReply, Reply
from tests.api.sdks import openai_sdk

RESPONSES = "/api/llm/v1/responses"
WORDS = ("Once", " upon", " a time")
LATER = {"retry-after": "30"}


def ask(asker, **body):
    return asker.post(RESPONSES, {"model": "standard", "input": "Hello"} | body)


ERRORS = {
    "the provider refuses the key": (Failure(401), openai.InternalServerError, 502, "provider_error"),
    "the provider is busy": (Failure(429, headers=LATER), openai.InternalServerError, 503, "provider_rate_limited"),
    "the provider refuses the request": (Failure(400), openai.BadRequestError, 400, None),
    "the prompt is too long": (
        Failure(400, code="context_length_exceeded"),
        openai.BadRequestError,
        400,
        "context_length_exceeded",
    ),
    "the stream breaks before its first word": (
        Reply("", ending=ProviderConnectionError("Reset.")),
        openai.InternalServerError,
        502,
        "provider_error",
    ),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("reply", "kind", "status", "code"), ERRORS.values(), ids=ERRORS)
def test_an_error_before_the_first_word_is_raised_as_its_class(asker, provider, reply, kind, status, code, stream):  # noqa: PLR0917
    provider.answer_with(reply)

    with openai_sdk(asker) as client, pytest.raises(kind) as raised:
        client.responses.create(model="Cheap", input="Hello", stream=stream)

    assert (raised.value.status_code, raised.value.code) == (status, code)
    assert raised.value.request_id


def test_a_model_nobody_has_is_not_found(asker):
    with openai_sdk(asker) as client, pytest.raises(openai.NotFoundError) as raised:
        client.responses.create(model="Elsewhere", input="Hello")

    assert raised.value.code == "model_not_found"


def test_a_stranger_is_told_so(asker):
    asker.user = None

    with openai_sdk(asker) as client, pytest.raises((openai.AuthenticationError, openai.PermissionDeniedError)):
        client.responses.create(model="standard", input="Hello")


@pytest.mark.parametrize("ending", ["cut", Failure(429), Failure(500)])
def test_an_error_after_the_first_word_is_told_in_the_stream(asker, provider, ending):
    provider.answer_with(Reply(WORDS, ending=ending))

    told = ask(asker, stream=True)
    (name, error), (last, failed) = told.events[-2:]

    assert (told.status, name, last) == (200, "error", "response.failed")
    assert set(error) == {"type", "sequence_number", "error"}
    assert set(error["error"]) == {"message", "type", "param", "code"}
    assert failed["response"]["status"] == "failed"
    assert failed["response"]["error"] == {"code": "server_error", "message": error["error"]["message"]}
    assert failed["sequence_number"] == error["sequence_number"] + 1


@pytest.mark.parametrize("reply", [Reply(WORDS, ending="cut"), Reply("", reasoning="Hm.", ending="cut")])
def test_the_sdk_raises_what_breaks_a_stream(asker, provider, reply):
    provider.answer_with(reply)

    with openai_sdk(asker) as client, pytest.raises(openai.APIError) as raised:
        list(client.responses.create(model="standard", input="Hello", stream=True))

    assert raised.value.code == "provider_error"


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_its_provider_gave_up_has_failed(asker, provider, stream):
    provider.answer_with(Reply("Hi", finish_reason="error"))

    told = ask(asker, stream=stream)
    body = told.events[-1][1]["response"] if stream else told.json

    assert body["status"] == "failed"
    assert body["error"] == {"code": "server_error", "message": "The model ended its answer with an error."}
    assert body["output"][0]["content"][0]["text"] == "Hi"


def test_the_headers_name_the_call(asker, cheap):
    told = ask(asker)

    assert told.headers["x-llm-name"] == "Cheap"
    assert told.headers["x-llm-attempts"] == "1"
    assert told.json["id"] == "resp_" + told.headers["x-request-id"].replace("-", "")


def test_an_answer_without_a_reason_is_complete(asker, provider):
    body = b'{"choices": [{"message": {"role": "assistant", "content": "Hi"}}]}'
    provider.answer_with(RawReply([body], headers={"content-type": "application/json"}))

    told = ask(asker).json

    assert (told["status"], told["usage"]) == ("completed", None)
