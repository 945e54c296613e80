"""What providers counted in recorded calls, against the upper bound that we would have reserved."""

from __future__ import annotations

from functools import cache

import pytest

from creative_services.core.errors import ProviderError
from creative_services.core.upper_bound import upper_bound
from creative_services.core.wire.base import CACHE_MARKS, DEVELOPER_ROLE, Route

from . import test_recorded_gemini_requests as gemini
from . import test_recorded_requests as requests
from . import test_recorded_responses_requests as responses
from .answers import WIRES, streamed, whole
from .traffic import body, is_stream, needs_traffic

pytestmark = needs_traffic
ROUTE = Route("https://acme.example/v1", quirks=frozenset({CACHE_MARKS, DEVELOPER_ROLE}))

# What no bound of ours can hold, and why. All are booked in full, and flagged.
BEYOND_INPUT = {
    "anthropic-cache-d44aa1c882": "the counts 100, 5 and 2 were written in by those who recorded it",
    "ollama-json-mode-6f984d3260": "a local server asks a thinking model twice, the second time with its thoughts",
    "venice-cache-f32c73f0b7": "the gateway puts a prompt of its own before the caller's",
}
BEYOND_OUTPUT = {
    "gemini-length-stream-afc2b55d27": "a token more than allowed",
    "doubleword-tools-unused-c1d3348341": "reasoning beside the tokens that were allowed",
}


def asking(wire, item):
    """The entry and the request of the call that this recording is of."""
    asked = item["request"]["json"]
    if wire == "gemini":
        return gemini.Call(asked).asking(item["model"] or "m")
    if wire == "openai_responses":
        return responses.asking(item)
    fields = requests.chat_fields(asked) if wire == "openai_chat" else requests.messages_fields(asked)
    return requests.asking(asked, **fields)


def sent():
    chat, messages = requests.recorded("openai-chat"), requests.recorded("anthropic-messages")
    yield from (("openai_chat", item) for item in chat)
    yield from (("anthropic_messages", item) for item in messages if requests.is_expressible(item))
    yield from (("gemini", item) for item in gemini.recorded())
    yield from (("openai_responses", item) for item in responses.recorded())


def usage(wire, item):
    try:
        return (streamed if is_stream(item) else whole)(wire, body(item)).usage
    except ProviderError:
        return None


@cache
def billed():
    """Each answered call with what was counted for it, and the bound of the same call of ours, if it has one."""
    found = []
    for wire, item in sent():
        used = usage(wire, item) if item["response"]["status"] == 200 else None
        if used is not None and used.input_tokens is not None:
            llm, request = asking(wire, item)
            built = WIRES[wire].build(llm, ROUTE, request, stream=is_stream(item))
            bound = upper_bound(llm, request, built.body, request.max_tokens or 1_000_000)
            if bound.unbounded is None:
                found.append((item, used, bound))
    return found


@pytest.mark.parametrize(("side", "known"), [("input_tokens", BEYOND_INPUT), ("output_tokens", BEYOND_OUTPUT)])
def test_no_provider_bills_more_than_the_bound_but_for_what_is_known(side, known):
    beyond = {item["id"] for item, used, bound in billed() if (getattr(used, side) or 0) > getattr(bound, side)}

    assert beyond == known.keys()


def test_most_recorded_calls_have_a_bound():
    assert len(billed()) > 600
