"""The places where a call can hang, each as an LLM that hangs there for as long as the block runs."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from creative_services.testing import LoopbackProvider, faults

# Four bytes a character: more than the buffers of both sockets hold.
LONG = "\N{GRINNING FACE}" * 1_900_000
DEAF_NAME = "deaf.example"


@dataclass(frozen=True)
class Place:
    """Where to call, what to send there, and by how many calls at once."""

    endpoint: str
    prompt: str = "Hello"
    at_once: int = 20


Opened = AbstractContextManager[Place]


@contextmanager
def name_look_up() -> Iterator[Place]:
    """The one stand-in: nothing on this machine makes its resolver hang."""
    released, genuine = threading.Event(), socket.getaddrinfo

    def hang(host: Any, *args: Any, **options: Any) -> Any:
        if host != DEAF_NAME:
            return genuine(host, *args, **options)
        released.wait()
        raise socket.gaierror("Released.")

    socket.getaddrinfo = hang
    try:
        yield Place(f"http://{DEAF_NAME}/v1")
    finally:
        socket.getaddrinfo = genuine
        released.set()


@contextmanager
def connect() -> Iterator[Place]:
    """A listener whose queue is full drops what asks for a connection."""
    with ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        yield Place(f"http://127.0.0.1:{full.getsockname()[1]}/v1")


@contextmanager
def tls_handshake() -> Iterator[Place]:
    with LoopbackProvider(faults.half_open()) as provider:
        yield Place(provider.url.replace("http:", "https:"))


@contextmanager
def request_body() -> Iterator[Place]:
    with LoopbackProvider(faults.half_open()) as provider:
        yield Place(provider.url, LONG, at_once=4)  # to write eight megabytes takes time of its own


def served(fault: Callable[[], Any]) -> Callable[[], Opened]:
    """The place of one of the ready-made faults."""

    @contextmanager
    def place() -> Iterator[Place]:
        with LoopbackProvider(fault()) as provider:
            yield Place(provider.url)

    return place


PLACES: Mapping[str, Callable[[], Opened]] = MappingProxyType(
    {
        "name look-up": name_look_up,
        "connect": connect,
        "TLS handshake": tls_handshake,
        "request body": request_body,
        "headers": served(faults.silence),
        "first token": served(faults.slow_first_token),
        "mid-stream": served(faults.stall),
        "a byte every second": served(faults.trickle),
    }
)
