"""The runner's Records on Django: inventory and situations, read at start and written together."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from django.db import close_old_connections

from watchkeeper.analysis.pipeline import Work
from watchkeeper.domains import alerting, correlation, inventory, log_templates, maintenance, methods
from watchkeeper.domains.situations import (
    AnalysisWriter,
    analysis_offset,
    load_active,
    load_judgements,
    load_silences,
)
from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.topology import Topology
from watchkeeper.model.verdicts import Alert, Situation

#: an observed relation that nothing has shown for this long has ended
HOLD_MS = 24 * 3600 * 1000
STALE_EVERY_S = 600.0
#: said to analysis alone: nobody did it to an alert or a situation
_OWN = frozenset({ActKind.MEASURED, ActKind.VERSIONS})
_log = logging.getLogger(__name__)


class DjangoRecords:
    """See runner.Records."""

    def __init__(self) -> None:
        self._writer = AnalysisWriter()
        self._looked = time.monotonic()

    def offset(self) -> int:
        """The journal offset that the records have reached."""
        return analysis_offset()

    def load(self, now_ms: int) -> tuple[Topology, Sequence[Alert], Sequence[Situation], Sequence[Act]]:
        """The graph, and the alerts, situations, silences, maintenance windows, threshold rules and judgements that live."""
        alerts, situations = load_active(now_ms)
        acts = [
            *load_silences(now_ms),
            *maintenance.load_windows(now_ms),
            *alerting.load_rules(),
            *load_judgements(now_ms),
            *methods.load_versions(),
            *log_templates.load_corrections(),
            *correlation.load(now_ms),
        ]
        return inventory.load_topology(), alerts, situations, acts

    def write(self, work: Work) -> None:
        """Everything of `work`, all or none."""
        close_old_connections()
        acts = [a for a in work.acts if a.kind not in _OWN]
        self._writer.write(
            work.alerts,
            work.situations,
            work.discoveries,
            acts,
            work.held,
            offset=work.last,
            now_ms=work.now_ms,
        )
        if time.monotonic() - self._looked > STALE_EVERY_S:
            self._looked = time.monotonic()
            closed = inventory.close_stale(work.now_ms, HOLD_MS)
            if closed:
                _log.info("%d relations that nothing shows any more were closed", closed)
