"""Carries what was said about a window into the journal."""

from __future__ import annotations

from watchkeeper.domains.maintenance.telling import KIND
from watchkeeper.kernel import outbox
from watchkeeper.kernel.fields import milliseconds
from watchkeeper.kernel.models import OutboxRow
from watchkeeper.kernel.ports import ports
from watchkeeper.model.act import Act, ActKind


@outbox.handler(KIND)
def _tell(row: OutboxRow) -> str:
    told = row.payload
    ports.submit(
        Act(id=row.id, kind=ActKind.MAINTENANCE, target=told["window"], actor=told["actor"],
            time_ms=milliseconds(row.created_at), data=told["data"])
    )  # fmt: skip
    return "in the journal"
