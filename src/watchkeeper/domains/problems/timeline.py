"""The timeline of a problem, a ticket or a situation: what alerts, analysis, people and changes did, in the order of time.
A domain that knows more adds a function to `sources`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from watchkeeper.domains.annotations.models import Link, Note
from watchkeeper.domains.audit.deeds import deed
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.problems.models import Problem, TimelineLine
from watchkeeper.domains.situations.models import Alert, Situation, TimelineEntry
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.hanging import on, subject
from watchkeeper.kernel.models import AuditEntry
from watchkeeper.kernel.permissions import may, visible
from watchkeeper.kernel.problems import NotThere
from watchkeeper.kernel.resource import Resource, registry

MOST = 300  # happenings of one source
_RECORDS = 50  # tickets, situations and linked records of one timeline


@dataclass(frozen=True, order=True)
class Happened:
    """Something that happened: when, what, by whom; `url` leads to what it is about, `sort` says what told it."""

    at: dt.datetime
    text: str
    sort: str
    by: str = ""
    url: str = ""


@dataclass(frozen=True)
class Subject:
    """What a timeline is about: the record itself, and the tickets, situations and linked records that belong to it, as
    far as the reader may see them."""

    resource: Resource
    record: Any
    tickets: list[Ticket] = field(default_factory=list)
    situations: list[Situation] = field(default_factory=list)
    linked: list[tuple[Resource, Any]] = field(default_factory=list)

    def records(self) -> Iterator[tuple[Resource, Any]]:
        """All of them with their kinds, each once."""
        everything = [
            (self.resource, self.record),
            *((registry["tickets"], t) for t in self.tickets),
            *self.linked,
        ]
        yield from {(r.path, str(x.pk)): (r, x) for r, x in everything}.values()


Source = Callable[[Actor, Subject], Iterable[Happened]]


def subject_of(actor: Actor, resource: Resource, record: Any) -> Subject:
    """What belongs to a record of any kind."""
    tickets, situations = set[Any](), set[str]()
    if isinstance(record, Problem):
        tickets |= set(record.incidents.values_list("pk", flat=True))
        situations |= set(record.situations.values_list("pk", flat=True))
    elif isinstance(record, Ticket):
        tickets.add(record.pk)
    elif isinstance(record, Situation):
        situations.add(record.pk)
        tickets |= set(record.tickets.values_list("pk", flat=True))
    found = list(visible(actor, "tickets").filter(pk__in=tickets)[:_RECORDS])
    situations |= {t.situation_id for t in found if t.situation_id}
    seen = list(visible(actor, "situations").filter(pk__in=situations).order_by("opened_at")[:_RECORDS])
    return Subject(resource, record, found, seen, list(_linked(actor, resource, record)))


def _linked(actor: Actor, resource: Resource, record: Any) -> Iterator[tuple[Resource, Any]]:
    """Records at the other ends of its links."""
    there = on(Link, resource, [record.pk]).exclude(to_kind="").values_list("to_kind", "to_record")
    back = Link.objects.filter(to_kind=resource.path, to_record=str(record.pk)).values_list("kind", "record")
    for kind, key in [*there[:_RECORDS], *back[:_RECORDS]]:
        try:
            found = subject(kind, key)
        except NotThere:
            continue
        if may(actor, "read", *found):
            yield found


def timeline(actor: Actor, resource: Resource, record: Any) -> list[Happened]:
    """All that is known to have happened, the earliest first; the newest MOST of each source."""
    about = subject_of(actor, resource, record)
    return sorted({h for source in sources for h in source(actor, about)})


def _alerts(actor: Actor, about: Subject) -> Iterator[Happened]:
    keys = [s.pk for s in about.situations]
    found = visible(actor, "alerts", Alert.objects.filter(memberships__situation__in=keys)).distinct()
    for alert in found.select_related("item").order_by("-starts_at")[:MOST]:
        where = f" at {alert.item.name}" if alert.item else ""
        yield Happened(
            alert.starts_at, f"{alert.name}{where} began", "alert", alert.source, f"/alerts/{alert.pk}/"
        )
        if alert.ends_at is not None:
            yield Happened(
                alert.ends_at, f"{alert.name}{where} ended", "alert", alert.source, f"/alerts/{alert.pk}/"
            )


def _situations(_: Actor, about: Subject) -> Iterator[Happened]:
    entries = TimelineEntry.objects.filter(situation__in=[s.pk for s in about.situations])
    for entry in entries.order_by("-at")[:MOST]:
        yield Happened(entry.at, entry.text, "situation", entry.actor, f"/situations/{entry.situation_id}/")


def _acts(_: Actor, about: Subject) -> Iterator[Happened]:
    """What people did with the records, as the audit trail has it."""
    for resource, record in about.records():
        entries = AuditEntry.objects.filter(
            kind=str(resource.model._meta.verbose_name), record=str(record.pk)
        )
        for entry in entries.order_by("-at")[:MOST]:
            yield Happened(
                entry.at, _act(entry, record), "act", entry.actor, f"/{resource.path}/{record.pk}/"
            )


def _act(entry: AuditEntry, record: Any) -> str:
    said = f"{deed(entry.act)} {record}"
    now = (entry.after or {}).get("status")
    before = (entry.before or {}).get("status")
    words = f": {str(before).replace('_', ' ')} → {str(now).replace('_', ' ')}" if now and before else ""
    return f"{said[:1].upper()}{said[1:]}{words}"


def _notes(_: Actor, about: Subject) -> Iterator[Happened]:
    for resource, record in about.records():
        for note in on(Note, resource, [record.pk]).order_by("-made_at")[:MOST]:
            yield Happened(
                note.made_at, note.text, "note", note.author, f"/{resource.path}/{record.pk}/#notes"
            )


def _lines(_: Actor, about: Subject) -> Iterator[Happened]:
    for resource, record in [*about.records(), *((registry["situations"], s) for s in about.situations)]:
        for line in on(TimelineLine, resource, [record.pk]).order_by("-at")[:MOST]:
            yield Happened(line.at, line.text, "line", line.by, f"/timeline-lines/{line.pk}/")


#: whatever tells of happenings, in any order
sources: list[Source] = [_alerts, _situations, _acts, _notes, _lines]
