"""Syslog: lines per CPU-second of the server over TCP, and datagrams that get lost, beside rsyslogd to a file.

    python -m benchmarks.syslog [--lines 400000] [--seconds 30] [--whole] [--json]
    python -m benchmarks.syslog --address host:5514 --pids 12,34

`door` is the receive side alone: sockets, decoding, journal, all of it on disk when it is counted. `whole` is
`watchkeeper serve` with templates mined and rows searchable, until its consumers have passed everything. rsyslogd
writes lines to a file, unparsed but for the header. Median of three; datagrams at 20,000/s, once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil
from tests.platform import Platform
from tests.support import free_port

from benchmarks.remote_write import lag, median, wait_for

RATE = 20_000
_TEXTS = (
    ("sshd", "Accepted publickey for deploy from 10.0.{a}.{b} port {n} ssh2: ED25519 SHA256:3pQ1c9rX0aZ"),
    ("sshd", "pam_unix(sshd:session): session opened for user deploy(uid={a}) by (uid=0)"),
    ("kernel", "[{n}.{m}] eth0: link up, 1000 Mbps, full duplex, lpa 0x{a:04x}"),
    ("systemd", "Started session-{n}.scope - Session {n} of user deploy."),
    ("postfix/smtpd", "connect from mail{a}.example.com[198.51.100.{b}]"),
    ("nginx", '10.0.{a}.{b} - - "GET /api/v1/orders/{n} HTTP/1.1" 200 {m} "-" "curl/7.88.1" 0.0{a}'),
    ("dockerd", 'time="2026-01-01T00:00:00Z" level=info msg="ignoring event" container={n:016x} module=libcontainerd'),
    ("CRON", "(root) CMD (   cd / && run-parts --report /etc/cron.hourly)"),
)  # fmt: skip


@dataclass
class Target:
    """A server that is running: where it listens, whose CPU counts, and how many lines it has."""

    tcp: int
    udp: int
    count: Callable[[], int]
    processes: list[psutil.Process] = field(default_factory=list)
    settled: Callable[[], bool] = lambda: True
    host: str = "127.0.0.1"
    counts: bool = True  # whether it says how many lines it has

    def cpu(self) -> float:
        """CPU-seconds of its processes so far."""
        return sum(sum(p.cpu_times()[:2]) for p in self.processes)


def make_lines(count: int, seed: int) -> list[bytes]:
    """Lines as a fleet of fifty Linux machines forwards them: half RFC 3164, half RFC 5424."""
    r = random.Random(seed)
    old = time.strftime("%b %e %H:%M:%S")
    new = time.strftime("%Y-%m-%dT%H:%M:%S")
    zone = time.strftime("%z")
    out = []
    for i in range(count):
        program, text = _TEXTS[r.randrange(len(_TEXTS))]
        body = text.format(a=r.randrange(256), b=r.randrange(256), n=r.randrange(10**6), m=r.randrange(10**5))
        head = f"<{r.randrange(192)}>"
        pid = r.randrange(1, 32768)
        if i % 2:
            out.append(f"{head}{old} web{i % 50} {program}[{pid}]: {body}".encode())
        else:
            time_of = f"{new}.{r.randrange(10**6):06d}{zone[:3]}:{zone[3:]}"
            out.append(f"{head}1 {time_of} web{i % 50} {program} {pid} - - {body}".encode())
    return out


def streams(target: Target, lines: list[bytes]) -> dict[str, float]:
    """All lines over one TCP connection; per second and per CPU-second."""
    data = b"\n".join(lines) + b"\n"
    before, used, began = target.count(), target.cpu(), time.perf_counter()
    with socket.create_connection((target.host, target.tcp)) as s:
        s.sendall(data)
    while (target.counts and target.count() - before < len(lines)) or not target.settled():
        time.sleep(0.05)
    seconds = time.perf_counter() - began
    spent = target.cpu() - used
    return {
        "lines_per_s": len(lines) / seconds,
        "lines_per_cpu_s": len(lines) / spent if spent else 0.0,
        "resident_mb": sum(p.memory_info().rss for p in target.processes) / 1e6,
    }


def datagrams(target: Target, lines: list[bytes], seconds: float) -> dict[str, float]:
    """RATE datagrams a second; how many were lost."""
    before, used = target.count(), target.cpu()
    total = int(RATE * seconds)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((target.host, target.udp))
        sent, began = 0, time.perf_counter()
        while sent < total:
            due = min(total, int((time.perf_counter() - began) * RATE))
            for i in range(sent, due):
                s.send(lines[i % len(lines)])
            sent = due
            time.sleep(0.002)
        took = time.perf_counter() - began
    last, still = -1, 0
    while target.count() - before < total and still < 40:  # two seconds without a new one: they are lost
        still = still + 1 if target.count() == last else 0
        last = target.count()
        time.sleep(0.05)
    lost = total - (target.count() - before)
    spent = target.cpu() - used
    return {"sent_per_s": total / took, "lost": lost, "lost_share": lost / total, "cpu_share": spent / took}


@contextmanager
def rsyslog(folder: Path) -> Iterator[Target]:
    """Debian's rsyslogd with a file behind it."""
    tcp, udp, written = free_port(), free_port(), folder / "out.log"
    (folder / "rsyslog.conf").write_text(
        f'global(workDirectory="{folder}")\nmodule(load="imtcp")\nmodule(load="imudp")\n'
        f'input(type="imtcp" port="{tcp}" address="127.0.0.1")\n'
        f'input(type="imudp" port="{udp}" address="127.0.0.1" rcvbufSize="32m")\n'
        f'*.* action(type="omfile" file="{written}")\n'
    )
    written.touch()
    seen = [0, 0]  # bytes read, lines among them

    def count() -> int:
        with written.open("rb") as f:
            f.seek(seen[0])
            new = f.read()
        seen[0] += len(new)
        seen[1] += new.count(b"\n")
        return seen[1]

    command = ["rsyslogd", "-n", "-f", f"{folder}/rsyslog.conf", "-i", f"{folder}/pid"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as running:
        wait_for(f"127.0.0.1:{tcp}")
        yield Target(tcp, udp, count, [psutil.Process(running.pid)])
        running.terminate()


@contextmanager
def door(folder: Path) -> Iterator[Target]:
    """The receive side in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.syslog", "--serve", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdin is not None and running.stdout is not None
        tcp, udp = (int(port) for port in running.stdout.readline().split())

        def count() -> int:
            assert running.stdin is not None and running.stdout is not None
            running.stdin.write("\n")
            running.stdin.flush()
            return int(running.stdout.readline())

        yield Target(tcp, udp, count, [psutil.Process(running.pid)])
        running.stdin.close()


@contextmanager
def whole(folder: Path) -> Iterator[Target]:
    """`watchkeeper serve`, until its consumers have passed everything."""
    port = free_port()
    with Platform(folder / "var", {"WATCHKEEPER_SYSLOG": f"127.0.0.1:{port}"}).start(180) as platform:
        assert platform.key and platform.token

        def count() -> int:
            text = platform.call("GET", "/metrics", Authorization=f"Bearer {platform.token}").body.decode()
            line = next(
                x for x in text.splitlines() if x.startswith('watchkeeper_door_rows_total{door="syslog"')
            )
            return int(float(line.rpartition(" ")[2]))

        yield Target(port, port, count, list(platform.processes().values()), lambda: lag(platform) == 0)
        platform.stop()


def serve(folder: Path) -> None:
    """The receive side on free ports; answers every line on its standard input with the rows it has stored."""
    from watchkeeper.journal.group import GroupCommit
    from watchkeeper.journal.sqlite import SqliteJournal
    from watchkeeper.model.doors import IntakeKey
    from watchkeeper.receivers.dead_letters import DeadLetters
    from watchkeeper.receivers.door_stats import DoorStats
    from watchkeeper.receivers.limits import StaticKeyring
    from watchkeeper.receivers.syslog_listener import SyslogListener

    tcp = socket.create_server(("127.0.0.1", 0), backlog=64)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    stats = DoorStats()
    keyring = StaticKeyring({"x": IntakeKey(id="k", name="benchmark", addresses=("127.0.0.1",))})
    group = GroupCommit(SqliteJournal(folder / "journal.db", max_bytes=20 * 1024**3))
    listener = SyslogListener([udp, tcp], group=group, keyring=keyring, stats=stats, letters=DeadLetters())
    asyncio.run(listener.start())
    print(tcp.getsockname()[1], udp.getsockname()[1], flush=True)
    for _ in sys.stdin:
        print(stats.door("syslog").rows, flush=True)
    asyncio.run(listener.stop())
    group.close()


def running_already(address: str, pids: str) -> Callable[[Path], Any]:
    """A server that somebody else runs: it has all lines when it has nothing more to do."""
    host, _, port = address.rpartition(":")

    @contextmanager
    def server(_: Path) -> Iterator[Target]:
        processes = [psutil.Process(int(p)) for p in pids.split(",") if p]
        target = Target(int(port), int(port), lambda: 0, processes, host=host)
        yield replace(target, settled=lambda: quiet(target), counts=False)

    return server


def quiet(target: Target) -> bool:
    """Whether its processes have nothing more to do: they used less than a tenth of a core for half a second."""
    used = target.cpu()
    time.sleep(0.5)
    return target.cpu() - used < 0.05


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lines", type=int, default=400_000)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--address", help="host:port of a server that is running already")
    parser.add_argument("--pids", default="", help="of its processes, for their CPU")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.serve:
        return serve(given.serve)
    servers: dict[str, Callable[[Path], Any]] = {"door": door}
    if given.whole:
        servers["whole"] = whole
    if given.address:
        servers = {"given": running_already(given.address, given.pids)}
        given.seconds = 0.0
    elif shutil.which("rsyslogd"):
        servers["rsyslogd"] = rsyslog
    results: dict[str, list[dict[str, float]]] = {}
    out: dict[str, Any] = {}
    lines = make_lines(given.lines, 1)
    with tempfile.TemporaryDirectory() as folder:
        for run in range(given.runs):
            for name, server in servers.items():
                place = Path(folder) / f"{name}-{run}"
                place.mkdir()
                with server(place) as target:
                    results.setdefault(name, []).append(streams(target, lines))
                    if run == 0 and given.seconds > 0:
                        out[f"{name}_datagrams"] = datagrams(target, lines, given.seconds)
    out |= {name: median(runs, "lines_per_cpu_s") for name, runs in results.items()}
    for name in set(results) - {"rsyslogd"} if "rsyslogd" in results else ():
        out[f"{name}_ratio_per_cpu_s"] = statistics.median(
            a["lines_per_cpu_s"] / b["lines_per_cpu_s"]
            for a, b in zip(results[name], results["rsyslogd"], strict=True)
        )
    if given.json:
        print(json.dumps(out))
        return
    for name, value in sorted(out.items()):
        shown = {k: round(v, 3) for k, v in value.items()} if isinstance(value, dict) else round(value, 2)
        print(f"{name:<24} {shown}")


if __name__ == "__main__":
    main()
