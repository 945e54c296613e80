"""Which addresses a provider may be called at."""

from __future__ import annotations

import socket
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creative_services.core.endpoints import check_endpoint, literal_address, permits
from creative_services.core.errors import ConfigurationError
from creative_services.core.types import Reach

METADATA = ip_address("169.254.169.254")


@pytest.mark.parametrize(
    "spelling",
    [
        "169.254.169.254",
        "169.254.169.254.",
        "2852039166",
        "0xa9fea9fe",
        "0XA9FEA9FE",
        "025177524776",
        "0251.0376.0251.0376",
        "0xa9.0xfe.0xa9.0xfe",
        "169.254.43518",
        "169.16689662",
        "169.0xfe.43518",
        "１６９.２５４.１６９.２５４",
        "①⑥⑨.254.169.254",
        "169。254．169｡254",
        "::ffff:169.254.169.254",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[0:0:0:0:0:FFFF:A9FE:A9FE]",
        "[::ffff:169.254.169.254%eth0]",
        "[::169.254.169.254]",
        "[64:ff9b::169.254.169.254]",
        "[64:ff9b:1::169.254.169.254]",
        "[64:ff9b:1:fffe::169.254.169.254]",
        "[::ffff:0:169.254.169.254]",
        "[2002:a9fe:a9fe::]",
        "[2001:0:1234::5601:5601]",
    ],
)
def test_every_spelling_of_the_metadata_address_is_recognised(spelling):
    assert literal_address(spelling) == METADATA


@pytest.mark.parametrize(
    ("spelling", "address"),
    [
        ("127.1", "127.0.0.1"),
        ("127.0.1", "127.0.0.1"),
        ("0", "0.0.0.0"),  # noqa: S104
        ("0x0.0", "0.0.0.0"),  # noqa: S104
        ("0x7f.1", "127.0.0.1"),
        ("[::1]", "::1"),
        ("::1", "::1"),
        ("[::]", "::"),
        ("[fe80::1%25eth0]", "fe80::1"),
        ("2606:4700::1111", "2606:4700::1111"),
    ],
)
def test_short_and_bracketed_addresses_are_read_as_the_system_reads_them(spelling, address):
    assert literal_address(spelling) == ip_address(address)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "localhost",
        "api.openai.com",
        "1.2.3.4.example.com",
        "1.2.3.4.5",
        "256.1.1.1",
        "1.2.3.256",
        "1.2.70000",
        "4294967296",
        "09.1.1.1",
        "0x",
        "0xzz",
        "1_0.0.0.1",
        "-1",
        "1..1",
        "[::1",
        "::g",
        "face",
        "٣.1.1.1",
        "9" * 5000,
    ],
)
def test_a_name_or_nonsense_is_no_address(name):
    assert literal_address(name) is None


@given(st.ip_addresses(v=4), st.sampled_from(["{}", "{:#x}", "0{:o}"]))
def test_a_number_is_the_address_that_the_system_makes_of_it(address, spelling):
    text = spelling.format(int(address))
    assert literal_address(text) == IPv4Address(socket.inet_aton(text)) == address


@given(st.lists(st.integers(0, 300), min_size=1, max_size=5), st.lists(st.sampled_from("dxo"), min_size=5, max_size=5))
def test_dotted_forms_are_read_as_inet_aton_reads_them(numbers, bases):
    text = ".".join(
        {"d": f"{n}", "x": f"{n:#x}", "o": f"0{n:o}"}[base] for n, base in zip(numbers, bases, strict=False)
    )
    try:
        expected = IPv4Address(socket.inet_aton(text))
    except OSError:
        expected = None
    assert literal_address(text) == expected


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_none(text):
    found = literal_address(text)
    assert found is None or isinstance(found, IPv4Address | IPv6Address)


@given(st.ip_addresses())
def test_no_reach_is_wider_than_the_one_before_it(address):
    allowed = {reach: permits(address, reach) for reach in Reach}
    assert allowed[Reach.ANY]
    assert not (allowed[Reach.PUBLIC] and allowed[Reach.PRIVATE])
    assert allowed[Reach.ROUTABLE] or not (allowed[Reach.PUBLIC] or allowed[Reach.PRIVATE])


@given(st.ip_addresses(v=4), st.sampled_from(["::ffff:{}", "64:ff9b::{}"]), st.sampled_from(list(Reach)))
def test_an_address_inside_another_counts_as_itself(address, wrapping, reach):
    assert permits(ip_address(wrapping.format(address)), reach) == permits(address, reach)


@pytest.mark.parametrize(
    ("address", "routable", "public", "private"),
    [
        ("8.8.8.8", True, True, False),
        ("2606:4700::1111", True, True, False),
        ("127.0.0.1", True, False, True),
        ("127.255.0.9", True, False, True),
        ("::1", True, False, True),
        ("10.1.2.3", True, False, True),
        ("172.16.0.1", True, False, True),
        ("172.32.0.1", True, True, False),
        ("192.168.1.1", True, False, True),
        ("fd12::1", True, False, True),
        ("100.64.0.1", True, False, False),
        ("198.18.0.1", True, False, False),
        ("169.254.169.254", False, False, False),
        ("169.254.170.2", False, False, False),
        ("fe80::1", False, False, False),
        ("100.100.100.200", False, False, False),
        ("168.63.129.16", False, False, False),
        ("192.0.0.192", False, False, False),
        ("fd00:ec2::254", False, False, False),
        ("fd20:ce::254", False, False, False),
        ("0.0.0.0", False, False, False),  # noqa: S104
        ("::", False, False, False),
        ("224.0.0.1", False, False, False),
        ("ff02::1", False, False, False),
        ("::ffff:127.0.0.1", True, False, True),
        ("::ffff:169.254.169.254", False, False, False),
        ("2002:7f00:1::", True, False, True),
        ("64:ff9b:1::7f00:1", True, False, True),
        ("64:ff9b:1::a9fe:a9fe", False, False, False),
        ("::ffff:0:a9fe:a9fe", False, False, False),
        ("64:ff9b::808:808", True, True, False),
        ("fec0::1", True, False, False),
        ("5f00::1", True, False, False),
    ],
)
def test_each_reach_permits_its_own_addresses(address, routable, public, private):
    parsed = ip_address(address)
    found = (permits(parsed, Reach.ROUTABLE), permits(parsed, Reach.PUBLIC), permits(parsed, Reach.PRIVATE))
    assert found == (routable, public, private)
    assert permits(parsed, Reach.ANY)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com/v1",
        "https://api.openai.com",
        "https://generativelanguage.googleapis.com/v1beta",
        "HTTPS://API.Example.COM:8443/v1/",
        "http://my_host:8000",
        "https://xn--mnchen-3ya.de/v1",
        "https://8.8.8.8/v1",
        "https://api.example.com./v1",
    ],
)
def test_a_public_base_url_passes_under_the_rule_for_rows(url):
    check_endpoint(url, Reach.PUBLIC)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ftp://example.com", "http:// or https://"),
        ("file:///etc/passwd", "http:// or https://"),
        ("example.com/v1", "http:// or https://"),
        ("localhost:11434", "http:// or https://"),
        ("//example.com", "http:// or https://"),
        ("", "http:// or https://"),
        ("https://", "no host"),
        ("https:///v1", "no host"),
        ("https://:443/v1", "no host"),
        ("https://example.com:0/v1", "port 0"),
        ("https://example.com:port/v1", "cannot be read|can be read"),
        ("https://example.com:70000/v1", "can be read"),
        ("https://[::1/v1", "can be read"),
        ("https://user:hunter2@example.com/v1", "user name"),
        ("https://@example.com/v1", "user name"),
        ("https://example.com/v1?key=hunter2", "query"),
        ("https://example.com/v1?", "query"),
        ("https://example.com/v1#part", "fragment"),
        ("https://example.com/v1#", "fragment"),
        ("https://exa mple.com/v1", "characters"),
        ("https://example.com/v1\r\nX-Evil: 1", "characters"),
        ("https://example.com\\@evil.com/v1", "characters"),
        ("https://münchen.de/v1", "xn--"),
        ("https://exam%70le.com/v1", "neither a name"),
        ("https://1.2.3.4.5/v1", "neither a name"),
        ("https://999.1.1.1/v1", "neither a name"),
        ("https://a..b/v1", "neither a name"),
        (f"https://{'a.' * 130}com/v1", "neither a name"),
    ],
)
def test_what_is_no_base_url_is_refused_whatever_the_reach(url, says):
    for reach in Reach:
        with pytest.raises(ConfigurationError, match=says) as refusal:
            check_endpoint(url, reach)
        assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "[::1]", "localhost", "LOCALHOST.", "llm.localhost", "10.0.0.8"]
)
def test_a_private_host_is_for_local_rows(host):
    url = f"http://{host}:11434/v1"
    for reach in (Reach.ANY, Reach.ROUTABLE, Reach.PRIVATE):
        check_endpoint(url, reach)
    with pytest.raises(ConfigurationError, match="ENDPOINTS_ALLOW_PRIVATE"):
        check_endpoint(url, Reach.PUBLIC)


@pytest.mark.parametrize("reach", [Reach.ANY, Reach.PRIVATE])
@pytest.mark.parametrize("host", ["１２７.0.0.1", "127。0。0。1", "①②⑦.1"])
def test_digits_that_no_request_can_carry_are_refused_at_once(host, reach):
    with pytest.raises(ConfigurationError, match="neither a name nor an address"):
        check_endpoint(f"http://{host}/v1", reach)


def test_a_public_address_is_not_for_local_rows():
    with pytest.raises(ConfigurationError, match="LOCAL_HOSTS"):
        check_endpoint("https://8.8.8.8/v1", Reach.PRIVATE)


@pytest.mark.parametrize("host", ["169.254.169.254", "2852039166", "[::ffff:169.254.169.254]", "[fd00:ec2::254]"])
@pytest.mark.parametrize("reach", [Reach.ROUTABLE, Reach.PUBLIC, Reach.PRIVATE])
def test_a_metadata_address_is_refused_to_every_row(host, reach):
    with pytest.raises(ConfigurationError, match="never called"):
        check_endpoint(f"http://{host}/v1", reach)


@given(st.text(max_size=80), st.sampled_from(list(Reach)))
def test_any_text_passes_or_is_a_configuration_error(text, reach):
    with suppress(ConfigurationError):
        check_endpoint(f"http://{text}", reach)
