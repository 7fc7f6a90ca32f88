"""One list of causes from two: what alerts say and what metrics say, each half of the word unless another version
decides. An item that both blame comes before one that only one of them does; where one is silent, the other speaks
alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from watchkeeper.model.verdicts import Cause

SHOWN = 5
#: how much of the word metrics have, by version (model.versions)
SHARES: Mapping[str, float] = {"half": 0.5, "alerts": 0.0, "metrics": 0.75}


def joined(alerts: Sequence[Cause], metrics: Sequence[Cause], version: str = "half") -> tuple[Cause, ...]:
    """By this version: the best SHOWN, scores as shares of one; reasons of both, weighed by what each adds.

    >>> a, b = Cause("db", 0.6), Cause("shop", 0.4)
    >>> [(c.item, c.score) for c in joined([a, b], [Cause("disk", 0.5), Cause("shop", 0.5)])]
    [('shop', 0.45), ('db', 0.3), ('disk', 0.25)]
    """
    share = SHARES[version]
    if not share:
        return tuple(alerts[:SHOWN])
    if not alerts or not metrics:
        return tuple([*alerts, *metrics][:SHOWN])
    parts: dict[str, list[Cause]] = {}
    for causes, part in ((alerts, 1.0 - share), (metrics, share)):
        whole = sum(c.score for c in causes) or 1.0
        for c in causes:
            parts.setdefault(c.item, []).append(msgspec.structs.replace(c, score=c.score / whole * part))
    both = [_one(item, own) for item, own in parts.items()]
    return tuple(sorted(both, key=lambda c: (-c.score, c.item))[:SHOWN])


def _one(item: str, own: Sequence[Cause]) -> Cause:
    score = sum(c.score for c in own)
    because = [
        msgspec.structs.replace(r, weight=round(r.weight * c.score / score, 3))
        for c in own
        for r in c.because
    ]
    change = next((c.change for c in own if c.change), "")
    return Cause(item, round(score, 4), tuple(sorted(because, key=lambda r: -r.weight)), change)
