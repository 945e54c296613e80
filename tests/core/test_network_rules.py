"""Where connections may lead: TLS names, egress proxies and the rules against server-side request forgery."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from creative_services import (
    ConfigurationError,
    Limits,
    LLMEntry,
    LLMTier,
    NoLLMAvailableError,
    ProviderConnectionError,
    ProviderTimeoutError,
)
from creative_services.core.http import HttpRequest
from creative_services.core.transport import HttpTransport
from creative_services.core.types import Reach
from tests.core.asking import STREAMED, WHOLE, Ask, entry
from tests.loopback import LoopbackProvider

on_sockets = pytest.mark.parametrize("ask", WHOLE + STREAMED)


def ask_there(ask: Ask, there: LLMEntry, **options: Any) -> Any:
    transport = HttpTransport(**options)
    try:
        return ask(transport, there)
    finally:
        transport.close()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def bundle(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def serving(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


@pytest.fixture
def secured(authority: trustme.CA) -> Iterator[LoopbackProvider]:
    with LoopbackProvider("Hi", tls=serving(authority, "localhost")) as provider:
        yield provider


@pytest.fixture
def provider() -> Iterator[LoopbackProvider]:
    with LoopbackProvider("Hi") as provider:
        yield provider


def by_name(provider: LoopbackProvider, **fields: Any) -> LLMEntry:
    scheme = "https" if provider.tls else "http"
    return entry(1, "real", api_endpoint=f"{scheme}://localhost:{provider.port}/v1", **fields)


@on_sockets
def test_a_private_certificate_authority_is_trusted_where_it_is_set(
    ask: Ask, secured: LoopbackProvider, bundle: str
) -> None:
    assert ask_there(ask, by_name(secured), ca_bundle=bundle).text == "Hi"

    with pytest.raises(ProviderConnectionError, match="certificate"):
        ask_there(ask, by_name(secured))


def test_tls_connections_are_reused(secured: LoopbackProvider, bundle: str) -> None:
    transport = HttpTransport(ca_bundle=bundle)
    for _ in range(3):
        assert WHOLE[0](transport, by_name(secured)).text == "Hi"
    transport.close()
    assert secured.connections == 1

    assert WHOLE[0](transport, by_name(secured)).text == "Hi"
    transport.close()


@on_sockets
def test_a_certificate_for_another_name_is_refused(ask: Ask, authority: trustme.CA, bundle: str) -> None:
    with (
        LoopbackProvider("Hi", tls=serving(authority, "elsewhere.example")) as provider,
        pytest.raises(ProviderConnectionError, match="not valid for 'localhost'"),
    ):
        ask_there(ask, by_name(provider), ca_bundle=bundle)


@on_sockets
def test_a_server_that_speaks_no_tls_and_one_that_is_silent_are_errors(ask: Ask) -> None:
    with LoopbackProvider("Hi") as plain:
        spoken = entry(1, "real", api_endpoint=f"https://127.0.0.1:{plain.port}/v1")
        with pytest.raises(ProviderConnectionError):
            ask_there(ask, spoken)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        unheard = entry(1, "real", api_endpoint=f"https://127.0.0.1:{silent.getsockname()[1]}/v1")
        with pytest.raises(ProviderTimeoutError, match="took too long"):
            ask(HttpTransport(), unheard, limits=Limits(connect=0.2))


def test_a_ca_bundle_that_cannot_be_read_is_a_configuration_error(secured: LoopbackProvider, tmp_path: Path) -> None:
    with pytest.raises(NoLLMAvailableError, match="CA bundle"):
        ask_there(WHOLE[0], by_name(secured), ca_bundle=str(tmp_path / "none.pem"))


@on_sockets
@pytest.mark.parametrize("reach", [Reach.PUBLIC, Reach.ROUTABLE, Reach.PRIVATE, Reach.ANY])
def test_a_name_may_lead_only_where_the_entry_may_reach(ask: Ask, reach: Reach) -> None:
    with LoopbackProvider("Hi") as provider:
        named = by_name(provider, reach=reach)
        if reach is Reach.PUBLIC:
            with pytest.raises(NoLLMAvailableError, match="ENDPOINTS_ALLOW_PRIVATE"):
                ask_there(ask, named)
            assert provider.connections == 0
        else:
            assert ask_there(ask, named).text == "Hi"


@on_sockets
def test_metadata_addresses_and_public_ones_are_refused_where_they_must_be(ask: Ask) -> None:
    metadata = entry(1, "real", api_endpoint="http://169.254.169.254/v1", reach=Reach.ROUTABLE)
    public = entry(1, "real", api_endpoint="http://8.8.8.8/v1", reach=Reach.PRIVATE, tier=LLMTier.STANDARD)
    for there in (metadata, public):
        with pytest.raises(NoLLMAvailableError, match="address"):
            ask_there(ask, there)


@on_sockets
def test_a_name_that_leads_into_the_private_network_is_refused_when_connecting(
    ask: Ask, provider: LoopbackProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(*_: object, **__: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", answer)  # the attacker's name server
    rebound = entry(1, "real", api_endpoint=f"http://rebound.example:{provider.port}/v1", reach=Reach.PUBLIC)

    with pytest.raises(NoLLMAvailableError, match=r"leads to 127\.0\.0\.1"):
        ask_there(ask, rebound)
    with pytest.raises(ConfigurationError, match=r"leads to 127\.0\.0\.1"):
        ask(HttpTransport(), rebound, llm_id=1)
    assert provider.connections == 0


class Proxy:
    """A minimal egress proxy: CONNECT tunnels to loopback whatever the name, and plain requests passed on."""

    def __init__(self, upstream: int, *, status: bytes = b"200 Connection established") -> None:
        self.heads: list[bytes] = []
        self._upstream = upstream
        self._status = status
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._threads = [threading.Thread(target=self._serve)]

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._tunnel, args=(client,))
            self._threads.append(thread)
            thread.start()

    def _tunnel(self, client: socket.socket) -> None:
        with client:
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(4096)
            self.heads.append(head)
            if head.startswith(b"CONNECT"):
                client.sendall(b"HTTP/1.1 " + self._status + b"\r\n\r\n")
                if not self._status.startswith(b"200"):
                    return
                head = b""
            with socket.create_connection(("127.0.0.1", self._upstream)) as upstream:
                upstream.sendall(head)
                back = threading.Thread(target=pump, args=(upstream, client))
                back.start()
                pump(client, upstream)
                back.join()

    def __enter__(self) -> Proxy:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for thread in self._threads:
            thread.join()


def pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


NAME = "provider.example"


@on_sockets
def test_an_egress_proxy_tunnels_https_and_gets_its_password(ask: Ask, authority: trustme.CA, bundle: str) -> None:
    with (
        LoopbackProvider("Hi", tls=serving(authority, NAME)) as provider,
        Proxy(provider.port) as proxy,
    ):
        url = f"http://user:p%40ss@127.0.0.1:{proxy.port}"
        there = entry(1, "real", api_endpoint=f"https://{NAME}/v1", reach=Reach.PUBLIC)

        assert ask_there(ask, there, proxy=url, ca_bundle=bundle).text == "Hi"

    assert proxy.heads[0].startswith(b"CONNECT provider.example:443 HTTP/1.1\r\n")
    assert b"proxy-authorization: Basic dXNlcjpwQHNz" in proxy.heads[0]
    assert b"secret" not in proxy.heads[0]


@on_sockets
def test_an_egress_proxy_passes_plain_http_on(ask: Ask) -> None:
    with LoopbackProvider("Hi") as provider, Proxy(provider.port) as proxy:
        there = entry(1, "real", api_endpoint=f"http://{NAME}/v1")

        assert ask_there(ask, there, proxy=f"http://127.0.0.1:{proxy.port}").text == "Hi"

    assert proxy.heads[0].startswith(b"POST http://provider.example/v1/chat/completions HTTP/1.1\r\n")


@on_sockets
def test_a_proxy_that_refuses_is_a_connection_error(ask: Ask) -> None:
    with Proxy(1, status=b"403 Forbidden") as proxy:
        with pytest.raises(ProviderConnectionError, match=r"proxy refused the connection \(403\)"):
            ask_there(ask, entry(1, "real", api_endpoint=f"https://{NAME}/v1"), proxy=f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(NoLLMAvailableError, match="not a public one"):
            ask_there(
                ask,
                entry(1, "real", api_endpoint="https://10.0.0.1/v1", reach=Reach.PUBLIC),
                proxy=f"http://127.0.0.1:{proxy.port}",
            )


@on_sockets
def test_this_machine_and_private_entries_are_reached_without_the_proxy(ask: Ask) -> None:
    with LoopbackProvider("Hi") as provider:
        nobody = "http://127.0.0.1:9"
        assert ask_there(ask, by_name(provider), proxy=nobody).text == "Hi"
        assert ask_there(ask, by_name(provider, reach=Reach.PRIVATE), proxy=nobody).text == "Hi"
        assert ask_there(ask, entry(1, "real", api_endpoint=provider.url), proxy=nobody).text == "Hi"


@pytest.mark.parametrize("url", ["socks5://host:1", "http://", "nonsense", "http://user:secret@host:99999"])
def test_a_proxy_that_cannot_be_meant_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(ConfigurationError, match="PROXY must look like") as raised:
        HttpTransport(proxy=url)

    assert "secret" not in str(raised.value)


def test_looking_a_name_up_is_shared_and_bounded_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    lookups: list[str] = []
    release = threading.Event()

    def hang(host: str, *_: object, **__: object) -> list[Any]:
        lookups.append(host)
        release.wait(5)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)  # the system's resolver, which no fake server can stand in for
    there = entry(1, "real", api_endpoint="http://slow.example/v1")
    transport = HttpTransport()

    for ask in [*WHOLE, *STREAMED]:
        with pytest.raises(ProviderTimeoutError, match="Looking up"):
            ask(transport, there, limits=Limits(connect=0.1))
    release.set()
    assert lookups == ["slow.example"]


@pytest.mark.parametrize("endpoint", ["ftp://host/v1", "http://host:99999/v1", "http:///v1"])
def test_an_endpoint_that_is_no_http_url_is_a_configuration_error(endpoint: str) -> None:
    there = entry(1, "real", api_endpoint=endpoint)
    for ask in WHOLE:
        with pytest.raises(ConfigurationError):
            ask(HttpTransport(), there, llm_id=1)


@pytest.mark.parametrize("url", ["ftp://host/v1", "http://host:99999/v1", "http:///v1"])
def test_a_transport_takes_http_urls_only(url: str) -> None:
    with pytest.raises(ConfigurationError, match="no http or https URL"):
        HttpTransport().open(HttpRequest("POST", url, {}))
    with pytest.raises(ConfigurationError, match="no http or https URL"):
        asyncio.run(HttpTransport().aopen(HttpRequest("POST", url, {})))


@pytest.mark.parametrize("header", ["line\nbreak", "na\u2713ve"])
def test_a_header_that_http_cannot_carry_is_refused_without_quoting_it(header: str) -> None:
    with LoopbackProvider("Hi") as provider:
        request = HttpRequest("POST", provider.url, {"authorization": header})
        with pytest.raises(ConfigurationError, match="cannot carry") as raised:
            HttpTransport().open(request)
        with pytest.raises(ConfigurationError, match="cannot carry"):
            asyncio.run(HttpTransport().aopen(request))

    assert header not in str(raised.value)


@pytest.mark.parametrize("reach", [Reach.PUBLIC, Reach.PRIVATE])
def test_a_transport_checks_literal_addresses_too(reach: Reach) -> None:
    url = "http://127.0.0.1:9/v1" if reach is Reach.PUBLIC else "http://8.8.8.8/v1"
    with pytest.raises(ConfigurationError, match="may not call"):
        HttpTransport().open(HttpRequest("POST", url, {}, reach=reach))
    with pytest.raises(ConfigurationError, match="may not call"):
        asyncio.run(HttpTransport().aopen(HttpRequest("POST", url, {}, reach=reach)))
