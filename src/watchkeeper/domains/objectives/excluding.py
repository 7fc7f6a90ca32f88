"""Planned maintenance as slots that are left out."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from watchkeeper.domains.maintenance.planned import Span
from watchkeeper.domains.objectives.rules import Flags


def flags(spans: Iterable[Span], from_ms: int, number: int, step_ms: int) -> Flags:
    """The slots that planned maintenance touches.

    >>> flags([(1_500, 2_500)], 0, 4, 1_000).tolist()
    [False, True, True, False]
    """
    out = np.zeros(number, dtype=bool)
    for begins, ends in spans:
        out[max(0, (begins - from_ms) // step_ms) : max(0, -((from_ms - ends) // step_ms))] = True
    return out
