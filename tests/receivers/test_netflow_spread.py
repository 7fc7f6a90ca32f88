"""How widely machines reach out, from flows: what is told, and that made-up senders and peers cost nothing that grows."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from watchkeeper.receivers.door_stats import DoorStats
from watchkeeper.receivers.netflow import NAME, Flow
from watchkeeper.receivers.netflow_spread import MINUTES, MOST_NEW, Spread
from watchkeeper.receivers.series import SeriesTable

MINUTE = 60_000
BEGIN = 1_795_385_340_000


def _flow(source: str, destination: str, port: int) -> Flow:
    return Flow(source, destination, 40_000, port, 6, 0x02, 100, 1)


class Exporter:
    """An exporter that tells the same every minute, and what came of it by the name of the series."""

    def __init__(self) -> None:
        self.series = SeriesTable()
        self.spread = Spread(self.series, DoorStats().door(NAME))
        self.now = BEGIN
        self.known: dict[int, tuple[str, str]] = {}

    def minute(self, flows: list[Flow]) -> dict[tuple[str, str], float]:
        self.spread.add(flows, self.now)
        self.now += MINUTE
        samples = self.spread.take(self.now)
        self.known |= {row["id"]: (row["name"], row["labels"]) for row in self._declared()}
        return {self.known[s["series"]]: float(s["value"]) for s in samples}  # type: ignore[arg-type, index]

    def _declared(self) -> list[dict[str, Any]]:
        declared = self.series.take_new()
        return declared.to_pylist() if declared is not None else []


def _of(told: dict[tuple[str, str], float], name: str) -> list[float]:
    return [value for (called, _), value in told.items() if called == name]


def test_a_scan_shows_in_addresses_ports_and_entropy() -> None:
    exporter = Exporter()
    usual = [_flow("10.0.0.1", f"10.0.1.{n % 4}", 443) for n in range(40)]
    for _ in range(MINUTES + 1):
        told = exporter.minute(usual)
    assert _of(told, "network.contacted_addresses") == [pytest.approx(4, abs=0.1)]
    assert _of(told, "network.contacted_ports") == [pytest.approx(1, abs=0.1)]
    scan = [_flow("10.0.0.1", f"10.0.{n // 250}.{n % 250}", n % 900 + 1) for n in range(1500)]
    told = exporter.minute(scan)
    assert _of(told, "network.contacted_addresses") == [pytest.approx(1500, rel=0.08)]
    assert _of(told, "network.contacted_ports") == [pytest.approx(900, rel=0.08)]
    assert _of(told, "network.port_entropy")[0] > 7 and _of(told, "network.address_entropy")[0] > 7
    assert set(exporter.minute([]).values()) == {0.0}


def test_a_flood_of_made_up_senders_has_no_series_and_bounded_memory() -> None:
    exporter = Exporter()
    tracemalloc.start()
    try:
        for k in range(30):
            flood = [
                _flow(f"10.{n % 250}.{n // 250 % 250}.{k}", "10.0.0.9", n % 60_000 + 1) for n in range(5_000)
            ]
            assert exporter.minute(flood) == {}
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held < 400 * MOST_NEW
