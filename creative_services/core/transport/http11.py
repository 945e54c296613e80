"""HTTP/1.1 on one connection, without any I/O: bytes to send, bytes received, an answer's head and body.

llhttp, the parser of Node.js, reads the answers, by way of httptools; this adds what both kinds of connection need in
the same way. A stream has one HTTP chunk for each token, so what reading one costs is a good part of what a stream
costs.
"""

from __future__ import annotations

import re
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import httptools

from creative_services.core.errors import ConfigurationError, MalformedResponseError, ProviderConnectionError
from creative_services.core.types import Reach

if TYPE_CHECKING:
    from creative_services.core.http import HttpRequest

DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_HEAD = 256 * 1024
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
FIELD_VALUE = re.compile(r"(?:[!-~](?:[\t -~]*[!-~])?)?")  # RFC 9110, 5.5, without the bytes it calls obsolete
TARGET = re.compile(r"[!-~]+")
OURS = {"host", "content-length", "transfer-encoding"}  # of the headers: what frames a request

CLOSED = "the connection was closed"
NOT_HTTP = "what came is not HTTP/1.1"
ENDLESS = "its headers do not end"
ENCODED = "its transfer encoding is not `chunked`"


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
    """The protocol state of one connection: one request, its answer, and the next request."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        # As lenient as other clients. What that endangers are connections that carry the answers of several callers
        # at once; one of ours carries one, and what is left over after it ends the connection.
        self._parser.set_dangerous_leniencies(
            lenient_chunked_length=True,
            lenient_keep_alive=True,
            lenient_optional_cr_before_lf=True,
            lenient_spaces_after_chunk_size=True,
        )
        self._forget()

    def _forget(self) -> None:
        self._status: int | None = None
        self._headers: dict[str, str] = {}
        self._pieces: list[bytes] = []
        self._decoder: zlib._Decompress | None = None
        self._fault = ""
        self._is_whole = self._is_kept = False
        self._idle_bytes = 0  # that came since the last of any use

    @property
    def is_reusable(self) -> bool:
        """Whether the answer has ended, nothing came after it, and the connection can carry another request."""
        return self._is_whole and self._is_kept

    def send(self, request: HttpRequest, target: str, host: str) -> memoryview:
        """The request's bytes, head and body in one piece: one system call, one packet where it fits.

        A view, because the bytes hold the key and debug pages print local variables: a view shows no content.
        """
        self._forget()
        if not _is_sendable(request, target, host):
            raise ConfigurationError(f"The request to {host!r} holds a header that HTTP cannot carry.")
        return memoryview(_encoded(request, target, host))

    def receive(self, data: bytes) -> None:
        """Take what came from the network; b"" is the end of it."""
        if self._is_whole or self._fault:
            self._is_kept = False  # nobody asked for it
        elif data:
            self._parse(data)
        elif self._status is not None and _ends_with_the_connection(self._headers):
            self._is_whole = True
        else:
            self._fault = CLOSED

    def _parse(self, data: bytes) -> None:
        self._idle_bytes += len(data)
        fault, raised = "", None
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            # What the methods below raise, were it an interrupt; the parser takes all for its own.
            fault, raised = NOT_HTTP, error.__context__
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            fault = NOT_HTTP  # the parser's words may quote what came, and that may be anything
        if self._is_whole:
            self._is_kept = self._is_kept and not fault
        elif fault or self._idle_bytes > MAX_HEAD:
            self._fault = self._fault or fault or ENDLESS
        if raised is not None:
            raise raised

    def head(self) -> tuple[int, dict[str, str]] | None:
        """Status and headers, or None while more data is needed. Interim responses (1xx) are passed over."""
        if self._status is not None:
            return self._status, self._headers
        if self._fault:
            raise ProviderConnectionError(f"The provider did not answer: {self._fault}.")
        return None

    def body(self) -> bytes | None:
        """All of the body that has come, b"" at its end, None while more data is needed.

        Where it breaks off, what came before is given first, and the error by the next call.
        """
        if self._pieces:
            data = b"".join(self._pieces)
            self._pieces.clear()
            if data := data if self._decoder is None else self._decompress(data):
                return data
        if self._is_whole:
            return b""
        if self._fault:
            raise MalformedResponseError(f"The provider's answer broke off: {self._fault}.")
        return None

    def _decompress(self, data: bytes) -> bytes:
        assert self._decoder is not None  # noqa: S101 - the caller looked
        try:
            return self._decoder.decompress(data)
        except zlib.error:
            pass
        raise MalformedResponseError("The provider's answer is not compressed the way it says.")

    # What the parser calls, with what belongs to an unasked second answer too

    def on_message_begin(self) -> None:
        if self._is_whole:
            self._is_kept = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._status is not None:  # it is a trailer
            return
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        if key != "transfer-encoding":
            self._headers[key] = text.strip(" \t")
        else:  # as the parser reads it, to whom several are a list, and a tab is no blank
            self._headers[key] = f"{self._headers[key]}, {text}" if key in self._headers else text.strip(" ")

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if self._status is not None:
            return
        if 100 <= status < 200:
            self._headers = {}
            return
        # In another encoding the body would come as it is, and some have no end.
        if self._headers.get("transfer-encoding", "chunked").lower() != "chunked":
            self._fault = ENCODED
        if status < 100:
            self._fault = NOT_HTTP
        if self._fault:
            return
        self._status = status
        self._idle_bytes = 0
        if self._headers.get("content-encoding", "identity") in {"gzip", "deflate"}:
            self._decoder = zlib.decompressobj(zlib.MAX_WBITS | 32)

    def on_body(self, body: bytes) -> None:
        if self._status is not None and not self._is_whole:
            self._pieces.append(body)
            self._idle_bytes = 0

    def on_message_complete(self) -> None:
        if self._status is None or self._is_whole:
            return
        self._is_whole = True
        # RFC 9112, 6.3: an answer of two lengths may be read by the one, but its connection is to be closed.
        has_two_lengths = "content-length" in self._headers and "transfer-encoding" in self._headers
        self._is_kept = self._parser.should_keep_alive() and not has_two_lengths


def _ends_with_the_connection(headers: dict[str, str]) -> bool:
    """Whether only that ends an answer's body (RFC 9112, 6.3)."""
    return "content-length" not in headers and "transfer-encoding" not in headers


def _is_sendable(request: HttpRequest, target: str, host: str) -> bool:
    return (
        TOKEN.fullmatch(request.method) is not None
        and TARGET.fullmatch(target) is not None
        and TARGET.fullmatch(host) is not None
        and all(TOKEN.fullmatch(name) and name.lower() not in OURS for name in request.headers)
        and all(FIELD_VALUE.fullmatch(value) for value in request.headers.values())
    )


def _encoded(request: HttpRequest, target: str, host: str) -> bytes:
    first = f"{request.method} {target} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {len(request.body)}\r\n"
    pieces = [first.encode("ascii")]
    for name, value in request.headers.items():
        pieces += name.encode("ascii"), b": ", value.encode("ascii"), b"\r\n"
    return b"".join((*pieces, b"\r\n", request.body))
