"""Syslog, RFC 5424 and RFC 3164: many messages at once become rows of logs. No sockets here, and no framing.

Two shapes are read by compiled code (syslog_fields), all others one by one (syslog_message). What is no syslog
message at all is given back as a letter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from watchkeeper.model.errors import Malformed
from watchkeeper.model.signals import SCHEMAS, Stream
from watchkeeper.receivers import syslog_columns, syslog_fields
from watchkeeper.receivers.dead_letters import Letter
from watchkeeper.receivers.syslog_fields import BODY, DATA, HOST, MSGID, PID, SOURCE
from watchkeeper.receivers.syslog_message import (
    FACILITIES,
    SEVERITIES,
    encode_labels,
    read,
    structured_data,
)
from watchkeeper.receivers.syslog_time import FUTURE_MS, HOUR_MS, PAST_MS

NAME = "syslog"
_SEVERITIES = np.array(SEVERITIES * 24, np.uint8)  # by priority
Positions = NDArray[np.int64]


@dataclass(slots=True)
class Frames:
    """Messages without their framing: `data[starts[i]:ends[i]]` came from `addresses[senders[i]]`."""

    data: bytes | bytearray | memoryview
    starts: Positions
    ends: Positions
    senders: NDArray[np.int32]
    addresses: list[str]

    @classmethod
    def of(cls, messages: list[bytes], address: str) -> Frames:
        """Some messages of one sender."""
        bounds = np.cumsum([0, *(len(m) for m in messages)], dtype=np.int64)
        senders = np.zeros(len(messages), np.int32)
        return cls(b"".join(messages), bounds[:-1], bounds[1:], senders, [address])

    @classmethod
    def joined(cls, parts: Sequence[Frames]) -> Frames:
        """All messages of these, in order."""
        if len(parts) == 1:
            return parts[0]
        starts, ends, senders = [], [], []
        at, addresses = 0, list[str]()
        for part in parts:
            starts.append(part.starts + at)
            ends.append(part.ends + at)
            senders.append(part.senders + np.int32(len(addresses)))
            at += len(part.data)
            addresses += part.addresses
        data = b"".join(part.data for part in parts)
        return cls(data, np.concatenate(starts), np.concatenate(ends), np.concatenate(senders), addresses)


@dataclass(slots=True)
class Logs:
    """Rows of logs (None: not one), and what was no message: of which frame, and the letter."""

    rows: pa.RecordBatch | None
    letters: list[tuple[int, Letter]]


class SyslogDoor:
    """`zone` gives this place's at a Unix time in ms, in minutes east of Greenwich: RFC 3164 writes local time.
    Any thread may use it."""

    name = NAME

    def __init__(self, zone: Callable[[int], int] = lambda _: 0) -> None:
        self._zone = zone

    def decode(self, body: bytes, content_type: str, now_ms: int) -> Iterator[tuple[Stream, pa.RecordBatch]]:  # noqa: ARG002
        """Lines of syslog, one message each, of a sender without address (model.doors.Door).
        Raises Malformed when one of them is no message."""
        logs = self.read(Frames.of([x for x in body.splitlines() if x], ""), now_ms)
        if logs.letters:
            letter = logs.letters[0][1]
            raise Malformed(letter.detail, reason=letter.reason)
        if logs.rows is not None:
            yield Stream.LOGS, logs.rows

    def read(self, frames: Frames, now_ms: int) -> Logs:
        """Rows in the order of the frames, without those that are no messages."""
        work = _Work(frames, now_ms, self._zone(now_ms))
        letters = work.read_others()
        return Logs(work.rows(), letters)


class _Work:
    """One batch of frames on its way into columns. Texts that are not in the frames as they are wanted (labels,
    senders, messages read one by one) are appended to the buffer, so that all columns are places in it."""

    def __init__(self, frames: Frames, now_ms: int, zone: int) -> None:
        self._frames, self._now_ms, self._zone = frames, now_ms, zone
        n = len(frames.starts)
        self._times, self._priorities = np.zeros(n, np.int64), np.zeros(n, np.uint8)
        self._spans = np.zeros((n, 12), np.int64)
        self._labels = np.zeros((n, 2), np.int64)
        data = np.frombuffer(frames.data, np.uint8)
        latest = now_ms // HOUR_MS * 3600 + FUTURE_MS // 1000 + zone * 60
        year = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=latest)).year
        earliest, newest = (now_ms - PAST_MS) // 1000 + 1, (now_ms + FUTURE_MS) // 1000
        self._known: NDArray[np.bool_] = syslog_fields.parse(  # type: ignore[no-untyped-call]
            data, frames.starts, frames.ends, not _is_utf8(frames.data), zone * 60, year, latest, earliest,
            newest, self._times, self._priorities, self._spans,
        )  # fmt: skip
        self._severities = _SEVERITIES[self._priorities]
        self._more: list[bytes] = []
        self._end = len(data)

    def _append(self, text: bytes) -> tuple[int, int]:
        self._more.append(text)
        begin, self._end = self._end, self._end + len(text)
        return begin, self._end

    def _put(self, i: int, field: int, text: str) -> None:
        self._spans[i, field], self._spans[i, field + 1] = self._append(text.encode())

    def read_others(self) -> list[tuple[int, Letter]]:
        """Read what the compiled code did not know, one by one; give what is no message."""
        self._read_structured_data()
        frames = self._frames
        letters: list[tuple[int, Letter]] = []
        for i in np.flatnonzero(~self._known).tolist():
            raw = bytes(frames.data[frames.starts[i] : frames.ends[i]])
            try:
                message = read(raw, frames.addresses[frames.senders[i]], self._now_ms, self._zone)
            except Malformed as error:
                letters.append((i, Letter(error.reason, error.detail, raw)))
                continue
            self._known[i] = True
            self._times[i], self._severities[i] = message.time_ns, message.severity
            self._put(i, HOST, message.host)
            self._put(i, SOURCE, message.source)
            self._put(i, BODY, message.body)
            self._labels[i] = self._append(message.labels)
        nameless = self._known & (self._spans[:, HOST] == self._spans[:, HOST + 1])
        if nameless.any():
            senders = np.array([self._append(a.encode()) for a in frames.addresses], np.int64)
            self._spans[nameless, HOST : HOST + 2] = senders[frames.senders[nameless]]
        return letters

    def _read_structured_data(self) -> None:
        """Labels of those messages that have some."""
        for i in np.flatnonzero(self._spans[:, DATA + 1] * self._known).tolist():
            more, rest = structured_data(self._text(i, DATA))
            if rest:
                self._known[i] = False  # only looks like it
                continue
            labels = {"facility": FACILITIES[self._priorities[i] >> 3], **more}
            labels |= {k: v for k, v in (("msgid", self._text(i, MSGID)), ("pid", self._text(i, PID))) if v}
            self._labels[i] = self._append(encode_labels(labels))

    def _text(self, i: int, field: int) -> str:
        begin, end = self._spans[i, field : field + 2].tolist()
        return str(self._frames.data[begin:end], "utf-8")

    def rows(self) -> pa.RecordBatch | None:
        """All that was read, as a batch of logs."""
        kept = self._known
        n = int(kept.sum())
        if n == 0:
            return None
        data = np.frombuffer(b"".join((self._frames.data, *self._more)), np.uint8)
        spans, labels, priorities = self._spans[kept], self._labels[kept], self._priorities[kept]
        host, source, body = (
            syslog_columns.strings(data, spans[:, field].copy(), spans[:, field + 1].copy())
            for field in (HOST, SOURCE, BODY)
        )
        empty = pa.repeat("", n)
        columns: dict[str, pa.Array[Any]] = {
            "time_ns": pa.array(self._times[kept]),
            "received_ms": pa.repeat(pa.scalar(self._now_ms, pa.int64()), n),
            "severity": pa.array(self._severities[kept]),
            "host": host,
            "service": empty,
            "source": source,
            "body": body,
            "labels": syslog_columns.labels(
                data, spans, priorities, labels[:, 0].copy(), labels[:, 1].copy()
            ),
            "trace_id": empty,
            "span_id": empty,
            "door": pa.repeat(NAME, n),
        }
        schema = SCHEMAS[Stream.LOGS]
        return pa.RecordBatch.from_arrays([columns[f.name] for f in schema], schema=schema)


def _is_utf8(data: bytes | bytearray | memoryview) -> bool:
    try:
        str(data, "utf-8")
    except UnicodeDecodeError:
        return False
    return True


def warm() -> None:
    """Compile what is compiled, or load it from the cache: some seconds the first time, one later."""
    door = SyslogDoor()
    messages = [
        b"<34>Oct 11 22:14:15 host su[1]: hi",
        b"<34>1 2000-01-01T00:00:00Z host su 1 ID - hi",
        b"<34>hi",
    ]
    door.read(Frames.of(messages, "127.0.0.1"), 946_684_800_000)
