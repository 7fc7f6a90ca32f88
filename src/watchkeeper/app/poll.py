"""The process that polls: scrape jobs and probes. It is there only while one is on: the supervisor starts it when the
web process says so, and it ends when nothing has been polled for a while."""

from __future__ import annotations

import asyncio
import os
import threading
import time

import uvloop

from watchkeeper.app import process
from watchkeeper.app.config import Config

IDLE = 20.0  # seconds with nothing to poll after which the process ends
AGE_EVERY = 600.0  # seconds between two looks for series that nothing tells of any more


def main() -> None:
    """Build, poll, end."""
    stop = process.start("poll")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "watchkeeper.app.settings")
    uvloop.run(_poll(Config.from_env(), stop))


async def _poll(config: Config, stop: threading.Event) -> None:
    from watchkeeper.domains.loading import load

    load()
    from watchkeeper.domains.polling import DatabasePolled, refuses, standing_file
    from watchkeeper.journal import open_journal
    from watchkeeper.journal.group import GroupCommit
    from watchkeeper.model.polled import PROBE, SCRAPE
    from watchkeeper.pollers.delivery import Delivery
    from watchkeeper.pollers.polling import Polling
    from watchkeeper.pollers.reach import Reach
    from watchkeeper.receivers.door_stats import DoorStats
    from watchkeeper.receivers.series import SeriesTable

    process.await_records()
    journal = open_journal(config.journal_url, config.data)
    group = GroupCommit(journal)
    series, stats, declared = SeriesTable(), DoorStats(), DatabasePolled()
    delivery = Delivery(series, group.submit, {name: stats.door(name) for name in (SCRAPE, PROBE)})
    polling = Polling(declared, series, delivery, Reach(refuses), standing_file(), stats.stats)
    busy, aged, marks = time.monotonic(), 0.0, process.marks()

    def ends() -> bool:
        nonlocal busy, aged
        marks.note("poll")
        now = time.monotonic()
        if now - aged >= AGE_EVERY:
            aged = now
            series.age(round(time.time() * 1000))
        if not polling.idle:
            busy = now
        return stop.is_set() or now - busy >= IDLE

    await asyncio.to_thread(declared.start)
    await polling.run(ends)
    await asyncio.to_thread(declared.stop)
    await asyncio.to_thread(group.close)
    journal.close()


if __name__ == "__main__":
    main()
