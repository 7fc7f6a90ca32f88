"""Several series of one file: a score for each, and one for the row that says how rare it is that they are so together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from watchkeeper.analysis.detectors.joint import Joint, Part, together

if TYPE_CHECKING:
    from watchkeeper.analysis.detectors.bank import Bank

WIDEST = 96  # series that are looked at together; of more, those that stand beside each other in the file
SPEAKS = 0.5  # score from which a row has something to say
ALONE = 0.9  # score from which a series says it by itself
_NAMED, _SHARE, _PAIRED = 4, 0.08, 0.5


class Several:
    """The bank and the joint detector over the series of a file; memory grows with the series, not with the rows."""

    def __init__(self, bank: Bank, names: list[str]) -> None:
        self._bank, self._names = bank, names
        blocks = math.ceil(len(names) / WIDEST)
        self._width = math.ceil(len(names) / blocks)
        self._joint = Joint(self._width)
        self._joint.grow(blocks)
        self._rare = np.zeros(blocks)  # of the last row

    def scores(
        self, times: NDArray[np.int64], values: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Of rows (Unix milliseconds; values of shape (rows, series), NaN for a gap): each series' own, and the rows'."""
        count, width = values.shape
        own, rare = np.zeros((count, width)), np.zeros((count, len(self._rare)))
        series, groups = np.arange(width), np.arange(len(self._rare))
        padded = np.full(len(groups) * self._width, np.nan)
        for i in range(count):
            own[i] = self._bank.update(series, np.full(width, times[i]), values[i])
            padded[:width] = np.where(
                np.isfinite(values[i]), self._bank.series["value"], np.nan
            )  # rates of counters
            rare[i] = self._joint.update(groups, int(times[i]), padded.reshape(len(groups), -1))
        self._rare = rare[-1] if count else self._rare
        alone = together((1.0 - own) ** 4)
        jointly = together(10.0**-rare)
        return own, 1.0 - together(np.stack((alone, jointly), axis=1)) ** 0.25

    def because(self, own: NDArray[np.float64]) -> str:
        """Why the last row has its score: which series speak by themselves, and which only together."""
        loud = [i for i in np.argsort(-own, kind="stable").tolist() if own[i] >= SPEAKS][:_NAMED]
        said = [f"{self._names[i]}: {' '.join(r.text for r in self._bank.explain(i))}" for i in loud]
        block = int(self._rare.argmax())
        if 1.0 - 10.0 ** (-0.25 * self._rare[block]) >= SPEAKS:
            parts = [p for p in self._joint.parts(block) if p.share >= _SHARE][:_NAMED]
            said.append(self._sentence(block, parts, own))
        return " ".join(said)

    def _sentence(self, block: int, parts: list[Part], own: NDArray[np.float64]) -> str:
        named = [(self._names[block * self._width + p.column], p) for p in parts]
        if len(named) > 1:
            (a, one), (b, other) = named[0], named[1]
            usual = self._joint.correlation(block, one.column, other.column)
            if abs(usual) >= _PAIRED and one.deviation * other.deviation * usual < 0.0:
                way = "rise and fall together" if usual > 0 else "go against each other"
                return f"{a} and {b} usually {way}, and do not now."
        listed = [f"{name} {'above' if p.deviation > 0 else 'below'} ({abs(p.deviation):.1f} times its usual movement)"
                  for name, p in named]  # fmt: skip
        ends = "; none of them is unusual alone" if own.max() < ALONE else ""
        return f"Unusual together, against the last half hour: {', '.join(listed)}{ends}."
