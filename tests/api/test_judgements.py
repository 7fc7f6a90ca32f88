"""“Not an anomaly” through HTTP, the journal, the detectors and the records: what it ends, what it holds back, who said so,
and how it is taken back; over a restart too."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from tests.api.platform_parts import Sender, Web, alone, analysing
from tests.support import eventually
from watchkeeper.domains.situations.models import Judgement
from watchkeeper.kernel.models import AuditEntry
from watchkeeper.model.series import labels_json
from watchkeeper.model.signals import Stream

BEGIN = int(time.time()) - 12 * 3600
STEP = 15


class Machine(Sender):
    """A machine that sends its CPU's use; time is as far as what it has sent."""

    def __init__(self, web: Web) -> None:
        super().__init__(web, BEGIN)
        self.random = np.random.default_rng(1)

    def declare(self) -> None:
        """What it is that it sends."""
        labels = labels_json({"host.name": "db-1", "cpu.mode": "user"})
        row: dict[str, object] = {"id": 1, "name": "system.cpu.utilization", "labels": labels, "kind": "gauge", "unit": "1",
                                  "door": "otlp"}  # fmt: skip
        self.put(Stream.SERIES, [row])

    def send(self, count: int, level: float) -> None:
        """So many points, in reads of a minute when they are few."""
        read = 4 if count < 100 else 20
        for start in range(0, count, read):
            rows: list[dict[str, object]] = []
            for _ in range(min(read, count - start)):
                self.now += STEP
                value = level + 0.01 * float(self.random.standard_normal())
                rows.append({"series": 1, "time_ms": self.now * 1000, "value": value})
            self.put(Stream.SAMPLES, rows)


@pytest.mark.usefixtures("transactional_db")
def test_not_an_anomaly(tmp_path: Path) -> None:
    with alone(tmp_path) as web:
        firing = "/api/alerts/?status=firing&source=level"
        machine = Machine(web)
        with analysing(web.journal, tmp_path, machine.clock, detecting=True):
            machine.declare()
            machine.send(400, 0.2)
            machine.send(40, 0.7)
            eventually(lambda: web.call("GET", firing).json["count"] == 1)
            (alert,) = web.call("GET", firing).json["results"]
            url = f"/api/alerts/{alert['id']}/usual/"
            assert web.call("POST", url, {}).status == 400  # why?
            assert web.call("POST", url, {"why": "x", "until": "2001-01-01T00:00:00Z"}).status == 400
            assert web.call("POST", url, {"why": "x"}, scope="read").status == 403
            assert web.call("POST", url, {"why": "the nightly report"}).status in (200, 202)
            eventually(lambda: web.call("GET", firing).json["count"] == 0)
            (made,) = web.call("GET", "/api/judgements/").json["results"]
            assert (made["why"], made["state"], made["held"], made["created_by"]) == (
                "the nightly report",
                "active",
                0,
                "write",
            )
            assert made["text"].startswith("CPU utilization (user) of db-1 up to 7")
            machine.send(400, 0.2)
        with analysing(web.journal, tmp_path, machine.clock, detecting=True):
            machine.send(40, 0.7)
            eventually(lambda: Judgement.objects.get().held == 1)
            assert web.call("GET", firing).json["count"] == 0
            held = web.call("GET", f"/api/judgements/{made['id']}/").json
            assert "it is usually" in held["last_held_text"] and held["last_held_at"]
            back = f"/api/judgements/{made['id']}/take_back/"
            assert web.call("POST", back, {}).status in (200, 202)
            eventually(
                lambda: web.call("GET", f"/api/judgements/{made['id']}/").json["state"] == "taken back"
            )
            machine.send(30, 0.7)
            eventually(lambda: web.call("GET", firing).json["count"] == 1)
            assert web.call("POST", back, {}).status == 409
        said = AuditEntry.objects.filter(act__in=("alert.usual", "judgement.unusual")).order_by("pk")
        assert [(e.act, e.actor) for e in said] == [("alert.usual", "write"), ("judgement.unusual", "write")]
