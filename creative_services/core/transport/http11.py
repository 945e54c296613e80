"""HTTP/1.1 on one connection, without any I/O: bytes to send, bytes received, an answer's head and body.

h11 keeps the protocol; this adds what both kinds of connection need in the same way.
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import h11

from creative_services.core.errors import ConfigurationError, MalformedResponseError, ProviderConnectionError
from creative_services.core.types import Reach

if TYPE_CHECKING:
    from creative_services.core.http import HttpRequest

DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_HEAD = 256 * 1024


class Place(NamedTuple):
    """Where a connection leads, and under which rule its address was checked; requests of one place may share it."""

    scheme: str
    host: str
    port: int
    reach: Reach


@lru_cache(maxsize=512)
def split_url(url: str, reach: Reach) -> tuple[Place, str, str]:
    """The place, the request target and the Host header of an http(s) URL."""
    parts = urlsplit(url)
    host = parts.hostname
    try:
        port = parts.port
    except ValueError:
        host = port = None
    if parts.scheme not in DEFAULT_PORTS or not host:
        raise ConfigurationError(f"{url!r} is no http or https URL. Correct the entry's `api_endpoint`.")
    default = DEFAULT_PORTS[parts.scheme]
    name = f"[{host}]" if ":" in host else host
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    place = Place(parts.scheme, host, port or default, reach)
    return place, target, name if place.port == default else f"{name}:{port}"


class Http11:
    """The protocol state of one connection."""

    __slots__ = ("_decoder", "_ended", "_h11", "_has_begun", "_is_closed")

    def __init__(self) -> None:
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
        self._decoder: zlib._Decompress | None = None
        self._ended = self._has_begun = self._is_closed = False

    def send(self, request: HttpRequest, target: str, host: str) -> memoryview:
        """The request's bytes, head and body in one piece: one system call, one packet where it fits.

        A view, because the bytes hold the key and debug pages print local variables: a view shows no content.
        """
        self._decoder, self._ended, self._has_begun = None, False, False
        try:
            return memoryview(self._encode(request, target, host))
        except (h11.LocalProtocolError, UnicodeEncodeError):
            pass  # raised below, so that the frames that hold the key do not hang on the error
        raise ConfigurationError(f"The request to {host!r} holds a header that HTTP cannot carry.")

    def _encode(self, request: HttpRequest, target: str, host: str) -> bytes:
        headers = [("host", host), ("content-length", str(len(request.body)))]
        headers += request.headers.items()
        head = self._h11.send(h11.Request(method=request.method, target=target, headers=headers))
        body = self._h11.send(h11.Data(request.body)) if request.body else None
        return (head or b"") + (body or b"") + (self._h11.send(h11.EndOfMessage()) or b"")

    def receive(self, data: bytes) -> None:
        """Take what came from the network; b"" is the end of it."""
        self._is_closed = not data
        self._h11.receive_data(data)

    def head(self) -> tuple[int, dict[str, str]] | None:
        """Status and headers, or None while more data is needed. Interim responses (1xx) are passed over."""
        while True:
            event = self._next()
            if event is h11.NEED_DATA:
                return None
            if isinstance(event, h11.Response):
                break
        self._has_begun = True
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in event.headers}
        if headers.get("content-encoding", "identity") in {"gzip", "deflate"}:
            self._decoder = zlib.decompressobj(zlib.MAX_WBITS | 32)
        return event.status_code, headers

    def body(self) -> bytes | None:
        """All of the body that has come, b"" at its end, None while more data is needed.

        Where it breaks off, what came before is given first, and the error by the next call.
        """
        if self._ended:
            return b""
        pieces: list[bytes] = []
        while True:
            try:
                event = self._next()
            except MalformedResponseError:
                if come := b"".join(pieces):
                    return come
                raise
            if isinstance(event, h11.Data):
                pieces.append(bytes(event.data) if self._decoder is None else self._decompress(event.data))
            elif event is h11.NEED_DATA:
                return b"".join(pieces) or None
            else:
                self._ended = True
                return b"".join(pieces)

    def _decompress(self, data: bytes) -> bytes:
        assert self._decoder is not None  # noqa: S101 - the caller looked
        try:
            return self._decoder.decompress(data)
        except zlib.error:
            pass
        raise MalformedResponseError("The provider's answer is not compressed the way it says.")

    def _next(self) -> object:
        try:
            return self._h11.next_event()
        except h11.RemoteProtocolError:
            pass  # its words quote what came, and that may be anything
        cause = "the connection was closed" if self._is_closed else "what came is not HTTP/1.1"
        if self._has_begun:
            raise MalformedResponseError(f"The provider's answer broke off: {cause}.")
        raise ProviderConnectionError(f"The provider did not answer: {cause}.")

    def restart(self) -> bool:
        """Make ready for another request; False when this connection can carry no more."""
        if self._h11.our_state is not h11.DONE or self._h11.their_state is not h11.DONE:
            return False
        self._h11.start_next_cycle()
        return not self._h11.trailing_data[0]
