"""The post-incident report, written from what the records say: what happened, whom it hit, when, why, and what is done
about it. What only people know is left to them, under its heading."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.problems.models import Cause, Problem, ProblemAction
from watchkeeper.domains.problems.timeline import Happened, Subject, subject_of, timeline
from watchkeeper.domains.situations.models import Situation
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.resource import Resource

_LINES = 120  # of the timeline
_NAMED = 20  # items
_VERDICTS = {"confirmed": "Confirmed", "suspected": "Suspected", "ruled_out": "Ruled out"}


def written(actor: Actor, resource: Resource, record: Any) -> str:
    """The report on a ticket, a problem or a situation, in Markdown."""
    about = subject_of(actor, resource, record)
    happened = timeline(actor, resource, record)
    problems = _problems(actor, about)
    parts = [
        ("Summary", _summary(about)),
        ("Impact", _impact(about)),
        ("Timeline", _timeline(happened)),
        ("Causes", _causes(problems, about)),
        ("Actions", _actions(problems)),
        ("What went well", "_To be written._"),
        ("What could have gone better", "_To be written._"),
    ]
    return "\n\n".join(f"## {heading}\n\n{text}" for heading, text in parts) + "\n"


def _problems(actor: Actor, about: Subject) -> list[Problem]:
    seen = visible(actor, "problems")
    if isinstance(about.record, Problem):
        return list(seen.filter(pk=about.record.pk))
    by_ticket = seen.filter(incidents__in=[t.pk for t in about.tickets])
    by_situation = seen.filter(situations__in=[s.pk for s in about.situations])
    return sorted({p.pk: p for p in (*by_ticket, *by_situation)}.values(), key=lambda p: p.pk)


def _summary(about: Subject) -> str:
    record = about.record
    said = [
        str(getattr(record, name, "") or "").strip() for name in ("description", "known_error", "resolution")
    ]
    lines = [f"**{record}**", *(text for text in said if text)]
    if not isinstance(record, Situation):
        lines += [f"Situation: {s.title} ({s.severity})" for s in about.situations]
    lines += [f"{t.number}: {t.resolution.strip()}" for t in about.tickets if t != record and t.resolution]
    return "\n\n".join(lines)


def _impact(about: Subject) -> str:
    opened = [s.opened_at for s in about.situations] or [t.opened_at for t in about.tickets]
    ended = [s.resolved_at for s in about.situations] or [t.resolved_at for t in about.tickets]
    lines = []
    if opened:
        begins, ends = min(opened), None if None in ended else max(e for e in ended if e)
        lasted = f"until {_at(ends)}, {_lasting(ends - begins)}" if ends else "and it is not over"
        lines.append(f"- From {_at(begins)} {lasted}.")
    worst = max((s.severity for s in about.situations), key=lambda s: s.rank, default=None)
    if worst is not None:
        count = sum(s.alert_count for s in about.situations)
        lines.append(f"- {count} alert{'' if count == 1 else 's'}; the worst was {worst}.")
    if names := _items(about):
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        lines.append(f"- Affected: {', '.join(names[:_NAMED])}{more}.")
    lines += [f"- {t.number}: impact {t.get_impact_display()}, priority {t.priority}." for t in about.tickets]
    return "\n".join(lines) or "_To be written._"


def _items(about: Subject) -> list[str]:
    of_records = (getattr(r, "items", None) for r in (about.record, *about.tickets))
    named = [i.name for items in of_records if items is not None for i in items.all()]
    return list(dict.fromkeys(named))


def _timeline(happened: list[Happened]) -> str:
    if not happened:
        return "_Nothing is known._"
    shown = happened[:_LINES]
    rows = [f"| {_at(h.at)} | {_cell(h.text)} | {_cell(h.by)} |" for h in shown]
    more = f"\n\nand {len(happened) - _LINES} more" if len(happened) > _LINES else ""
    return "\n".join(["| When (UTC) | What | Who |", "|---|---|---|", *rows]) + more


def _causes(problems: list[Problem], about: Subject) -> str:
    lines = [
        line for p in problems for line in _tree(list(p.causes.prefetch_related("evidence__alert")), None, 0)
    ]
    if lines:
        return "\n".join(lines)
    found = [f"- Analysis found: {r.text}" for s in about.situations for c in s.causes[:1] for r in c.because]
    return "\n".join(dict.fromkeys(found)) or "_To be written._"


def _tree(causes: list[Cause], parent: int | None, depth: int) -> Iterator[str]:
    for cause in (c for c in causes if c.parent_id == parent):
        indent = "  " * depth
        shown = f": {_cell(cause.why)}" if cause.why else ""
        yield f"{indent}- {_VERDICTS[cause.verdict]}: **{_cell(cause.what)}**{shown}"
        for e in cause.evidence.all():
            what = _cell(e.text or (e.alert.name if e.alert_id and e.alert else "") or e.query or str(e))
            yield f"{indent}  - {'Against it' if e.against else 'Evidence'}: {what}"
        yield from _tree(causes, cause.pk, depth + 1)


def _actions(problems: list[Problem]) -> str:
    found = ProblemAction.objects.filter(problem__in=[p.pk for p in problems]).select_related("owner")
    rows = [f"| {_cell(a.what)} | {a.owner or '–'} | {a.due_on or '–'} | {a.state} |" for a in found]
    head = ["| Action | Owner | Due | State |", "|---|---|---|---|"]
    return "\n".join([*head, *rows]) if rows else "_None yet._"


def _cell(text: str) -> str:
    """Text for one cell or line."""
    return " ".join(text.replace("|", "\\|").split())


def _at(at: dt.datetime) -> str:
    return f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}"


def _lasting(time: dt.timedelta) -> str:
    """
    >>> _lasting(dt.timedelta(minutes=90)), _lasting(dt.timedelta(seconds=20))
    ('1 h 30 min', '20 s')
    """
    minutes, seconds = divmod(int(time.total_seconds()), 60)
    if not minutes:
        return f"{seconds} s"
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


def title_of(record: Ticket | Problem | Situation) -> str:
    """What a report on this record is called."""
    return f"Post-incident report: {record}"[:300]
