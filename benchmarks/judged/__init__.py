"""How good the methods are on public data, by each set's own published rule, beside simple methods in the same run: one
set a file. The data are not part of the project; WATCHKEEPER_DATASETS says where they are."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

DATA = Path(os.environ.get("WATCHKEEPER_DATASETS", Path(__file__).parents[2].parent / "shared" / "data"))


class Figure(NamedTuple):
    """One figure of one set: ours, that of each simple method, and what has been published, with its source."""

    set: str
    measure: str
    ours: float
    beside: Mapping[str, float]
    published: str = ""


Measured = Callable[[Path], Iterator[Figure]]
