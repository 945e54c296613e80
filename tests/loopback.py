"""A provider on loopback: a small threaded HTTP/1.1 server that answers from a script, as FakeProvider does.

What FakeProvider can answer goes out as a well-behaved server would send it: whole answers with a Content-Length,
streams in chunks, connections kept alive. What no such server sends is written as `OnTheWire`.
"""

from __future__ import annotations

import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import repeat
from typing import Any, Literal, Self

from creative_services.core.errors import ProviderConnectionError, ProviderError, ProviderTimeoutError
from creative_services.core.http import Exchange, HttpRequest
from creative_services.testing import Failure, FakeProvider, RawReply, ReceivedRequest, Reply

SLICE = 0.02  # seconds between two looks at whether the client has gone or the server is to stop


@dataclass(frozen=True)
class OnTheWire:
    """Exact bytes of a response, head included, with `pause` seconds between the pieces; then what the server does.

    "keep" waits for the next request, "close" ends the connection, "reset" aborts it, "silence" leaves it hanging.
    """

    pieces: Sequence[bytes] = ()
    ending: Literal["keep", "close", "reset", "silence"] = "close"
    pause: float = 0.0


Step = str | Reply | Failure | RawReply | OnTheWire | ProviderError | Callable[[ReceivedRequest], Any]


class LoopbackProvider:
    """Serves a script while its `with` block runs. One step answers every request, several answer one each.

    `connections` counts those ever accepted, `open_connections` those still there, `abandoned` the answers whose
    client went away before their end. An error raised for an answer resets the connection. Leaving the block raises
    AssertionError if a request came that the script does not cover.
    """

    def __init__(self, script: Step | Iterable[Step] = "Hello", *, tls: ssl.SSLContext | None = None) -> None:
        self.steps = _steps(script)
        self.tls = tls
        self.requests: list[ReceivedRequest] = []
        self.connections = 0
        self.abandoned = 0
        self.uncovered = 0
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.sockets: set[socket.socket] = set()
        self._server = _Server(("127.0.0.1", 0), _Connection)
        self._server.provider = self
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": SLICE})

    @property
    def url(self) -> str:
        """The base URL of its chat completions."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/v1"

    @property
    def open_connections(self) -> int:
        with self.lock:
            return len(self.sockets)

    def has_closed(self, *, left: int = 0, within: float = 5.0) -> bool:
        """Whether no more than `left` connections remain, at the latest after `within` seconds."""
        return _soon(lambda: self.open_connections <= left, within)

    def has_received(self, count: int, *, within: float = 5.0) -> bool:
        """Whether `count` requests have come, at the latest after `within` seconds."""
        return _soon(lambda: len(self.requests) >= count, within)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        with self.lock:
            for connection in self.sockets:
                _end(connection)
        self._server.server_close()
        if self.uncovered and exc[0] is None:
            msg = f"{self.uncovered} of {len(self.requests)} requests came that the script does not cover."
            raise AssertionError(msg)


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128
    provider: LoopbackProvider

    def handle_error(self, *_: object) -> None:
        """Clients that go away are part of the tests."""


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        self.provider = self.server.provider
        if self.provider.tls:
            self.request = self.provider.tls.wrap_socket(self.request, server_side=True, do_handshake_on_connect=False)
        with self.provider.lock:
            self.provider.connections += 1
            self.provider.sockets.add(self.request)
        super().setup()

    def handle(self) -> None:
        if self.provider.tls:
            self.request.do_handshake()
        super().handle()

    def finish(self) -> None:
        super().finish()
        self.request.close()
        with self.provider.lock:
            self.provider.sockets.discard(self.request)

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", 0))
        request = HttpRequest("POST", self._full_url(), self._sent_headers(), self.rfile.read(length))
        received = ReceivedRequest.of(request)
        with self.provider.lock:
            self.provider.requests.append(received)
            step = next(self.provider.steps, None)
            self.provider.uncovered += step is None
        while callable(step):
            step = step(received)
        try:
            self._answer(step, request)
        except (BrokenPipeError, ConnectionResetError, _ClientGoneError):
            with self.provider.lock:
                self.provider.abandoned += 1
            self.close_connection = True
        except ProviderConnectionError:
            self._reset()

    def _full_url(self) -> str:
        return self.path if "://" in self.path else self.provider.url.removesuffix("/v1") + self.path

    def _sent_headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def _answer(self, step: Any, request: HttpRequest) -> None:
        if step is None:
            self._reset()
        elif isinstance(step, OnTheWire):
            self._write_exactly(step)
        else:
            self._write_answer(FakeProvider(step).open(request), is_cut=getattr(step, "ending", None) == "cut")

    def _write_exactly(self, step: OnTheWire) -> None:
        for index, piece in enumerate(step.pieces):
            if index:
                self._wait(step.pause)
            self.wfile.write(piece)
        if step.ending == "silence":
            self._wait(float("inf"))
        if step.ending == "reset":
            self._reset()
        self.close_connection = step.ending != "keep"

    def _write_answer(self, exchange: Exchange, *, is_cut: bool) -> None:
        self._patiently(exchange.begin)
        streams = exchange.headers.get("content-type") == "text/event-stream"
        self.send_response(exchange.status)
        for name, value in exchange.headers.items():
            self.send_header(name, value)
        if streams:
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            while piece := self._patiently(exchange.read):
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            if not is_cut:
                self.wfile.write(b"0\r\n\r\n")
        else:
            body = b"".join(iter(lambda: self._patiently(exchange.read), b""))
            self.send_header("content-length", str(len(body) + is_cut))
            self.end_headers()
            self.wfile.write(body)
        exchange.close()
        self.close_connection = self.close_connection or is_cut

    def _patiently(self, step: Callable[[float], Any]) -> Any:
        while True:
            try:
                return step(time.monotonic() + SLICE)
            except ProviderTimeoutError:
                self._check_client()

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, SLICE))
            self._check_client()

    def _check_client(self) -> None:
        if self.provider.stopping.is_set():
            raise _ClientGoneError
        if self.provider.tls or not select.select([self.request], [], [], 0)[0]:
            return
        if not self.request.recv(1, socket.MSG_PEEK):
            raise _ClientGoneError

    def _reset(self) -> None:
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Tests read what they need from the provider."""


class _ClientGoneError(Exception):
    pass


def _steps(script: Step | Iterable[Step]) -> Iterator[Any]:
    if isinstance(script, str | Reply | Failure | RawReply | OnTheWire | ProviderError) or callable(script):
        return repeat(script)
    return iter(script)


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _soon(holds: Callable[[], bool], within: float) -> bool:
    until = time.monotonic() + within
    while not holds():
        if time.monotonic() >= until:
            return False
        time.sleep(SLICE / 4)
    return True
