"""What items carry and what depends on them, as maintenance windows and silences reach it: see
analysis/stages/holding.py, which follows the same relations in the graph that it holds in memory."""

from __future__ import annotations

from collections.abc import Iterable

from watchkeeper.domains.inventory.identity import chunks
from watchkeeper.domains.inventory.models import Relation
from watchkeeper.model.reach import Reach
from watchkeeper.model.topology import RelationKind as K

MOST = 10_000  # items


def reached_from(items: Iterable[str], reach: str) -> set[str]:
    """These items and what is reached from them as relations are now, MOST or a little more."""
    return _followed(items, reach, "source", "target")


def reaching(item: str, reach: str) -> set[str]:
    """This item and the others from which it is reached, MOST or a little more."""
    return _followed([item], reach, "target", "source")


def _followed(items: Iterable[str], reach: str, to: str, of: str) -> set[str]:
    found = set(items)
    edge = found if reach != Reach.ITEMS else set()
    kinds = [K.RUNS_ON, K.MEMBER_OF] + [K.DEPENDS_ON] * (reach == Reach.DEPENDENT)
    while edge and len(found) < MOST:
        new: set[str] = set()
        for part in chunks(edge):
            now = Relation.objects.filter(valid_to=None)
            new.update(now.filter(**{f"{of}__in": part}, kind__in=kinds).values_list(f"{to}_id", flat=True))
            new.update(now.filter(**{f"{to}__in": part}, kind=K.CONTAINS).values_list(f"{of}_id", flat=True))
        edge = new - found
        found |= edge
    return found
