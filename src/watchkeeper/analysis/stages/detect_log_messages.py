"""A log message of a shape that its source has never written before."""

from __future__ import annotations

from typing import NamedTuple

ERROR, FATAL = 17, 21  # OpenTelemetry severity numbers


class NewMessage(NamedTuple):
    """A message of a new shape, or (active False) that it has not come for half an hour."""

    template: int
    item: str
    source: str
    host: str
    body: str
    severity: int
    time_ms: int
    active: bool = True
