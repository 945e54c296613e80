"""`POST generate/` with `"stream": true`: server-sent events, and plain errors until the first word."""

import gc
import weakref

import pytest
from django.test import Client
from rest_framework.test import APIRequestFactory, force_authenticate

from creative_services.api.views import GenerateView
from creative_services.core.errors import ProviderConnectionError
from creative_services.testing import Failure, RawReply, Reply
from tests.api.asking import GENERATE, parse_events

WORDS = ("Once", " upon", " a\u2028time", " 👋")


def test_words_come_as_chunks_and_the_whole_as_done(asker, provider, cheap):
    provider.answer_with(Reply(WORDS))

    told = asker.generate(prompt="Hello", stream=True)
    *chunks, (last, body) = told.events

    assert told.status == 200
    assert chunks == [("chunk", {"text": word}) for word in WORDS]
    assert last == "done"
    assert body["text"] == "".join(WORDS)
    assert body["llm"]["id"] == cheap.pk


def test_done_has_the_fields_of_a_whole_answer(asker, provider):
    provider.answer_with(Reply(WORDS))

    streamed = asker.generate(prompt="Hello", stream=True).events[-1][1]
    whole = asker.generate(prompt="Hello").json

    for differing in ("request_id", "latency_ms", "attempts"):
        assert streamed.pop(differing)
        assert whole.pop(differing)
    assert streamed == whole


def test_nothing_on_the_way_may_collect_the_events(asker):
    headers = asker.generate(prompt="Hello", stream=True).headers

    assert headers["Cache-Control"] == "no-cache"
    assert headers["X-Accel-Buffering"] == "no"


def test_djangos_own_compression_lets_the_events_pass_as_they_are(asker, provider, settings):
    settings.MIDDLEWARE = ["django.middleware.gzip.GZipMiddleware", *settings.MIDDLEWARE]
    provider.answer_with(Reply(WORDS * 100))

    told = asker.send('{"prompt": "Hello", "stream": true}', **{"Accept-Encoding": "gzip"})

    assert told.headers["Content-Encoding"] == "identity"
    assert len(told.events) == len(WORDS) * 100 + 1


@pytest.mark.parametrize("accept", ["text/event-stream", "application/json", "text/html", "image/png", "nonsense"])
@pytest.mark.parametrize("stream", [True, False])
def test_what_the_client_accepts_changes_nothing(asker, accept, stream):
    told = asker.send(f'{{"prompt": "Hello", "stream": {str(stream).lower()}}}', accept=accept)

    assert told.status == 200
    assert told.headers["Content-Type"] == ("text/event-stream" if stream else "application/json")


def test_an_error_before_the_first_word_is_a_plain_one(asker, provider, cheap):
    provider.answer_with(Failure(401))

    told = asker.generate(prompt="Hello", stream=True, llm_id=cheap.pk)

    assert (told.status, told.code) == (502, "provider_error")
    assert told.headers["Content-Type"] == "application/json"


def test_an_error_in_a_stream_that_has_brought_no_word_is_a_plain_one(asker, provider, cheap):
    provider.answer_with(Reply("", ending=ProviderConnectionError("Reset.")))

    told = asker.generate(prompt="Hello", stream=True, llm_id=cheap.pk)

    assert (told.status, told.code) == (502, "provider_error")


def test_an_error_after_the_first_word_is_the_last_event(asker, provider, cheap):
    provider.answer_with(Reply(WORDS, ending="cut"))

    told = asker.generate(prompt="Hello", stream=True, llm_id=cheap.pk)
    *chunks, (last, body) = told.events

    assert told.status == 200
    assert len(chunks) == len(WORDS)
    assert last == "error"
    assert set(body) == {"code", "detail"}
    assert body["code"] == "provider_error"


def test_a_broken_answer_begins_anew_where_the_client_says_so(asker, provider, cheap, dear):
    provider.answer_with({"cheap-1": Reply(WORDS, ending="cut"), "dear-1": Reply(["A", " whole"])})

    told = asker.generate(prompt="Hello", stream=True, on_interrupt="restart").events
    voided, (restart, *kept, (last, body)) = told[: len(WORDS)], told[len(WORDS) :]

    assert voided == [("chunk", {"text": word}) for word in WORDS]
    assert restart == ("restart", {})
    assert kept == [("chunk", {"text": "A"}), ("chunk", {"text": " whole"})]
    assert (last, body["text"]) == ("done", "A whole")
    assert [(attempt["llm_id"], attempt["outcome"]) for attempt in body["attempts"]] == [
        (cheap.pk, "error"),
        (dear.pk, "ok"),
    ]
    assert provider.open_exchanges == 0


@pytest.mark.parametrize("asked", [{}, {"on_interrupt": "error"}, {"on_interrupt": None}])
def test_a_broken_answer_is_an_error_where_the_client_says_nothing_else(asker, provider, asked):
    provider.answer_with({"cheap-1": Reply(WORDS, ending="cut"), "dear-1": "Whole"})

    names = [name for name, _ in asker.generate(prompt="Hello", stream=True, **asked).events]

    assert names == ["chunk"] * len(WORDS) + ["error"]
    assert provider.models == ["cheap-1"]


def test_there_is_no_restart_before_the_first_word(asker, provider):
    calls = [{"id": number, "name": "look", "arguments": "{}"} for number in "12"]
    provider.answer_with({"cheap-1": Reply("", tool_calls=calls, ending="cut"), "dear-1": "Whole"})

    told = asker.generate(prompt="Hello", stream=True, on_interrupt="restart").events

    assert [name for name, _ in told] == ["chunk", "done"]
    assert told[-1][1]["tool_calls"] == []


def test_an_error_after_a_restart_is_the_last_event(asker, provider):
    provider.answer_with({"cheap-1": Reply(WORDS, ending="cut"), "dear-1": Failure(401)})

    names = [name for name, _ in asker.generate(prompt="Hello", stream=True, on_interrupt="restart").events]

    assert names == ["chunk"] * len(WORDS) + ["restart", "error"]


def said(*words):
    return b"".join(b'data: {"choices": [{"delta": {"content": "%s"}}]}\n\n' % word.encode() for word in words)


PING = b": ping\n\n"
IN_FOUR_READS = RawReply(
    [said("One", " two"), PING + said(" three"), PING, said(" four", " five") + b"data: {no JSON\n\n"],
    headers={"content-type": "text/event-stream"},
)


def test_words_that_came_together_are_sent_together_and_wait_for_no_others(caller, provider):
    provider.answer_with(IN_FOUR_READS)
    client = Client()
    client.force_login(caller)

    response = client.post(GENERATE, {"prompt": "Hello", "stream": True}, "application/json")
    sent = [[data.get("text") for _, data in parse_events(piece)] for piece in response.streaming_content if piece]

    assert sent == [["One", " two"], [" three"], [" four", " five"], [None]]


def test_words_that_came_together_with_rubbish_are_not_lost(asker, provider):
    provider.answer_with(IN_FOUR_READS)

    *chunks, (last, body) = asker.generate(prompt="Hello", stream=True).events

    assert [data["text"] for _, data in chunks] == ["One", " two", " three", " four", " five"]
    assert (last, body["code"]) == ("error", "provider_error")


def test_an_answer_without_words_is_done_at_once(asker, provider):
    call = {"id": "1", "name": "look", "arguments": "{}"}
    provider.answer_with(Reply("", tool_calls=[call]))

    (event,) = asker.generate(prompt="Hello", stream=True).events

    assert event[0] == "done"
    assert event[1]["tool_calls"] == [call]


def test_nothing_is_left_open_after_a_stream(asker, provider, cheap):
    provider.answer_with([Reply(WORDS), Reply(WORDS, ending="cut"), Failure(401)])

    for _step in range(3):
        asker.generate(prompt="Hello", stream=True, llm_id=cheap.pk)

    assert len(provider.requests) == 3
    assert provider.open_exchanges == 0


def test_reasoning_comes_beside_the_text(asker, provider):
    provider.answer_with(Reply("Hi", reasoning="They greet me."))

    chunks = [data for name, data in asker.generate(prompt="Hello", stream=True).events if name == "chunk"]

    assert "".join(chunk.get("reasoning", "") for chunk in chunks) == "They greet me."
    assert "".join(chunk["text"] for chunk in chunks) == "Hi"


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("provider", "no_collector")
@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_that_is_sent_is_not_left_to_the_garbage_collector(caller, stream):
    request = APIRequestFactory().post(GENERATE, {"prompt": "Hello", "stream": stream}, format="json")
    force_authenticate(request, caller)
    response = GenerateView.as_view()(request)
    sent = b"".join(response)

    gone = [weakref.ref(response), weakref.ref(request)]
    del response, request

    assert sent
    assert [one() for one in gone] == [None, None]


@pytest.mark.parametrize("stream", [True, False])
def test_a_bug_is_left_to_django_and_not_dressed_up_as_an_answer(asker, provider, stream):
    provider.answer_with(step_with_a_bug)

    with pytest.raises(ZeroDivisionError):
        asker.generate(prompt="Hello", stream=stream)


def step_with_a_bug(received):
    raise ZeroDivisionError
