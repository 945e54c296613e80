"""One connection over a blocking socket, for the sync client."""

from __future__ import annotations

import socket
import ssl
import time
from typing import TYPE_CHECKING

from creative_services.core.errors import ProviderConnectionError, ProviderTimeoutError
from creative_services.core.transport.http11 import Http11
from creative_services.core.transport.lanes import is_quiet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from creative_services.core.http import HttpRequest
    from creative_services.core.transport.http11 import Place
    from creative_services.core.transport.lanes import Lanes

READ_SIZE = 64 * 1024


class SyncLane:
    """A connected socket and its protocol state."""

    def __init__(self, sock: socket.socket) -> None:
        self.http = Http11()
        self.idle_since = 0.0
        self._sock = sock

    def is_quiet(self) -> bool:
        return is_quiet(self._sock.fileno())

    def cut(self) -> None:
        self._sock.close()

    def write(self, data: memoryview, until: float) -> None:
        """Send all of it before `until`."""
        try:
            while data:
                self._sock.settimeout(_left(until))
                data = data[self._sock.send(data) :]
        except TimeoutError:
            raise ProviderTimeoutError("The provider did not take the request in time.") from None
        except OSError as exc:
            raise _lost(exc) from None

    def read(self, until: float) -> None:
        """Take the next bytes into the protocol state. Each wait is cut at `until`, however slowly bytes trickle."""
        try:
            self._sock.settimeout(_left(until))
            self.http.receive(self._sock.recv(READ_SIZE))
        except TimeoutError:
            raise ProviderTimeoutError("The provider was silent for too long.") from None
        except OSError as exc:
            raise _lost(exc) from None

    def start_tls(self, context: ssl.SSLContext, host: str, until: float) -> None:
        """Secure the connection; the certificate must be the host's."""
        self._sock.settimeout(_left(until))
        self._sock = context.wrap_socket(self._sock, server_hostname=host)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return min(left, 86_400.0)  # a day: sockets refuse infinity


def _lost(exc: OSError) -> ProviderConnectionError:
    return ProviderConnectionError(f"The connection to the provider broke ({type(exc).__name__}).")


def connect(addresses: list[str], port: int, until: float) -> SyncLane:
    """A connection to the first address that takes one. Raises OSError, TimeoutError among them."""
    failure: OSError = TimeoutError()
    for tried, address in enumerate(addresses):
        share = _left(until) / (len(addresses) - tried)
        try:
            sock = socket.create_connection((address, port), timeout=share)
        except OSError as exc:
            failure = exc
            continue
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return SyncLane(sock)
    raise failure


class SyncExchange:
    """A request on its way over one leased connection."""

    status: int
    headers: Mapping[str, str]

    def __init__(self, lane: SyncLane, lanes: Lanes[SyncLane], place: Place) -> None:
        self._lane: SyncLane | None = lane
        self._lanes = lanes
        self._place = place
        self._is_read = False

    def send(self, request: HttpRequest, target: str, host: str) -> None:
        """Write the request; on any failure the connection is cut."""
        lane = self._open_lane()
        try:
            lane.write(lane.http.send(request, target, host), request.deadline)
        except BaseException:
            self.close()
            raise

    def begin(self, until: float) -> None:
        """Wait for status and headers."""
        lane = self._open_lane()
        while (head := lane.http.head()) is None:
            lane.read(until)
        self.status, self.headers = head

    def read(self, until: float) -> bytes:
        """The next piece of the body; b"" at its end."""
        lane = self._open_lane()
        while (piece := lane.http.body()) is None:
            lane.read(until)
        self._is_read = not piece
        return piece

    def close(self) -> None:
        """Give the connection back if its answer was read to the end, else cut it."""
        lane, self._lane = self._lane, None
        if lane is None:
            return
        if self._is_read and lane.http.is_reusable:
            self._lanes.give_back(self._place, lane)
        else:
            lane.cut()

    def _open_lane(self) -> SyncLane:
        if self._lane is None:
            raise ProviderConnectionError("The exchange is closed.")
        return self._lane
