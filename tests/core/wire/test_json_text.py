from __future__ import annotations

import pytest

from creative_services.core.wire.json_text import load, written


def test_a_value_nested_beyond_the_encoders_depth_is_written_as_nothing():
    value: dict = {}
    for _ in range(100_000):
        value = {"a": value}
    assert written(value) == ""
    while value:  # taken apart, since freeing such a depth at once would overflow too
        value = value["a"]


@pytest.mark.parametrize("source", [b'{"a": 1}', b' \n{"a": 1}\r\n ', b'\xef\xbb\xbf{"a": 1}', '{"a": 1}', ' {"a": 1}'])
def test_json_is_read_with_a_mark_or_white_space_around_it(source):
    assert load(source) == {"a": 1}


@pytest.mark.parametrize("source", [b"", b" ", b"{} {}", b'{"a"', b"[" * 100_000, b"\xff", "{}x", "9" * 5000])
def test_what_is_no_json_raises_one_error(source):
    with pytest.raises(ValueError, match=r"."):
        load(source)
