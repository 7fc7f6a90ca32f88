"""How often findings come by themselves, through the whole stage with its default configuration, where nothing is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from tests.analysis.clean_estate import KINDS, estate
from tests.analysis.test_detect_stage import _samples
from watchkeeper.analysis.pipeline import Work
from watchkeeper.analysis.stages.detect import Detect
from watchkeeper.model.signals import Stream
from watchkeeper.model.verdicts import Finding

BEGIN = 1_750_032_000_000 // 86_400_000 * 86_400_000
STATED = 0.05  # findings a series and week: docs/how-to/anomalies.md


def findings_of(machines: int, days: int, seed: int) -> list[Finding]:
    """All findings of a made-up clean estate."""
    infos, topology, minutes, values = estate(machines, days, seed)
    stage, found = Detect(), list[Finding]()
    for minute, row in zip(minutes.astype(np.int64).tolist(), values, strict=True):
        now = BEGIN + minute * 60_000
        batches = [(minute, Stream.SAMPLES, _samples(dict(zip(infos, row.tolist(), strict=True)), now))]
        work = Work(minute, minute, now, topology, batches=batches, series=infos)
        stage.process(work)
        found += work.findings
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_findings_of_a_clean_estate_stay_under_the_stated_rate(seed: int) -> None:
    machines, days = 4, 14
    begun = [f for f in findings_of(machines, days, seed) if f.active]
    assert len(begun) <= STATED * machines * len(KINDS) * days / 7, [f.summary for f in begun]
