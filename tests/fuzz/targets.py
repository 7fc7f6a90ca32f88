"""Every decoder as a function of bytes. What it gives has to fit the journal's schemas; what it raises has to be one of
the errors that a door answers with. HTTP doors are found in the table of the platform, so a new one is here by itself.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pyarrow as pa

from tests.fuzz import seeds
from tests.receivers.front_harness import MAPPING
from watchkeeper.app import doors
from watchkeeper.model.declared import MqttSubscription, SnmpUser
from watchkeeper.model.doors import IntakeKey
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.model.signals import SCHEMAS, Stream
from watchkeeper.receivers import mail, otlp, snmp, snmp_messages
from watchkeeper.receivers.body import unpack
from watchkeeper.receivers.dead_letters import DeadLetters
from watchkeeper.receivers.door_stats import DoorStats
from watchkeeper.receivers.events import batch, rows
from watchkeeper.receivers.http import Entries, HttpDoor
from watchkeeper.receivers.limits import Limits
from watchkeeper.receivers.mqtt import Messages
from watchkeeper.receivers.netflow import Exporters
from watchkeeper.receivers.netflow_talks import Talks
from watchkeeper.receivers.remote_write import SECOND
from watchkeeper.receivers.series import SeriesTable
from watchkeeper.receivers.snmp_engine import Engine
from watchkeeper.receivers.syslog import Frames, SyslogDoor
from watchkeeper.receivers.syslog_framing import Splitter

NOW = int(time.time() * 1000)  # samples that are older than a while are refused
_KEY = IntakeKey(id="fuzz", name="fuzz", mapping=MAPPING)
_MOST = 1024 * 1024  # bytes that a compressed body may become here


@dataclass(frozen=True)
class Target:
    """A decoder: `read` raises WatchkeeperError or gives entries; `seeds` are what inputs are made from."""

    name: str
    read: Callable[[bytes], Entries]
    seeds: tuple[bytes, ...]

    def __call__(self, data: bytes) -> None:
        """Decode, and hold the result against the schemas. Raises whatever should not be."""
        try:
            entries = self.read(data)
        except WatchkeeperError as error:
            assert error.status < 500, f"the sender is at fault, and not we: {error!r}"
            str(error.detail).encode()
            return
        for stream, made in entries:
            assert made.schema.equals(SCHEMAS[stream]), (stream, made.schema)
            made.validate(full=True)


def targets() -> dict[str, Target]:
    """By name: a row of the front's table, or a protocol with a port of its own."""
    made = [*_over_http(), _known_points(), *_syslog(), *_own(), *_bodies()]
    return {t.name: t for t in made}


def over_http(series: SeriesTable | None = None) -> list[HttpDoor]:
    """The rows of the platform's table."""
    series = series or SeriesTable()
    shared = doors.Shared(*cast(Any, (None, None, series, DoorStats(), DeadLetters(), Limits())))
    return doors.over_http(shared, otlp.doors(series), cast(Any, None))


def good_of(door: HttpDoor) -> tuple[str, bytes]:
    """A content type of a door, and a captured body, without compression, that this door takes."""
    for content_type in door.content_types:
        for seed in seeds.of_door(door, content_type):
            try:
                if _row(door, content_type, SeriesTable())(seed):
                    return content_type, seed
            except WatchkeeperError:
                continue
    raise AssertionError(f"tests/captures/{door.name} has nothing that the door at {door.path} takes")


def _over_http() -> Iterable[Target]:
    series = SeriesTable()
    for door in over_http(series):
        second = [f"{kind};proto={SECOND}" for kind in door.content_types if door.name == "remote_write"]
        for content_type in (*door.content_types, *second):
            name = f"{door.name}{door.path.replace('/', '-')}-{content_type.rpartition('/')[2].replace(';proto=', '-')}"
            yield Target(name, _row(door, content_type, series), seeds.of_door(door, content_type))


def _row(door: HttpDoor, content_type: str, series: SeriesTable) -> Callable[[bytes], Entries]:
    def read(data: bytes) -> Entries:
        if door.key_in is not None:
            door.key_in(data)
        with series.on_behalf(_KEY):
            if door.decode_for is not None:
                taken = door.decode_for(_KEY, data, content_type, NOW)
            elif door.decode_headers is not None:
                headers, body = seeds.split_http(data)
                taken = door.decode_headers(headers, body, content_type, NOW)
            else:
                taken = door.decode(data, content_type, NOW)
        door.accept(taken, content_type)
        with series.declaring() as declared:
            return [*declared, *taken.entries]

    return read


def _known_points() -> Target:
    """OTLP's metrics at a door that knows the captures by their bytes, and at one that has seen nothing: no difference."""
    metrics = otlp.doors(SeriesTable())[0]
    known = seeds.of_door(metrics.row(), otlp.PROTOBUF[0])
    for capture in known:
        with suppress(WatchkeeperError):  # some are logs and traces
            metrics.take(capture, otlp.PROTOBUF[0], NOW)

    def both(data: bytes) -> Entries:
        fresh = otlp.doors(SeriesTable())[0]
        try:
            entries = fresh.take(data, otlp.PROTOBUF[0], NOW).entries
        except WatchkeeperError as refused:
            try:
                metrics.take(data, otlp.PROTOBUF[0], NOW)
            except type(refused):
                raise refused from None
            raise AssertionError(f"what is known was taken, though it is {refused!r}") from refused
        assert metrics.take(data, otlp.PROTOBUF[0], NOW).entries == entries
        return entries

    return Target("otlp-known-points", both, known)


def _syslog() -> Iterable[Target]:
    door = SyslogDoor(lambda _: 60)

    def datagram(data: bytes) -> Entries:
        return _logs(Frames.of([data], "10.0.0.1"))

    def stream(data: bytes) -> Entries:
        splitter, entries = Splitter(), Entries()
        cut = len(data) // 3
        for chunk in (data[:cut], data[cut:]):
            pieces = splitter.feed(chunk)
            messages = [pieces.data[a:b] for a, b in zip(pieces.starts, pieces.ends, strict=True)]
            entries += _logs(Frames.of(messages, "10.0.0.1")) if messages else []
        splitter.finish()
        return entries

    def _logs(frames: Frames) -> Entries:
        logs = door.read(frames, NOW)
        for _, letter in logs.letters:
            assert letter.reason and letter.detail
        return [(Stream.LOGS, logs.rows)] if logs.rows is not None else []

    yield Target("syslog", datagram, seeds.lines("syslog"))
    yield Target("syslog-stream", stream, seeds.files("syslog", ""))


class _Users:
    """One user, whose messages are signed and encrypted."""

    def __init__(self) -> None:
        self._users = (SnmpUser("switch", "sha256", "signing phrase", "aes", "hiding phrase"),)

    def snmp_users(self) -> tuple[SnmpUser, ...]:
        return self._users


def _own() -> Iterable[Target]:
    engine = Engine(Path(tempfile.mkdtemp(prefix="watchkeeper-fuzz-")) / "engine.json", _Users(), lambda: 1.0)

    def traps(data: bytes) -> Entries:
        spoken = snmp_messages.version(data)
        got = (
            engine.receive(data, "10.0.0.1")
            if spoken == "3"
            else snmp_messages.receive(data, spoken, "10.0.0.1")
        )
        return _events("snmp", [snmp.reported(got.told, NOW)]) if got.told else []

    def flows(data: bytes) -> Entries:
        series = SeriesTable()
        exporters, talks = Exporters(), Talks(series, DoorStats().door("netflow"))
        for datagram in data.split(seeds.BETWEEN):
            talks.add("10.0.0.1", exporters.read(datagram, "10.0.0.1").flows, NOW)
        first = series.take_new()
        return [*([(Stream.SERIES, first)] if first is not None else []), *talks.take(NOW)]

    yield Target("snmp", traps, seeds.files("snmp", ".bin"))
    yield Target("netflow", flows, seeds.flows())
    yield Target(
        "mail", lambda data: _events("mail", [mail.reported(data, "a@b", NOW)]), seeds.files("mail", ".eml")
    )
    yield from (_messages(payload) for payload in ("number", "numbers", "events"))


def _messages(payload: str) -> Target:
    series = SeriesTable()
    told = MqttSubscription("1", "fuzz", "broker", 1883, "fuzz", ("home/{room}/#", "+/{kind}"), payload,
                            metric="{room}_value" if payload == "number" else "")  # fmt: skip
    if payload == "number":
        told = MqttSubscription(
            "1", "fuzz", "broker", 1883, "fuzz", ("home/{room}/t",), payload, metric="{room}_t"
        )
    messages = Messages(told, series)

    def read(data: bytes) -> Entries:
        topic = "home/attic/t" if payload == "number" else "home/kitchen/a/b"
        entries = messages.read(topic, data, NOW)
        with series.declaring() as declared:
            return [*declared, *entries]

    return Target(f"mqtt-{payload}", read, seeds.payloads())


def _bodies() -> Iterable[Target]:
    """What undoes compression; nothing may become larger than it is told."""
    for encoding in ("gzip", "deflate", "zstd", "snappy"):

        def read(data: bytes, encoding: str = encoding) -> Entries:
            assert len(unpack(data, encoding, _MOST)) <= _MOST
            return []

        yield Target(f"body-{encoding}", read, seeds.packed(encoding))


def _events(door: str, told: list[Any]) -> list[tuple[Stream, pa.RecordBatch]]:
    return [(Stream.EVENTS, batch(door, rows(told, NOW), NOW))]
