"""What only real servers show: when words arrive, and what becomes of the provider's call when a client leaves."""

import http.client
import json
import signal
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from creative_services.testing import Reply
from tests.api.asking import parse_events
from tests.api.servers import COMMANDS, serving
from tests.loopback import LoopbackProvider

PAUSE = 0.3
ASGI_SERVERS = ["uvicorn", "uvicorn-standard", "uvicorn-kept-threads"]
UNDER_ASGI = pytest.mark.parametrize("site", ASGI_SERVERS, indirect=True)
SLOW = Reply([f"word {number} " for number in range(6)], pause=PAUSE)
ENDLESS = Reply(["word "] * 1000, pause=PAUSE)
LONG = Reply("Late", delay=30)


class Site:
    """A server and the provider behind it, whose answer can be changed."""

    def __init__(self, kind):
        self.kind = kind
        self.answer = Reply("Hello")
        self.provider = LoopbackProvider(lambda received: self.answer)

    def abandons(self, count, within):
        until = time.monotonic() + within
        while self.provider.abandoned < count and time.monotonic() < until:
            time.sleep(0.01)
        return self.provider.abandoned >= count

    def booked(self, outcome="ok"):
        """How many answers have come to this by the ledger."""
        counting = "SELECT count(*) FROM creative_services_llmcall WHERE outcome = ?"
        with closing(sqlite3.connect(self.server.database)) as database:
            return database.execute(counting, [outcome]).fetchone()[0]

    def books(self, count, within):
        until = time.monotonic() + within
        while self.booked() < count and time.monotonic() < until:
            time.sleep(0.05)
        return self.booked() == count


@pytest.fixture(scope="module", params=COMMANDS)
def site(request, tmp_path_factory):
    site = Site(request.param)
    with site.provider, serving(site.kind, tmp_path_factory.mktemp(site.kind), site.provider.url) as site.server:
        yield site


def test_the_first_words_arrive_long_before_the_last(site):
    site.answer = SLOW
    began = time.monotonic()

    response = site.server.ask(stream=True)
    first = response.read1()
    until_first = time.monotonic() - began
    events = parse_events(first + response.read())

    assert response.status == 200
    assert until_first < 3 * PAUSE
    assert time.monotonic() - began >= 5 * PAUSE
    assert [name for name, data in events] == ["chunk"] * 6 + ["done"]


def test_a_client_that_leaves_a_stream_ends_the_providers_call(site):
    site.answer = ENDLESS
    before = site.provider.abandoned

    response = site.server.ask(stream=True)
    response.read1()
    response.close()

    # Under WSGI it shows when the next chunk, or the one after it, cannot be sent.
    assert site.abandons(before + 1, within=1 if site.kind.startswith("uvicorn") else 1 + 3 * PAUSE)


@UNDER_ASGI
def test_a_client_that_leaves_before_the_first_word_ends_the_providers_call(site):
    site.answer = LONG
    before, received = site.provider.abandoned, len(site.provider.requests)

    connection = site.server.connect(json.dumps({"prompt": "Hello", "tier": "local", "stream": True}))
    assert site.provider.has_received(received + 1)
    connection.close()

    assert site.abandons(before + 1, within=1)


def test_a_whole_answer_is_booked_as_it_ended_although_the_client_has_left(site):
    site.answer = Reply("Late", delay=0.5)
    before, received, booked = site.provider.abandoned, len(site.provider.requests), site.booked()

    connection = site.server.connect(json.dumps({"prompt": "Hello", "tier": "local"}))
    assert site.provider.has_received(received + 1)
    connection.close()

    assert site.books(booked + 1, within=10)
    assert site.provider.abandoned == before


@UNDER_ASGI
def test_calls_do_not_wait_for_each_other(site):
    site.answer = Reply("Hello", delay=0.7)
    began = time.monotonic()

    with ThreadPoolExecutor(8) as threads:
        responses = list(threads.map(lambda _: site.server.ask().read(), range(8)))

    assert all(json.loads(body)["text"] == "Hello" for body in responses)
    assert time.monotonic() - began < 2.8


@pytest.mark.parametrize("stream", [True, False])
def test_no_transaction_is_open_while_the_provider_talks(site, stream):
    writable = []

    def look(received):
        writable.append(site.server.is_writable())
        return Reply("Hello")

    site.answer = look
    response = site.server.ask(stream=stream)

    assert response.status == 200
    assert b"Hello" in response.read()
    assert writable == [True]


def test_a_body_without_a_length_is_read_or_refused_but_never_misread(site):
    site.answer = Reply("Hello")
    body = json.dumps({"prompt": "Hello", "tier": "local"}).encode()

    response = site.server.post(iter([body[:5], body[5:]]), encode_chunked=True)

    # Django reads no more than Content-Length says under WSGI.
    assert response.status == (200 if site.kind.startswith("uvicorn") else 400)
    response.read()


def test_an_empty_body_is_told_as_such(site):
    response = site.server.post(b"")

    assert response.status == 400
    assert "empty" in json.loads(response.read())["detail"]


def test_a_body_that_ends_too_early_harms_nobody(site):
    connection = http.client.HTTPConnection("127.0.0.1", site.server.port, timeout=20)
    connection.putrequest("POST", "/api/llm/generate/")
    connection.putheader("Content-Length", "1000")
    connection.putheader("Content-Type", "application/json")
    connection.endheaders(b"{")
    connection.close()

    site.answer = Reply("Hello")
    response = site.server.ask()
    assert response.status == 200
    response.read()


@pytest.mark.parametrize("kind", ASGI_SERVERS)
def test_a_server_that_is_ended_books_what_it_breaks_off(kind, tmp_path):
    site = Site(kind)
    site.answer = ENDLESS
    with site.provider, serving(kind, tmp_path, site.provider.url) as site.server:
        response = site.server.ask(stream=True)
        response.readline()
        site.server.process.send_signal(signal.SIGINT)
        site.server.process.wait(timeout=20)
        response.close()

        assert site.booked("cancelled") == 1
