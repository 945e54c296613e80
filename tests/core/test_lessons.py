"""Models that refuse a parameter: the call is sent once more without it, and the client remembers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from creative_services import DictRegistry, DynamicLLMClient, InvalidRequestError, Retry, SyncDynamicLLMClient
from creative_services.core import lessons
from creative_services.core.errors import RateLimitError
from creative_services.testing import Failure, FakeProvider, Reply
from tests.core.asking import Ask, entry, every_face, streamed_faces

NEW = entry(1, "new-model")


def refusal(parameter: str, *, code: str = "unsupported_parameter") -> Failure:
    body = (
        f'{{"error": {{"message": "No.", "type": "invalid_request_error", "param": "{parameter}", "code": "{code}"}}}}'
    )
    return Failure(400, body=body.encode())


@every_face
def test_a_refused_temperature_is_left_out_and_the_call_sent_once_more(ask: Ask) -> None:
    provider = FakeProvider([refusal("temperature"), "Hi"])

    answer = ask(provider, NEW)

    assert answer.text == "Hi"
    assert ["temperature" in request.json for request in provider.requests] == [True, False]
    assert [attempt.outcome for attempt in answer.attempts] == ["error", "ok"]


@every_face
def test_a_refused_output_cap_gets_its_newer_name(ask: Ask) -> None:
    provider = FakeProvider([refusal("max_tokens"), refusal("temperature", code="unsupported_value"), "Hi"])

    assert ask(provider, NEW).text == "Hi"

    last = provider.requests[-1].json
    assert (last["max_completion_tokens"], "max_tokens" in last, "temperature" in last) == (4096, False, False)


@streamed_faces
def test_refused_stream_options_are_left_out(ask: Ask) -> None:
    provider = FakeProvider([refusal("stream_options"), "Hi"])

    assert ask(provider, NEW).text == "Hi"
    assert "stream_options" not in provider.requests[-1].json


@every_face
def test_a_sentence_is_understood_where_the_provider_names_no_parameter(ask: Ask) -> None:
    deprecated = Failure(400, "`temperature` is deprecated for this model.", code="invalid_request_error")
    provider = FakeProvider([deprecated, "Hi"])

    assert ask(provider, entry(1, "claude-next", provider="anthropic")).text == "Hi"


@every_face
@pytest.mark.parametrize(
    "failure",
    [
        refusal("temperature", code="decimal_above_max_value"),
        refusal("messages"),
        Failure(400, body=b'{"error": {"message": "Something is not supported."}}'),
    ],
)
def test_a_wrong_value_and_what_a_call_cannot_be_without_are_the_callers_fault(ask: Ask, failure: Failure) -> None:
    provider = FakeProvider(failure)

    with pytest.raises(InvalidRequestError):
        ask(provider, NEW)
    assert len(provider.requests) == 1


@every_face
def test_a_provider_that_refuses_again_is_asked_no_third_time(ask: Ask) -> None:
    provider = FakeProvider(refusal("temperature"))

    with pytest.raises(InvalidRequestError) as raised:
        ask(provider, NEW)
    assert raised.value.refused_parameter == "temperature"
    assert len(provider.requests) == 2


def test_the_client_remembers_what_it_learned_for_that_llm() -> None:
    def answer(request: Any) -> Any:
        return refusal("temperature") if request.model == "new-model" and "temperature" in request.json else "Hi"

    provider = FakeProvider(answer)
    registry = DictRegistry([NEW, entry(2, "other")])
    with SyncDynamicLLMClient(registry, transport=provider) as client:
        for llm_id in (1, 1, 2):
            client.generate("Hello", llm_id=llm_id)
    assert ["temperature" in request.json for request in provider.requests] == [True, False, False, True]

    asyncio.run(DynamicLLMClient(registry, transport=provider).generate("Hello", llm_id=1))
    assert len(provider.requests) == 6


def test_the_memory_is_bounded() -> None:
    memory = lessons.Lessons()
    error = InvalidRequestError("no")
    error.refused_parameter = "temperature"

    for number in range(lessons.MOST_LESSONS + 1):
        assert memory.learn(entry(1, f"model-{number}"), error)

    assert memory.of(entry(1, "model-0")) == frozenset()
    assert not memory.learn(NEW, RateLimitError("no"))


@every_face
def test_a_refused_parameter_is_left_out_in_a_race_too(ask: Ask) -> None:
    def first(request: Any) -> Any:
        return replace(refusal("temperature"), delay=0.08) if "temperature" in request.json else "Hi"

    provider = FakeProvider({"new-model": first, "other": Reply("Ho", delay=5)})

    assert ask(provider, [NEW, entry(2, "other")], hedge_after=0.03).text == "Hi"
    assert provider.models == ["new-model", "other", "new-model"]
    assert provider.open_exchanges == 0


@every_face
def test_what_was_learned_holds_for_the_retries_of_the_same_call(ask: Ask) -> None:
    provider = FakeProvider([refusal("temperature"), Failure(429, headers={"retry-after-ms": "5"}), "Hi"])

    assert ask(provider, NEW, retry=Retry()).text == "Hi"
    assert ["temperature" in request.json for request in provider.requests] == [True, False, False]
