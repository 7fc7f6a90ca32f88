"""The relations that a source describes, beside those that it described before: which begin and which end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from watchkeeper.domains.inventory.describing import Related
from watchkeeper.domains.inventory.drafts import Draft
from watchkeeper.domains.inventory.identity import anchors
from watchkeeper.domains.inventory.looking import Look

Edge = tuple[str, str, str]  # source, kind, target


def origin_of(source: str) -> str:
    """What relations that this source describes say of themselves."""
    return f"source:{source}"


@dataclass
class Change:
    """Of one thing's relations: all that hold, and those that begin and end."""

    edges: list[Edge] = field(default_factory=list)
    opened: list[Edge] = field(default_factory=list)
    closed: list[Edge] = field(default_factory=list)
    because: tuple[str, ...] = ()


class Edges:
    """Once a Look has been over everything, so that it is known which item each key means."""

    def __init__(self, look: Look) -> None:
        self._look = look

    def of(self, drafts: Iterable[Draft]) -> Iterator[tuple[Draft, Change]]:
        """Each that can be taken over, with its relations."""
        sound = [d for d in drafts if not d.failed]
        look = self._look
        texts = {r.to for d in sound for r in d.described.relations if r.to not in look.ids}
        found = anchors(texts) | {
            t: look.known[t] for t in texts if t in look.known and t not in look.refused
        }
        for d in sound:
            yield d, self._change(d, found)

    def _change(self, d: Draft, found: dict[str, str]) -> Change:
        out = Change()
        missing = []
        for r in d.described.relations:
            other = self._look.ids.get(r.to) or found.get(r.to)
            if other is None or other == d.step.item:
                missing.append(r.to)
            else:
                out.edges.append(_edge(d.step.item, r, other))
        out.edges = sorted(set(out.edges))
        before: list[Edge] = [tuple(e) for e in d.statement.relations] if d.statement else []
        fresh = d.statement is not None and d.statement.stale_since is None
        out.opened = [e for e in out.edges if e not in before or not fresh]
        out.closed = [e for e in before if e not in out.edges] if fresh else []
        out.because = tuple(f"nothing else is known as {t}: that relation is left out" for t in missing)
        return out


def _edge(item: str, related: Related, other: str) -> Edge:
    ends = (other, item) if related.inverse else (item, other)
    return ends[0], related.kind.value, ends[1]
