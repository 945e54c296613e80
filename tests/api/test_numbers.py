"""Numbers that JSON does not have, or that no float can hold: of callers a 400, of providers never a 500."""

import json

import pytest

from tests.api.asking import CHAT

MESSAGES, RESPONSES = "/api/llm/v1/messages", "/api/llm/v1/responses"
HELLO = {"role": "user", "content": "Hello"}
BODIES = {
    CHAT: {"model": "standard", "messages": [HELLO]},
    MESSAGES: {"model": "standard", "messages": [HELLO], "max_tokens": 9},
    RESPONSES: {"model": "standard", "input": "Hello"},
}
NUMBERS = ("1e999", "-1e999")


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_beyond_all_floats_is_a_400_wherever_it_is_nested(asker, provider, number):
    call = {"type": "tool_use", "id": "1", "name": "weigh", "input": {"grams": 7.5}}
    turns = [HELLO, {"role": "assistant", "content": [call]}, HELLO]

    told = asker.send(json.dumps(BODIES[MESSAGES] | {"messages": turns}).replace("7.5", number), path=MESSAGES)

    assert (told.status, told.json["error"]["type"]) == (400, "invalid_request_error")
    assert "number" in told.json["error"]["message"]
    assert provider.requests == []
