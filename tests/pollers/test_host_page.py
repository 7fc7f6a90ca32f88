"""The page of the host poller names what the poller sends, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from watchkeeper.model.signals import Stream
from watchkeeper.pollers import host_events, host_metrics, host_watch
from watchkeeper.pollers.host import Batches, HostPoller

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/how-to/doors/host.md").read_text()
_METRIC = re.compile(r"`((?:system|process|watchkeeper)\.[a-z_.0-9]+)`")


def test_every_metric_is_on_the_page_and_every_metric_of_the_page_is_sent(tmp_path: Path) -> None:
    told: list[Batches] = []
    HostPoller(told.append, tmp_path / "host.json").step()
    sent = {
        n for batches in told for s, b in batches if s is Stream.SERIES for n in b.column("name").to_pylist()
    }
    table = PAGE[PAGE.index("## Metrics") : PAGE.index("## What it costs")]
    rows = {
        n
        for line in table.splitlines()
        if line.startswith("| `")
        for n in _METRIC.findall(line.split("|")[1])
    }
    assert sent <= rows
    source = Path(host_metrics.__file__).read_text().replace("{minutes}m", "1m 5m 15m")
    known = set(re.findall(r'"((?:system|process|watchkeeper)\.[a-z_.0-9]+)', source))
    assert {n for n in rows if not n.startswith("system.cpu.load_average")} <= known


def test_its_alerts_and_times_are_those_of_the_code() -> None:
    assert f"**{host_events.STOPPED}**" in PAGE and f"**{host_events.LOST}**" in PAGE
    assert host_watch.GONE_MS == 4000 and "four seconds apart" in PAGE
    assert host_watch.SETTLED_MS == 60_000 and "listened for a minute" in PAGE
    assert host_watch.TALK_MS == 600_000 and "within the last ten minutes" in PAGE
    assert host_watch.FORGET_MS == 7 * 86_400_000 and "stays away for a week" in PAGE
    assert host_watch.BOOT_MS == 180_000 and "three minutes to come up" in PAGE
