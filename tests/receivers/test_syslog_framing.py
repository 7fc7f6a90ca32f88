"""Where syslog messages begin and end on a TCP connection, however the bytes are cut into chunks."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.model.errors import Malformed
from watchkeeper.receivers.syslog_framing import FRAME_LIMIT, Splitter


def split(chunks: list[bytes], limit: int = FRAME_LIMIT) -> tuple[list[bytes], list[str]]:
    """Messages and reasons of letters of a connection that sends these chunks and ends."""
    splitter = Splitter(limit)
    messages: list[bytes] = []
    reasons: list[str] = []
    for pieces in (*map(splitter.feed, chunks), splitter.finish()):
        for start, end in zip(pieces.starts, pieces.ends, strict=True):
            messages.append(pieces.data[start:end])
        reasons += [letter.reason for letter in pieces.letters]
    assert splitter.held == 0
    return messages, reasons


def cut(data: bytes, places: list[int]) -> list[bytes]:
    bounds = sorted({0, len(data), *(p % (len(data) + 1) for p in places)})
    return [data[a:b] for a, b in pairwise(bounds)]


PLACES = st.lists(st.integers(0, 10_000), max_size=20)
LINE = st.binary(min_size=1, max_size=40).filter(lambda m: b"\n" not in m).map(lambda m: b"<" + m)


@given(st.lists(LINE, max_size=10), PLACES, st.booleans())
def test_lines_in_any_chunks(messages: list[bytes], places: list[int], ended: bool) -> None:
    data = b"\n".join(messages) + (b"\n" if ended and messages else b"")
    assert split(cut(data, places)) == (messages, [])


@given(st.lists(st.binary(min_size=1, max_size=200), max_size=10), PLACES, st.booleans())
def test_counted_frames_in_any_chunks(messages: list[bytes], places: list[int], newline: bool) -> None:
    data = b"".join(b"%d %s%s" % (len(m), m, b"\n" * newline) for m in messages)
    assert split(cut(data, places)) == (messages, [])


@given(st.lists(st.sampled_from([b"<1>a", b"<1>" + b"b" * 30, b"<1>" + b"c" * 9]), max_size=8), PLACES)
def test_long_lines_are_letters_and_others_go_on(messages: list[bytes], places: list[int]) -> None:
    short = [m for m in messages if len(m) <= 20]
    long = ["frame_too_long"] * (len(messages) - len(short))
    assert split(cut(b"".join(m + b"\n" for m in messages), places), 20) == (short, long)
    assert split(cut(b"".join(b"%d %s" % (len(m), m) for m in messages), places), 20) == (short, long)


@given(st.lists(st.binary(max_size=300), max_size=6))
def test_random_bytes_never_raise_anything_but_malformed(chunks: list[bytes]) -> None:
    for first in (b"", b"<", b"1"):
        try:
            split([first, *chunks])
        except Malformed as error:
            assert error.reason == "lost_framing"


@pytest.mark.parametrize(
    "count", [b"1000000000000000000 x", b"99999999999", b"12a x", b"123456789012", b"16777217 x"]
)
def test_a_count_that_cannot_be_ends_the_connection(count: bytes) -> None:
    splitter = Splitter()
    splitter.feed(b"3 abc")
    with pytest.raises(Malformed, match="not an octet count"):
        splitter.feed(count)


def test_nothing_grows_with_a_line_that_never_ends() -> None:
    splitter = Splitter()
    letters = 0
    for _ in range(100):
        letters += len(splitter.feed(b"<" + b"x" * 50_000).letters)
        assert splitter.held <= FRAME_LIMIT
    assert letters == 1
    pieces = splitter.feed(b"\n<1>good\n")
    assert pieces.data[pieces.starts[0] : pieces.ends[0]] == b"<1>good"


def test_half_a_frame_at_the_end_is_a_letter_and_an_unended_line_a_message() -> None:
    assert split([b"10 <13>abc"]) == ([], ["cut_off"])
    assert split([b"<13>abc"]) == ([b"<13>abc"], [])
    assert split([b"\r\n\n<1>a\r\n", b"  "]) == ([b"<1>a\r"], [])
