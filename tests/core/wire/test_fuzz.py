"""Whatever a provider sends, a caller gets an answer or a documented error: soon, and in little memory.

FUZZ_ROUNDS says how many mutated bodies, streams and errors each wire is given; `make soak` gives 10,000.
"""

from __future__ import annotations

import json
import os
import time
import tracemalloc
from contextlib import suppress
from decimal import Decimal

import pytest

from creative_services import DictRegistry, Retry, SyncDynamicLLMClient
from creative_services.core.answer import Answer
from creative_services.core.errors import InvalidRequestError, MalformedResponseError, ProviderError
from creative_services.core.providers import WIRE_NAMES
from creative_services.core.request import LLMRequest
from creative_services.core.wire.base import Route
from creative_services.testing import FakeProvider, RawReply

from .answers import KEY, WIRES, entry, events
from .calls import HELLO
from .mutations import Mutator
from .payloads import STREAMS, WHOLE
from .traffic import body, is_stream, recorded

ROUNDS = int(os.environ.get("FUZZ_ROUNDS", "300"))
SLOWEST = 1.0  # seconds of CPU for one answer; most take well under a millisecond
MEGABYTE = 2**20
ROUTE = Route("https://acme.example/v1", KEY)
STATUSES = (400, 401, 403, 404, 413, 422, 429, 500, 503, 529, 200, 302, 99, 999)
every_wire = pytest.mark.parametrize("wire", WIRE_NAMES)


def seeds(wire, *, stream):
    """Recorded answers and errors of a readable size, and our own, which is there everywhere."""
    found = [body(item) for item in recorded(wire) if is_stream(item) == stream and len(body(item)) < 20_000]
    return [*found, (STREAMS if stream else WHOLE)[wire]]


def read_stream(wire, data):
    answer, reader = Answer(), WIRES[wire].reader(entry())
    for event, piece in events(data):
        if delta := reader.read(event, piece):
            answer.add(delta)
    return answer


def read_whole(wire, data):
    answer = Answer()
    answer.add(WIRES[wire].parse(entry(), data))
    return answer


def check_answer(answer, wire):
    """What callers rely on: text that can be written, tool calls of strings, counts that count."""
    answer.text.encode()
    answer.reasoning.encode()
    for call in answer.tool_calls:
        assert {type(value) for value in call.values()} == {str}
        "".join(call.values()).encode()
    cost = answer.usage.cost
    assert cost is None or (type(cost) is Decimal and cost.is_finite() and cost >= 0)
    for name in set(answer.usage.__slots__) - {"cost"}:
        count = getattr(answer.usage, name)
        assert count is None or (type(count) is int and 0 <= count < 2**62), name
    send_back(wire, answer.message(wire))


def send_back(wire, turn):
    """The next request of the conversation, to any API, with this answer in it."""
    assert turn["role"] == "assistant"
    for name in {wire, "openai_chat"}:
        with suppress(InvalidRequestError):
            WIRES[name].build(entry(wire=name), ROUTE, LLMRequest([HELLO, turn, HELLO]), stream=False)


def check_error(error):
    error_text = str(error) + repr(error) + repr(vars(error))
    error_text.encode()
    assert KEY not in error_text
    assert error.retry_after is None or 0 <= error.retry_after < float("inf")
    assert len(str(error)) < 2000


def one_round(wire, kind, data, mutator):
    """Read one mutated thing to its end."""
    try:
        if kind == "error":
            status = mutator.rng.choice(STATUSES)
            check_error(WIRES[wire].parse_error(entry(), status, mutator.headers(), mutator.body(data)))
        elif kind == "stream":
            check_answer(read_stream(wire, mutator.stream(data)), wire)
        else:
            check_answer(read_whole(wire, mutator.body(data)), wire)
    except ProviderError as error:
        check_error(error)


@pytest.mark.parametrize("kind", ["whole", "stream", "error"])
@every_wire
def test_mutated_answers_end_in_an_answer_or_in_a_documented_error(wire, kind):
    seen = seeds(wire, stream=kind == "stream")
    for number in range(ROUNDS):
        seed = f"{wire} {kind} {number}"
        mutator = Mutator(seed)
        began = time.process_time()
        try:
            one_round(wire, kind, mutator.rng.choice(seen), mutator)
        except Exception as error:
            error.add_note(f"Seed: {seed!r}")
            raise
        assert time.process_time() - began < SLOWEST, seed


def asked(wire, pieces, *, is_stream):
    """Ask a provider that answers with these pieces."""
    llm = entry(wire=wire, api_endpoint="https://acme.example/v1")
    kind = "text/event-stream" if is_stream else "application/json"
    provider = FakeProvider(RawReply(pieces, headers={"content-type": kind}))
    with SyncDynamicLLMClient(DictRegistry([llm]), transport=provider, retry=Retry(0)) as client:
        return list(client.stream("Hi", llm_id=7)) if is_stream else client.generate("Hi", llm_id=7)


@pytest.mark.parametrize("is_stream", [True, False])
@every_wire
def test_a_line_of_100_megabytes_is_given_up_early(wire, is_stream):
    began = time.process_time()
    tracemalloc.start()
    try:
        with pytest.raises(MalformedResponseError):
            asked(wire, [b"data: ", *[b"x" * MEGABYTE] * 100], is_stream=is_stream)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 150 * MEGABYTE
    assert time.process_time() - began < 5


def nested(depth):
    return b"[" * depth + b"]" * depth


WORST = {
    "nested lists": nested(1_000_000),
    "nested objects": b'{"error":' * 200_000 + b"1" + b"}" * 200_000,
    "nested as deep as can be read": nested(900),
    "an open list": b"[" * 3_000_000,
    "a huge number": b"9" * 3_000_000,
    "a huge exponent": b'{"usage": {"prompt_tokens": 1e999999999}}',
    "a long string": b'"' + b"x" * 5_000_000 + b'"',
    "a long word": json.dumps({"error": {"message": "a" * 3_000_000, "code": "b" * 3_000_000}}).encode(),
    "open tags": b"<" * 200_000,
    "open scripts": b"<script " * 30_000,
    "open tags with words": b"<a " * 80_000,
    "escapes": b'"' + b"\\ud83d" * 500_000 + b'"',
    "white space": b" " * 5_000_000,
    "digits to wait for": b"try again in " + b"1h" * 100_000,
}  # fmt: skip


@pytest.mark.parametrize("worst", WORST)
@every_wire
def test_the_worst_bodies_are_read_soon(wire, worst):
    data = WORST[worst]
    began = time.process_time()
    check_error(WIRES[wire].parse_error(entry(), 500, {}, data))
    for read, given in (
        (read_whole, data),
        (read_stream, b"data: " + data),
        (read_stream, b"event: error\ndata: " + data),
    ):
        try:
            check_answer(read(wire, given), wire)
        except ProviderError as error:
            check_error(error)
    assert time.process_time() - began < 4 * SLOWEST


@every_wire
def test_a_million_empty_events_are_read_in_linear_time(wire):
    spent = []
    for count in (20_000, 80_000):
        began = time.process_time()
        read_stream(wire, b": keep-alive\n\ndata:\n\n" * count)
        spent.append(time.process_time() - began)
    assert spent[1] < 12 * spent[0]


def test_an_answer_that_json_has_no_form_for_is_not_sent_back():
    reader = WIRES["openai_chat"].reader(entry())
    odd = b'{"choices": [{"delta": {"reasoning_details": [{"score": NaN}]}, "finish_reason": "stop"}]}'
    answer = Answer()
    answer.add(reader.read("message", odd))
    turns = [HELLO, answer.message("openai_chat"), HELLO]
    with pytest.raises(InvalidRequestError, match="no form"):
        WIRES["openai_chat"].build(entry(), ROUTE, LLMRequest(turns), stream=False)
