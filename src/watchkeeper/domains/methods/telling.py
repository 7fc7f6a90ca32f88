"""Tells analysis which versions were chosen: one act a part, as it is now, so that it may be told twice."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence

from django.utils import timezone

from watchkeeper.domains.methods.models import MethodVersion
from watchkeeper.kernel.events import Event
from watchkeeper.kernel.fields import milliseconds
from watchkeeper.kernel.ports import ports
from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.versions import PARTS

KIND = "method-versions"
BY = "method versions"


class Changes:
    """See kernel.events.Listener."""

    def wants(self, kinds: Collection[str]) -> Collection[str]:
        """Its own."""
        return [k for k in kinds if k == KIND]

    def hear(self, events: Sequence[Event]) -> str:
        """Tell of every part as it is now. Raises NotReady, JournalFull or DiskFull."""
        del events  # which part was touched matters not
        with ports.together():
            for act in load():
                ports.submit(act)
        return "told analysis which versions decide"


def load() -> list[Act]:
    """Every part: what was chosen, or that nothing is."""
    chosen = {c.part: {"decides": c.decides, "shade": c.shade} for c in MethodVersion.objects.order_by("pk")}
    now = milliseconds(timezone.now())
    return [
        Act(
            id=uuid.uuid4().hex,
            kind=ActKind.VERSIONS,
            target=part,
            actor=BY,
            time_ms=now,
            data=chosen.get(part, {}),
        )
        for part in PARTS
    ]
