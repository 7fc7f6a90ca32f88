"""What commands ask of telemetry, which only the platform's own processes reach."""

from __future__ import annotations

from typing import Any

import msgspec

from watchkeeper.domains.retention import keep, usage
from watchkeeper.domains.retention.fields import RetentionFields
from watchkeeper.jobs.port import Run, job
from watchkeeper.kernel.fields import moment
from watchkeeper.telemetry.kept import said

MIB = 1024 * 1024


@job("retention", "How long signals are kept", fields=RetentionFields, needs=("create", "policies"))
def retention(run: Run) -> dict[str, Any]:
    """Change it, where days were given, and say how it is."""
    tables = run.step(
        "keep", lambda: msgspec.to_builtins(keep(run.actor, run.arguments) if run.arguments else usage())
    )
    lines = [f"{'table':<14}{'kept for':>12}{'rows':>16}{'size':>14}  oldest"]
    for t in tables:
        oldest = f"{moment(t['oldest_ms']):%Y-%m-%d %H:%M} UTC" if t["oldest_ms"] else "–"
        lines.append(
            f"{t['table']:<14}{said(t['days']):>12}{t['rows']:>16,}{t['bytes'] / MIB:>10,.1f} MiB  {oldest}"
        )
    return {"summary": "\n".join(lines), "tables": tables}
