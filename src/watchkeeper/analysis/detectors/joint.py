"""Joint deviations: series that each stray a little, but together as they never do.

What a series strays from its last half hour or so is looked at, by the same filter for all of a group, because a linear
filter keeps how they go together. The covariance of that is learned as a stream, drawn towards its diagonal (Ledoit and
Wolf 2004) and with far-out rows counting less (Huber 1981). Two distances of
Mahalanobis (1936) are taken: of the row, and of its exponentially weighted average, which sees what is small but lasts
(Lowry, Woodall, Champ and Rigdon 1992, "A Multivariate Exponentially Weighted Moving Average Control Chart"). How rare they
are is told by their own tails (tail.py) and blocks (blocks.py). Chances of several series become one by their harmonic mean
(Wilson 2019), which holds also when the series are correlated.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from watchkeeper.analysis.compiled import compiled
from watchkeeper.analysis.detectors.blocks import BLOCKS, chance, length, ratio
from watchkeeper.analysis.detectors.tail import TAIL, surprise

LEVEL = 0.03  # share of a new value in its series' level
AVERAGE = 0.2  # share of a new row in the average
MEMORY = 0.001  # and in the covariance and the scales
STEP = 3.0  # scales that a level follows at once
FURTHEST = 8.0  # scales; what is further out in one series counts as this
KNOWN = 60  # rows before anything is said
DRAWN = 0.002  # towards the diagonal, at least
EVERY = 16  # rows after which the inverse is made anew, once it is known
# As in bank.py: once an alarm is given only a louder one is another, and how far out blocks begin to count.
CALM, LOUDER, LEAST_RATIO = 0.5 ** (1 / 60), 1.3, 2.3
DAY = 86_400.0

STATE = np.dtype(
    [
        ("seen", "i4"),
        ("seconds", "f8"),
        ("step", "f8"),
        ("shadow", "f8"),
        ("ratio", "f8"),  # of the average's distance to the usual largest of some hours
        ("tails", TAIL, (2,)),
        ("blocks", BLOCKS, (2,)),
    ]
)
"""State of one group, beside its matrices."""


class Part(NamedTuple):
    """A series' part in a joint deviation."""

    column: int
    share: float  # of the whole; all parts together are 1
    deviation: float  # scales, averaged
    level: float  # of the last half hour, in the series' own unit


class Joint:
    """Groups of up to `width` series; a group is a number, 0 to n - 1. Memory of a group: 16 bytes × width², and 2 KiB.

    >>> import numpy as np
    >>> joint, random = Joint(2), np.random.default_rng(1)
    >>> joint.grow(1)
    >>> a = random.standard_normal(3000)
    >>> rows = np.stack((a, a + 0.1 * random.standard_normal(3000)), axis=1)
    >>> rows[2900] = 0.7, -0.7  # nothing for one of them, and they always went together
    >>> rare = [joint.update(np.array([0]), 60_000 * i, row[None])[0] for i, row in enumerate(rows)]
    >>> bool(max(rare[:2900]) < 4 < rare[2900])
    True
    """

    name = "joint"
    version = "mahalanobis-mewma-1"

    def __init__(self, width: int) -> None:
        self.width = width
        self.groups = np.zeros(0, STATE)
        self._covariance = np.zeros((0, width, width))
        self._inverse = np.zeros((0, width, width))
        self._last = np.zeros((0, 2, width))  # the row in scales, and the average
        self._usual = np.zeros((0, 3, width))  # of each series: level, squared scale, values seen

    def grow(self, n: int) -> None:
        """Make room for n groups in all."""
        more = n - len(self.groups)
        self.groups = np.concatenate((self.groups, np.zeros(more, STATE)))
        one = np.broadcast_to(np.eye(self.width), (more, self.width, self.width))
        self._covariance = np.concatenate((self._covariance, one))
        self._inverse = np.concatenate((self._inverse, one))
        self._last = np.concatenate((self._last, np.zeros((more, 2, self.width))))
        self._usual = np.concatenate((self._usual, np.zeros((more, 3, self.width))))

    def update(
        self, groups: NDArray[np.int64], time_ms: int, values: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Minus the decimal logarithms of the chances of these rows of values (groups, width), one a group, each group once;
        NaN is a gap. Learns from them."""
        there = np.isfinite(values)
        rows = self._away(groups, np.where(there, values, 0.0), there)
        last = self._last[groups]
        average = last[:, 1] + AVERAGE * np.where(there, rows - last[:, 1], -last[:, 1])
        both = np.stack((rows, average), axis=1)
        self._last[groups] = both
        squares = np.einsum("gki,gij,gkj->gk", both, self._inverse[groups], both)
        squares[:, 1] *= (2.0 - AVERAGE) / AVERAGE
        count = np.maximum(there.sum(axis=1), 1.0)[:, None]
        far = np.maximum(0.0, np.sqrt(np.maximum(squares, 0.0)) - np.sqrt(count)) * math.sqrt(2.0)
        rare = np.zeros(len(groups))
        _rare(self.groups, groups, time_ms / 1000.0, far, rare)
        self._learn(groups, rows, there, squares[:, 0], count[:, 0])
        return rare

    def _away(
        self, groups: NDArray[np.int64], values: NDArray[np.float64], there: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """How far these are from their levels, in scales; learns both."""
        level, square, count = (self._usual[groups, k] for k in range(3))
        level = np.where(there & (count == 0), values, level)
        scale = np.sqrt(square) + 1e-9 + 1e-6 * np.abs(level)
        away = np.where(there, np.clip((values - level) / scale, -FURTHEST, FURTHEST), 0.0)
        young = count < KNOWN // 2
        step = np.where(young, values - level, np.clip(values - level, -STEP * scale, STEP * scale))
        level = level + np.where(there, np.maximum(LEVEL, 1.0 / (count + 1.0)) * step, 0.0)
        square = square + np.where(
            there, np.maximum(MEMORY, 1.0 / (count + 1.0)) * (step * step - square), 0.0
        )
        self._usual[groups] = np.stack((level, square, count + there), axis=1)
        return np.where(young, 0.0, away)

    def _learn(
        self, groups: NDArray[np.int64], rows: NDArray[np.float64], there: NDArray[np.bool_],
        squares: NDArray[np.float64], count: NDArray[np.float64],
    ) -> None:  # fmt: skip
        seen = self.groups["seen"][groups]
        weight = np.minimum(1.0, 9.0 * count / np.maximum(squares, 1e-9))[:, None, None]
        share = np.maximum(1.0 / (seen + 10.0), MEMORY)[:, None, None]
        product = weight * rows[:, :, None] * rows[:, None, :]
        step = share * (product - self._covariance[groups]) * (there[:, :, None] & there[:, None, :])
        self._covariance[groups] += step
        due = groups[(seen < 8 * EVERY) | (seen % EVERY == 0)]
        if len(due):
            self._inverse[due] = np.linalg.inv(self._drawn(due))

    def _drawn(self, groups: NDArray[np.int64]) -> NDArray[np.float64]:
        """The covariances, drawn towards their diagonals: the more, the fewer rows are known for the width."""
        found = self._covariance[groups]
        diagonal = found * np.eye(self.width)
        known = np.minimum(self.groups["seen"][groups], 2.0 / MEMORY)
        share = np.maximum(DRAWN, self.width / (self.width + known + 1.0))[:, None, None]
        drawn: NDArray[np.float64] = (1.0 - share) * found + share * diagonal + 1e-3 * np.eye(self.width)
        return drawn

    def parts(self, group: int) -> list[Part]:
        """Who has how much part in the last row, or its average if that is further out; the largest first."""
        products = self._last[group] * (self._last[group] @ self._inverse[group])
        squares = products.sum(axis=1) * (1.0, (2.0 - AVERAGE) / AVERAGE)
        which = int(squares.argmax())
        own = np.maximum(products[which], 0.0)
        whole = max(float(own.sum()), 1e-9)
        order = np.argsort(-own, kind="stable").tolist()
        level = self._usual[group, 0]
        return [
            Part(i, float(own[i]) / whole, float(self._last[group, which, i]), float(level[i])) for i in order
        ]

    def correlation(self, group: int, one: int, other: int) -> float:
        """How far two series of a group usually go together: 1 always, 0 not at all, -1 against each other."""
        c = self._covariance[group]
        return float(c[one, other] / math.sqrt(max(c[one, one] * c[other, other], 1e-12)))

    def state(self) -> dict[str, Any]:
        """What was learned, as plain data."""
        return {
            "version": self.version, "width": self.width, "groups": self.groups.view(np.uint8).reshape(-1).copy(),
            "covariance": self._covariance, "inverse": self._inverse, "last": self._last, "usual": self._usual,
        }  # fmt: skip

    def load(self, state: dict[str, Any] | None) -> bool:
        """Take back what `state` gave; False, and nothing changed, when it is of another version."""
        if not state or (state.get("version"), state.get("width")) != (self.version, self.width):
            return False
        raw = np.asarray(state["groups"], np.uint8)
        if len(raw) % STATE.itemsize:
            return False
        self.groups = np.frombuffer(raw.tobytes(), STATE).copy()
        self._covariance, self._inverse = state["covariance"], state["inverse"]
        self._last, self._usual = state["last"], state["usual"]
        return True


def together(chances: NDArray[np.float64]) -> NDArray[np.float64]:
    """One chance for each row of chances: their harmonic mean. One small one among n counts n times its chance, as by
    Bonferroni; n that say the same count once.

    >>> together(np.array([[0.001, 1.0], [0.001, 0.001]])).round(4).tolist()
    [0.002, 0.001]
    """
    found: NDArray[np.float64] = chances.shape[1] / (1.0 / np.maximum(chances, 1e-30)).sum(axis=1)
    return np.minimum(found, 1.0)


@compiled
def _rare(state: Any, groups: Any, seconds: float, far: Any, out: Any) -> None:
    for i in range(len(groups)):
        s = state[groups[i]]
        elapsed = max(0.0, seconds - s.seconds) if s.seen > 0 else 0.0
        if elapsed > 0.0:
            s.step += (min(elapsed, 3.0 * s.step) - s.step) * 0.05 if s.step > 0.0 else elapsed
        s.seconds, s.seen = max(s.seconds, seconds) if s.seen > 0 else seconds, min(s.seen + 1, 1_000_000_000)
        quiet = 1.0 if s.seen > KNOWN else 0.0
        now = surprise(s.tails[0], far[i, 0] * quiet)
        lasting = surprise(s.tails[1], far[i, 1] * quiet)
        date = math.floor(s.seconds / DAY)
        of_day = s.seconds - date * DAY
        largest, _ = ratio(s.blocks[0], far[i, 0] * quiet, s.seconds, date, of_day, s.step)
        s.ratio, _ = ratio(s.blocks[1], far[i, 1] * quiet, s.seconds, date, of_day, s.step)
        if max(largest, s.ratio) >= LEAST_RATIO:
            points = max(1.0, length(s.step) / max(s.step, 1.0))
            now = max(now, -math.log10(max(chance(max(largest, s.ratio)) / points, 1e-30)))
        rare = max(now, lasting) - 0.30103  # two were asked
        s.shadow *= CALM
        if rare > LOUDER * s.shadow:
            out[i] = rare
        s.shadow = max(s.shadow, out[i])
