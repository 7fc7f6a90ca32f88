"""How alerts are grouped, as people say it: the parameters of the learned method, and rules beside it. Times are
milliseconds."""

from __future__ import annotations

import msgspec

ANY = "*"  # whatever alert the parent has


class Parameters(msgspec.Struct, frozen=True):
    """What of the learned method can be chosen."""

    pause_ms: int = 600_000  # after so long without an alert a group draws nothing in
    fade_ms: int = 300_000  # evidence halves with so long a pause
    evidence: float = 0.15  # that an alert needs to join, 0 to 1


class GroupingRule(msgspec.Struct, frozen=True):
    """Alerts that satisfy `condition` (CEL over `record`) and have the same value in each of `group_by` are one
    situation when they begin within `window_ms` of its first, once there are `count` of them. One whose item needs an
    item on which an alert named `parent` fires is held back as long as that fires; "" holds nothing back."""

    id: str
    name: str
    position: int
    condition: str
    group_by: tuple[str, ...] = ()
    window_ms: int = 600_000
    count: int = 1
    parent: str = ""
