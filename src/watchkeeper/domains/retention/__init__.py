"""How long signals are kept, as people see and choose it: who may, and what the audit trail says of it. What it means
for the tables is in telemetry/retention.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watchkeeper.kernel.acting import Actor
    from watchkeeper.telemetry.queries.storage import Usage

__all__ = ["keep", "usage"]


def usage() -> list[Usage]:
    """Every table with its size, its reach and its days. Raises NotReady and TelemetryError."""
    from watchkeeper.kernel.ports import ports
    from watchkeeper.telemetry.queries import storage

    return storage.usage(ports.the_telemetry())


def keep(actor: Actor, changes: Mapping[str, int]) -> list[Usage]:
    """Keep rows of these tables for so many days, 0 for ever; every table as it is then. Raises Forbidden,
    RetentionRefused naming the table, NotReady and TelemetryError."""
    from watchkeeper.kernel import audit
    from watchkeeper.kernel.acting import Scope
    from watchkeeper.kernel.permissions import PLATFORM_ACTS, require
    from watchkeeper.kernel.ports import ports
    from watchkeeper.telemetry import retention

    require(actor, PLATFORM_ACTS[Scope.ADMIN], None)
    store = ports.the_telemetry()
    if before := retention.differing(store, changes):
        # Told first: a kill in between may leave it to be done again, and never undone and unsaid.
        audit.record(actor, "retention.change", before=before, after={t: changes[t] for t in before})
        retention.keep(store, changes)
    return usage()
