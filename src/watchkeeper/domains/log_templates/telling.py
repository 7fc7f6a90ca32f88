"""Tells analysis of corrections: one act each, as it is now. What came of an older state is overtaken by the newer, so it
may be told twice."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from django.utils import timezone

from watchkeeper.domains.log_templates.models import TemplateCorrection
from watchkeeper.kernel.events import Event
from watchkeeper.kernel.fields import milliseconds
from watchkeeper.kernel.ports import ports
from watchkeeper.model import log_corrections
from watchkeeper.model.act import Act, ActKind

CORRECTIONS = "template-corrections"
BY = "template corrections"


class Changes:
    """See kernel.events.Listener."""

    def wants(self, kinds: Collection[str]) -> Collection[str]:
        """Its own."""
        return [k for k in kinds if k == CORRECTIONS]

    def hear(self, events: Sequence[Event]) -> str:
        """Tell of every correction that was touched. Raises NotReady, JournalFull or DiskFull."""
        keys = dict.fromkeys(event.key for event in events)
        with ports.together():
            for key in keys:
                ports.submit(_told(key, TemplateCorrection.objects.filter(pk=key).first()))
        return f"told analysis of {len(keys)} corrections of templates"


def load_corrections() -> list[Act]:
    """All of them, as the acts that tell of them."""
    return [_told(str(c.pk), c) for c in TemplateCorrection.objects.order_by("pk")]


def _told(key: str, record: TemplateCorrection | None) -> Act:
    data: dict[str, Any] = {}
    if record is not None:
        said = log_corrections.TemplateCorrection(
            int(record.template), int(record.other or 0), record.place or 0
        )
        data = {"correction": msgspec.to_builtins(said)}
    now = milliseconds(timezone.now())
    return Act(id=uuid.uuid4().hex, kind=ActKind.TEMPLATE, target=key, actor=BY, time_ms=now, data=data)
