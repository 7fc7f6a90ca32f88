"""The host poller on this machine, with real programs that listen, talk and stop. Only its clock is ours, so
that a minute need not be waited for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.pollers.programs import SERVER, TALKER, running
from tests.support import free_port, require
from watchkeeper.model.errors import JournalFull
from watchkeeper.model.series import NAME, series_id
from watchkeeper.model.signals import SCHEMAS, Stream
from watchkeeper.model.topology import Discovery, Item, Topology
from watchkeeper.pollers.host import Batches, HostPoller
from watchkeeper.pollers.host_diag import LISTEN, inet_sockets
from watchkeeper.pollers.host_processes import PsutilProcesses, processes
from watchkeeper.pollers.host_sockets import KernelSockets, PsutilSockets


class Machine:
    """A poller of this machine and all that it told. Time moves when it is told to, and starts late enough
    that everything that runs has run for more than a minute."""

    def __init__(self, folder: Path, own_root: int = 0) -> None:
        self.now = time.time() + 600
        self.told: list[Batches] = []
        self.refusing = False
        self.poller = HostPoller(
            self.emit, folder / "services.json", own_root=own_root, clock=lambda: self.now
        )

    def emit(self, batches: Batches) -> None:
        if self.refusing:
            raise JournalFull("full")
        self.told.append(batches)

    def step(self, seconds: float = 5.0) -> None:
        self.now += seconds
        self.poller.step()

    def rows(self, stream: Stream) -> list[dict[str, Any]]:
        found = [b for batches in self.told for s, b in batches if s is stream]
        assert all(b.schema == SCHEMAS[stream] for b in found)
        return [row for b in found for row in b.to_pylist()]

    def graph(self) -> Topology:
        documents = (r["document"] for r in self.rows(Stream.DISCOVERIES))
        return Topology().with_discoveries(msgspec.json.decode(d, type=Discovery) for d in documents)

    def items(self, kind: str) -> dict[str, Item]:
        return {i.name: i for i in self.graph().items.values() if i.kind == kind}

    def needs(self, name: str) -> set[str]:
        graph = self.graph()
        return {graph.name(n) for i in graph.items.values() if i.name == name for n in graph.needs(i.id)}

    def alerts(self, **labels: str) -> list[tuple[str, str]]:
        return [
            (r["name"], r["status"])
            for r in self.rows(Stream.EVENTS)
            if labels.items() <= {k.replace(".", "_"): v for k, v in json.loads(r["labels"]).items()}.items()
        ]

    def value(self, name: str, **labels: str) -> float | None:
        """The last value of the series with this name and these labels (dots as underscores)."""
        wanted = {
            r["id"]
            for r in self.rows(Stream.SERIES)
            if r["name"] == name
            and labels.items() <= {k.replace(".", "_"): v for k, v in json.loads(r["labels"]).items()}.items()
        }
        values = [r["value"] for r in self.rows(Stream.SAMPLES) if r["series"] in wanted]
        return values[-1] if values else None


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    yield Machine(tmp_path)


def _pass_time(seconds: float) -> None:
    """Spend CPU time, so that the machine's own counters move."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_this_machine_is_found_with_its_parts(machine: Machine) -> None:
    machine.step()
    graph = machine.graph()
    (host,) = machine.items("host").values()
    assert host.attributes["cpus"] == os.cpu_count()
    assert {x.scheme for x in host.identifiers} >= {"address"} or len(host.identifiers) >= 1
    roots = [i for i in machine.items("filesystem").values() if i.name.startswith("/ on ")]
    assert len(roots) == 1
    assert host.id in {x for i in roots for n in [i.id, *graph.needs(i.id)] for x in graph.needs(n)}
    assert all(r.source in graph.items and r.target in graph.items for r in graph.relations)
    assert all(graph.needs(i.id) == [host.id] for i in machine.items("interface").values())


def test_series_are_declared_once_and_samples_come_every_ten_seconds(machine: Machine) -> None:
    for _ in range(5):
        machine.step()
        _pass_time(0.05)  # the kernel counts CPU time in steps of 10 ms
    series = machine.rows(Stream.SERIES)
    assert len({r["id"] for r in series}) == len(series)
    for r in series:
        assert r["id"] == series_id({**json.loads(r["labels"]), NAME: r["name"]})
        assert r["kind"] in ("gauge", "counter") and r["unit"]
    times = sorted({r["time_ms"] for r in machine.rows(Stream.SAMPLES)})
    assert [b - a for a, b in pairwise(times)] == [10_000, 10_000]
    assert {r["series"] for r in machine.rows(Stream.SAMPLES)} == {r["id"] for r in series}
    shares = [machine.value("system.cpu.utilization", cpu_mode=m) for m in ("user", "idle")]
    assert all(s is not None and 0 <= s <= 1 for s in shares)
    utilization = machine.value("system.filesystem.utilization", system_filesystem_mountpoint="/")
    assert utilization is not None and 0 < utilization <= 1


def test_an_unchanged_graph_is_told_once_a_minute(machine: Machine) -> None:
    machine.step()
    for _ in range(13):
        machine.step()
    times = [r["time_ms"] for r in machine.rows(Stream.DISCOVERIES)]
    # others use this machine too: what changed is told at once, so only the longest silence can be asserted
    assert max(b - a for a, b in pairwise(times)) <= 60_000


def test_a_clock_that_is_set_back_silences_nothing(machine: Machine, tmp_path: Path) -> None:
    port = str(free_port())
    with running(tmp_path, "ledger", SERVER, port) as (process, _):
        machine.step()
        machine.step(10)
        machine.told.clear()
        process.kill()
        process.wait()
        machine.step()
        machine.step(-1000)
        series = {r["id"] for r in machine.rows(Stream.SERIES)}
        assert {r["series"] for r in machine.rows(Stream.SAMPLES)} == series, "measured and declared"
        assert machine.rows(Stream.DISCOVERIES)[-1]["time_ms"] == int(machine.now * 1000)
        machine.step()
    assert machine.alerts(service_name="ledger") == [("Service stopped listening", "firing")]
    machine.step(5)
    assert machine.rows(Stream.SAMPLES)[-1]["time_ms"] == int(machine.now * 1000)


def test_a_service_that_stops_is_an_alert_and_its_return_resolves_it(
    machine: Machine, tmp_path: Path
) -> None:
    port = str(free_port())
    with running(tmp_path, "ledger", SERVER, port) as (process, _):
        machine.step()
        service = machine.items("service")["ledger"]
        assert service.attributes["ports"] == [f"{port}/tcp"]
        assert f"ledger:{port}" not in str(service.identifiers), "a service is named by its program alone"
        assert machine.value("watchkeeper.service.up", service_name="ledger") == 1.0
        assert machine.value(
            "process.memory.usage", service_name="ledger", host_name=os.uname().nodename.lower()
        )
        process.kill()
        process.wait()
        machine.step()
        assert machine.alerts(service_name="ledger") == [], "one look may miss it: a restart takes a moment"
        machine.step()
    assert machine.alerts(service_name="ledger", server_port=port) == [
        ("Service stopped listening", "firing")
    ]
    machine.step(10)
    assert machine.value("watchkeeper.service.up", service_name="ledger") == 0.0
    assert "ledger" in machine.items("service"), "what is down stays in the graph"
    with running(tmp_path, "ledger", SERVER, port):
        machine.step()
    assert machine.alerts(service_name="ledger") == [
        ("Service stopped listening", "firing"),
        ("Service stopped listening", "resolved"),
    ]
    firing, resolved = (r for r in machine.rows(Stream.EVENTS) if "ledger" in r["labels"])
    assert firing["labels"] == resolved["labels"] and firing["starts_ms"] == resolved["starts_ms"]
    assert firing["ends_ms"] == 0 and resolved["ends_ms"] > firing["starts_ms"]
    assert firing["severity"] == "critical"


def test_a_service_that_stopped_while_nobody_watched_is_noticed(tmp_path: Path) -> None:
    before = Machine(tmp_path)
    with running(tmp_path, "archive", SERVER, "0"):
        before.step()
    after = Machine(tmp_path)
    after.now = before.now + 60
    after.step()
    after.step()
    assert after.alerts(service_name="archive") == [("Service stopped listening", "firing")]
    # and a third start does not tell it again
    again = Machine(tmp_path)
    again.now = after.now
    again.step()
    again.step()
    assert again.alerts(service_name="archive") == []


def test_what_listens_for_less_than_a_minute_is_no_alert(machine: Machine, tmp_path: Path) -> None:
    machine.now = time.time()
    with running(tmp_path, "passing", SERVER, "0"):
        machine.step()
    for _ in range(3):
        machine.step()
    assert machine.alerts(service_name="passing") == []
    assert "passing" not in machine.items("service"), "on an ephemeral port it is not even an item so soon"


def test_two_that_talk_depend_and_the_client_is_told_of(machine: Machine, tmp_path: Path) -> None:
    with (
        running(tmp_path, "orders_db", SERVER, "0") as (server, port),
        running(tmp_path, "orders", TALKER, str(free_port()), port),
        running(tmp_path, "importer", TALKER, "none", port),
    ):
        machine.step()
        assert "orders_db" in machine.needs("orders")
        assert "orders_db" in machine.needs("importer"), "a client that does not listen is a process"
        assert "importer" in machine.items("process")
        assert machine.needs("orders_db") == {next(iter(machine.items("host")))}
        server.kill()
        server.wait()
        machine.step()
        machine.step()
    lost = [("Lost dependency", "firing")]
    assert machine.alerts(peer_service="orders_db", service_name="orders") == lost
    assert machine.alerts(peer_service="orders_db", process_executable_name="importer") == lost


def test_talk_over_a_unix_socket_is_a_dependency_too(machine: Machine, tmp_path: Path) -> None:
    require(inet_sockets(6, LISTEN) is not None, "the kernel does not answer sock_diag here")
    path = str(tmp_path / "s")
    with (
        running(tmp_path, "cache", SERVER, path),
        running(tmp_path, "frontend", TALKER, str(free_port()), path),
    ):
        machine.step()
        assert "cache" in machine.needs("frontend")


def test_the_platform_itself_is_one_service(tmp_path: Path) -> None:
    machine = Machine(tmp_path, own_root=os.getpid())
    with running(tmp_path, "web", SERVER, "0") as (_, a), running(tmp_path, "receive", SERVER, "0") as (_, b):
        machine.step()
        own = machine.items("service")["watchkeeper"]
        assert {f"{a}/tcp", f"{b}/tcp"} <= set(own.attributes["ports"])
        assert not {"web", "receive"} & machine.items("service").keys()


def test_a_full_journal_loses_no_alert(machine: Machine, tmp_path: Path) -> None:
    with running(tmp_path, "queue", SERVER, "0"):
        machine.step()
    machine.refusing = True
    machine.step()
    machine.step()
    machine.refusing = False
    assert machine.alerts(service_name="queue") == []
    machine.step()
    assert machine.alerts(service_name="queue") == [("Service stopped listening", "firing")]
    machine.step()
    assert len(machine.alerts(service_name="queue")) == 1


def test_a_state_file_that_cannot_be_read_is_begun_anew(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "services.json").write_bytes(b'{"services": [{"key": ')
    machine.step()
    assert machine.items("host")


_AS_ANOTHER = """
import os, sys
from pathlib import Path
from watchkeeper.pollers.host import HostPoller
folder = Path(sys.argv[1])
HostPoller(lambda batches: None, folder / "root.json").step()  # what is imported late is imported now
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
told = []
poller = HostPoller(told.append, folder / "services.json")
poller.step()
print(poller.statistics["failed_looks"], told[0][0][1].column("document")[0].as_py().decode())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_an_ordinary_user_sees_less_and_that_is_all(tmp_path: Path) -> None:
    with running(tmp_path, "private", SERVER, "0") as (_, port):
        command = [sys.executable, "-c", _AS_ANOTHER, str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    failed, document = done.stdout.split(" ", 1)
    assert failed == "0"
    found = msgspec.json.decode(document, type=Discovery)
    assert any(i.kind == "host" for i in found.items)
    assert not any(i.name == "private" for i in found.items), "whose port it is is not ours to know"
    assert any(f"port-{port}" == i.name for i in found.items) is False, ()


def test_both_ways_of_reading_agree(tmp_path: Path) -> None:
    require(inet_sockets(6, LISTEN) is not None, "the kernel does not answer sock_diag here")
    with (
        running(tmp_path, "both", SERVER, "0") as (server, port),
        running(tmp_path, "peer", TALKER, "none", port),
    ):
        table = processes().read()
        quick, portable = KernelSockets().read(table, 0), PsutilSockets().read(table, 0)
        mine = [x for x in quick.listeners if x.port == int(port)]
        assert mine == [x for x in portable.listeners if x.port == int(port)]
        assert [x.pids for x in mine] == [(server.pid,)]
        ends = {
            (c.port, c.remote_port, c.pid) for c in quick.connections if int(port) in (c.port, c.remote_port)
        }
        assert len(ends) == 2
        assert ends <= {(c.port, c.remote_port, c.pid) for c in portable.connections}
        same, other = table[server.pid], PsutilProcesses().read()[server.pid]
        assert (same.parent, same.command, same.user) == (other.parent, other.command, other.user)
        assert abs(same.started_ms - other.started_ms) < 1000
