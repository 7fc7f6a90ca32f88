"""What suits a text and items: published articles for their readers, and tickets that were solved before. Words are looked
for in the platform's own index, and other words for the same by a model on this machine, where there is one. Nothing leaves
the machine."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.embedding.nearest import nearest
from watchkeeper.domains.knowledge import rules
from watchkeeper.domains.knowledge.offering import published, solved, told
from watchkeeper.domains.search.alike import holding
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import visible

SHOWN = 5
_LOOKED_AT = 40  # that suit best, before it is asked who may see them and what state they are in
_SHARING = 200  # records that share an item


@dataclass(frozen=True)
class Suggested:
    """A record that suits, how well from 0 to 1, and why."""

    record: Any
    score: float
    because: tuple[str, ...]


def articles_for(actor: Actor, text: str, items: Collection[str] = (), most: int = SHOWN) -> list[Suggested]:
    """Published articles that the actor may read, the best first."""
    return suited("articles", visible(actor, "articles", published()), text, items, most)


def solved_like(actor: Actor, ticket: Ticket, most: int = SHOWN) -> list[Suggested]:
    """Tickets that were solved and are like this one."""
    among = visible(actor, "tickets", solved().exclude(pk=ticket.pk))
    about = [str(pk) for pk in ticket.items.values_list("pk", flat=True)]
    return suited("tickets", among, said(ticket), about, most)


def said(ticket: Ticket) -> str:
    """What a ticket says."""
    return told(ticket.title, ticket.description)


def suited(
    kind: str, among: QuerySet[Any], text: str, items: Collection[str], most: int = SHOWN
) -> list[Suggested]:
    """Those records of a kind, out of `among`, that suit a text and these items best."""
    held = holding(kind, rules.telling(text))
    shared = _sharing(among, items)
    found = rules.ranked(
        {word: h.keys for word, h in held.items()}, {word: h.weight for word, h in held.items()}, shared,
        len(items), _LOOKED_AT,
    )  # fmt: skip
    found = rules.fused(found, nearest(kind, text, _LOOKED_AT), 2 * _LOOKED_AT)
    there = {str(r.pk): r for r in among.filter(pk__in=[f.key for f in found])}
    return [Suggested(there[f.key], f.score, f.because) for f in found if f.key in there][:most]


def _sharing(among: QuerySet[Any], items: Iterable[str]) -> Mapping[str, set[str]]:
    """Key → the names of the items that a record shares; of the newest that share any."""
    wanted = list(items)
    out: dict[str, set[str]] = {}
    if not wanted:
        return out
    rows = among.filter(items__in=wanted).order_by("-pk").values_list("pk", "items__name")
    for pk, name in rows[:_SHARING]:
        out.setdefault(str(pk), set()).add(name)
    return out
