"""Syslog to the whole platform: over TCP until every line is parsed, mined for its template, stored and searchable,
beside Debian's rsyslogd, which appends them to a file; and over UDP at a set rate while analysis is busy.

    python -m benchmarks.platform_syslog [--lines 300000] [--rate 20000] [--seconds 30] [--json]

Lines per CPU-second of all processes of the server; the senders are the same. UDP: what was sent, stored, and
counted as dropped by the kernel.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import psutil
from tests.platform import Platform
from tests.support import free_port

from benchmarks import whole
from benchmarks.alerts import bodies, post
from benchmarks.templates import make_lines

CONNECTIONS = 4
HEAD = "<30>1 2026-01-01T00:00:00.{:06}Z web-{} shop 4711 - - "


def lines(count: int, mark: str) -> list[bytes]:
    """Lines of 500 formats from 20 hosts with today's time; the last word tells the run."""
    day = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    head = HEAD.replace("2026-01-01T00:00:00", day)
    texts = make_lines(min(count, 100_000))
    return [
        f"{head.format(i % 10**6, i % 20)}{text} {mark}\n".encode()
        for i, text in zip(range(count), itertools.cycle(texts))
    ]


def send(port: int, found: list[bytes]) -> None:
    """Over some connections at once."""

    def one(mine: list[bytes]) -> None:
        with socket.create_connection(("127.0.0.1", port)) as s:
            for first in range(0, len(mine), 500):
                s.sendall(b"".join(mine[first : first + 500]))
            s.shutdown(socket.SHUT_WR)

    threads = [threading.Thread(target=one, args=(found[i::CONNECTIONS],)) for i in range(CONNECTIONS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def stored(platform: Platform, mark: str) -> int:
    """Lines that a search for the mark can find."""
    store = platform.telemetry()
    try:
        sql = "SELECT count() AS n FROM logs WHERE hasToken(lower(body), {mark:String}) AND template_id != 0"
        return int(store.rows(sql, {"mark": mark}, limit_seconds=60)[0]["n"])
    finally:
        store.close()


def ours(platform: Platform, port: int, count: int, mark: str) -> dict[str, float]:
    """One run."""
    found, of = lines(count, mark), whole.processes(platform)
    used, began = whole.cpu(of), time.perf_counter()
    send(port, found)
    sent = time.perf_counter() - began
    whole.catch_up(platform, "telemetry")
    while stored(platform, mark) < count:
        if time.perf_counter() - began > 300:
            raise SystemExit(f"{stored(platform, mark)} of {count} lines are stored")
        time.sleep(0.5)
    whole.catch_up(platform, "analysis", "telemetry")
    took, used = time.perf_counter() - began, whole.cpu(of) - used
    return {"lines_per_cpu_s": count / used, "sent_per_s": count / sent, "searchable_per_s": count / took}


def rsyslog(folder: Path, count: int) -> dict[str, float]:
    """The same lines into a file."""
    port, out = free_port(), folder / "out.log"
    out.unlink(missing_ok=True)
    config = folder / "rsyslog.conf"
    config.write_text(
        f'module(load="imtcp")\ninput(type="imtcp" port="{port}" address="127.0.0.1")\n'
        f'action(type="omfile" file="{out}")\n'
    )
    command = [shutil.which("rsyslogd") or "", "-n", "-f", str(config), "-i", str(folder / "rsyslog.pid")]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(1.5)
        found, of = lines(count, "peer"), [psutil.Process(server.pid)]
        used, began = whole.cpu(of), time.perf_counter()
        send(port, found)
        while not out.exists() or out.read_bytes().count(b"\n") < count:
            time.sleep(0.2)
        return {
            "lines_per_cpu_s": count / (whole.cpu(of) - used),
            "searchable_per_s": count / (time.perf_counter() - began),
        }
    finally:
        server.terminate()
        server.wait()


def datagrams(platform: Platform, port: int, rate: int, seconds: float) -> dict[str, float]:
    """At `rate` a second while alerts keep analysis busy."""
    found, busy = lines(rate, "datagram"), threading.Event()
    headers = {"Authorization": f"Bearer {platform.key}"}
    storm = bodies(10_000, 500, "udp")

    def alerts() -> None:
        for body in itertools.cycle(storm):
            if busy.is_set():
                return
            post(platform.url, headers, [body])
            time.sleep(0.05)

    thread = threading.Thread(target=alerts)
    thread.start()
    sent, began = 0, time.perf_counter()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", port))
        while (now := time.perf_counter() - began) < seconds:
            for _ in range(int(min(now, seconds) * rate) - sent):
                s.send(found[sent % rate])
                sent += 1
            time.sleep(0.002)
    took = time.perf_counter() - began
    busy.set()
    thread.join()
    whole.catch_up(platform, "telemetry")
    kept = stored(platform, "datagram")
    name = 'watchkeeper_door_rejected_total{door="syslog",reason="kernel_drop"}'
    counted = sum(v for k, v in whole.metrics(platform).items() if "kernel_drop" in k or k == name)
    return {"sent": sent, "rate": sent / took, "stored": kept, "lost": sent - kept, "counted_drops": counted}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lines", type=int, default=300_000)
    parser.add_argument("--rate", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    port, marks = free_port(), itertools.count()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with whole.running(folder, WATCHKEEPER_SYSLOG=f"127.0.0.1:{port}") as platform:
            ours(platform, port, 20_000, "warm")
            tcp = whole.median(
                given.runs,
                lambda: ours(platform, port, given.lines, f"run{next(marks)}"),
                "lines_per_cpu_s",
            )
            found: dict[str, object] = {"tcp": tcp}
            if shutil.which("rsyslogd"):
                peer = whole.median(given.runs, lambda: rsyslog(folder, given.lines), "lines_per_cpu_s")
                found |= {"rsyslogd": peer, "ratio": tcp["lines_per_cpu_s"] / peer["lines_per_cpu_s"]}
            found["udp"] = datagrams(platform, port, given.rate, given.seconds)
    whole.report(found, given.json)


if __name__ == "__main__":
    main()
