"""Which addresses a provider may be called at. Pure rules: nothing is resolved here.

A transport resolves a host's name and asks `permits` about each address before it connects to that very address.
"""

from __future__ import annotations

import unicodedata
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from creative_services.core.errors import ConfigurationError
from creative_services.core.types import Reach

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_DOTS = str.maketrans({"\u3002": ".", "\uff0e": ".", "\uff61": "."})

_PRIVATE: tuple[Network, ...] = tuple(
    ip_network(text) for text in ("127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)

# Where clouds hand out credentials to whoever asks. Link-local ones (169.254/16, fe80::/10) are refused as a class.
_METADATA: frozenset[Address] = frozenset(
    ip_address(text)
    for text in (
        "100.100.100.200",  # Alibaba Cloud
        "168.63.129.16",  # Azure's host agent
        "192.0.0.192",  # Oracle Cloud, older images
        "fd00:ec2::254",  # AWS, instance metadata
        "fd00:ec2::23",  # AWS, credentials of EKS pods
        "fd20:ce::254",  # Google Cloud
        "fd00:42::42",  # Scaleway
    )
)

# Prefixes whose addresses end with an IPv4 one: NAT64, NAT64 within one network (RFC 8215), translated (RFC 2765).
_TRANSLATED = tuple(IPv6Network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96"))
_COMPATIBLE = IPv6Network("::/96")
_GLOBAL = IPv6Network("2000::/3")


def literal_address(host: str) -> Address | None:
    """The address that `host` spells, or None for a name.

    Reads what operating systems and URL parsers read: dotted, short (`127.1`), decimal, octal and hexadecimal IPv4,
    bracketed IPv6 with or without zone, full-width digits, a trailing dot. An IPv4-mapped address is the IPv4 one.
    """
    text = unicodedata.normalize("NFKC", host.translate(_DOTS)).strip().lower()
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    text = text.removesuffix(".")
    if ":" in text:
        try:
            return _unwrapped(IPv6Address(text.partition("%")[0]))
        except ValueError:
            return None
    return _ipv4(text)


def _ipv4(text: str) -> IPv4Address | None:
    parts = [_number(part) for part in text.split(".")]
    *heads, tail = parts
    if len(parts) > 4 or tail is None or tail >= 256 ** (5 - len(parts)):
        return None
    value = tail
    for place, head in enumerate(heads):
        if head is None or head > 255:
            return None
        value += head << (8 * (3 - place))
    return IPv4Address(value)


def _number(text: str) -> int | None:
    """A part of an IPv4 address as `inet_aton` reads it: 0x is hexadecimal, a leading 0 octal."""
    if not text.isascii() or not text[:1].isdigit() or "_" in text or len(text) > 64:
        return None
    base = 16 if text.startswith("0x") else 8 if len(text) > 1 and text[0] == "0" else 10
    try:
        return int(text, base)
    except ValueError:
        return None


def permits(address: Address, reach: Reach) -> bool:
    """Whether `reach` allows a connection to `address`; an IPv4 address inside an IPv6 one counts as itself."""
    if reach is Reach.ANY:
        return True
    address = _unwrapped(address)
    if address.is_link_local or address.is_multicast or address.is_unspecified or address in _METADATA:
        return False
    if reach is Reach.ROUTABLE:
        return True
    if reach is Reach.PRIVATE:
        return _is_private(address)
    # Python's own table differs between its versions; beyond 2000::/3 no IPv6 address is given to anybody.
    is_routed = isinstance(address, IPv4Address) or address in _GLOBAL
    return address.is_global and is_routed and not _is_private(address)


def _is_private(address: Address) -> bool:
    return any(address in network for network in _PRIVATE)


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that a mapped, compatible, translated, 6to4 or Teredo address leads to, else this one."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    is_translated = any(address in network for network in _TRANSLATED)
    if is_translated or (address in _COMPATIBLE and int(address) > 0xFFFF):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def check_endpoint(url: str, reach: Reach) -> None:
    """Raise ConfigurationError, which says what to write instead, unless `url` can be a base URL within `reach`.

    The message never quotes the URL: what is wrong with it may be a password in it.
    """
    parts = split_endpoint(url)
    host = parts.hostname or ""
    address = _loopback_name(host) or literal_address(host)
    if address is not None and not permits(address, reach):
        raise ConfigurationError(_refusal(address, host, reach))
    if address is None or not host.isascii():  # no Host header can carry full-width digits
        _check_name(host)


def _refusal(address: Address, host: str, reach: Reach) -> str:
    if not permits(address, Reach.ROUTABLE):
        return f"The endpoint's address {host} is never called: it is link-local, a metadata service, or no host's."
    if reach is Reach.PRIVATE:
        return (
            f"The endpoint's address {host} is not a loopback or private one. An LLM of the LOCAL tier must have one, "
            "or a host listed in LOCAL_HOSTS."
        )
    return (
        f"The endpoint's address {host} is not a public one. Private and loopback addresses are for the LOCAL tier, "
        "or need ENDPOINTS_ALLOW_PRIVATE."
    )


def split_endpoint(url: str) -> SplitResult:
    """The parts of a base URL. Raises ConfigurationError for what is not one."""
    if not url.isprintable() or any(mark in url for mark in ' \\<>"'):
        raise ConfigurationError("The endpoint has characters that no URL has, such as a space. Enter it again.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ConfigurationError("The endpoint is not a URL that can be read. Check brackets and port.") from None
    if parts.scheme not in ("http", "https"):
        raise ConfigurationError("The endpoint must start with http:// or https://.")
    if "@" in parts.netloc:
        raise ConfigurationError("The endpoint must hold no user name or password. A key goes into `api_key`.")
    if "?" in url or "#" in url:
        raise ConfigurationError("The endpoint must be a base URL, without query (?) and fragment (#).")
    if not parts.hostname or port == 0:
        raise ConfigurationError("The endpoint names no host, or port 0. Write it like https://api.example.com/v1.")
    return parts


def _loopback_name(host: str) -> Address | None:
    name = host.removesuffix(".")
    return IPv4Address("127.0.0.1") if name == "localhost" or name.endswith(".localhost") else None


def _check_name(host: str) -> None:
    labels = host.removesuffix(".").split(".")
    plain = host.isascii() and all(label and label.replace("-", "").replace("_", "").isalnum() for label in labels)
    # A last label of digits can be no name; systems differ in how they read such an address.
    if not plain or labels[-1].isdigit() or len(host) > 253:
        raise ConfigurationError(
            "The endpoint's host is neither a name nor an address. Names of other scripts are written as xn--."
        )


def complete_base(endpoint: str, path: str, *, always: bool = False) -> str:
    """The base URL `endpoint` with its usual `path`, which is added as a whole, in part, or not at all.

    A base without a path gets all of it; one whose path ends with the beginning of it gets the rest, so that nothing
    is doubled; another path is taken as meant, unless `always`.
    """
    endpoint = endpoint.rstrip("/")
    given = split_endpoint(endpoint).path.split("/")[1:]
    usual = path.split("/")[1:]
    for shared in range(min(len(given), len(usual)), 0, -1):
        if given[-shared:] == usual[:shared]:
            return "/".join((endpoint, *usual[shared:]))
    return endpoint + path if always or not given else endpoint
