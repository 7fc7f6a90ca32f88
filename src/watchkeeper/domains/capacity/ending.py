"""What is foreseen of the date of a rule: each group of records that ends, and in one line all that had ended when it was
first seen or long ago. So no import of old records is a flood."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import ForeignKey
from django.utils.text import capfirst

from watchkeeper.domains.capacity import dates, noting, rules
from watchkeeper.domains.capacity.dates import DATES, Dated, Group
from watchkeeper.domains.capacity.models import CapacityRule, Forecast
from watchkeeper.domains.inventory.models import Identifier, Item
from watchkeeper.model.spelled import span
from watchkeeper.model.verdicts import Severity

AHEAD = dt.timedelta(days=365)  # so far beyond the days of its rule something is listed
AFTER = dt.timedelta(days=30)  # so long after its end it is an alert of its own still
TOLD = dt.timedelta(days=1)  # so long it is an alert that things had ended when they were first seen
_NAMED = 5  # groups that the line of what has ended names
_NOON = dt.time(12, tzinfo=dt.UTC)  # of a day: it is the same day nearly everywhere
_LABELS = {"hostname": "host.name", "service.name": "service.name"}


def dated(rule: CapacityRule, known: noting.Known, now: dt.datetime) -> Iterator[Forecast]:
    """All that ends from here on as far as it is listed, what ended lately, and how much has ended before."""
    d = DATES[rule.date]
    told = {k: f for k, f in known.items() if f.rule_id == rule.pk}
    until = now + AHEAD + dt.timedelta(days=rule.lead_days)
    found = dates.groups(d, _floor(d, told.values(), now), until if d.exact else until.date(), d.now(now))
    shown = {key: g for g in found if _is_shown(d, g, told.get(key := f"{rule.pk}:{g.key}"), now)}
    words = _Words(d, list(shown.values()), now)
    for key, g in shown.items():
        yield _of_group(rule, key, g, words, known, now)
    yield from _of_past(rule, shown, words, told, now)


def _floor(d: Dated, told: Iterable[Forecast], now: dt.datetime) -> Any:
    """The first day of the first month that is looked at."""
    days = [now - AFTER]
    if d.stays:
        days += [f.expected_at for f in told if f.alerting and f.expected_at and "since" in f.about]
    first = min(days).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return first if d.exact else first.date()


def _is_shown(d: Dated, g: Group, before: Forecast | None, now: dt.datetime) -> bool:
    """What is over when it is first seen is not, nor what was over long ago."""
    return g.next is not None or (before is not None and (d.stays or _at(g.last) > now - AFTER))


def _of_group(
    rule: CapacityRule, key: str, g: Group, words: _Words, known: noting.Known, now: dt.datetime
) -> Forecast:
    d = words.d
    near = g.last if g.next is None else g.next
    left = (near - now).total_seconds() if d.exact else (near - now.date()).days * rules.DAY + 1
    stands = rules.of_end(left if g.next is not None else 0, rule.lead_days, d.worst)
    said = [words.sentence(g)]
    if 0 < g.over < g.count:
        said.append(f"{g.over:,} of them {'has' if g.over == 1 else 'have'} {d.verb.done} already.")
    about = {"date": rule.date, "since": f"{g.first}", "until": f"{g.last}", "over": g.over}
    about |= {} if g.whole else {"by": g.by}
    more: dict[str, Any] = {"about": about, "earliest_at": _at(g.first), "latest_at": _at(g.last)}
    more |= {"value": float(g.count), "unit": f"{{{d.noun}}}"}
    f = noting.ending(rule, key, words.title(g), stands, said, known, now, _at(near), words.labels(g), **more)
    record = words.records.get(g.one)
    f.item_id = record.pk if isinstance(record, Item) else None
    return f


def _of_past(
    rule: CapacityRule, shown: dict[str, Group], words: _Words, told: noting.Known, now: dt.datetime
) -> Iterator[Forecast]:
    """The line of what has ended: an alert for a day when there is more of it that nobody had been told of."""
    d, key = words.d, f"{rule.pk}:over"
    past = dates.past(d, d.now(now))
    rest = sum(n for _, n, _ in past) - sum(g.over for g in shown.values())
    if rest <= 0:
        return
    last = max(at for _, _, at in past)
    before = told.get(key)
    foreseen = sum(f.about.get("over", 0) for k, f in told.items() if k != key and k not in shown)
    fresh = rest - foreseen > (before.value or 0 if before else 0)
    since = now if before is None or fresh else before.since
    alerting = fresh or (before is not None and before.alerting and now - since < TOLD)
    stands = rules.Standing("lapsed", alerting, Severity.INFO, urgency=0.001)
    until = now if d.exact else now.date() - dt.timedelta(days=1)
    said = words.past(rest, last, _most(past, shown.values()))
    yield noting.ending(
        rule, key, f"{capfirst(d.noun)}s that have {d.verb.done}", stands, said, told, now, _at(last), {}, since=since,
        value=float(rest), unit=f"{{{d.noun}}}", about={"date": rule.date, "until": f"{until}"},
    )  # fmt: skip


def _most(past: list[tuple[Any, int, Any]], shown: Iterable[Group]) -> list[tuple[Any, int]]:
    """The largest of what has ended, by what they agree in, without what is shown for itself."""
    counted = Counter({by: n for by, n, _ in past})
    counted.subtract({g.by: g.over for g in shown if not g.whole})
    return [(by, n) for by, n in counted.most_common(_NAMED) if n > 0]


def _at(value: Any) -> dt.datetime:
    """The moment; of a day its noon."""
    return value if isinstance(value, dt.datetime) else dt.datetime.combine(value, _NOON)


class _Words:
    """What groups are called and what is said of them; names are looked up once for all."""

    def __init__(self, d: Dated, shown: list[Group], now: dt.datetime) -> None:
        self.d, self._now = d, now
        single = [g.one for g in shown if g.count == 1]
        self.records = d.model._default_manager.select_related().in_bulk(single)
        about = [getattr(r, "used_by_id", None) or r.pk for r in self.records.values()]
        known = Identifier.objects.filter(item__in=about, valid_to=None, scheme__in=_LABELS).order_by(
            "-position", "-pk"
        )
        self._known = (
            {str(x.item_id): (_LABELS[x.scheme], x.value) for x in known} if issubclass(d.model, Item) else {}
        )
        self._parties: dict[Any, str] = {}
        self._name(g.by for g in shown)

    def _name(self, parties: Iterable[Any]) -> None:
        field = self.d.model._meta.get_field(self.d.by)
        there = {p for p in parties if p}
        if isinstance(field, ForeignKey):
            found = field.related_model._default_manager.select_related().in_bulk(there)
            self._parties |= {pk: str(record) for pk, record in found.items()}
        else:
            self._parties |= {p: p for p in there}

    def title(self, g: Group) -> str:
        """What it is called."""
        if record := self.records.get(g.one):
            return str(record)
        return f"{capfirst(self.d.noun)}s of {self._party(g)}, {self._period(g)}"

    def sentence(self, g: Group) -> str:
        """When it ends."""
        verb, several = self.d.verb, g.count > 1
        subject = f"{g.count:,} {self.d.noun}s of {self._party(g)}" if several else self.title(g)
        does = verb.past if g.next is None else verb.many if several else verb.one
        near = g.last if g.next is None else g.next
        when = f"{self._when(near)}, on {near:%Y-%m-%d}."
        if f"{g.first:%Y-%m-%d}" == f"{g.last:%Y-%m-%d}":
            return f"{subject} {does} {when}"
        which = "last" if g.next is None else "next" if g.over else "first"
        return f"{subject} {does} in {self._period(g)}, the {which} {when}"

    def past(self, count: int, last: Any, most: list[tuple[Any, int]]) -> list[str]:
        """What is said of those that have ended, and of whom the most are."""
        one = count == 1
        said = [f"{count:,} {self.d.noun}{'' if one else 's'} {'has' if one else 'have'} {self.d.verb.done}; the last on "
                f"{last:%Y-%m-%d}."]  # fmt: skip
        self._name(by for by, _ in most)
        if most and not one:
            said.append(f"The most are {', '.join(f'{n:,} of {self._called(by)}' for by, n in most)}.")
        return said

    def labels(self, g: Group) -> dict[str, str]:
        """Of the alert: by these it finds the item."""
        record = self.records.get(g.one)
        if record is None:
            return {}
        own = {"certificate": str(record)} if self.d.noun == "certificate" else {}
        found = self._known.get(getattr(record, "used_by_id", None) or str(record.pk))
        return own | ({found[0]: found[1]} if found else {})

    def _party(self, g: Group) -> str:
        return self.d.several if g.whole else self._called(g.by)

    def _called(self, by: Any) -> str:
        return self._parties.get(by) or self.d.nobody

    def _period(self, g: Group) -> str:
        day = f"{g.at.day} " if self.d.period == "day" and not g.whole else ""
        return f"{day}{g.at:%B %Y}"

    def _when(self, value: Any) -> str:
        if not self.d.exact:
            return rules.in_days((value - self._now.date()).days)
        left = (value - self._now).total_seconds()
        return f"in {span(left)}" if left >= 0 else f"{span(-left)} ago"
