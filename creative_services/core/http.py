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
    """A response that has begun. Header names are lower case.

    `read` returns the next piece of the body as soon as there is one, b"" at its end, and raises
    ProviderTimeoutError when `until` (`time.monotonic()`) passes first.
    """

    status: int
    headers: Mapping[str, str]

    def read(self, until: float) -> bytes: ...
    def close(self) -> None: ...


class AsyncExchange(Protocol):
    """The same, awaited."""

    status: int
    headers: Mapping[str, str]

    async def read(self, until: float) -> bytes: ...
    async def aclose(self) -> None: ...


class Transport(Protocol):
    """Sends one request and returns when the response's headers are there.

    Raises ProviderConnectionError or ProviderTimeoutError, and ConfigurationError where `request.reach` forbids the
    address. Closing an exchange whose body was read to its end gives the connection back; any other is closed.
    """

    def open(self, request: HttpRequest) -> Exchange: ...
    async def aopen(self, request: HttpRequest) -> AsyncExchange: ...
    def close(self) -> None: ...
    async def aclose(self) -> None: ...
