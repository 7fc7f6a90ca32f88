"""The words of a situation: its title, and why its alerts belong together, in sentences naming the items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from watchkeeper.model.reason import Reason, ReasonKind
from watchkeeper.model.topology import RelationKind, Topology
from watchkeeper.model.verdicts import Alert, Membership

SHOWN = 2  # names in a list before "and 3 more"
ITEM_LIMIT = 60  # characters of a name
TITLE_LIMIT = 160


def title(alerts: Sequence[Alert], topology: Topology, cause: str = "", sufferers: Sequence[str] = ()) -> str:
    """What happened, where: of a cause and the items that suffer from it when those are known."""
    if cause and sufferers:
        verb = "suffers" if len(sufferers) == 1 else "suffer"
        who = _name(sufferers[0], topology) if len(sufferers) == 1 else kinds(sufferers, topology)
        text = f"{who} {verb} from {_name(cause, topology)}{_place(cause, topology)}"
        return text[:TITLE_LIMIT]
    items = list(dict.fromkeys(a.item for a in alerts if a.item))
    names = Counter(a.name for a in alerts)
    first, count = names.most_common(1)[0] if names else ("Alert", 0)
    if len(alerts) == 1:
        what = first
    elif len(names) == 1:
        what = first if len(items) == count else f"{first} ({count} alerts)"
    else:
        what = f"{first} and {len(names) - 1} more kind{'s' if len(names) > 2 else ''} of alert"
    if not items:
        where = _said_of(alerts)
        return (f"{what}: {where}" if where else what)[:TITLE_LIMIT]
    shown = listed([_name(i, topology) for i in items])
    if len(items) == 1:
        return (what if shown in what else f"{what} on {shown}")[:TITLE_LIMIT]
    return f"{what} on {kinds(items, topology)}: {shown}"[:TITLE_LIMIT]


#: labels that say what an alert is about where no item is known, the more exact ones first
_SUBJECTS = ("instance", "target", "host.name", "host", "service.name", "service", "job")


def _said_of(alerts: Sequence[Alert]) -> str:
    """What these alerts say that they are about, when all of them say so by the same label."""
    for key in _SUBJECTS:
        said = [a.labels.get(key, "")[:ITEM_LIMIT] for a in alerts]
        if said and all(said):
            return listed(list(dict.fromkeys(said)))
    return ""


def kinds(items: Sequence[str], topology: Topology) -> str:
    """How many items of which kinds.

    >>> kinds(["a", "b"], Topology())
    '2 items'
    """
    found = Counter(topology.items[i].kind if i in topology.items else "item" for i in items)
    parts = [f"{n} {plural(kind) if n > 1 else kind}" for kind, n in found.most_common()]
    return listed(parts, SHOWN + 1)


def plural(word: str) -> str:
    """The plural of a kind of item.

    >>> plural("process"), plural("service"), plural("gateway"), plural("dependency")
    ('processes', 'services', 'gateways', 'dependencies')
    """
    word = word.replace("_", " ").lower()
    if word.endswith(("s", "x", "ch", "sh")):
        return word + "es"
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"


def listed(names: Sequence[str], shown: int = SHOWN) -> str:
    """Names as a list in a sentence.

    >>> listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c", "d"])
    ('a', 'a and b', 'a, b and 2 more')
    """
    if len(names) > shown + 1:
        return f"{', '.join(names[:shown])} and {len(names) - shown} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def because(members: Iterable[Membership], alerts: Sequence[Alert], topology: Topology) -> tuple[Reason, ...]:
    """Why these alerts are one situation: their span, and the strongest reason of each kind; and which of them come so
    late because of maintenance."""
    held = {r.text: r for a in alerts for r in a.because if r.kind is ReasonKind.MAINTENANCE}
    late = tuple(held.values())[:SHOWN]
    if len(alerts) < 2:
        return late
    items = list(dict.fromkeys(a.item for a in alerts if a.item))
    begin, end = min(a.starts_ms for a in alerts), max(a.starts_ms for a in alerts)
    where = f" on {listed([_name(i, topology) for i in items])}" if items else ""
    best: dict[ReasonKind, Reason] = {}
    for m in members:
        for r in m.because:
            if (
                r.kind not in (ReasonKind.PERSON, ReasonKind.TIME)
                and r.weight > best.get(r.kind, _NOTHING).weight
            ):
                best[r.kind] = r
    seconds = max(1, round((end - begin) / 1000))
    span = f"{seconds} s" if seconds < 120 else f"{round(seconds / 60)} min"
    time = Reason(ReasonKind.TIME, f"{len(alerts)} alerts{where} began within {span}.", 0.3)
    found = [time, *sorted(best.values(), key=lambda r: -r.weight)]
    whole = sum(r.weight for r in found) or 1.0
    return (*(Reason(r.kind, r.text, round(r.weight / whole, 3), r.data) for r in found), *late)


_NOTHING = Reason(ReasonKind.TIME, "", -1.0)


def _name(item: str, topology: Topology) -> str:
    return topology.name(item)[:ITEM_LIMIT]


def _place(item: str, topology: Topology) -> str:
    hosts = [r.target for r in topology.outgoing.get(item, ()) if r.kind is RelationKind.RUNS_ON]
    return f" on {_name(hosts[0], topology)}" if len(hosts) == 1 else ""
