"""Numbers that JSON does not have, or that no float can hold: of callers a 400, of providers never a 500."""

import json

import pytest

from creative_services.models import LlmCall
from creative_services.testing import LlmsFactory, RawReply, Reply
from tests.api.asking import CHAT

MESSAGES, RESPONSES = "/api/llm/v1/messages", "/api/llm/v1/responses"
HELLO = {"role": "user", "content": "Hello"}
BODIES = {
    CHAT: {"model": "standard", "messages": [HELLO]},
    MESSAGES: {"model": "standard", "messages": [HELLO], "max_tokens": 9},
    RESPONSES: {"model": "standard", "input": "Hello"},
}
NUMBERS = ("1e999", "-1e999")
NO_NUMBERS = (*NUMBERS, "NaN", "-Infinity")


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_beyond_all_floats_is_a_400_wherever_it_is_nested(asker, provider, number):
    call = {"type": "tool_use", "id": "1", "name": "weigh", "input": {"grams": 7.5}}
    turns = [HELLO, {"role": "assistant", "content": [call]}, HELLO]

    told = asker.send(json.dumps(BODIES[MESSAGES] | {"messages": turns}).replace("7.5", number), path=MESSAGES)

    assert (told.status, told.json["error"]["type"]) == (400, "invalid_request_error")
    assert "number" in told.json["error"]["message"]
    assert provider.requests == []


def weighed(grams):
    """An answer of Anthropic's whose thoughts must go back with a call that has this number in it."""
    thought = {"type": "thinking", "thinking": "Hm", "signature": "proof"}
    call = {"type": "tool_use", "id": "1", "name": "weigh", "input": {"grams": [7.5, {"net": 1.25}]}}
    answer = {"id": "1", "content": [thought, call], "stop_reason": "tool_use", "usage": {"input_tokens": 1}}
    return RawReply([json.dumps(answer).replace("7.5", grams).encode()])


@pytest.mark.parametrize("number", NO_NUMBERS)
@pytest.mark.parametrize("path", BODIES)
def test_such_a_number_of_a_provider_is_null_in_what_is_handed_back(asker, provider, cheap, path, number):
    type(cheap).objects.update(is_active=False)
    LlmsFactory(provider="anthropic")
    provider.answer_with(weighed(number))

    told = asker.post(path, BODIES[path])

    assert told.status == 200
    if path == MESSAGES:
        assert told.json["content"][-1]["input"] == {"grams": [None, {"net": 1.25}]}
    elif path == CHAT:
        assert told.json["choices"][0]["message"]["replay"]["blocks"][-1]["input"]["grams"][0] is None


@pytest.mark.parametrize("number", NO_NUMBERS)
@pytest.mark.parametrize("stream", [False, True])
def test_arguments_that_hold_one_break_no_answer_of_anthropics_form(asker, provider, number, stream):
    arguments = json.dumps({"grams": 7.5, "of": "flour"}).replace("7.5", number)
    provider.answer_with(Reply("", tool_calls=[{"id": "1", "name": "weigh", "arguments": arguments}]))

    told = asker.post(MESSAGES, BODIES[MESSAGES] | {"stream": stream})

    assert LlmCall.objects.get().outcome == "ok"
    if stream:
        (piece,) = [data["delta"] for name, data in told.events if name == "content_block_delta"]
        given = json.loads(piece["partial_json"])
    else:
        given = told.json["content"][0]["input"]
    assert given == {"grams": None, "of": "flour"}
