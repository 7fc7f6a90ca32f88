"""What people do to alerts and situations. An act goes through the journal, so that a replay gives the same
state; analysis applies it and its writer notes it, which is what we wait for here, for a moment."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

from django.db import connection

from watchkeeper.domains.situations.models import AppliedAct
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.ports import ports
from watchkeeper.kernel.resource import Done
from watchkeeper.model.act import Act, ActKind

PATIENCE = 2.0  # seconds
_LOOK_EVERY = (0.02, 0.03, 0.05, 0.1)


def act(actor: Actor, kind: ActKind, target: str, data: dict[str, Any], subject: Any) -> Done:
    """Submit an act on this record, audit it, and wait up to PATIENCE seconds until it is applied; `pending` if it was not.

    Raises NotReady, JournalFull or DiskFull; then nothing has happened.
    """
    made = Act(
        id=uuid.uuid4().hex,
        kind=kind,
        target=target,
        actor=actor.name,
        time_ms=int(time.time() * 1000),
        data=data,
    )
    there = ports.submit(made)
    after = {"act": made.id, "target": target, **made.data}
    audit.record(
        actor, f"{subject._meta.model_name}.{kind.value}", subject, after=after, event=False
    )  # analysis tells, once it is so
    if not there or connection.in_atomic_block:
        # What others write cannot be seen from in here, and on SQLite they could not write at all.
        return Done(pending=True)
    return Done(pending=not wait(lambda: AppliedAct.objects.filter(pk=made.id).exists()))


def wait(true: Callable[[], bool], patience: float = PATIENCE) -> bool:
    """Whether it became true in time."""
    end = time.monotonic() + patience
    for n in range(1_000_000):
        if true():
            return True
        if time.monotonic() >= end:
            break
        time.sleep(_LOOK_EVERY[min(n, len(_LOOK_EVERY) - 1)])
    return False
