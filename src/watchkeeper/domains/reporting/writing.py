"""A report in Markdown. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable

from watchkeeper.domains.reporting.rules import Broken, Content, Kept, Objective, Times
from watchkeeper.model.spelled import span

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~])")


def markdown(of: Content) -> str:
    """All of it, without a title."""
    parts = [
        _in_short(of), "## Tickets", _tickets(of), "## Promises", _promises(of), *_broken(of.broken), "## Objectives",
        *_objectives(of.objectives),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def title(of: Content) -> str:
    """Such as "Service report, November 2026: Gold"."""
    return f"Service report, {dt.date.fromisoformat(of.month):%B %Y}: {of.about}"


def _in_short(of: Content) -> str:
    promises = Kept(of.answers.kept + of.resolutions.kept, of.answers.broken + of.resolutions.broken)
    met = [o for o in of.objectives if o.attained is not None and o.attained >= o.target]
    measured = [o for o in of.objectives if o.attained is not None]
    said = [f"{of.opened} tickets were opened and {of.solved} solved."]
    if promises.share is not None:
        said.append(
            f"{promises.kept} of {promises.kept + promises.broken} promises were kept ({_percent(promises)})."
        )
    if measured:
        said.append(f"{len(met)} of {len(measured)} objectives were attained.")
    return " ".join(said)


def _tickets(of: Content) -> str:
    rows = [
        ("Opened", str(of.opened)), ("Solved", str(of.solved)), ("Open at the end of the month", str(of.still_open)),
        *((f"Opened with priority {p}", str(n)) for p, n in sorted(of.by_priority.items())),
        ("Time to the first answer of incidents (MTTA)", _times(of.acknowledge)),
        ("Time to the resolution of incidents (MTTR)", _times(of.resolve)),
    ]  # fmt: skip
    return _table(("Tickets", "This month"), rows)


def _promises(of: Content) -> str:
    rows = [
        (name, str(k.kept), str(k.broken), _percent(k))
        for name, k in (("First answer", of.answers), ("Resolution", of.resolutions))
    ]
    return _table(("Promise", "Kept", "Broken", "Kept of all"), rows)


def _broken(listed: Iterable[Broken]) -> list[str]:
    rows = [
        (
            b.number,
            b.title,
            b.promise,
            span(b.late_minutes * 60.0) if b.late_minutes else "less than a minute",
            b.reason,
        )
        for b in listed
    ]
    return (
        ["### Broken promises", _table(("Ticket", "About", "Promise", "Late by", "Why"), rows)]
        if rows
        else []
    )


def _objectives(listed: Iterable[Objective]) -> list[str]:
    rows = [
        (o.name, o.service or "–", f"{o.target:g} %", _number(o.attained), _number(o.counted_all), _number(o.left),
         span(float(o.excluded_seconds)) if o.excluded_seconds else "–")
        for o in listed
    ]  # fmt: skip
    if not rows:
        return ["There are none."]
    heads = (
        "Objective",
        "Service",
        "Target",
        "Attained",
        "With planned maintenance",
        "Budget left",
        "Left out",
    )
    return [
        _table(heads, rows),
        "Attained is without planned maintenance, where the objective leaves it out.",
    ]


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    listed = [list(heads), *(list(r) for r in rows)]
    lines = [f"| {' | '.join(_cell(c) for c in row)} |" for row in listed]
    return "\n".join([lines[0], f"|{' --- |' * len(listed[0])}", *lines[1:]])


def _cell(text: str) -> str:
    flat = " ".join(text.split())
    return _SPECIAL.sub(r"\\\1", flat if len(flat) <= 200 else f"{flat[:199]}…")


def _times(t: Times) -> str:
    if t.mean is None or t.median is None:
        return "–"
    return f"mean {span(t.mean * 60)}, median {span(t.median * 60)}"


def _percent(k: Kept) -> str:
    return "–" if k.share is None else f"{k.share * 100:.1f} %"


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.5g} %"
