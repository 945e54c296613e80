"""Finds the addresses of a host in bounded time, and lets through those that the entry's rule permits.

The connection is made to the very address that was checked, so a name that answers differently a moment later
(DNS rebinding) gains nothing.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from ipaddress import ip_address

from creative_services.core.endpoints import literal_address, permits
from creative_services.core.errors import ConfigurationError, ProviderConnectionError, ProviderTimeoutError
from creative_services.core.types import Reach

Addresses = list[str]


class Resolver:
    """Looks hosts up, each host by at most one thread at a time.

    A thread inside `getaddrinfo` cannot be interrupted; so callers stop waiting instead, and later ones join the
    look-up that is under way.
    """

    def __init__(self) -> None:
        self._pending: dict[str, Future[Addresses]] = {}
        self._lock = threading.Lock()

    def resolve(self, host: str, reach: Reach, seconds: float) -> Addresses:
        """Permitted addresses of `host`, found within so many seconds."""
        literal = literal_address(host)
        if literal is not None:
            return permitted(host, [str(literal)], reach)
        try:
            return permitted(host, self._look_up(host).result(max(seconds, 0)), reach)
        except FutureTimeoutError:
            pass
        raise _too_slow(host)

    async def aresolve(self, host: str, reach: Reach, seconds: float) -> Addresses:
        """The same without holding the loop up."""
        literal = literal_address(host)
        if literal is not None:
            return permitted(host, [str(literal)], reach)
        try:
            # Shielded: others may be waiting for the same look-up.
            found = asyncio.shield(asyncio.wrap_future(self._look_up(host)))
            return permitted(host, await asyncio.wait_for(found, max(seconds, 0)), reach)
        except TimeoutError:
            pass
        raise _too_slow(host)

    def _look_up(self, host: str) -> Future[Addresses]:
        with self._lock:
            pending = self._pending.get(host)
            if pending is None:
                pending = self._pending[host] = Future()
                # A daemon, so that a hung look-up keeps no process alive.
                threading.Thread(target=self._work, args=(host, pending), name="llm-dns", daemon=True).start()
        return pending

    def _work(self, host: str, pending: Future[Addresses]) -> None:
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            addresses = list(dict.fromkeys(str(item[4][0]) for item in found))
        except (OSError, UnicodeError):
            addresses = []
        with self._lock:
            self._pending.pop(host, None)
        pending.set_result(addresses)


def permitted(host: str, addresses: Addresses, reach: Reach) -> Addresses:
    """Those of the addresses that the rule lets through. Raises ConfigurationError where it lets none."""
    if not addresses:
        raise ProviderConnectionError(f"The host {host!r} has no address. Check `api_endpoint` and the DNS.")
    allowed = [text for text in addresses if permits(ip_address(text), reach)]
    if not allowed:
        raise ConfigurationError(
            f"The host {host!r} leads to {addresses[0]}, which an entry with reach {reach.value!r} may not call. "
            "Private addresses are for LOCAL rows, or need ENDPOINTS_ALLOW_PRIVATE."
        )
    return allowed


def _too_slow(host: str) -> ProviderTimeoutError:
    return ProviderTimeoutError(f"Looking up the host {host!r} took too long.")
