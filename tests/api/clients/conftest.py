"""One site per kind of server for all the tests, and nothing but loopback within reach of the clients."""

import os
import sys
from contextlib import ExitStack
from functools import cache

import pytest

from tests.api.clients.gateway import gateway

SERVERS = ("uvicorn", "gunicorn-threads")
# Of whoever runs the tests, and read by the clients.
FOREIGN = ("OPENAI_", "ANTHROPIC_", "LANGCHAIN_", "LANGSMITH_", "LLM_")
PROXIES = {f"{scheme}_proxy" for scheme in ("http", "https", "all")}


# Not one fixture with parameters: in random order that would start a server for each test.
@pytest.fixture(scope="session")
def sites(tmp_path_factory):
    with ExitStack() as running:
        yield cache(lambda kind: running.enter_context(gateway(kind, tmp_path_factory.mktemp(kind))))


@pytest.fixture(params=SERVERS)
def site(request, sites):
    return sites(request.param)


@pytest.fixture(autouse=True)
def own_environment(monkeypatch):
    for name in list(os.environ):
        if name.startswith(FOREIGN) or name.lower() in PROXIES:
            monkeypatch.delenv(name)


class Guard:
    """Watches which addresses this process connects to, and which names it looks up."""

    def __init__(self):
        self.elsewhere = None
        sys.addaudithook(self)

    def __call__(self, event, arguments):
        if self.elsewhere is None:
            return
        if event == "socket.connect":
            address = arguments[1]
            if isinstance(address, tuple) and address[0] not in {"127.0.0.1", "::1"}:
                self.elsewhere.append(address)
        elif event == "socket.getaddrinfo" and arguments[0] not in {"127.0.0.1", "localhost", "::1", None}:
            self.elsewhere.append(arguments[0])


GUARD = Guard()


@pytest.fixture(autouse=True)
def only_loopback():
    """No client asks for anything of its own: no tracing, no tables of tokens."""
    GUARD.elsewhere = []
    yield
    elsewhere, GUARD.elsewhere = GUARD.elsewhere, None
    assert elsewhere == []
