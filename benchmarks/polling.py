"""What polling costs: 1,000 probes (TCP, HTTP, ICMP) and 200 scrapes of a page as node_exporter's, every 15 seconds, as
the share of one core that the polling loop's process takes, journal included. Servers run in a process of their own."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import resource
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

import uvloop

from watchkeeper.journal import open_journal
from watchkeeper.journal.group import GroupCommit
from watchkeeper.model.declared import Unread
from watchkeeper.model.polled import PROBE, SCRAPE, PollTarget, Probe, ScrapeJob
from watchkeeper.pollers.delivery import Delivery
from watchkeeper.pollers.polling import Polling
from watchkeeper.pollers.reach import Reach
from watchkeeper.receivers.door_stats import DoorStats
from watchkeeper.receivers.series import SeriesTable

PROBES, SCRAPES, EVERY = 1000, 200, 15.0
WARM, MEASURED = 20.0, float(os.environ.get("WATCHKEEPER_BENCH_SECONDS", "45"))
LINES = 1200  # of metrics on a page
CLAIM = 0.25  # of a core


def page(beat: int) -> bytes:
    """Metrics of a machine: the same series each time, other values."""
    lines = [
        f'node_cpu_seconds_total{{cpu="{i // 8}",mode="mode{i % 8}"}} {i * 1.5 + beat}' for i in range(LINES)
    ]
    return ("# TYPE node_cpu_seconds_total counter\n" + "\n".join(lines) + "\n").encode()


def serve(tell: Connection) -> None:
    """Answer every GET of one port with metrics; any number of connections."""
    pages = [page(i) for i in range(4)]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        count = 0
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                body = pages[count % len(pages)]
                count += 1
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(body)
                )
                writer.write(body)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(answer, "0.0.0.0", 0, backlog=2000)
        tell.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(main())


class Declared:
    """The same all the time; every target has an address of its own in 127.0.0.0/8."""

    def __init__(self, port: int) -> None:
        def many(count: int, shape: str) -> tuple[PollTarget, ...]:
            return tuple(
                PollTarget(shape.format(f"127.0.{i // 250}.{i % 250 + 1}", port)) for i in range(count)
            )

        third = PROBES // 3
        self._jobs = (ScrapeJob(id="1", name="node", targets=many(SCRAPES, "{}:{}"), interval=EVERY),)
        shapes = {"tcp": "{}:{}", "http": "http://{}:{}/", "icmp": "{}"}
        self._probes = tuple(
            Probe(id=kind, name=kind, kind=kind, targets=many(third, shape), interval=EVERY)
            for kind, shape in shapes.items()
        )

    def scrape_jobs(self) -> tuple[ScrapeJob, ...]:
        """One."""
        return self._jobs

    def probes(self) -> tuple[Probe, ...]:
        """One of each kind."""
        return self._probes

    def unread(self) -> dict[str, tuple[Unread, ...]]:
        """None."""
        return {}


def cpu() -> float:
    """Seconds of processor time that this process has had."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def measure(port: int, folder: Path) -> None:
    """Poll, and print what it took once it has settled."""
    stats = DoorStats()
    group = GroupCommit(open_journal("", folder))
    series = SeriesTable()
    delivery = Delivery(series, group.submit, {name: stats.door(name) for name in (SCRAPE, PROBE)})
    polling = Polling(
        Declared(port), series, delivery, Reach(lambda _: ""), folder / "polling.json", stats.stats
    )
    began = time.monotonic()
    marks: list[tuple[float, float, dict[str, dict[str, object]]]] = []

    def ends() -> bool:
        past = time.monotonic() - began
        if past >= WARM and not marks:
            marks.append((time.monotonic(), cpu(), stats.stats()))
        return past >= WARM + MEASURED

    await polling.run(ends)
    (at, used, then), now = marks[0], stats.stats()
    span, took = time.monotonic() - at, cpu() - used
    for door in (SCRAPE, PROBE):
        requests = int(str(now[door]["requests"])) - int(str(then[door]["requests"]))
        rows = int(str(now[door]["rows"])) - int(str(then[door]["rows"]))
        print(
            f"{door:<7} {requests / span:8.1f}/s  {rows / span:10.0f} samples/s  refused {now[door]['rejected']}"
        )
    print(f"processor {took / span:.3f} of one core (claim: under {CLAIM})")
    print(f"memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB at most")


def main() -> None:
    """Serve in one process, poll in this one."""
    mine, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    with tempfile.TemporaryDirectory() as folder:
        uvloop.run(measure(mine.recv(), Path(folder)))
    server.terminate()


if __name__ == "__main__":
    main()
