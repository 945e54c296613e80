"""Makes connections: finds the address, checks it, connects, tunnels through an egress proxy, secures.

The rule is checked on the address that is connected to. Behind an egress proxy it is the proxy that resolves names, so
there its own rules hold; private entries never go through it.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
import time

from creative_services.core.endpoints import literal_address
from creative_services.core.errors import CreativeServicesError, ProviderConnectionError, ProviderTimeoutError
from creative_services.core.http import HttpRequest
from creative_services.core.transport import async_lane, sync_lane
from creative_services.core.transport.async_lane import AsyncExchange, AsyncLane
from creative_services.core.transport.http11 import Http11, Place
from creative_services.core.transport.lanes import Lanes
from creative_services.core.transport.resolver import Resolver
from creative_services.core.transport.sync_lane import SyncExchange, SyncLane
from creative_services.core.transport.tls import Proxy, tls_context
from creative_services.core.types import Reach

DAY = 86_400.0  # loops and sockets refuse infinity


class Dialer:
    """Connects to places. `until` is a reading of `time.monotonic()`.

    Raises ProviderConnectionError, ProviderTimeoutError, or ConfigurationError for an address the rule forbids.
    """

    def __init__(self, proxy: str | None, ca_bundle: str | None) -> None:
        self._proxy = Proxy.parse(proxy) if proxy else None
        self._ca_bundle = ca_bundle
        self._context: ssl.SSLContext | None = None
        self._making_context = threading.Lock()
        self._resolver = Resolver()

    def dial(self, place: Place, until: float) -> SyncLane:
        """A connection for the sync client."""
        lane: SyncLane | None = None
        proxy = self.proxy_for(place)
        host, port, reach = place[1:] if proxy is None else (proxy.host, proxy.port, Reach.ANY)
        try:
            addresses = self._resolver.resolve(host, reach, until - time.monotonic())
            lane = sync_lane.connect(addresses, port, until)
            if place.scheme == "https":
                if proxy is not None:
                    tunnel = SyncExchange(lane, Lanes(), place)
                    tunnel.send(_tunnel_request(proxy, until), _authority(place), _authority(place))
                    tunnel.begin(until)
                    _check_tunnel(tunnel.status)
                    lane.http = Http11()
                lane.start_tls(self._tls(), place.host, until)
        except (OSError, CreativeServicesError) as exc:
            error = _as_ours(exc, place)
        else:
            return lane
        if lane is not None:
            lane.cut()
        raise error

    async def adial(self, place: Place, until: float) -> AsyncLane:
        """A connection for the async client, on the running loop."""
        lane: AsyncLane | None = None
        proxy = self.proxy_for(place)
        host, port, reach = place[1:] if proxy is None else (proxy.host, proxy.port, Reach.ANY)
        try:
            addresses = await self._resolver.aresolve(host, reach, until - time.monotonic())
            lane = await async_lane.connect(addresses, port, until)
            if place.scheme == "https":
                if proxy is not None:
                    tunnel = AsyncExchange(lane, Lanes(), place)
                    tunnel.send(_tunnel_request(proxy, until), _authority(place), _authority(place))
                    await tunnel.begin(until)
                    _check_tunnel(tunnel.status)
                    lane.http = Http11()
                async with asyncio.timeout(max(0.0, min(until - time.monotonic(), DAY))):
                    await lane.start_tls(self._tls(), place.host)
        except (OSError, CreativeServicesError) as exc:
            error = _as_ours(exc, place)
        except BaseException:
            if lane is not None:
                lane.cut()
            raise
        else:
            return lane
        if lane is not None:
            lane.cut()
        raise error

    def proxy_for(self, place: Place) -> Proxy | None:
        """The proxy on the way to this place; none for private entries and for this machine."""
        if self._proxy is None or place.reach is Reach.PRIVATE or place.host == "localhost":
            return None
        address = literal_address(place.host)
        return None if address is not None and address.is_loopback else self._proxy

    def _tls(self) -> ssl.SSLContext:
        with self._making_context:  # reading the CA bundle takes long enough for many first calls to meet here
            if self._context is None:
                self._context = tls_context(self._ca_bundle)
            return self._context


def _authority(place: Place) -> str:
    host = f"[{place.host}]" if ":" in place.host else place.host
    return f"{host}:{place.port}"


def _tunnel_request(proxy: Proxy, until: float) -> HttpRequest:
    return HttpRequest("CONNECT", "", proxy.headers(), deadline=until)


def _check_tunnel(status: int) -> None:
    if not 200 <= status < 300:
        raise ProviderConnectionError(f"The egress proxy refused the connection ({status}). Check PROXY and its rules.")


def _as_ours(exc: OSError | CreativeServicesError, place: Place) -> CreativeServicesError:
    if isinstance(exc, CreativeServicesError):
        return exc.with_traceback(None)
    where = f"{place.host!r}, port {place.port}"
    if isinstance(exc, TimeoutError):
        return ProviderTimeoutError(f"Connecting to {where}, took too long.")
    reason = exc.verify_message if isinstance(exc, ssl.SSLCertVerificationError) else exc.strerror
    return ProviderConnectionError(f"No connection to {where}: {reason or type(exc).__name__}.")
