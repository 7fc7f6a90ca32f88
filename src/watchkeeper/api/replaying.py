"""Gives the payload of a dead letter to its door's decoder once more: after an update, or once the clock of its
sender was right, it may be understood. What is taken goes into the journal like any signal."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from watchkeeper.kernel.ports import ports
from watchkeeper.kernel.problems import Refused
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.receivers.http import Taken

Decode = Callable[[bytes, str, int], Taken]


@lru_cache(maxsize=1)
def _doors() -> dict[str, list[Decode]]:
    """Every door's decoders by its name: OTLP has three."""
    from watchkeeper.receivers import otlp
    from watchkeeper.receivers.alertmanager import AlertmanagerDoor
    from watchkeeper.receivers.http import whole
    from watchkeeper.receivers.remote_write import RemoteWriteDoor
    from watchkeeper.receivers.series import SeriesTable
    from watchkeeper.receivers.syslog import SyslogDoor

    series = SeriesTable()
    rows = [AlertmanagerDoor().row(), RemoteWriteDoor(series).row(), *(d.row() for d in otlp.doors(series))]
    found: dict[str, list[Decode]] = {SyslogDoor.name: [whole(SyslogDoor())]}
    for row in rows:
        found.setdefault(row.name, []).append(row.decode)
    return found


def replay(door: str, payload: bytes, now_ms: int) -> dict[str, Any]:
    """Decode and append; how many rows were taken, and of what was not, how many by reason. Raises Refused for a
    door that has no decoder, the decoder's error when nothing can be taken, JournalFull or DiskFull."""
    decoders = _doors().get(door)
    if decoders is None:
        raise Refused(f"what came through {door!r} cannot be replayed")
    content_type = "application/json" if payload.lstrip()[:1] in (b"{", b"[") else "application/x-protobuf"
    error: WatchkeeperError | None = None
    for decode in decoders:
        try:
            taken = decode(payload, content_type, now_ms)
        except WatchkeeperError as e:
            error = e
            continue
        if taken.rows:
            ports.the_journal().append(taken.entries)
            return {"rows": taken.rows, "rejected": taken.rejected, "message": taken.message}
        error = error or Refused(taken.message or "nothing of it can be taken")
    assert error is not None
    raise error
