"""The default transport: HTTP/1.1 over plain sockets for threads, and over asyncio for event loops.

It never follows redirects, reads no proxy from the environment, and checks the address it connects to against the
entry's rule.
"""

from __future__ import annotations

import os
import weakref
from typing import TYPE_CHECKING

from creative_services.core.http import HttpRequest
from creative_services.core.transport.async_lane import AsyncExchange
from creative_services.core.transport.dial import Dialer
from creative_services.core.transport.http11 import Place, split_url
from creative_services.core.transport.lanes import Lanes
from creative_services.core.transport.loops import LoopLanes
from creative_services.core.transport.sync_lane import SyncExchange, SyncLane

if TYPE_CHECKING:
    from collections.abc import Mapping


class HttpTransport:
    """Sends the requests of both clients.

    Connections are kept per process and per event loop, so that one transport serves scripts, threads, forked
    workers and a hundred consecutive `asyncio.run` alike. `proxy` is an egress proxy
    (`http://user:password@host:port`); private entries and this machine are reached without it. `ca_bundle` is a file
    of CA certificates that replaces the built-in ones.
    """

    def __init__(self, *, proxy: str | None = None, ca_bundle: str | None = None) -> None:
        self._options = proxy, ca_bundle
        self._start_in_this_process()

    def _start_in_this_process(self) -> None:
        self._pid = os.getpid()
        self._dialer = Dialer(*self._options)
        self._loops = LoopLanes()
        self._lanes: Lanes[SyncLane] = Lanes()
        self._finalize = weakref.finalize(self, self._lanes.cut_all)

    def _check_process(self) -> None:
        if self._pid == os.getpid():
            return
        # Forked: the connections are the parent's. Closing our copies of its threads' sockets disturbs nobody; those
        # of a loop are kept untouched, because closing them would reach into the poller that is shared with it.
        self._finalize()
        self._inherited = self._loops
        self._start_in_this_process()

    def open(self, request: HttpRequest) -> SyncExchange:
        """Send a request over an idle connection to the same place, or over a new one."""
        self._check_process()
        place, target, host = split_url(request.url, request.reach)
        lane = self._lanes.take(place)
        if lane is None:
            lane = self._dialer.dial(place, min(request.deadline, request.connect_deadline))
        exchange = SyncExchange(lane, self._lanes, place)
        exchange.send(*self._as_sent(request, place, target), host)
        return exchange

    async def aopen(self, request: HttpRequest) -> AsyncExchange:
        """The same on the running event loop."""
        self._check_process()
        place, target, host = split_url(request.url, request.reach)
        lanes = self._loops.current() or await self._loops.start()
        lane = lanes.take(place)
        if lane is None:
            lane = await self._dialer.adial(place, min(request.deadline, request.connect_deadline))
        exchange = AsyncExchange(lane, lanes, place)
        exchange.send(*self._as_sent(request, place, target), host)
        return exchange

    def _as_sent(self, request: HttpRequest, place: Place, target: str) -> tuple[HttpRequest, str]:
        """The request and its target as the next hop wants them: a proxy gets plain http with the whole URL."""
        proxy = None if place.scheme == "https" else self._dialer.proxy_for(place)
        if proxy is None:
            return request, target
        headers: Mapping[str, str] = {**request.headers, **proxy.headers()}
        return HttpRequest(request.method, request.url, headers, request.body, deadline=request.deadline), request.url

    def close(self) -> None:
        """Close the idle connections of this process's threads; the transport stays usable."""
        self._lanes.cut_all()

    async def aclose(self) -> None:
        """Close the idle connections of the running event loop; the transport stays usable."""
        await self._loops.stop()
