"""What every wire promises about every recorded stream: all wires, one contract."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from creative_services import DictRegistry, Retry, SyncDynamicLLMClient
from creative_services.core.errors import MalformedResponseError, ProviderError
from creative_services.core.providers import WIRE_NAMES
from creative_services.core.request import REPLAY_KEY, LLMRequest
from creative_services.core.wire.base import Route
from creative_services.testing import FakeProvider, RawReply

from .answers import KEY, WIRES, entry
from .put_together import whole_body
from .traffic import all_streams, body, needs_traffic, outcome

SSE = {"content-type": "text/event-stream"}
every_stream = pytest.mark.parametrize(("wire", "item"), all_streams())
every_whole_stream = pytest.mark.parametrize(
    ("wire", "item"), [case for case in all_streams() if whole_body(*case.values) is not None]
)
few = settings(max_examples=5, deadline=None, database=None, suppress_health_check=list(HealthCheck))
places = st.lists(st.floats(0, 1), min_size=1, max_size=20)


def at(data, places):
    """These places, given as shares of the data, as positions in order."""
    return sorted(int(place * len(data)) for place in places)


def asked(wire, *pieces, is_stream=True, key=KEY):
    """The whole response through a client, for a provider that answers with these bytes."""
    provider = FakeProvider(RawReply(pieces, headers=SSE if is_stream else {"content-type": "application/json"}))
    llm = entry(wire=wire, api_endpoint="https://acme.example/v1", api_key=key)
    try:
        with SyncDynamicLLMClient(DictRegistry([llm]), transport=provider, retry=Retry(0)) as client:
            if not is_stream:
                return client.generate("Hi", llm_id=llm.id)
            with client.stream("Hi", llm_id=llm.id) as chunks:
                for _ in chunks:
                    pass
                return chunks.response
    finally:
        assert provider.open_exchanges == 0


@needs_traffic
@every_whole_stream
def test_the_streamed_and_the_whole_reading_agree(wire, item):
    one, other = asked(wire, body(item)), asked(wire, whole_body(wire, item), is_stream=False)
    for field in ("text", "reasoning", "finish_reason", "usage", "response_id", "response_model"):
        assert getattr(one, field) == getattr(other, field), field
    assert meant(one.tool_calls) == meant(other.tool_calls)
    assert replayed(one) == replayed(other)


def meant(calls):
    """Calls without what is made up here or spelled differently: white space, and ids where the API has none."""
    return [(call["name"], json.loads(call["arguments"] or "{}")) for call in calls]


def replayed(answer):
    return answer.message.get(REPLAY_KEY)


@needs_traffic
@every_stream
@few
@given(places)
def test_cutting_the_bytes_anywhere_changes_nothing(wire, item, places):
    data = body(item)
    cuts = [0, *at(data, places), len(data)]
    assert outcome(wire, *(data[a:b] for a, b in pairwise(cuts))) == outcome(wire, data)


@needs_traffic
@every_stream
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_line_ends_change_nothing(wire, item, line_end):
    data = body(item)
    other = data.replace(b"\r\n", b"\n").replace(b"\n", line_end)
    assert outcome(wire, other) == outcome(wire, data)


@needs_traffic
@every_stream
def test_bytes_may_come_one_by_one(wire, item):
    data = body(item)[-6000:]  # the ends of streams are where they differ
    data = data[data.index(b"\n") + 1 :]
    assert outcome(wire, *(data[n : n + 1] for n in range(len(data)))) == outcome(wire, data)


# What says in each API that the answer is complete; an error, too, ends a stream.
ENDS = {
    "openai_chat": rb'"finish_reason" ?: ?"|\[DONE\]',
    "openai_responses": rb'"type" ?: ?"response\.(completed|incomplete|failed)"',
    "anthropic_messages": rb'"stop_reason" ?: ?"',
    "gemini": rb'"(finishReason|blockReason)"',
}


def finish(wire, data):
    """Where the first line begins that completes the answer; the end where none does."""
    mark = re.compile(rb"^data:.*(" + ENDS[wire] + rb"|\"error\" ?: ?[{\"]|\"type\" ?: ?\"error\")", re.MULTILINE)
    found = mark.search(data)
    return found.start() if found else len(data)


@needs_traffic
@every_stream
@few
@given(st.floats(0, 1))
def test_a_torn_stream_raises(wire, item, place):
    data = body(item)
    end = finish(wire, data)
    torn = data[: int(place * end)]
    with pytest.raises(MalformedResponseError) as caught:
        asked(wire, torn)
    assert KEY not in str(caught.value) + repr(caught.value)


LEGAL = [
    b": keep-alive\n\n", b":\n", b"\n", b"\n\n\n", b"retry: 3000\n\n", b"id: 17\n\n", b"unknown: field\n\n", b"junk\n",
    b"event: news\n\n", b"event: news\ndata: {\"type\": \"news\"}\n\n", b"data:\n\n", b"data: \n\n", b": \xff\xfe\n",
]  # fmt: skip
JUNK = [
    b"data: {broken\n\n", b"data: null\n\n", b"data: []\n\n", b"data: 5\n\n", b'data: "text"\n\n', b"data: NaN\n\n",
    b"data: {}\n\n", b"data: \xff\xfe\n\n", b"data: <html>502 Bad Gateway</html>\n\n", b"event: error\ndata: oops\n\n",
    b'data: {"error": "overloaded"}\n\n', b'data: {"error": {"message": {"deep": [1]}}}\n\n', b"error: {}\n\n",
    b'data: {"choices": [null], "candidates": [null], "type": [], "usage": 7, "usageMetadata": []}\n\n',
    b'data: {"choices": 7, "candidates": {}, "type": "content_block_delta", "delta": "x", "index": {}}\n\n',
    b'data: {"type": "response.output_text.delta", "delta": {"a": 1}, "output_index": []}\n\n',
]  # fmt: skip


def with_rubbish(data, places, rubbish):
    """The stream with rubbish between some of its events."""
    # Some recordings separate events by one CRLF pair, others by line feeds.
    ends = [0, *(match.end() for match in re.finditer(rb"\r?\n\r?\n", data))]
    for place, thing in sorted(zip(places, rubbish, strict=False), reverse=True):
        end = ends[int(place * (len(ends) - 1))]
        data = data[:end] + thing + data[end:]
    return data


@needs_traffic
@every_stream
@few
@given(places, st.lists(st.sampled_from(LEGAL), min_size=1, max_size=20))
def test_rubbish_that_is_legal_changes_nothing(wire, item, places, rubbish):
    data = body(item)
    assert outcome(wire, with_rubbish(data, places, rubbish)) == outcome(wire, data)


@needs_traffic
@every_stream
@few
@given(places, st.lists(st.sampled_from(JUNK), min_size=1, max_size=3))
def test_rubbish_that_is_not_ends_in_an_answer_or_in_a_documented_error(wire, item, places, rubbish):
    data = with_rubbish(body(item), places, rubbish)
    try:
        shown = repr(asked(wire, data))
    except ProviderError as error:
        shown = str(error) + repr(error) + repr(error.attempts)
    assert KEY not in shown


@pytest.mark.parametrize("wire", WIRE_NAMES)
def test_no_header_and_no_repr_shows_the_key(wire):
    llm, request = entry(wire=wire), LLMRequest(({"role": "user", "content": "Hi"},), max_tokens=5)
    route = Route("https://acme.example/v1", llm.api_key)
    built = WIRES[wire].build(llm, route, request, stream=True)
    assert KEY in "".join(built.headers.values())
    assert KEY not in built.url + built.body.decode()
    for shown in (built, built.headers, route, llm, request, WIRES[wire].reader(llm)):
        assert KEY not in repr(shown)


@pytest.mark.parametrize("key", [KEY, "correct-horse-battery-staple"])
@pytest.mark.parametrize("wire", WIRE_NAMES)
def test_a_provider_that_repeats_the_key_is_not_quoted(wire, key):
    said = json.dumps({"error": {"type": "authentication_error", "code": 401, "message": f"Wrong key: {key}"}})
    with pytest.raises(ProviderError) as caught:
        asked(wire, b"event: error\ndata: " + said.encode() + b"\n\n", key=key)
    error = caught.value
    assert "Wrong key" in error.provider_message
    assert key not in str(error) + repr(error) + repr(vars(error)) + repr(error.attempts)
