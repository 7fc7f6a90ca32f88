"""NetFlow 5, 9 and IPFIX: bytes to flows, flows to talks, and the listener over a real socket and journal."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.receivers.netflow_datagrams import FIELDS, Told, a_set, ipfix, record, template, v5, v9
from tests.support import eventually
from watchkeeper.journal.group import GroupCommit
from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.model.doors import IntakeKey
from watchkeeper.model.errors import Malformed
from watchkeeper.model.signals import Stream
from watchkeeper.model.topology import Talk
from watchkeeper.receivers.dead_letters import DeadLetters
from watchkeeper.receivers.door_stats import DoorStats
from watchkeeper.receivers.limits import StaticKeyring
from watchkeeper.receivers.netflow import MOST_TEMPLATES, NAME, Exporters, Flow
from watchkeeper.receivers.netflow_listener import NetflowListener
from watchkeeper.receivers.netflow_talks import MOST_TALKS, Talks, talk
from watchkeeper.receivers.series import SeriesTable

SENDER = "192.0.2.1"
ASKED = Told("10.0.0.1", 40_000, "10.0.0.2", 5432)
ANSWERED = Told("10.0.0.2", 5432, "10.0.0.1", 40_000, octets=5000, packets=50)
FLOWS = [Flow("10.0.0.1", "10.0.0.2", 40_000, 5432, 6, 0x1B, 1000, 10),
         Flow("10.0.0.2", "10.0.0.1", 5432, 40_000, 6, 0x1B, 5000, 50)]  # fmt: skip
TALK = Talk("10.0.0.1", "10.0.0.2", 5432, "tcp")
BOTH = record(ASKED) + record(ANSWERED)
#: of options, as each version writes them: scope and one field, and data of it
OPTIONS = {
    9: a_set(1, struct.pack("!HHH", 300, 4, 4) + struct.pack("!HHHH", 1, 4, 34, 4)) + a_set(300, bytes(8)),
    10: a_set(3, struct.pack("!HHH", 300, 2, 1) + struct.pack("!HHHH", 149, 4, 34, 4)) + a_set(300, bytes(8)),
}
MADE = {9: (v9, 0), 10: (ipfix, 2)}


def test_version_5() -> None:
    assert Exporters().read(v5(ASKED, ANSWERED), SENDER).flows == FLOWS
    (sampled,) = Exporters().read(v5(ASKED, sampling=0x4000 | 100), SENDER).flows
    assert (sampled.octets, sampled.packets) == (100_000, 1000)


@pytest.mark.parametrize("version", [9, 10])
def test_templates_come_before_their_data(version: int) -> None:
    made, number = MADE[version]
    exporters = Exporters()
    early = exporters.read(made(a_set(256, BOTH)), SENDER)
    assert (early.flows, early.unknown) == ([], 1)
    first = exporters.read(made(OPTIONS[version], a_set(number, template(256)), a_set(256, BOTH)), SENDER)
    assert (first.flows, first.unknown) == (FLOWS, 0)
    assert exporters.read(made(a_set(256, BOTH)), SENDER).flows == FLOWS, "it is remembered"
    assert exporters.read(made(a_set(256, BOTH), domain=7), SENDER).unknown == 1
    assert exporters.read(made(a_set(256, BOTH)), "192.0.2.2").unknown == 1
    late = exporters.read(made(a_set(257, BOTH), a_set(number, template(257))), SENDER)
    assert (late.flows, late.unknown) == ([], 1)


def test_ipfix_has_lengths_that_vary_fields_of_makers_and_withdrawals() -> None:
    fields = ((82, 0xFFFF), (27, 16), (28, 16), *FIELDS[2:])
    own = struct.pack("!HHHHI", 400, 1 + len(fields), 0x8001, 2, 9)
    body = own + b"".join(struct.pack("!HH", *f) for f in fields)
    ends = socket.inet_pton(socket.AF_INET6, "2001:db8::1") + socket.inet_pton(socket.AF_INET6, "2001:db8::2")
    data = b"??" + b"\x03eth" + ends + record(ASKED)[8:]
    long = b"??" + b"\xff\x01\x00" + bytes(256) + ends + record(ASKED)[8:]
    exporters = Exporters()
    read = exporters.read(ipfix(a_set(2, body), a_set(400, data + long)), SENDER)
    assert read.flows == [FLOWS[0]._replace(source="2001:db8::1", destination="2001:db8::2")] * 2
    gone = exporters.read(ipfix(a_set(2, struct.pack("!HH", 400, 0)), a_set(400, data)), SENDER)
    assert (gone.flows, gone.unknown) == ([], 1)


def test_templates_and_exporters_are_bounded() -> None:
    exporters = Exporters(most=2)
    for n in range(MOST_TEMPLATES + 1):
        exporters.read(v9(a_set(0, template(256 + n))), SENDER)
    assert exporters.read(v9(a_set(256, BOTH)), SENDER).unknown == 1, "the oldest went"
    assert exporters.read(v9(a_set(257, BOTH)), SENDER).flows == FLOWS
    for other in ("192.0.2.2", "192.0.2.3"):
        exporters.read(v9(a_set(0, template(256))), other)
    assert exporters.read(v9(a_set(257, BOTH)), SENDER).unknown == 1, "who was silent longest went"


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"", "unknown_version"), (b"\x00\x07abc", "unknown_version"), (v5(ASKED)[:-1], "truncated"),
     (v9()[:-1], "truncated"), (ipfix(a_set(2, template(256)))[:-1], "truncated"),
     (v9(struct.pack("!HH", 256, 3)), "truncated"), (v9(a_set(0, struct.pack("!HH", 256, 9))), "bad_template"),
     (v9(a_set(0, template(256, [(8, 0)]))), "bad_template")],
)  # fmt: skip
def test_what_is_none(data: bytes, reason: str) -> None:
    with pytest.raises(Malformed) as raised:
        Exporters().read(data, SENDER)
    assert raised.value.reason == reason


sets = st.builds(
    lambda number, body, cut: a_set(number, body)[: None if cut else -1],
    st.sampled_from([0, 1, 2, 3, 256, 257]),
    st.one_of(st.binary(max_size=60), st.lists(
        st.tuples(st.integers(0, 0xFFFF), st.sampled_from([0, 1, 4, 16, 0xFFFF])), max_size=5,
    ).map(lambda fields: template(256, fields))),
    st.integers(0, 9),
)  # fmt: skip


@given(st.lists(st.one_of(
    st.binary(max_size=80), st.lists(sets, max_size=4).map(lambda s: v9(*s)),
    st.lists(sets, max_size=4).map(lambda s: ipfix(*s)), st.binary(max_size=120).map(lambda b: b"\x00\x05" + b),
), max_size=5))  # fmt: skip
def test_any_bytes_are_flows_or_malformed(datagrams: list[bytes]) -> None:
    exporters = Exporters()
    for data in datagrams:
        try:
            read = exporters.read(data, SENDER)
        except Malformed:
            continue
        for flow in read.flows:
            found = talk(flow)
            assert found is None or found.port == min(flow.source_port, flow.destination_port)


def test_the_server_is_told_by_its_port() -> None:
    assert [talk(f) for f in FLOWS] == [TALK, TALK]
    f = FLOWS[0]
    none = [f._replace(flags=0x02), f._replace(flags=0x14), f._replace(protocol=1), f._replace(source_port=5432),
            f._replace(destination_port=0), f._replace(destination_port=33_000), f._replace(destination="224.0.0.1"),
            f._replace(destination="10.0.0.1"), f._replace(destination="255.255.255.255"),
            f._replace(source="")]  # fmt: skip
    assert [talk(x) for x in none] == [None] * len(none)
    asked = f._replace(protocol=17, flags=0, destination_port=53)
    assert talk(asked) == Talk("10.0.0.1", "10.0.0.2", 53, "udp")


def test_a_talk_is_told_again_after_minutes_and_only_so_many_at_once() -> None:
    counters = DoorStats().door(NAME)
    talks = Talks(SeriesTable(), counters)

    def told(now_ms: int) -> bool:
        talks.add(SENDER, FLOWS, now_ms)
        return Stream.DISCOVERIES in dict(talks.take(now_ms))

    begin = 1_795_385_321_000
    assert [told(begin + ms) for ms in (0, 10_000, 299_999, 300_000, 310_000)] == [
        True, False, False, True, False,
    ]  # fmt: skip
    assert told(begin - 86_400_000), "the clock was set back"
    many = [FLOWS[0]._replace(destination=f"10.1.{n // 250}.{n % 250}") for n in range(MOST_TALKS + 3)]
    talks.add(SENDER, many, begin)
    (row,) = dict(talks.take(begin))[Stream.DISCOVERIES].to_pylist()
    assert len(json.loads(row["document"])["talks"]) == MOST_TALKS
    assert counters.rejected == {"too_many_talks": 3}


class Running:
    """The listener over a bound socket and a journal in `folder`, with short windows."""

    def __init__(self, folder: Path, *networks: str, rate: float = 0.0, window: float = 0.1) -> None:
        self.journal = SqliteJournal(folder / "journal.db")
        self.group, self.stats = GroupCommit(self.journal), DoorStats()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.listener = NetflowListener(
            self.socket, group=self.group, stats=self.stats, letters=DeadLetters(), series=SeriesTable(), window=window,
            keyring=StaticKeyring({"k": IntakeKey(id="k", name="k", addresses=networks, rate=rate)}),
        )  # fmt: skip
        asyncio.run(self.listener.start())

    def stop(self) -> None:
        asyncio.run(self.listener.stop())

    def close(self) -> None:
        for part in (self.group, self.journal, self.socket):
            part.close()

    def send(self, *datagrams: bytes) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            for data in datagrams:
                s.sendto(data, self.socket.getsockname())

    def rows(self, stream: Stream) -> list[dict[str, Any]]:
        return [row for e in self.journal.read(0) if e.stream is stream for row in e.batch.to_pylist()]

    @property
    def counted(self) -> dict[str, Any]:
        return self.stats.door("netflow").as_dict()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    made = Running(tmp_path, "127.0.0.1")
    yield made
    made.stop()
    made.close()


def test_talks_and_samples_reach_the_journal(running: Running) -> None:
    running.send(v5(ASKED, ANSWERED), v9(a_set(256, BOTH)), b"rubbish", v9(a_set(0, template(256)), a_set(256, BOTH)),
                 ipfix(a_set(2, template(256)), a_set(256, BOTH)))  # fmt: skip
    eventually(lambda: running.counted["requests"] == 4)
    assert (running.counted["rows"], running.counted["rejected"]) == (
        6, {"unknown_template": 1, "unknown_version": 1},
    )  # fmt: skip
    (found,) = running.rows(Stream.DISCOVERIES)
    assert json.loads(found["document"])["talks"] == [
        {"client": "10.0.0.1", "server": "10.0.0.2", "port": 5432, "protocol": "tcp"}
    ]
    names = {row["id"]: (row["name"], row["labels"]) for row in running.rows(Stream.SERIES)}
    labels = '{"instance":"127.0.0.1","protocol":"tcp"}'
    last = {names[row["series"]]: row["value"] for row in running.rows(Stream.SAMPLES)}
    assert last == {("netflow_bytes_total", labels): 18_000.0, ("netflow_packets_total", labels): 180.0}
    assert [row["payload"] for row in running.rows(Stream.DEAD_LETTERS)] == [b"rubbish"]


@pytest.mark.parametrize(("sent", "missing"), [
    ([v9(number=n) for n in (7, 8, 11, 10, 15)], {"missing_datagrams": 4}),
    ([v9(number=n) for n in (2**32 - 1, 0, 2)], {"missing_datagrams": 1}),
    ([v9(number=n) for n in (90_000, 90_001, 1, 2)], {}),  # it was started anew
    ([v9(number=1, domain=4), v9(number=7, domain=5)], {}),
    ([v5(ASKED, number=100), v5(ASKED, ANSWERED, number=101), v5(ASKED, number=110)], {"missing_flows": 7}),
    ([ipfix(a_set(2, template(256)), number=5), ipfix(a_set(256, BOTH), number=5),
      ipfix(a_set(256, BOTH), number=10)], {"missing_flows": 3}),
    ([ipfix(a_set(256, BOTH), number=5), ipfix(a_set(2, template(256)), number=90)], {"unknown_template": 1}),
    ([v9(number=1), b"rubbish", v9(number=3)], {"unknown_version": 1}),
])  # fmt: skip
def test_what_an_exporter_sent_and_never_came_is_counted(
    tmp_path: Path, sent: list[bytes], missing: dict[str, int]
) -> None:
    running = Running(tmp_path, "127.0.0.1", window=1.0)  # all of it comes in one
    running.send(*sent)
    rubbish = missing.get("unknown_version", 0)
    eventually(lambda: running.counted["requests"] + rubbish == len(sent))
    running.stop()
    assert running.counted["rejected"] == missing
    running.close()


def test_stopping_takes_in_what_has_come(tmp_path: Path) -> None:
    running = Running(tmp_path, "127.0.0.1")
    running.send(v5(ASKED))
    eventually(lambda: running.counted["requests"] == 1)
    running.stop()
    assert len(running.rows(Stream.DISCOVERIES)) == 1
    running.close()


def test_who_no_key_admits_is_counted(tmp_path: Path) -> None:
    running = Running(tmp_path, "10.0.0.0/8")
    running.send(v5(ASKED))
    eventually(lambda: running.counted["rejected"] == {"unauthorised": 1})
    running.stop()
    assert not running.rows(Stream.DISCOVERIES)
    running.close()


def test_a_key_has_a_rate_of_flows(tmp_path: Path) -> None:
    running = Running(tmp_path, "127.0.0.1", rate=1.0)
    running.send(*[v5(*[ASKED] * 30)] * 3)
    eventually(lambda: running.counted["requests"] and running.counted["rejected"])
    assert set(running.counted["rejected"]) == {"rate_limited"}
    running.stop()
    running.close()
