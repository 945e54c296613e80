"""TLS and the egress proxy: how a connection to a host is secured and what stands between."""

from __future__ import annotations

import os
import ssl
from base64 import b64encode
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from creative_services.core.errors import ConfigurationError
from creative_services.core.secret import Secret


def tls_context(ca_bundle: str | None) -> ssl.SSLContext:
    """A verifying client context. CA certificates: `ca_bundle`, else SSL_CERT_FILE, else those of certifi."""
    import certifi  # noqa: PLC0415 - 20 ms that only a first https call pays, together with loading the bundle

    path = ca_bundle or os.environ.get("SSL_CERT_FILE") or certifi.where()
    try:
        context = ssl.create_default_context(cafile=path)
    except OSError:
        raise ConfigurationError(f"The CA bundle {path!r} cannot be read. Check CA_BUNDLE or SSL_CERT_FILE.") from None
    context.set_alpn_protocols(["http/1.1"])
    return context


@dataclass(frozen=True, slots=True)
class Proxy:
    """An egress proxy: `http://[user:password@]host:port`."""

    host: str
    port: int
    authorization: str | None = None

    @classmethod
    def parse(cls, url: str) -> Proxy:
        """The proxy a URL names. Raises ConfigurationError, which never quotes the URL: it may hold a password."""
        try:
            parts = urlsplit(url)
            port = 80 if parts.port is None else parts.port
        except ValueError:
            parts, port = urlsplit(""), 0
        if parts.scheme != "http" or not parts.hostname or not port:
            raise ConfigurationError("PROXY must look like http://host:port or http://user:password@host:port.")
        authorization = None
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            authorization = Secret("Basic " + b64encode(pair.encode()).decode())
        return cls(parts.hostname, port, authorization)

    def headers(self) -> dict[str, str]:
        """What the proxy wants to see on a request that it is to pass on."""
        return {} if self.authorization is None else {"proxy-authorization": self.authorization}
