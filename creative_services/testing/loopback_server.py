"""The server behind LoopbackProvider: connections that answer as its script says."""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import repeat
from typing import TYPE_CHECKING

from creative_services.core.errors import ProviderError
from creative_services.core.http import HttpRequest
from creative_services.testing.exchanges import answer
from creative_services.testing.replies import Failure, HalfOpen, OnTheWire, RawReply, Reply
from creative_services.testing.requests import ReceivedRequest

if TYPE_CHECKING:
    import ssl

    from creative_services.testing.exchanges import Answer

LOOK = 0.25  # seconds between two looks at whether the server is to stop
GONE = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)

Told = str | Reply | Failure | RawReply | OnTheWire | HalfOpen | ProviderError
LoopbackStep = Told | Callable[[ReceivedRequest], "LoopbackStep"]
"""What one request is answered with. An error resets the connection; a function decides when it sees the request."""


class Server(ThreadingHTTPServer):
    """Listens on a free port of 127.0.0.1, deals the script's steps out, and counts."""

    daemon_threads = False
    request_queue_size = 1024

    def __init__(self, script: LoopbackStep | Iterable[LoopbackStep], tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), Connection)
        self.tls = tls
        self.origin = f"{'https' if tls else 'http'}://127.0.0.1:{self.server_port}"
        self.requests: list[ReceivedRequest] = []
        self.connections = 0
        self.abandoned = 0
        self.uncovered = 0
        self.is_stopping = False
        self._steps = _steps(script)
        self._dealt: list[LoopbackStep] = []
        self._sockets: set[socket.socket] = set()
        self._lock = threading.Lock()

    @property
    def open_connections(self) -> int:
        """How many connections are open now."""
        with self._lock:
            return len(self._sockets)

    def opened(self, connection: socket.socket) -> None:
        """A connection was accepted."""
        with self._lock:
            self.connections += 1
            self._sockets.add(connection)

    def closed(self, connection: socket.socket) -> None:
        """A connection has ended."""
        with self._lock:
            self._sockets.discard(connection)

    def left(self) -> None:
        """A client went away before the end of its answer."""
        with self._lock:
            self.abandoned += 1

    def leaves_half_open(self) -> bool:
        """Whether the next step takes a new connection for itself, without waiting for a request; if so, it is used."""
        with self._lock:
            step = self._deal()
            if step is not None and not isinstance(step, HalfOpen):
                self._dealt.append(step)
            return isinstance(step, HalfOpen)

    def receive(self, request: HttpRequest) -> tuple[Told | None, ReceivedRequest, int]:
        """The step that answers this request, None where the script has none; the request; and its number."""
        received = ReceivedRequest.of(request)
        with self._lock:
            self.requests.append(received)
            number = len(self.requests)
            step = self._deal()
            self.uncovered += step is None
        while callable(step):
            step = step(received)
        return step, received, number

    def _deal(self) -> LoopbackStep | None:
        return self._dealt.pop() if self._dealt else next(self._steps, None)

    def stop(self) -> None:
        """Accept no more, and end every connection."""
        self.is_stopping = True
        self.shutdown()
        with self._lock:
            for connection in self._sockets:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """Clients that go away are part of the tests."""


class Connection(BaseHTTPRequestHandler):
    """One client's connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def setup(self) -> None:
        if self.server.tls:
            self.request = self.server.tls.wrap_socket(self.request, server_side=True, do_handshake_on_connect=False)
        self.server.opened(self.request)
        super().setup()

    def handle(self) -> None:
        if self.server.leaves_half_open():
            self._stay_until_gone()
            return
        if self.server.tls:
            self.request.do_handshake()
        super().handle()

    def finish(self) -> None:
        with suppress(OSError):
            super().finish()
        self.request.close()
        self.server.closed(self.request)

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        url = self.path if "://" in self.path else self.server.origin + self.path
        request = HttpRequest(self.command, url, headers, self.rfile.read(length))
        step, received, number = self.server.receive(request)
        try:
            self._answer(step, received, number)
        except (BrokenPipeError, ConnectionResetError, _ClientGoneError):
            self.server.left()
            self.close_connection = True

    def do_GET(self) -> None:
        self.do_POST()

    def _answer(self, step: Told | None, received: ReceivedRequest, number: int) -> None:
        match step:
            case None | ProviderError():
                self._reset()
            case OnTheWire():
                self._write_exactly(step)
            case HalfOpen():
                self._wait(float("inf"))
            case str():
                self._write(answer(Reply(step), received, number), is_cut=False)
            case _:
                is_cut = getattr(step, "ending", None) == "cut"
                self._write(answer(step, received, number), is_cut=is_cut)

    def _write_exactly(self, step: OnTheWire) -> None:
        for index, piece in enumerate(step.pieces):
            self._wait(step.pause if index else 0.0)
            self.wfile.write(piece)
        if step.ending == "silence":
            self._wait(float("inf"))
        if step.ending == "reset":
            self._reset()
        self.close_connection = step.ending != "keep"

    def _write(self, ready: Answer, *, is_cut: bool) -> None:
        self._wait(ready.delay)
        streams = ready.headers.get("content-type") == "text/event-stream"
        self.send_response(ready.status)
        for name, value in ready.headers.items():
            self.send_header(name, value)
        if streams:
            self.send_header("transfer-encoding", "chunked")
        else:
            # An error stands for more that was to come.
            length = sum(len(part.content) if isinstance(part.content, bytes) else 1 for part in ready.parts)
            self.send_header("content-length", str(length + is_cut))
        self.end_headers()
        for part in ready.parts:
            self._wait(part.pause)
            if isinstance(part.content, ProviderError):
                self._reset()
                return
            self.wfile.write(b"%x\r\n%b\r\n" % (len(part.content), part.content) if streams else part.content)
        if streams and not is_cut:
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = self.close_connection or is_cut

    def _wait(self, seconds: float) -> None:
        """Let so many seconds pass; raises when the client, or the test, leaves meanwhile."""
        until = time.monotonic() + seconds
        poll = select.poll()
        poll.register(self.request, GONE)
        while (left := until - time.monotonic()) > 0:
            if poll.poll(min(left, LOOK) * 1000) or self.server.is_stopping:
                raise _ClientGoneError

    def _stay_until_gone(self) -> None:
        with suppress(_ClientGoneError):
            self._wait(float("inf"))
        self.server.left()

    def _reset(self) -> None:
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Tests read what they need from the provider."""


class _ClientGoneError(Exception):
    pass


def _steps(script: LoopbackStep | Iterable[LoopbackStep]) -> Iterator[LoopbackStep]:
    if isinstance(script, str | Reply | Failure | RawReply | OnTheWire | HalfOpen | ProviderError) or callable(script):
        return repeat(script)
    return iter(script)
