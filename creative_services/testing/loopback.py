"""A provider on loopback: a small threaded HTTP/1.1 server that answers from a script, as FakeProvider does.

What FakeProvider can answer goes out as a well-behaved server would send it: whole answers with a Content-Length,
streams in chunks, connections kept alive. What no such server sends is written as `OnTheWire`, or not at all.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Self

from creative_services.testing.loopback_server import Server

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable

    from creative_services.testing.loopback_server import LoopbackStep
    from creative_services.testing.requests import ReceivedRequest


class LoopbackProvider:
    """Serves a script while its `with` block runs. One step answers every request, several answer one each.

    `url` is the base URL to give to an entry; with `tls`, a server's context, it is an https one. Leaving the block
    raises AssertionError if a request came that the script does not cover.
    """

    def __init__(
        self, script: LoopbackStep | Iterable[LoopbackStep] = "Hello", *, tls: ssl.SSLContext | None = None
    ) -> None:
        self.tls = tls
        self._server = Server(script, tls)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def port(self) -> int:
        """The port of 127.0.0.1 where it listens."""
        return self._server.server_port

    @property
    def url(self) -> str:
        """The base URL of its chat completions."""
        return f"{self._server.origin}/v1"

    @property
    def requests(self) -> list[ReceivedRequest]:
        """The requests received so far."""
        return self._server.requests

    @property
    def connections(self) -> int:
        """How many connections it has ever accepted."""
        return self._server.connections

    @property
    def open_connections(self) -> int:
        """How many of them are open now."""
        return self._server.open_connections

    @property
    def abandoned(self) -> int:
        """How many answers were left by their client before their end."""
        return self._server.abandoned

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
        self._server.stop()
        self._thread.join()
        uncovered = self._server.uncovered
        if uncovered and exc[0] is None:
            msg = f"{uncovered} of {len(self.requests)} requests came that the script does not cover."
            raise AssertionError(msg)


def _soon(holds: Callable[[], bool], within: float) -> bool:
    until = time.monotonic() + within
    while not holds():
        if time.monotonic() >= until:
            return False
        time.sleep(0.005)
    return True
