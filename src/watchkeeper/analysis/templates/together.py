"""Several places of a message that are variable at once: found among messages that are alike but for these places.

Where a message holds two words that vary ("customer ann ordered shoes"), no two lines agree in all but one place, so
counting what stands in one place while the rest is the same (groups.py) finds nothing. Here messages of one
skeleton (the same separators and values) are laid side by side: where enough of them agree in most words and each
of the other places has held enough different ones, those places are variable (after the longest common pattern of
Brain, Yu et al. 2023, made online and bounded).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MOST_ROWS = 64  # messages remembered of a skeleton, the latest
MOST_SKELETONS = 8_192
MOST_WORDS = 40
ENOUGH = 4  # different words in each place
ENOUGH_AMONG_FEW = 8  # where little is the same, or what a message begins with differs
SAME = 0.5  # share of the words that must agree


class Skeletons:
    """Messages of every skeleton seen lately.

    >>> s = Skeletons()
    >>> [s.add(7, [1, 10 + k, 2, 20 + k, 3], k) for k in range(4)]
    [None, None, None, ((1, 3), (0, 1, 2, 3))]
    """

    def __init__(self) -> None:
        self._of: OrderedDict[int, _Rows] = OrderedDict()

    def add(
        self, skeleton: int, words: Sequence[int], code: int
    ) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        """Take in a message: the hashes of its words, in order, and its template.

        Returns which of the words are variable and the templates that are one with it, when that has become clear.
        """
        if len(words) < 3:
            return None
        rows = self._of.get(skeleton)
        if rows is None:
            rows = self._of[skeleton] = _Rows(len(words[:MOST_WORDS]))
            if len(self._of) > MOST_SKELETONS:
                self._of.popitem(last=False)
        self._of.move_to_end(skeleton)
        rows.add(words[:MOST_WORDS], code)
        if len(rows.codes) < ENOUGH:
            return None
        found = _variable(rows.words[: len(rows.codes)])
        if found is None:
            return None
        places, members = found
        one = tuple(rows.codes[m] for m in members)
        rows.drop(members)
        return places, one


class _Rows:
    """The words of messages of one skeleton, and the code of each."""

    def __init__(self, width: int) -> None:
        self.words = np.empty((ENOUGH, width), np.int64)
        self.codes: list[int] = []

    def add(self, words: Sequence[int], code: int) -> None:
        """One more; the oldest makes room."""
        n = len(self.codes)
        if n == MOST_ROWS:
            self.words[:-1] = self.words[1:]
            del self.codes[0]
            n -= 1
        elif n == len(self.words):
            self.words = np.concatenate((self.words, np.empty_like(self.words)))
        self.words[n] = words
        self.codes.append(code)

    def drop(self, gone: Sequence[int]) -> None:
        """Without these."""
        kept = [k for k in range(len(self.codes)) if k not in set(gone)]
        self.words[: len(kept)] = self.words[kept]
        self.codes = [self.codes[k] for k in kept]


def _variable(rows: NDArray[np.int64]) -> tuple[tuple[int, ...], list[int]] | None:
    """The places, two or more, that are variable together with the last row, and the rows that show it."""
    same = rows == rows[-1]
    width = rows.shape[1]
    counts = same.sum(axis=1)
    near = (counts >= max(2, SAME * width)) & (counts <= width - 2)
    if np.count_nonzero(near) < ENOUGH - 1:
        return None
    patterns = np.unique(same[near], axis=0)
    for pattern in patterns[np.argsort(-patterns.sum(axis=1), kind="stable")]:
        members = np.flatnonzero(same[:, pattern].all(axis=1))
        if len(members) < ENOUGH:
            continue
        free = np.flatnonzero(~pattern).tolist()
        least = ENOUGH if pattern.sum() > 2 else ENOUGH_AMONG_FEW
        if all(len(set(rows[members, p].tolist())) >= (least if p else ENOUGH_AMONG_FEW) for p in free):
            return tuple(free), members.tolist()
    return None
