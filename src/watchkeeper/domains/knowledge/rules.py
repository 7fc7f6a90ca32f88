"""States and audiences of articles, and what about a text says that it is like another one. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

DRAFT, IN_REVIEW, PUBLISHED, RETIRED = "draft", "in_review", "published", "retired"
STATES = {DRAFT: "draft", IN_REVIEW: "in review", PUBLISHED: "published", RETIRED: "retired"}
EVERYBODY, CUSTOMERS, DESK, TEAM = "everybody", "customers", "desk", "team"
AUDIENCES = {
    EVERYBODY: "everybody who can sign in",
    CUSTOMERS: "customers and the desk",
    DESK: "the desk and operations",
    TEAM: "one team",
}
FOR_REQUESTERS = (EVERYBODY, CUSTOMERS)  # audiences to which whoever asks belongs
MOST_WORDS = 8  # of a text that are looked for
_WORD = re.compile(r"[^\W_][\w.-]*[^\W_]|[^\W_]")
_COMMON = frozenset(
    [
        "about",
        "above",
        "after",
        "again",
        "against",
        "all",
        "also",
        "and",
        "any",
        "are",
        "because",
        "been",
        "before",
        "being",
        "below",
        "between",
        "both",
        "but",
        "can",
        "cannot",
        "could",
        "did",
        "does",
        "doing",
        "down",
        "during",
        "each",
        "few",
        "for",
        "from",
        "further",
        "get",
        "gets",
        "got",
        "had",
        "has",
        "have",
        "having",
        "her",
        "here",
        "hers",
        "him",
        "his",
        "how",
        "into",
        "its",
        "itself",
        "just",
        "like",
        "may",
        "me",
        "more",
        "most",
        "must",
        "need",
        "nor",
        "not",
        "now",
        "off",
        "once",
        "only",
        "other",
        "our",
        "ours",
        "out",
        "over",
        "own",
        "please",
        "same",
        "she",
        "should",
        "since",
        "so",
        "some",
        "still",
        "such",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "through",
        "too",
        "under",
        "until",
        "up",
        "very",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "while",
        "who",
        "why",
        "will",
        "with",
        "without",
        "would",
        "you",
        "your",
        "yours",
        "hello",
        "hi",
        "thanks",
        "thank",
        "dear",
        "regards",
        "ticket",
        "incident",
        "problem",
        "issue",
        "error",
        "alert",
        "alerts",
        "warning",
        "critical",
        "service",
        "server",
        "system",
    ]
)


def telling(text: str, most: int = MOST_WORDS) -> list[str]:
    """The words of a text that may tell what it is about: often used and long ones first, no common ones.

    >>> telling("The printer on floor 3 prints stars; the printer is new")
    ['printer', 'prints', 'floor', 'stars', 'new']
    """
    words = [w for w in _WORD.findall(text.lower()) if len(w) > 2 and w not in _COMMON and not w.isdigit()]
    count, first = Counter(words), {w: n for n, w in reversed(list(enumerate(words)))}
    return sorted(count, key=lambda w: (-count[w], -min(len(w), 6), first[w]))[:most]


@dataclass(frozen=True)
class Likeness:
    """How well a record suits, from 0 to 1, and why in sentences."""

    key: str
    score: float
    because: tuple[str, ...]


def ranked(
    words: Mapping[str, Collection[str]],
    weights: Mapping[str, float],
    items: Mapping[str, Collection[str]],
    about: int,
    most: int,
) -> list[Likeness]:
    """The records that suit best. `words`: which records hold a word; `weights`: how much a word tells, the rarer the
    more; `items`: the names of the items that a record shares; `about`: of how many items are asked for.

    Sharing items counts as much as sharing all words; one word alone only where it is the only one or a rare one.
    """
    whole = sum(weights.values()) or 1.0
    shared: dict[str, list[str]] = {}
    for word, keys in words.items():
        for key in keys:
            shared.setdefault(key, []).append(word)
    out = []
    for key in shared.keys() | items.keys():
        told, same = shared.get(key, []), sorted(items.get(key, ()))
        score = 0.5 * sum(weights[w] for w in told) / whole + 0.5 * (len(same) / about if about else 0.0)
        if same or len(told) > 1 or len(words) == 1 or any(len(words[w]) <= 3 for w in told):
            out.append(Likeness(key, round(score, 3), tuple(_because(told, same))))
    return sorted(out, key=lambda found: (-found.score, found.key))[:most]


_SOON = 60.0  # k of reciprocal rank fusion: how much the first places stand out
_MEANS = "means much the same"


def fused(found: Sequence[Likeness], near: Mapping[str, float], most: int) -> list[Likeness]:
    """One ranking of two: by words and items, and `near` by meaning, the nearest first. By reciprocal rank fusion (Cormack,
    Clarke and Büttcher, SIGIR 2009), which needs no common scale. First in both is 1; without `near` all stays as it is.

    >>> a, b = Likeness("a", 0.9, ("says “disk”, too",)), Likeness("b", 0.2, ("also about db-1",))
    >>> [(f.key, f.score, f.because[-1]) for f in fused([a, b], {"b": 0.8, "c": 0.7}, 2)]
    [('b', 0.992, 'means much the same'), ('a', 0.5, 'says “disk”, too')]
    """
    if not near:
        return list(found)[:most]
    because = {one.key: one.because for one in found}
    places: dict[str, float] = dict.fromkeys(because | dict.fromkeys(near), 0.0)
    for ranking in (because, near):
        for place, key in enumerate(ranking, 1):
            places[key] += (_SOON + 1.0) / (_SOON + place) / 2.0
    out = [
        Likeness(key, round(score, 3), because.get(key, ()) + ((_MEANS,) if key in near else ()))
        for key, score in places.items()
    ]
    return sorted(out, key=lambda one: (-one.score, -near.get(one.key, 0.0), one.key))[:most]


def _because(words: list[str], items: list[str]) -> Iterable[str]:
    if items:
        more = f" and {len(items) - 3} more" if len(items) > 3 else ""
        yield f"also about {', '.join(items[:3])}{more}"
    if words:
        yield f"says {', '.join(f'“{w}”' for w in words[:5])}, too"
