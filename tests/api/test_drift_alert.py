"""A slow drift through the journal and all stages of analysis: an alert in the records, that can be called usual."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from tests.api.platform_parts import Sender, Web, alone, analysing
from tests.support import eventually
from watchkeeper.model.series import labels_json
from watchkeeper.model.signals import Stream

STEP, PER_DAY, DAYS = 1200, 72, 32
BEGIN = int(time.time()) // 86_400 * 86_400 - DAYS * 86_400


class Service(Sender):
    """Its memory leaks from the twentieth day on; time is as far as what it has sent."""

    def __init__(self, web: Web) -> None:
        super().__init__(web, BEGIN)
        self.random = np.random.default_rng(1)

    def declare(self) -> None:
        """What it is that it sends."""
        labels = labels_json({"host.name": "db-1", "process.name": "api"})
        self.put(Stream.SERIES, [{"id": 1, "name": "process.memory.usage", "labels": labels, "kind": "gauge",
                                   "unit": "By", "door": "otlp"}])  # fmt: skip

    def send(self, days: int) -> None:
        """So many days, in reads of a day."""
        for _ in range(days):
            rows: list[dict[str, object]] = []
            for _ in range(PER_DAY):
                self.now += STEP
                day = (self.now - BEGIN) / 86_400
                level = 2.4e9 * (1 + 0.05 * np.sin(2 * np.pi * day)) + 1e8 * max(0.0, day - 20)
                value = level + 2e7 * float(self.random.standard_normal())
                rows.append({"series": 1, "time_ms": self.now * 1000, "value": value})
            self.put(Stream.SAMPLES, rows)


@pytest.mark.usefixtures("transactional_db")
def test_a_leak_becomes_an_alert_survives_a_restart_and_can_be_called_usual(tmp_path: Path) -> None:
    with alone(tmp_path) as web:
        firing, service = "/api/alerts/?status=firing", Service(web)
        with analysing(web.journal, tmp_path, service.clock, detecting=True):
            service.declare()
            service.send(20)
            assert web.call("GET", firing).json["count"] == 0
            service.send(9)
            eventually(lambda: web.call("GET", firing).json["count"] == 1)
            (alert,) = web.call("GET", firing).json["results"]
            assert (alert["source"], alert["name"]) == ("drift", "Memory usage (api) slowly rises")
            assert " of db-1 has risen by " in alert["summary"] and " % a day for " in alert["summary"]
        with analysing(web.journal, tmp_path, service.clock, detecting=True):
            service.send(2)
            (again,) = web.call("GET", firing).json["results"]
            assert again["id"] == alert["id"] and again["count"] == 1
            said = web.call("POST", f"/api/alerts/{alert['id']}/usual/", {"why": "the cache is being filled"})
            assert said.status in (200, 202)
            eventually(lambda: web.call("GET", firing).json["count"] == 0)
            service.send(1)
            assert web.call("GET", firing).json["count"] == 0
