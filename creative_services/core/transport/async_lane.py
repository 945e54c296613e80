"""One connection on an event loop, for the async client.

An `asyncio.Protocol` that feeds the HTTP state as bytes arrive: a piece that is already there is read without a task
switch, and one timer per connection, re-armed only when it fires, guards every wait.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, cast

from creative_services.core.errors import ProviderConnectionError, ProviderTimeoutError
from creative_services.core.transport.http11 import Http11
from creative_services.core.transport.lanes import is_quiet

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from creative_services.core.http import HttpRequest
    from creative_services.core.transport.http11 import Place
    from creative_services.core.transport.lanes import Lanes

PAUSE_ABOVE = 256 * 1024
DAY = 86_400.0  # loops refuse infinity
SILENT = "The provider was silent for too long."


class AsyncLane(asyncio.Protocol):
    """A connection and its protocol state, used by one call at a time."""

    _transport: asyncio.Transport

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.http = Http11()
        self.idle_since = 0.0
        self._loop = loop
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._until = 0.0
        self._unread = 0
        self._is_open = True

    # What the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none, but has all its methods

    def data_received(self, data: bytes) -> None:
        self.http.receive(data)
        self._unread += len(data)
        if self.is_paused:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        self._end()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self) -> None:
        if self._is_open:
            self._is_open = False
            self.http.receive(b"")
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # What a call uses

    def is_quiet(self) -> bool:
        return self._is_open and self.http.is_reusable and is_quiet(self._transport.get_extra_info("socket").fileno())

    @property
    def is_paused(self) -> bool:
        """Whether more may have come than was read: TLS keeps that where nobody sees it."""
        return self._unread > PAUSE_ABOVE

    def cut(self) -> None:
        self._transport.abort()

    def write(self, data: memoryview) -> None:
        """Send; what the network does not take at once is buffered, and a dead connection shows at the next read."""
        self._transport.write(data)

    async def read(self, until: float) -> None:
        """Wait until more bytes, or the end, have reached the protocol state."""
        left = until - time.monotonic()
        if left <= 0:  # not left to the timer: the loop looks at sockets first, and a flood always has more
            raise ProviderTimeoutError(SILENT)
        if self.is_paused:
            self._transport.resume_reading()
        self._unread = 0
        self._waiter = waiter = self._loop.create_future()
        self._arm(until, left)
        try:
            await waiter
        finally:
            self._waiter = None

    async def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Secure the connection; the certificate must be the host's."""
        secured = await self._loop.start_tls(self._transport, self, context, server_hostname=host)
        assert secured is not None  # noqa: S101 - None is for transports closed meanwhile, which raise here
        self._transport = secured

    def _arm(self, until: float, left: float) -> None:
        self._until = until
        left = min(left, DAY)
        if self._timer is None or self._timer.when() > self._loop.time() + left:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_later(left, self._ring)

    def _ring(self) -> None:
        self._timer = None
        waiter = self._waiter
        if waiter is None or waiter.done():
            return
        left = self._until - time.monotonic()
        if left <= 0:
            waiter.set_exception(ProviderTimeoutError(SILENT))
        else:
            self._arm(self._until, left)


async def connect(addresses: list[str], port: int, until: float) -> AsyncLane:
    """A connection to the first address that takes one. Raises OSError, TimeoutError among them."""
    loop = asyncio.get_running_loop()
    failure: OSError = TimeoutError()
    for tried, address in enumerate(addresses):
        share = (until - time.monotonic()) / (len(addresses) - tried)
        try:
            async with asyncio.timeout(min(share, DAY)):
                _, lane = await loop.create_connection(lambda: AsyncLane(loop), address, port)
        except OSError as exc:
            failure = exc
            continue
        return lane
    raise failure


class AsyncExchange:
    """A request on its way over one leased connection."""

    status: int
    headers: Mapping[str, str]

    def __init__(self, lane: AsyncLane, lanes: Lanes[AsyncLane], place: Place) -> None:
        self._lane: AsyncLane | None = lane
        self._lanes = lanes
        self._place = place
        self._is_read = False

    def send(self, request: HttpRequest, target: str, host: str) -> None:
        """Write the request; on any failure the connection is cut."""
        lane = self._open_lane()
        try:
            lane.write(lane.http.send(request, target, host))
        except BaseException:
            self.close()
            raise

    async def begin(self, until: float) -> None:
        """Wait for status and headers."""
        lane = self._open_lane()
        while (head := lane.http.head()) is None:
            await lane.read(until)
        self.status, self.headers = head

    async def read(self, until: float) -> bytes:
        """The next piece of the body; b"" at its end."""
        lane = self._open_lane()
        while (piece := lane.http.body()) is None:
            await lane.read(until)
        self._is_read = not piece
        return piece

    async def aclose(self) -> None:
        """Give the connection back if its answer was read to the end, else cut it."""
        self.close()

    def close(self) -> None:
        """What `aclose` does: it needs no waiting."""
        lane, self._lane = self._lane, None
        if lane is None:
            return
        if self._is_read and lane.http.is_reusable and not lane.is_paused:
            self._lanes.give_back(self._place, lane)
        else:
            lane.cut()

    def _open_lane(self) -> AsyncLane:
        if self._lane is None:
            raise ProviderConnectionError("The exchange is closed.")
        return self._lane
