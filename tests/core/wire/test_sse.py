from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creative_services.core.errors import MalformedResponseError
from creative_services.core.wire.sse import MAX_EVENT_BYTES, SSEDecoder

from .answers import events

MIXED = (
    b"\xef\xbb\xbf: a comment\r\n\r\n"
    b"event: start\ndata: one\n\n"
    b"data:no space\r\rdata:  two spaces\n\n"
    b"data: first\r\ndata: second\r\n\r\n"
    b"id: 7\nretry: 10\nunknown\ndata\n\n"
    b"event: lonely\n\n"
    b"error: {}\n\n"
    b"data: h\xc3\xa9llo\n\ndata: last"
)
READ = [
    ("start", b"one"),
    ("message", b"no space"),
    ("message", b" two spaces"),
    ("message", b"first\nsecond"),
    ("message", b""),
    ("error", b"{}"),
    ("message", "héllo".encode()),
    ("message", b"last"),
]


def test_all_line_ends_comments_and_fields_are_understood():
    assert events(MIXED) == READ


@given(st.lists(st.integers(0, len(MIXED)), max_size=6).map(sorted))
def test_where_the_bytes_are_cut_changes_nothing(cuts):
    edges = [0, *cuts, len(MIXED)]
    assert events(*(MIXED[a:b] for a, b in pairwise(edges))) == READ


def test_byte_by_byte_reads_the_same():
    assert events(*(MIXED[i : i + 1] for i in range(len(MIXED)))) == READ


def test_an_event_is_given_as_soon_as_its_blank_line_is_there():
    decoder = SSEDecoder()
    assert decoder.feed(b"data: {}\r\n\r") == [("message", b"{}")]
    assert decoder.feed(b"\ndata: 2\n") == []
    assert decoder.feed(b"\n") == [("message", b"2")]
    assert decoder.flush() == []


def test_an_empty_body_has_no_events():
    assert events() == []
    assert events(b"") == []


@pytest.mark.parametrize("line", [b"x" * 2**20, b"data: " + b"x" * 2**20 + b"\n"])
def test_an_event_that_never_ends_is_refused_at_a_bound(line):
    with pytest.raises(MalformedResponseError, match="32 MB"):
        events(*[line] * (MAX_EVENT_BYTES // len(line) + 3))


def test_a_huge_line_in_small_pieces_costs_what_its_length_costs():
    began = time.process_time()
    piece = b"x" * 100
    decoder = SSEDecoder()
    decoder.feed(b"data: ")
    for _ in range(100_000):
        decoder.feed(piece)
    ((_, data),) = decoder.feed(b"\n\n")
    assert len(data) == 10_000_000
    assert time.process_time() - began < 5  # quadratic work would be minutes
