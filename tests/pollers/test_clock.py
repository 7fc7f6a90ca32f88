"""A wall clock that jumps, back by a day or ahead by ten: what is polled is polled on, each at its own time."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from tests.pollers.polled_servers import Page, text
from watchkeeper.domains.polling.guarding import refuses
from watchkeeper.model.declared import Unread
from watchkeeper.model.polled import PROBE, SCRAPE, PollTarget, Probe, ScrapeJob
from watchkeeper.model.signals import Stream
from watchkeeper.pollers.delivery import Delivery
from watchkeeper.pollers.polling import Polling
from watchkeeper.pollers.reach import Reach
from watchkeeper.receivers.door_stats import DoorStats
from watchkeeper.receivers.series import SeriesTable

DAY = 86_400.0


class Written:
    """What is declared, as somebody has written it: one scrape job and one probe."""

    def __init__(self, scraped: str, probed: str) -> None:
        self.job = ScrapeJob(id="1", name="j", targets=(PollTarget(scraped),), interval=0.2, timeout=0.2)
        self.probe = Probe(
            id="1", name="p", kind="http", targets=(PollTarget(probed),), interval=0.2, timeout=0.2
        )

    def scrape_jobs(self) -> tuple[ScrapeJob, ...]:
        """See Polled."""
        return (self.job,)

    def probes(self) -> tuple[Probe, ...]:
        """See Polled."""
        return (self.probe,)

    def unread(self) -> dict[str, tuple[Unread, ...]]:
        """See Polled."""
        return {}


def test_polling_goes_on_when_the_clock_jumps(tmp_path: Path) -> None:
    scraped, probed = Page(text(b"a 1\n")), Page(text(b"fine"))
    stats, times, jumped = DoorStats(), list[int](), [0.0]

    async def submit(entries: Any) -> int:
        times.extend(
            t for stream, rows in entries if stream is Stream.SAMPLES for t in rows["time_ms"].to_pylist()
        )
        return len(entries)

    series = SeriesTable()
    polling = Polling(
        Written(scraped.address, f"http://{probed.address}/"), series,
        Delivery(series, submit, {name: stats.door(name) for name in (SCRAPE, PROBE)}), Reach(refuses),
        tmp_path / "polling.json", stats.stats, clock=lambda: time.time() + jumped[0],
    )  # fmt: skip
    jumps, asked = [-DAY, 10 * DAY, 0.0], [0, 0]
    end = time.monotonic() + 60

    def stop() -> bool:
        """After each jump both have to be asked three times more."""
        if min(scraped.asked - asked[0], probed.asked - asked[1]) >= 3:
            asked[:] = scraped.asked, probed.asked
            if not jumps:
                return True
            jumped[0] = jumps.pop(0)
        return time.monotonic() > end

    asyncio.run(polling.run(stop))
    assert not jumps
    now = time.time() * 1000
    assert min(times) < now - 80_000_000 and max(times) > now + 800_000_000
    scraped.stop()
    probed.stop()
