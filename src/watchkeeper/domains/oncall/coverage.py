"""Where nobody is on call though somebody is meant to be. Pure.

Where every layer is restricted to hours, the time outside them is meant to be free; everywhere else a gap is a gap.
"""

from __future__ import annotations

from collections.abc import Sequence

from watchkeeper.domains.agreements.working import WorkingTime
from watchkeeper.domains.oncall.rotations import Layer, Shift


def gaps(found: Sequence[Shift], layers: Sequence[Layer]) -> list[Shift]:
    """Of these shifts, the gaps in which somebody is meant to be on call, whole.

    >>> gaps([Shift(0, 5, "ann", 0), Shift(5, 9, "")], ())
    [Shift(begins_ms=5, ends_ms=9, person='', layer=-1)]
    """
    return [s for s in found if not s.person and _meant(s, layers)]


def _meant(gap: Shift, layers: Sequence[Layer]) -> bool:
    hours = [layer.hours for layer in layers if layer.hours is not None]
    return len(hours) < max(1, len(layers)) or any(_opens(h, gap) for h in hours)


def _opens(hours: WorkingTime, gap: Shift) -> bool:
    change = hours.next_change(gap.begins_ms)
    return hours.open_at(gap.begins_ms) or (change is not None and change < gap.ends_ms)
