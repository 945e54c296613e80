import http.client
import json
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import trustme

from creative_services.core.errors import ProviderConnectionError
from creative_services.testing import Failure, HalfOpen, LoopbackProvider, OnTheWire, RawReply, Reply


@contextmanager
def connect(provider: LoopbackProvider, *, tls: ssl.SSLContext | None = None) -> Iterator[http.client.HTTPConnection]:
    if tls:
        connection: Any = http.client.HTTPSConnection("127.0.0.1", provider.port, timeout=10, context=tls)
    else:
        connection = http.client.HTTPConnection("127.0.0.1", provider.port, timeout=10)
    try:
        yield connection
    finally:
        connection.close()


def ask(connection: http.client.HTTPConnection, **body: Any) -> http.client.HTTPResponse:
    body = {"model": "m-1", "messages": [{"role": "user", "content": "Hi"}]} | body
    connection.request("POST", "/v1/chat/completions", json.dumps(body), {"X-Key": "k"})
    return connection.getresponse()


def test_whole_answers_come_over_one_kept_connection() -> None:
    with LoopbackProvider(["one", Failure(503, headers={"Retry-After": "1"})]) as provider, connect(provider) as line:
        answer = json.loads(ask(line).read())
        failure = ask(line)
        failure.read()

    assert answer["choices"][0]["message"]["content"] == "one"
    assert (failure.status, failure.headers["retry-after"]) == (503, "1")
    assert (provider.connections, len(provider.requests)) == (1, 2)
    assert (provider.requests[0].prompt, provider.requests[0].headers["x-key"]) == ("Hi", "k")


def test_streams_come_in_chunks_as_they_are_made() -> None:
    with LoopbackProvider(Reply(["Hel", "lo"], pause=0.1)) as provider, connect(provider) as line:
        response = ask(line, stream=True)
        begun = time.monotonic()
        body = response.read()
        ask(line, stream=True).read()

    assert response.headers["transfer-encoding"] == "chunked"
    assert time.monotonic() - begun >= 0.1
    assert body.endswith(b"data: [DONE]\n\n")
    assert provider.connections == 1


@pytest.mark.parametrize("stream", [False, True])
def test_a_cut_answer_is_not_a_complete_http_body(stream: bool) -> None:
    with LoopbackProvider(Reply("Hello", ending="cut")) as provider, connect(provider) as line:
        response = ask(line, stream=stream)
        with pytest.raises(http.client.IncompleteRead):
            response.read()


@pytest.mark.parametrize("step", [ProviderConnectionError("no"), OnTheWire(ending="reset")])
def test_an_error_and_a_reset_abort_the_connection(step: Any) -> None:
    with LoopbackProvider([step]) as provider, connect(provider) as line, pytest.raises(ConnectionResetError):
        ask(line)


def test_a_stream_can_be_reset_after_its_first_words() -> None:
    reply = Reply("Hello", ending=ProviderConnectionError("no"))
    with LoopbackProvider(reply) as provider, connect(provider) as line, pytest.raises(ConnectionResetError):
        ask(line, stream=True).read()


def test_exact_bytes_go_out_as_they_are() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
    script = [OnTheWire([head, b"{}"], "keep", pause=0.05), OnTheWire([head + b"[]"])]
    with LoopbackProvider(script) as provider, connect(provider) as line:
        bodies = [ask(line).read(), ask(line).read()]

    assert bodies == [b"{}", b"[]"]
    assert provider.connections == 1


def test_an_answer_reset_midway_is_not_a_complete_http_body() -> None:
    reply = Reply("Hello", ending=ProviderConnectionError("no"))
    with LoopbackProvider(reply) as provider, connect(provider) as line, pytest.raises(ConnectionResetError):
        ask(line).read()


def test_pauses_within_a_whole_answer_are_kept() -> None:
    with LoopbackProvider(RawReply([b"{", b"}"], pause=0.1)) as provider, connect(provider) as line:
        response = ask(line)
        begun = time.monotonic()

        assert (response.headers["content-length"], response.read()) == ("2", b"{}")
        assert time.monotonic() - begun >= 0.05


def test_a_half_open_connection_is_accepted_and_nothing_else() -> None:
    with LoopbackProvider([HalfOpen(), "Hello", HalfOpen()]) as provider:
        with connect(provider) as deaf, connect(provider) as line:
            deaf.timeout = 0.2
            with pytest.raises(TimeoutError):
                ask(deaf)
            assert json.loads(ask(line).read())["choices"]
            line.sock.settimeout(0.2)
            with pytest.raises(TimeoutError):
                ask(line)

        assert provider.has_closed()
        assert (provider.connections, len(provider.requests), provider.abandoned) == (2, 2, 2)


def test_a_get_is_answered_too() -> None:
    with LoopbackProvider(RawReply([b"[]"])) as provider, connect(provider) as line:
        line.request("GET", "/v1/models")
        assert line.getresponse().read() == b"[]"

    assert provider.requests[0].method == "GET"


@pytest.mark.parametrize("step", [OnTheWire(ending="silence"), Reply("Hello", delay=60)])
def test_silence_lasts_until_the_client_goes_away(step: Any) -> None:
    with LoopbackProvider(step) as provider:
        with connect(provider) as line:
            line.timeout = 0.1
            with pytest.raises(TimeoutError):
                ask(line)
            assert provider.open_connections == 1

        assert provider.has_closed()
        assert provider.abandoned == 1


def test_leaving_the_block_ends_silent_answers() -> None:
    begun = time.monotonic()
    with (
        LoopbackProvider(OnTheWire(ending="silence")) as provider,
        socket.create_connection(("127.0.0.1", provider.port)) as line,
    ):
        line.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
        assert provider.has_received(1)
        assert not provider.has_closed(within=0.05)

    assert time.monotonic() - begun < 5
    assert provider.open_connections == 0


def test_a_request_beyond_the_script_fails_the_test() -> None:
    with (
        pytest.raises(AssertionError, match="1 of 1 requests came that the script does not cover"),
        LoopbackProvider([]) as provider,
        connect(provider) as line,
        pytest.raises(ConnectionResetError),
    ):
        ask(line)


def test_answers_depend_on_the_request_where_a_function_says_so() -> None:
    with LoopbackProvider(lambda request: request.model) as provider, connect(provider) as line:
        answer = json.loads(ask(line, model="m-9").read())

    assert answer["choices"][0]["message"]["content"] == "m-9"


def test_it_speaks_tls() -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    with LoopbackProvider("Hello", tls=context) as provider:
        with connect(provider, tls=trusting) as line:
            status = ask(line).status
        with pytest.raises(ssl.SSLCertVerificationError), connect(provider, tls=ssl.create_default_context()) as line:
            ask(line)

    assert provider.url.startswith("https://")
    assert status == 200
