"""Brings what a calendar says into overrides, absences and holidays: what is new is made, what has changed is changed, and
what is no longer there goes. What people have made here themselves stays as it is."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from watchkeeper.domains.agreements.hours import exceptions
from watchkeeper.domains.agreements.models import Calendar
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.oncall.models import Override
from watchkeeper.domains.timetables.matching import Known, People
from watchkeeper.domains.timetables.models import Absence, Brought, Import
from watchkeeper.domains.timetables.reading import Broken, Occurrence, read
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.problems import Invalid

AHEAD = dt.timedelta(days=366)
_TOLD = 20  # events that were left out, by name
_KEY = 400  # characters
_LONGEST = 20_000  # characters of a calendar's days that differ


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of reading: how many were made, changed and removed, and what was left out and why."""

    made: int = 0
    changed: int = 0
    removed: int = 0
    left_out: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """For people."""
        counted = f"{self.made} made, {self.changed} changed, {self.removed} removed"
        more = len(self.left_out) - _TOLD
        lines = [*self.left_out[:_TOLD], *([f"and {more} more"] if more > 0 else [])]
        return "\n".join([counted, *(f"Left out: {line}" for line in lines)])


def bring(actor: Actor, source: Import, data: bytes, now: dt.datetime) -> Outcome:
    """Take what the calendar says from now on for a year. Raises Invalid for a broken file, of which nothing is taken."""
    zone = source.schedule.zone if source.schedule else source.calendar.zone if source.calendar else "UTC"
    try:
        found = read(data, zone, now, now + AHEAD)
    except Broken as error:
        raise Invalid(str(error), "file") from error
    with transaction.atomic():
        if source.what == Import.What.HOLIDAYS:
            outcome = _holidays(actor, source, found)
        else:
            outcome = _people(actor, source, found, now)
        note(source, now, fine=not outcome.left_out, outcome=outcome.words)
    return outcome


def note(source: Import, now: dt.datetime, *, fine: bool, outcome: str) -> None:
    """Keep what came of reading."""
    source.read_at, source.fine, source.outcome = now, fine, outcome
    Import.objects.filter(pk=source.pk).update(read_at=now, fine=fine, outcome=outcome)


def _people(actor: Actor, source: Import, found: list[Occurrence], now: dt.datetime) -> Outcome:
    people = People(Known(u.pk, u.username, u.email, u.name) for u in User.objects.filter(is_active=True))
    had = {b.key: b for b in source.brought.select_related("override", "absence")}
    made = changed = 0
    left_out, kept = [], set()
    for one in found:
        about = people.about(one.title, one.people)
        if len(about) != 1:
            why = "nobody here" if not about else " or ".join(p.username for p in about)
            left_out.append(
                f"{one.title or 'an event without a title'} ({one.begins:%Y-%m-%d}): it is about {why}"
            )
            continue
        key = one.key if len(one.key) <= _KEY else hashlib.sha256(one.key.encode()).hexdigest()
        if key in kept:
            left_out.append(f"{one.title} ({one.begins:%Y-%m-%d}): it is there twice")
            continue
        kept.add(key)
        fields = {
            "person_id": about[0].key,
            "begins_at": one.begins,
            "ends_at": one.ends,
            "reason": one.title[:200],
        }
        if key not in had:
            made += 1
            _make(actor, source, key, fields)
        else:
            changed += _change(actor, had[key].override or had[key].absence, fields)
    gone = [b for key, b in had.items() if key not in kept]
    removed = sum(_remove(actor, b.override or b.absence, now) for b in gone)
    return Outcome(made, changed, removed, tuple(left_out))


def _make(actor: Actor, source: Import, key: str, fields: dict[str, Any]) -> None:
    record: Any
    if source.what == Import.What.OVERRIDES:
        record = Override.objects.create(schedule=source.schedule, **fields)
        Brought.objects.create(source=source, key=key, override=record)
    else:
        record = Absence.objects.create(**fields)
        Brought.objects.create(source=source, key=key, absence=record)
    audit.record(actor, f"{record._meta.verbose_name}.create", record, after=audit.state_of(record))


def _change(actor: Actor, record: Any, fields: dict[str, Any]) -> bool:
    """Whether it had to be changed."""
    if all(getattr(record, name) == value for name, value in fields.items()):
        return False
    before = audit.state_of(record)
    for name, value in fields.items():
        setattr(record, name, value)
    record.save()
    audit.record(
        actor, f"{record._meta.verbose_name}.change", record, before=before, after=audit.state_of(record)
    )
    return True


def _remove(actor: Actor, record: Any, now: dt.datetime) -> bool:
    """Whether it went; what is over stays, because it was so."""
    if record is None or record.ends_at <= now:
        return False
    audit.record(actor, f"{record._meta.verbose_name}.remove", record, before=audit.state_of(record))
    record.delete()
    return True


def _holidays(actor: Actor, source: Import, found: Iterable[Occurrence]) -> Outcome:
    """Days as a whole become lines of the calendar's days that differ, marked with the import's name."""
    calendar: Any = Calendar.objects.select_for_update().get(pk=source.calendar_id)
    mark = f"({source.name})"
    lines = calendar.exceptions.splitlines()
    own = [line for line in lines if not line.rstrip().endswith(mark)]
    had = [line for line in lines if line.rstrip().endswith(mark)]
    taken = {(e.year, e.month, e.day) for e in exceptions("\n".join(own))}
    wanted, left_out = [], []
    for one in found:
        if not one.all_day:
            left_out.append(f"{one.title} ({one.begins:%Y-%m-%d}): it is no whole day")
            continue
        for day in _days(one):
            if (day.year, day.month, day.day) not in taken and (0, day.month, day.day) not in taken:
                wanted.append(f"{day.isoformat()} closed {' '.join(one.title.split())[:80]} {mark}")
    new = list(dict.fromkeys(wanted))
    text = "\n".join([*own, *new])
    if len(text) > _LONGEST:
        raise Invalid(f"more days than a calendar can hold ({_LONGEST} characters)", "file")
    if text != calendar.exceptions:
        before = audit.state_of(calendar)
        calendar.exceptions = text
        calendar.save(update_fields=["exceptions"])
        audit.record(actor, "calendar.change", calendar, before=before, after=audit.state_of(calendar))
    return Outcome(len(set(new) - set(had)), 0, len(set(had) - set(new)), tuple(left_out))


def _days(one: Occurrence) -> list[dt.date]:
    first, last = one.begins.date(), one.ends.date()
    return [first + dt.timedelta(days=n) for n in range(max(1, (last - first).days))][:60]


def forget(actor: Actor, source: Import, now: dt.datetime) -> None:
    """Take back what an import has brought and is not over yet."""
    with transaction.atomic():
        if source.what == Import.What.HOLIDAYS:
            _holidays(actor, source, [])
        else:
            _people(actor, source, [], now)
