"""HTTP/1.1 without I/O: however the network cuts an answer, it is read as what it is, and nothing is left for the next.

Over real sockets it is tested in test_connections.
"""

from __future__ import annotations

import gzip
import zlib

import pytest

from creative_services import ConfigurationError, MalformedResponseError, ProviderConnectionError
from creative_services.core.http import HttpRequest
from creative_services.core.secret import Secret
from creative_services.core.transport.http11 import MAX_HEAD, Http11

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
INTERIMS = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n"
PACKED = gzip.compress(b"packed")
REQUEST = HttpRequest("POST", "http://here/v1", {"authorization": Secret("Bearer sk-1")}, b"{}")


def connection() -> Http11:
    http = Http11()
    http.send(REQUEST, "/v1", "here")
    return http


def read(http: Http11) -> tuple[int | None, bytes, str]:
    """What has come so far: status, body, and what is wrong or `end` or nothing yet."""
    body = b""
    try:
        head = http.head()
        if head is None:
            return None, b"", ""
        while piece := http.body():
            body += piece
    except (ProviderConnectionError, MalformedResponseError) as error:
        return (http.head() or (None,))[0] if body else None, body, type(error).__name__
    return head[0], body, "end" if piece is not None else ""


def received(*pieces: bytes) -> tuple[tuple[int | None, bytes, str], bool]:
    http = connection()
    for piece in pieces:
        http.receive(piece)
    return read(http), http.is_reusable


BROKEN_OFF = (None, b"", "MalformedResponseError")
NO_ANSWER = (None, b"", "ProviderConnectionError")

WIRES = {
    "a length": (OK + b"Content-Length: 2\r\n\r\nHi", (200, b"Hi", "end"), True),
    "no body": (OK + b"Content-Length: 0\r\n\r\n", (200, b"", "end"), True),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", (204, b"", "end"), True),
    "chunks": (CHUNKED + b"1\r\nH\r\n1\r\ni\r\n0\r\n\r\n", (200, b"Hi", "end"), True),
    "trailers": (CHUNKED + b"2;a=b\r\nHi\r\n0\r\nX-Sum: 1\r\n\r\n", (200, b"Hi", "end"), True),
    "interims": (INTERIMS + OK + b"Content-Length: 2\r\n\r\nHi", (200, b"Hi", "end"), True),
    "bare line feeds": (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nHi", (200, b"Hi", "end"), True),
    "its last": (OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nHi", (200, b"Hi", "end"), False),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nHi", (200, b"Hi", "end"), False),
    "two lengths": (OK + b"Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nHi\r\n0\r\n\r\n",
                    (200, b"Hi", "end"), False),
    "an answer nobody asked for": (2 * (OK + b"Content-Length: 2\r\n\r\nHi"), (200, b"Hi", "end"), False),
    "compressed": (OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(PACKED) + PACKED,
                   (200, b"packed", "end"), True),
    "another protocol": (b"SSH-2.0-OpenSSH\r\n", NO_ANSWER, False),
    "a switch of protocols": (b"HTTP/1.1 101 Up\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", NO_ANSWER, False),
    "a folded header": (OK + b"X: a\r\n b\r\n\r\n", NO_ANSWER, False),
    "a list of encodings": (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nHi\r\n0\r\n\r\n", NO_ANSWER, False),
    "two encodings": (OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\n\r\n2\r\nHi\r\n0\r\n\r\n",
                      NO_ANSWER, False),
    "an encoding with a tab": (OK + b"Transfer-Encoding: chunked\t\r\n\r\n2\r\nHi\r\n0\r\n\r\n", NO_ANSWER, False),
    "an encoding that is none": (OK + b"Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nHi", NO_ANSWER, False),
    "a status that is none": (b"HTTP/1.1 099 Hm\r\nContent-Length: 2\r\n\r\nHi", NO_ANSWER, False),
    "an interim that closes": (b"HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\n" + OK +
                               b"Content-Length: 2\r\n\r\nHi", (200, b"Hi", "end"), True),
    "an interim of HTTP/1.0": (b"HTTP/1.0 100 Continue\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nHi",
                               (200, b"Hi", "end"), True),
    "a length that is none": (OK + b"Content-Length: two\r\n\r\nHi", NO_ANSWER, False),
}  # fmt: skip
wires = pytest.mark.parametrize(("wire", "comes_to", "is_reusable"), WIRES.values(), ids=WIRES)


@wires
def test_an_answer_is_the_same_wherever_the_network_cuts_it(
    wire: bytes, comes_to: tuple[int | None, bytes, str], is_reusable: bool
) -> None:
    cuts = [(wire[:at], wire[at:]) for at in range(1, len(wire))]

    for pieces in [(wire,), *cuts, tuple(bytes([byte]) for byte in wire)]:
        assert received(*pieces) == (comes_to, is_reusable), pieces


@wires
def test_an_answer_that_has_come_is_not_taken_back_by_the_end_of_the_connection(
    wire: bytes, comes_to: tuple[int | None, bytes, str], is_reusable: bool
) -> None:
    assert received(wire, b"") == (comes_to, False)


def test_where_neither_length_nor_chunks_end_a_body_the_end_of_the_connection_does() -> None:
    assert received(OK + b"\r\nHi") == ((200, b"Hi", ""), False)
    assert received(OK + b"\r\nHi", b"") == ((200, b"Hi", "end"), False)


@pytest.mark.parametrize(
    ("wire", "comes_to"),
    [
        (b"", NO_ANSWER),
        (b"HTTP/1.1 200 OK\r\nContent-", NO_ANSWER),
        (b"HTTP/1.1 100 Continue\r\n\r\n", NO_ANSWER),
        (OK + b"Content-Length: 2\r\n\r\n", BROKEN_OFF),
        (OK + b"Content-Length: 2\r\n\r\nH", (200, b"H", "MalformedResponseError")),
        (CHUNKED + b"1\r\nH\r\n", (200, b"H", "MalformedResponseError")),
        (CHUNKED + b"1\r\nH\r\n0\r\nX-Sum: 1\r\n", (200, b"H", "MalformedResponseError")),
    ],
)
def test_an_end_of_the_connection_before_the_answers_own_is_an_error(
    wire: bytes, comes_to: tuple[int | None, bytes, str]
) -> None:
    assert received(wire, b"") == (comes_to, False)


def test_what_is_wrong_after_a_part_of_the_body_is_told_after_that_part() -> None:
    assert received(CHUNKED + b"1\r\nH\r\nzz\r\n") == ((200, b"H", "MalformedResponseError"), False)


@pytest.mark.parametrize(
    ("begin", "again", "comes_to"),
    [
        (OK, b"X-More: of it\r\n", NO_ANSWER),
        (OK + b"X: ", b"more of it ", NO_ANSWER),
        (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n", NO_ANSWER),
        (CHUNKED + b"0\r\n", b"X-Trailer: more\r\n", BROKEN_OFF),
        (CHUNKED + b"1;", b"extension=more;", BROKEN_OFF),
    ],
)
def test_what_does_not_end_before_or_after_the_body_is_given_up(
    begin: bytes, again: bytes, comes_to: tuple[int | None, bytes, str]
) -> None:
    http = connection()
    http.receive(begin)
    for _ in range(2 * MAX_HEAD // len(again)):
        http.receive(again)

    assert read(http) == comes_to


def test_a_long_body_in_small_pieces_is_no_endless_head() -> None:
    http = connection()
    http.receive(OK + b"Content-Length: %d\r\n\r\n" % (3 * MAX_HEAD))
    for _ in range(3 * MAX_HEAD // 1024):
        http.receive(b"x" * 1024)

    assert read(http) == (200, b"x" * 3 * MAX_HEAD, "end")


def test_one_connection_carries_one_answer_after_the_other() -> None:
    http = connection()
    for number in range(3):
        http.receive(OK + b"X-Number: %d\r\nContent-Length: 1\r\n\r\n%d" % (number, number))
        head = http.head()
        assert head is not None
        assert head[1]["x-number"] == str(number)
        assert read(http) == (200, b"%d" % number, "end")
        assert http.is_reusable
        http.send(REQUEST, "/v1", "here")
        assert not http.is_reusable


@pytest.mark.parametrize("late", [b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n", b"x", b""])
def test_a_connection_on_which_something_comes_that_nobody_asked_for_carries_no_more(late: bytes) -> None:
    http = connection()
    http.receive(OK + b"Content-Length: 2\r\n\r\nHi")
    assert read(http) == (200, b"Hi", "end")

    http.receive(late)

    assert not http.is_reusable


class Interrupted(BaseException):
    """As a signal's handler raises it, wherever the program is."""


def test_an_interrupt_while_an_answer_is_read_is_raised_and_ends_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    http = connection()
    monkeypatch.setattr(zlib, "decompressobj", interrupt)  # what reading a head may come to

    with pytest.raises(Interrupted):
        http.receive(OK + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nHi")

    assert not http.is_reusable
    with pytest.raises(MalformedResponseError):
        http.body()


def interrupt(*_: object) -> None:
    raise Interrupted


def test_headers_of_an_answer_have_names_in_lower_case_and_values_without_blanks() -> None:
    http = connection()
    http.receive(OK + b"X-One: \t a b \t\r\nX-EMPTY:\r\nx-latin: \xe9\r\nContent-Length: 0\r\n\r\n")

    assert http.head() == (200, {"x-one": "a b", "x-empty": "", "x-latin": "é", "content-length": "0"})


def test_a_request_is_one_piece_that_shows_no_key() -> None:
    sent = Http11().send(REQUEST, "/v1?a=b", "here:8000")

    assert bytes(sent) == (
        b"POST /v1?a=b HTTP/1.1\r\nhost: here:8000\r\ncontent-length: 2\r\nauthorization: Bearer sk-1\r\n\r\n{}"
    )
    assert "sk-1" not in repr(sent)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-key", "sk-1\r\nx: y"), ("x-key", "sk-1\n2"), ("x-key", "sk-1\0"), ("x-key", "sk-ü"), ("x-key", " sk-1"),
        ("x-key", "sk-1 "), ("x-key", "sk-1\n"), ("x key", "sk-1"), ("x-key:", "sk-1"), ("", "sk-1"), ("x-kéy", "sk-1"),
        ("x-key\n", "sk-1"), ("Host", "sk-1"), ("content-length", "1"), ("Transfer-Encoding", "chunked"),
    ],
)  # fmt: skip
def test_a_header_that_http_cannot_carry_is_refused_and_not_shown(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match="'here' holds a header") as raised:
        Http11().send(HttpRequest("POST", "http://here", {name: Secret(value)}), "/", "here")

    assert "sk-" not in str(raised.value)


@pytest.mark.parametrize(
    ("method", "target", "host"),
    [("PO ST", "/", "h"), ("POST", "/a b", "h"), ("POST", "/", "h\r\nx: y"), ("", "/", "h")],
)
def test_a_first_line_that_http_cannot_carry_is_refused(method: str, target: str, host: str) -> None:
    with pytest.raises(ConfigurationError):
        Http11().send(HttpRequest(method, "http://h", {}), target, host)


def test_an_empty_header_is_sent() -> None:
    assert b"\r\nx-empty: \r\n" in bytes(Http11().send(HttpRequest("GET", "http://h", {"x-empty": ""}), "/", "h"))
