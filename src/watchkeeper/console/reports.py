"""What the page of a service report shows: its text, as its files have it."""

from __future__ import annotations

from typing import Any

import msgspec

from watchkeeper.domains.annotations import notes
from watchkeeper.domains.reporting import writing
from watchkeeper.domains.reporting.models import ServiceReport
from watchkeeper.domains.reporting.rules import Content
from watchkeeper.kernel.acting import Actor


def of_report(record: ServiceReport, actor: Actor) -> dict[str, Any]:  # noqa: ARG001
    """Nothing while it is being made."""
    if not record.content:
        return {"text": ""}
    return {"text": notes.as_html(writing.markdown(msgspec.convert(record.content, Content)))}
