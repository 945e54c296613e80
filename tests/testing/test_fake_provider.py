import asyncio
import json
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from creative_services.core.errors import ProviderConnectionError, ProviderTimeoutError
from creative_services.core.http import AsyncExchange, Exchange, HttpRequest, Transport
from creative_services.core.secret import Secret
from creative_services.core.types import Usage
from creative_services.testing import Failure, FakeProvider, RawReply, Reply

CHAT = "https://api.example.com/v1/chat/completions"
MESSAGES = "https://api.example.com/v1/messages"
CALL = {"id": "call_1", "name": "weather", "arguments": '{"city":"Köln"}'}


def ask(url: str = CHAT, **body: Any) -> HttpRequest:
    body = {"model": "m-1", "messages": [{"role": "user", "content": "Hi"}]} | body
    headers = {"authorization": Secret("Bearer sk-very-secret")}
    return HttpRequest("POST", url, headers, json.dumps(body).encode())


def read_sync(provider: Transport, request: HttpRequest, until: float) -> tuple[Exchange, list[bytes]]:
    exchange = provider.open(request)
    try:
        exchange.begin(until)
        return exchange, list(iter(lambda: exchange.read(until), b""))
    finally:
        exchange.close()


def read_async(provider: Transport, request: HttpRequest, until: float) -> tuple[AsyncExchange, list[bytes]]:
    async def read() -> tuple[AsyncExchange, list[bytes]]:
        exchange = await provider.aopen(request)
        try:
            await exchange.begin(until)
            pieces = []
            while piece := await exchange.read(until):
                pieces.append(piece)
            return exchange, pieces
        finally:
            await exchange.aclose()

    return asyncio.run(read())


Run = Callable[..., tuple[int, dict[str, str], list[bytes]]]


@pytest.fixture(params=[read_sync, read_async], ids=["sync", "async"])
def run(request: pytest.FixtureRequest) -> Run:
    def run(
        provider: Transport, asked: HttpRequest, until: float = math.inf
    ) -> tuple[int, dict[str, str], list[bytes]]:
        exchange, pieces = request.param(provider, asked, until)
        return exchange.status, exchange.headers, pieces

    return run


def data_of(pieces: list[bytes]) -> list[Any]:
    lines = b"".join(pieces).split(b"\n")
    return [json.loads(line[6:]) for line in lines if line.startswith(b"data: {")]


def test_a_text_answers_every_request_alike(run: Run) -> None:
    provider = FakeProvider("Hello")

    answers = [json.loads(b"".join(run(provider, ask())[2])) for _ in range(2)]

    assert [answer["choices"][0]["message"]["content"] for answer in answers] == ["Hello", "Hello"]
    assert answers[0]["id"] != answers[1]["id"]


def test_a_chat_answer_is_spelled_as_openai_spells_it(run: Run) -> None:
    usage = Usage(input_tokens=9, output_tokens=4, cache_read_tokens=2, reasoning_tokens=1)
    provider = FakeProvider(Reply("Hello", reasoning="Hm", tool_calls=[CALL], usage=usage))

    status, headers, pieces = run(provider, ask())

    answer = json.loads(b"".join(pieces))
    assert (status, headers["content-type"], headers["x-request-id"]) == (200, "application/json", "fake-1")
    assert answer["model"] == "m-1"
    assert answer["choices"][0]["finish_reason"] == "tool_calls"
    message = answer["choices"][0]["message"]
    assert (message["content"], message["reasoning_content"]) == ("Hello", "Hm")
    function = {"name": "weather", "arguments": '{"city":"Köln"}'}
    assert message["tool_calls"] == [{"id": "call_1", "type": "function", "function": function}]
    assert answer["usage"] == {
        "prompt_tokens": 9,
        "completion_tokens": 4,
        "prompt_tokens_details": {"cached_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 1},
    }


def test_a_messages_answer_is_spelled_as_anthropic_spells_it(run: Run) -> None:
    usage = Usage(input_tokens=9, output_tokens=4, cache_read_tokens=2, cache_write_tokens=3)
    provider = FakeProvider(Reply("Hello", reasoning="Hm", tool_calls=[CALL], usage=usage))

    _, headers, pieces = run(provider, ask(MESSAGES))

    answer = json.loads(b"".join(pieces))
    assert headers["request-id"] == "fake-1"
    assert [block["type"] for block in answer["content"]] == ["thinking", "text", "tool_use"]
    assert answer["content"][2]["input"] == {"city": "Köln"}
    assert answer["stop_reason"] == "tool_use"
    assert answer["usage"] == {
        "input_tokens": 4,
        "cache_read_input_tokens": 2,
        "cache_creation_input_tokens": 3,
        "output_tokens": 4,
    }


def test_a_chat_stream_comes_in_its_pieces_and_ends_with_done(run: Run) -> None:
    provider = FakeProvider(Reply(["Hel", "lo"], reasoning="Hm", finish_reason="length"))

    _, headers, pieces = run(provider, ask(stream=True, stream_options={"include_usage": True}))

    events = data_of(pieces)
    deltas = [event["choices"][0]["delta"] for event in events[:-1]]
    assert headers["content-type"] == "text/event-stream"
    assert [delta.get("content") for delta in deltas] == ["", None, "Hel", "lo", None]
    assert deltas[1] == {"reasoning_content": "Hm"}
    assert events[-2]["choices"][0]["finish_reason"] == "length"
    assert (events[-1]["choices"], events[-1]["usage"]) == ([], {"prompt_tokens": 3, "completion_tokens": 5})
    assert pieces[-1] == b"data: [DONE]\n\n"


def test_a_chat_stream_reports_usage_only_when_asked(run: Run) -> None:
    _, _, pieces = run(FakeProvider("Hello"), ask(stream=True))

    assert not any("usage" in event for event in data_of(pieces))


def test_streamed_chat_tool_calls_come_in_fragments_that_make_the_whole(run: Run) -> None:
    _, _, pieces = run(FakeProvider(Reply(tool_calls=[CALL])), ask(stream=True))

    calls = [call for event in data_of(pieces) for call in event["choices"][0]["delta"].get("tool_calls", ())]
    assert (calls[0]["id"], calls[0]["function"]["name"]) == ("call_1", "weather")
    assert "".join(call["function"]["arguments"] for call in calls) == CALL["arguments"]
    assert {call["index"] for call in calls} == {0}


@pytest.mark.parametrize(
    ("reasoning", "blocks"), [("", ["text", "tool_use"]), ("Hm", ["thinking", "text", "tool_use"])]
)
def test_a_messages_stream_is_a_row_of_blocks(run: Run, reasoning: str, blocks: list[str]) -> None:
    provider = FakeProvider(Reply(["Hel", "lo"], reasoning=reasoning, tool_calls=[CALL]))

    _, _, pieces = run(provider, ask(MESSAGES, stream=True))

    events = data_of(pieces)
    starts = [event for event in events if event["type"] == "content_block_start"]
    texts = [event["delta"]["text"] for event in events if event.get("delta", {}).get("type") == "text_delta"]
    assert [start["content_block"]["type"] for start in starts] == blocks
    assert [start["index"] for start in starts] == list(range(len(blocks)))
    assert texts == ["Hel", "lo"]
    assert events[0]["message"]["usage"]["input_tokens"] == 3
    assert (events[-2]["delta"]["stop_reason"], events[-2]["usage"]["output_tokens"]) == ("tool_use", 5)
    assert events[-1] == {"type": "message_stop"}


@pytest.mark.parametrize("url", [CHAT, MESSAGES])
@pytest.mark.parametrize("stream", [False, True])
def test_usage_of_none_is_not_reported(run: Run, url: str, stream: bool) -> None:
    provider = FakeProvider(Reply("Hello", usage=None))

    _, _, pieces = run(provider, ask(url, stream=stream, stream_options={"include_usage": True}))

    assert b"_tokens" not in b"".join(pieces)


@pytest.mark.parametrize("url", [CHAT, MESSAGES])
def test_counts_that_are_unknown_are_left_out(run: Run, url: str) -> None:
    _, _, pieces = run(FakeProvider(Reply("Hello", usage=Usage())), ask(url))

    assert b"_tokens" not in b"".join(pieces)


def test_a_failure_is_an_error_answer_even_to_a_stream(run: Run) -> None:
    provider = FakeProvider(Failure(429, "Slow down.", headers={"Retry-After": "2"}))

    status, headers, pieces = run(provider, ask(stream=True))

    assert (status, headers["retry-after"], headers["content-type"]) == (429, "2", "application/json")
    error = json.loads(b"".join(pieces))["error"]
    assert (error["message"], error["code"]) == ("Slow down.", "rate_limit_exceeded")


@pytest.mark.parametrize(("status", "kind"), [(529, "overloaded_error"), (500, "api_error")])
def test_a_failure_of_anthropic_names_its_type(run: Run, status: int, kind: str) -> None:
    _, _, pieces = run(FakeProvider(Failure(status)), ask(MESSAGES))

    assert json.loads(b"".join(pieces))["error"]["type"] == kind


def test_the_body_of_a_failure_can_be_anything(run: Run) -> None:
    status, _, pieces = run(FakeProvider(Failure(502, body=b"<html>")), ask())

    assert (status, pieces) == (502, [b"<html>"])


def test_an_error_is_raised_instead_of_an_answer(run: Run) -> None:
    error = ProviderConnectionError("Connection refused.")
    provider = FakeProvider([error, "Hello"])

    with pytest.raises(ProviderConnectionError, match="Connection refused") as caught:
        run(provider, ask())

    assert caught.value is not error
    assert run(provider, ask())[0] == 200
    assert provider.open_exchanges == 0


def test_raw_replies_go_out_byte_for_byte(run: Run) -> None:
    provider = FakeProvider(RawReply([b"\xff", b"", b"{"], status=201, headers={"X-Odd": "yes"}))

    assert run(provider, ask("https://api.example.com/else")) == (201, {"x-odd": "yes"}, [b"\xff", b"{"])


def test_an_address_of_no_known_api_is_a_mistake_of_the_test(run: Run) -> None:
    with pytest.raises(AssertionError, match="does not speak the API at"):
        run(FakeProvider("Hello"), ask("https://api.example.com/else"))


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_is_cut_lacks_its_end(run: Run, stream: bool) -> None:
    whole = b"".join(run(FakeProvider("Hello"), ask(stream=stream))[2])

    cut = b"".join(run(FakeProvider(Reply("Hello", ending="cut")), ask(stream=stream))[2])

    assert cut
    assert whole.startswith(cut)
    assert len(cut) < len(whole)


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_can_break_with_an_error_while_it_is_read(run: Run, stream: bool) -> None:
    provider = FakeProvider(Reply("Hello", ending=ProviderConnectionError("Connection reset.")))

    with pytest.raises(ProviderConnectionError, match="reset"):
        run(provider, ask(stream=stream))

    assert provider.open_exchanges == 0


@pytest.mark.parametrize(("url", "event"), [(CHAT, b'data: {"error"'), (MESSAGES, b"event: error\n")])
def test_a_stream_can_end_in_a_reported_failure(run: Run, url: str, event: bytes) -> None:
    provider = FakeProvider(Reply("Hello", ending=Failure(529, "Overloaded.")))

    status, _, pieces = run(provider, ask(url, stream=True))

    assert status == 200
    assert pieces[-1].startswith(event)


def test_a_whole_answer_with_a_failure_at_its_end_is_that_failure(run: Run) -> None:
    status, _, _ = run(FakeProvider(Reply("Hello", ending=Failure(529))), ask())

    assert status == 529


def test_a_script_answers_in_order_and_then_says_that_it_is_empty(run: Run) -> None:
    provider = FakeProvider(["one", Failure(503)])

    statuses = [run(provider, ask())[0] for _ in range(2)]

    assert statuses == [200, 503]
    with pytest.raises(AssertionError, match=r"no answer left for request 3.*Script one more") as caught:
        run(provider, ask())
    assert "sk-very-secret" not in str(caught.value)


def test_each_model_has_its_own_script(run: Run) -> None:
    provider = FakeProvider({"m-1": [Failure(503), "one"], "m-2": "two"})

    statuses = [run(provider, ask(model=model))[0] for model in ("m-1", "m-2", "m-1", "m-2")]

    assert statuses == [503, 200, 200, 200]
    assert provider.models == ["m-1", "m-2", "m-1", "m-2"]
    with pytest.raises(AssertionError, match="asked for model 'm-3', but its script has only: 'm-1', 'm-2'"):
        run(provider, ask(model="m-3"))


def test_a_function_answers_from_what_was_asked(run: Run) -> None:
    provider = FakeProvider(lambda request: Reply(request.prompt.upper()))

    _, _, pieces = run(provider, ask())

    assert json.loads(b"".join(pieces))["choices"][0]["message"]["content"] == "HI"


def test_a_new_script_replaces_the_old_one(run: Run) -> None:
    provider = FakeProvider("Hello")

    provider.answer_with(Failure(503))

    assert run(provider, ask())[0] == 503


def test_requests_are_remembered_with_their_keys_masked(run: Run) -> None:
    provider = FakeProvider()
    parts = [{"type": "text", "text": "Look: "}, {"type": "image_url"}, {"type": "text", "text": "here"}]

    run(provider, ask(messages=[{"role": "user", "content": parts}], stream=True))
    run(provider, ask(messages=[]))

    first = provider.requests[0]
    assert (first.method, first.url, first.model, first.is_stream) == ("POST", CHAT, "m-1", True)
    assert first.headers["authorization"] == "Bearer sk-very-secret"
    assert "sk-very-secret" not in repr(provider.requests)
    assert provider.prompts == ["Look: here", ""]
    assert repr(provider) == "<FakeProvider: 2 received, 0 open>"


def test_a_delay_beyond_the_deadline_times_out_at_the_deadline(run: Run) -> None:
    provider = FakeProvider(Reply("Hello", delay=60))
    begun = time.monotonic()

    with pytest.raises(ProviderTimeoutError):
        run(provider, ask(), begun + 0.05)

    assert 0.05 <= time.monotonic() - begun < 5
    assert provider.open_exchanges == 0


def test_a_delay_within_the_deadline_is_waited_for(run: Run) -> None:
    begun = time.monotonic()

    status, _, _ = run(FakeProvider(Failure(503, delay=0.05)), ask(), begun + 60)

    assert status == 503
    assert time.monotonic() - begun >= 0.05


def test_a_pause_in_a_stream_times_out_when_nobody_waits_that_long(run: Run) -> None:
    provider = FakeProvider(Reply(["Hel", "lo"], pause=60))

    with pytest.raises(ProviderTimeoutError, match="silent for too long"):
        run(provider, ask(stream=True), time.monotonic() + 0.05)

    assert provider.open_exchanges == 0


def test_a_wait_goes_on_where_it_was_given_up() -> None:
    exchange = FakeProvider(RawReply([b"a", b"b"], delay=0.1, pause=0.1)).open(ask())
    with pytest.raises(ProviderTimeoutError):
        exchange.begin(time.monotonic() + 0.01)
    exchange.begin(math.inf)
    assert exchange.read(math.inf) == b"a"

    with pytest.raises(ProviderTimeoutError):
        exchange.read(time.monotonic() + 0.01)

    assert exchange.read(math.inf) == b"b"
    assert exchange.read(math.inf) == b""
    exchange.close()


def test_open_exchanges_are_counted_until_they_are_closed() -> None:
    provider = FakeProvider("Hello")
    first, second = provider.open(ask()), provider.open(ask())
    assert provider.open_exchanges == 2

    first.close()
    first.close()

    assert provider.open_exchanges == 1
    with pytest.raises(AssertionError, match="closed exchange"):
        first.read(math.inf)
    second.close()
    assert provider.open_exchanges == 0


def test_a_cancelled_request_leaves_nothing_open() -> None:
    provider = FakeProvider(Reply("Hello", delay=60))

    async def give_up() -> None:
        async with asyncio.timeout(0.02):
            exchange = await provider.aopen(ask())
            try:
                await exchange.begin(math.inf)
            finally:
                await exchange.aclose()

    with pytest.raises(TimeoutError):
        asyncio.run(give_up())

    assert provider.open_exchanges == 0


def test_closing_is_remembered() -> None:
    first, second = FakeProvider(), FakeProvider()

    first.close()
    asyncio.run(second.aclose())

    assert first.closed
    assert second.closed


def test_threads_share_a_script_without_losing_an_answer() -> None:
    texts = [f"answer {number}" for number in range(200)]
    provider = FakeProvider(texts)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: read_sync(provider, ask(), math.inf)[1], texts))

    got = [json.loads(b"".join(pieces))["choices"][0]["message"]["content"] for pieces in answers]
    assert sorted(got) == sorted(texts)
    assert len(provider.requests) == 200
    assert provider.open_exchanges == 0
