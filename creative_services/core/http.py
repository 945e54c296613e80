"""HTTP in our own values: what a wire asks to be sent, and what a transport must be able to do.

No HTTP library's type stands in a public signature, so that transports can be exchanged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from creative_services.core.types import Reach

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(slots=True)
class HttpRequest:
    """One request. Header values that hold a key are `Secret`, so that `repr` and tracebacks mask them.

    `deadline` and `connect_deadline` are readings of `time.monotonic()`.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""
    reach: Reach = Reach.ANY
    deadline: float = float("inf")
    connect_deadline: float = float("inf")

    def __repr__(self) -> str:
        return f"<HttpRequest {self.method} {self.url}>"


class Exchange(Protocol):
    """A request on its way. `begin` waits for the response's headers, `read` for the next piece of its body.

    Both take `until`, a reading of `time.monotonic()`, and raise ProviderTimeoutError when it passes first; that harms
    nothing: the same call may be made again with a later `until`. `read` gives b"" at the body's end. `status` and
    `headers` (names in lower case) are there after `begin`. Closing an exchange whose body was read to its end gives
    the connection back; any other is cut.
    """

    status: int
    headers: Mapping[str, str]

    def begin(self, until: float) -> None: ...
    def read(self, until: float) -> bytes: ...
    def close(self) -> None: ...


class AsyncExchange(Protocol):
    """The same, awaited."""

    status: int
    headers: Mapping[str, str]

    async def begin(self, until: float) -> None: ...
    async def read(self, until: float) -> bytes: ...
    async def aclose(self) -> None: ...


class Transport(Protocol):
    """Connects and sends one request; the answer is then read from the exchange.

    Raises ProviderConnectionError or ProviderTimeoutError, and ConfigurationError where `request.reach` forbids the
    address. One transport serves threads and event loops alike.
    """

    def open(self, request: HttpRequest) -> Exchange: ...
    async def aopen(self, request: HttpRequest) -> AsyncExchange: ...
    def close(self) -> None: ...
    async def aclose(self) -> None: ...
