"""A backup as long work: started by hand, by the command `watchkeeper backup`, or by whatever calls that every night."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from watchkeeper.domains.backups import manifest as manifests
from watchkeeper.domains.backups.taking import folder, take
from watchkeeper.jobs.port import Run, job
from watchkeeper.kernel.problems import Refused

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,100}$")
MIB = 1024 * 1024


class BackupFields(serializers.Serializer[Any]):
    """What it is called, and how many are kept."""

    name = serializers.RegexField(_NAME, required=False, default="", allow_blank=True,
                                  help_text="of its folder; empty: the time")  # fmt: skip
    keep = serializers.IntegerField(
        min_value=0,
        max_value=10_000,
        required=False,
        default=0,
        help_text="so many backups are kept, the newest; 0: all",
    )


@job("backup", "Back everything up", fields=BackupFields, needs=("create", "policies"), offered_on="jobs")
def backup(run: Run) -> dict[str, Any]:
    """Where it is, and how large."""
    name = run.step("name", lambda: _free(run.arguments.get("name") or f"{timezone.now():%Y-%m-%dT%H%M%SZ}"))
    path = Path(run.step("take", lambda: str(_taken(name, run))))
    gone = run.step("clear", lambda: clear(run.arguments.get("keep", 0)))
    size = sum(p.stat().st_size for p in manifests.files(path)) / MIB
    summary = f"{path}, {size:,.1f} MiB" + (f"; {len(gone)} older ones removed" if gone else "")
    return {"summary": summary, "path": str(path), "removed": gone}


def _free(name: str) -> str:
    if (folder() / name).exists():
        raise Refused(f"{folder() / name} is there already: a backup is never written over")
    return name


def _taken(name: str, run: Run) -> Path:
    made = folder() / name
    return made if made.exists() else take(name, run.say)  # there: killed between its end and the note of it


def clear(keep: int) -> list[str]:
    """Remove all but the newest `keep` backups; their names."""
    if not keep:
        return []
    made = sorted(p for p in folder().iterdir() if (p / manifests.FILE).is_file())
    made.sort(key=lambda p: (p / manifests.FILE).stat().st_mtime)
    gone = made[:-keep]
    for path in gone:
        (path / manifests.FILE).unlink()  # first: what is half removed is no backup
        shutil.rmtree(path)
    return [p.name for p in gone]
