"""Which records of a kind hold which words: what is asked to find texts that are like another one, for which no text
holds all the words.

Each word costs one question within bounds; of a word that very many texts hold, the newest are known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from watchkeeper.domains.search.finding import OFTEN, SECONDS, freshen
from watchkeeper.domains.search.finding import holding as entries
from watchkeeper.domains.search.rules import fold
from watchkeeper.kernel.bounded import TookTooLong, within


@dataclass(frozen=True)
class Holding:
    """The keys of records that hold a word; `few`: these are all of them."""

    keys: frozenset[str]
    few: bool

    @property
    def weight(self) -> float:
        """How much it tells that a record holds the word: the rarer, the more."""
        return 1.0 / (1.0 + min(len(self.keys), OFTEN) ** 0.5) if self.few else 0.02


def holding(kind: str, words: Iterable[str]) -> dict[str, Holding]:
    """For each of these words the records of this kind that hold it as a word of its own or as the beginning of one.
    Words of one or two characters are left out, as is what the index does not answer in time."""
    freshen()
    out = {}
    for word in dict.fromkeys(map(fold, words)):
        if len(word) < 3 or " " in word:
            continue
        try:
            with within(SECONDS):
                rows, every = entries([word], "", [], [kind])
        except TookTooLong:
            continue
        begins = re.compile(rf"(?<![^\W_]){re.escape(word)}")
        keys = frozenset(key for of, key, _, _, text in rows if of == kind and begins.search(text))
        out[word] = Holding(keys, every)
    return {word: found for word, found in out.items() if found.keys}
