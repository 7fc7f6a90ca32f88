"""Syslog's decoder: captured messages of many senders, the compiled reader against the complete one, times,
and what is no message."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from watchkeeper.model.errors import Malformed
from watchkeeper.model.signals import SCHEMAS, Stream
from watchkeeper.receivers.syslog import Frames, SyslogDoor
from watchkeeper.receivers.syslog_message import SEVERITIES, read

CAPTURES = sorted((Path(__file__).parent.parent / "captures" / "syslog").glob("*.log"))
SENDER = "10.9.9.9"


def ms(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc,arg-type]


NOW = ms(2023, 10, 11, 22, 20)


def rows(messages: list[bytes], now: int = NOW, zone: int = 0) -> tuple[list[dict[str, Any]], dict[int, str]]:
    """The rows of these messages, and index and reason of those that are none."""
    logs = SyslogDoor(lambda _: zone).read(Frames.of(messages, SENDER), now)
    letters = {i: letter.reason for i, letter in logs.letters}
    if logs.rows is None:
        return [], letters
    assert logs.rows.schema.equals(SCHEMAS[Stream.LOGS])
    logs.rows.validate(full=True)
    return logs.rows.to_pylist(), letters


def row(message: bytes, now: int = NOW, zone: int = 0) -> dict[str, Any]:
    (only,), _ = rows([message], now, zone)
    return only


def told(row: dict[str, Any]) -> dict[str, Any]:
    """A row as the expected files have it."""
    time = datetime(1970, 1, 1) + timedelta(microseconds=row["time_ns"] // 1000)
    nanos = row["time_ns"] % 1000
    return {
        "time": "received" if row["time_ns"] == NOW * 10**6 else time.isoformat() + (f"{nanos:03}" if nanos else ""),
        "severity": row["severity"], "host": row["host"], "source": row["source"], "body": row["body"],
        "labels": json.loads(row["labels"]),
    }  # fmt: skip


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda p: p.stem)
def test_captured_messages(capture: Path) -> None:
    messages = capture.read_bytes().splitlines()
    found, letters = rows(messages)
    assert letters == {}
    assert [told(r) for r in found] == json.loads(capture.with_suffix(".expected.json").read_text())
    for one in found:
        assert (one["received_ms"], one["door"], one["service"]) == (NOW, "syslog", "")


def expected(message: bytes, now: int = NOW, zone: int = 0) -> dict[str, Any] | str:
    """What the complete reader makes of a message: a row, or the reason why it is none."""
    try:
        m = read(message, SENDER, now, zone)
    except Malformed as error:
        return error.reason
    return {
        "time_ns": m.time_ns, "received_ms": now, "severity": m.severity, "host": m.host, "service": "",
        "source": m.source, "body": m.body, "labels": m.labels.decode(), "trace_id": "", "span_id": "",
        "door": "syslog",
    }  # fmt: skip


def agree(messages: list[bytes], zone: int = 0) -> None:
    """The compiled reader and the complete one say the same of each message."""
    found, letters = rows(messages, NOW, zone)
    remaining = iter(found)
    for i, message in enumerate(messages):
        wanted = expected(message, NOW, zone)
        assert (letters[i] if isinstance(wanted, str) else next(remaining)) == wanted, message


def test_the_captures_read_by_both_readers() -> None:
    agree([m for c in CAPTURES for m in c.read_bytes().splitlines()])


def one_of(*options: str) -> st.SearchStrategy[str]:
    return st.sampled_from(options)


WORD = st.text('abcXYZ019._-/[]:%()+@,"\\= é\x01', max_size=6)
BSD_TIME = one_of(
    "Oct 11 22:14:15", "Oct  1 02:04:05", "Oct 1 02:04:05", "Feb 29 01:01:01", "Feb 30 01:01:01", "Oct 11 24:00:00",
    "Oct 11 23:59:60", "Dec 31 23:59:59", "Oct 12 22:14:15", "Oct 13 22:14:15", "*Oct 11 22:14:15", "Oct 11 22:14:15.5",
    "2023-10-11T22:14:15Z", "2023-10-11T22:14:15.123456789+02:00", "2023-10-11T22:14:15.1234567890Z",
    "2023-10-11T22:14:15-0700", "2023-10-11T22:14:15", "2023-02-29T22:14:15Z", "1969-12-31T00:00:00Z",
    "9999-12-31T23:59:59Z", "2023-10-11T22:14:15.Z", "Oct 11 22:14:15 2023", "Oct 11 22:14:15 CEST", "Okt 11 22:14:15",
)  # fmt: skip
HOST = st.one_of(one_of("web1", "10.0.0.1", "fe80::1", "2023", "EST", "FW1", "-x", "-", "123"), WORD)
TAG = st.one_of(
    one_of("su:", "sshd[1]:", "sshd[a-b]:", "12:", "1a[3]:", "x [1]:", "x[]:", "notice tmm[1]:", "00076 ports:",
           "%SYS-5-X:", "(x)[1]:", "a[1] :", "[a:b:c]:", "f" * 128 + ":", "f" * 129 + ":", "x:y"),
    WORD,
)  # fmt: skip
BODY = st.one_of(
    one_of("", " ", "hi", "%SYS-5-X: y", "a: %SYS-5-X: y", "Grüße", "x\r", "\ufeffbom", "[x]"), WORD
)
PRIORITY = one_of("<0>", "<34>", "<191>", "<192>", "<034>", "<1234>", "<>", "<-1>", "34>", "", "<9")
BSD = st.builds("{}{} {} {} {}".format, PRIORITY, BSD_TIME, HOST, TAG, BODY)
DATA = one_of(
    "-", '[a@1 b="c"]', '[a b="c"][d e="f"]', "[a]", '[a b="\\]"]', '[a b="]"]', '[a b="c"] ', '[a b=c]', '[a b="c"',
    '[a b="c"]x', "[]", "x", "--", '[a b="\\"" c="\\\\"]', '[a:"b"; c:"d"]', '[a  b="c"]',
)  # fmt: skip
FIELD = st.one_of(one_of("-", "x", "a" * 255, "a" * 256, 'q"uote', "back\\slash", "é"), WORD)
NEW = st.builds(
    "{}1 {} {} {} {} {} {}{}{}".format,
    PRIORITY, st.one_of(one_of("-", "1697062455.123456789"), BSD_TIME), HOST, FIELD, FIELD, FIELD, DATA,
    one_of(" ", "", "  "), BODY,
)  # fmt: skip
MESSAGE = st.one_of(BSD, NEW, WORD).map(str.encode)
ENDING = st.sampled_from([b"", b"\n", b"\r\n", b"\0", b"\n\0\n", b"\xc3"])


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.builds(bytes.__add__, MESSAGE, ENDING), min_size=1, max_size=8),
    st.sampled_from([0, 120, -420]),
)
@example([b"<13>Oct 11 22:14:15 host app: caf\xc3", b"\xa9 is no message"], 0)
def test_the_compiled_reader_agrees_with_the_complete_one(messages: list[bytes], zone: int) -> None:
    agree(messages, zone)


@settings(max_examples=120, deadline=None)
@given(st.lists(st.binary(max_size=120), min_size=1, max_size=10))
def test_random_bytes_are_rows_or_letters(messages: list[bytes]) -> None:
    agree(messages)
    agree([b"<13>" + m for m in messages])


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_messages_are_rows_or_letters(data: st.DataObject) -> None:
    message = bytearray(
        data.draw(st.sampled_from([m for c in CAPTURES for m in c.read_bytes().splitlines()]))
    )
    for _ in range(data.draw(st.integers(1, 3))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    agree([bytes(message[: data.draw(st.integers(0, len(message)))])])


def test_good_messages_between_ten_thousand_bad_ones() -> None:
    good = b"<34>Oct 11 22:14:15 web1 su[%d]: still here"
    bad = [
        b"\xff\xfe",
        b"",
        b"<999>x",
        b"<13>",
        b"GET / HTTP/1.1",
        b"<13>1 nonsense",
        b"\0" * 50,
        b"<1",
        b"x" * 3000,
        b"1",
    ]
    messages = [m for i in range(1000) for m in (*bad, good % i)]
    found, letters = rows(messages)
    assert [r["labels"] for r in found] == [f'{{"facility":"auth","pid":"{i}"}}' for i in range(1000)]
    assert len(letters) == 10_000
    reasons = {r: list(letters.values()).count(r) for r in set(letters.values())}
    assert reasons == {"no_priority": 7000, "bad_priority": 1000, "empty": 1000, "bad_header": 1000}


@pytest.mark.parametrize(
    ("now", "written", "time"),
    [
        (ms(2024, 1, 1, 0, 0, 5), b"Dec 31 23:59:59", ms(2023, 12, 31, 23, 59, 59)),
        (ms(2023, 12, 31, 23, 59, 59), b"Jan  1 00:00:01", ms(2024, 1, 1, 0, 0, 1)),  # its clock is ahead
        (ms(2024, 3, 1, 1), b"Feb 29 23:00:00", ms(2024, 2, 29, 23)),
        (ms(2024, 2, 29, 1), b"Feb 28 23:00:00", ms(2024, 2, 28, 23)),
    ],
)
def test_the_year_is_the_one_it_must_have_been(now: int, written: bytes, time: int) -> None:
    for tail in (b"web1 su: x", b"web1 no tag"):  # both readers
        assert row(b"<13>" + written + b" " + tail, now)["time_ns"] == time * 10**6


def test_times_without_a_zone_are_local_and_those_with_one_are_not() -> None:
    east, west = 120, -420
    assert row(b"<13>Oct 11 22:14:15 h a: x", NOW, west)["time_ns"] == ms(2023, 10, 12, 5, 14, 15) * 10**6
    assert row(b"<13>Oct 11 22:14:15 h a: x", NOW, east)["time_ns"] == ms(2023, 10, 11, 20, 14, 15) * 10**6
    assert (
        row(b"<13>2023-10-11T22:14:15Z h a: x", NOW, east)["time_ns"] == ms(2023, 10, 11, 22, 14, 15) * 10**6
    )
    new_year = ms(2023, 12, 31, 23, 30)  # already 2024 in the east
    assert row(b"<13>Jan  1 01:29:00 h a: x", new_year, east)["time_ns"] == ms(2023, 12, 31, 23, 29) * 10**6


def test_a_clock_that_was_never_set_is_not_believed_but_kept() -> None:
    for message in (b"<13>1 1970-01-01T00:00:12Z h a - - - x", b"<13>1 2106-02-07T06:28:15Z h a - - - x"):
        found = row(message)
        assert found["time_ns"] == NOW * 10**6
        assert json.loads(found["labels"])["device_time"] == message[6:26].decode()


def test_severities_are_opentelemetrys() -> None:
    found, _ = rows([b"<%d>Oct 11 22:14:15 h a: x" % priority for priority in range(192)])
    assert [r["severity"] for r in found] == list(SEVERITIES) * 24
    assert json.loads(found[0]["labels"]) == {"facility": "kern"}
    assert json.loads(found[191]["labels"]) == {"facility": "local7"}


def test_old_encodings_and_lines_within_a_message_are_kept() -> None:
    assert row(b"<13>Oct 11 22:14:15 h a: caf\xe9")["body"] == "café"
    assert row(b"<13>Oct 11 22:14:15 h a: one\n\ttwo\n")["body"] == "one\n\ttwo"


def test_structured_data_of_unreasonable_size_is_bounded() -> None:
    many = b"".join(b' p%d="v"' % i for i in range(5000))
    found = row(b"<13>1 - h a - - [x" + many + b"] text")
    assert found["body"] == "text" and len(json.loads(found["labels"])) == 65
    for unclosed in (b"[" * 60_000, b'[a b="' * 10_000, b"[a " + b'b="c" ' * 10_000):
        assert row(b"<13>1 - h a - - " + unclosed)["body"] == unclosed.decode().rstrip("\n")


def test_lines_of_a_file_are_messages() -> None:
    door = SyslogDoor()
    ((stream, batch),) = door.decode(b"<13>Oct 11 22:14:15 h a: one\n<13>Oct 11 22:14:15 h a: two\n", "", NOW)
    assert stream is Stream.LOGS and batch.column("body").to_pylist() == ["one", "two"]
    with pytest.raises(Malformed):
        list(door.decode(b"<13>x\nno message\n", "", NOW))
