"""What a report says, from tickets, their promises, and what was measured of objectives."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator

from django.db.models import Q, QuerySet

from watchkeeper.domains.agreements.clock import Clock
from watchkeeper.domains.desk import promising
from watchkeeper.domains.desk import rules as desk
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.maintenance.planned import Planned
from watchkeeper.domains.objectives import rules as budgets
from watchkeeper.domains.objectives import standing
from watchkeeper.domains.objectives.models import ServiceLevelObjective
from watchkeeper.domains.reporting import rules
from watchkeeper.domains.reporting.models import ServiceReport
from watchkeeper.domains.reporting.rules import Broken, Content, Objective
from watchkeeper.kernel.fields import milliseconds

_PROMISES = ("first answer", "resolution")


def gather(report: ServiceReport, now: dt.datetime) -> Content:
    """All that it says, as things are now."""
    begins, ends = (
        dt.datetime.combine(day, dt.time(), dt.UTC) for day in (report.month, rules.month_after(report.month))
    )
    ends = min(ends, now)
    tickets = _tickets(report)
    opened, solved = (
        tickets.filter(**{f"{n}__gte": begins, f"{n}__lt": ends}) for n in ("opened_at", "resolved_at")
    )
    verdicts = [
        v for t in promising.with_promises(_judged(tickets, begins, ends)) for v in _verdicts(t, begins, ends)
    ]
    answers, resolutions = ([kept for name, kept, _ in verdicts if name == promise] for promise in _PROMISES)
    incidents = list(
        solved.filter(type=Ticket.Type.INCIDENT).values_list("opened_at", "answered_at", "resolved_at")
    )
    return Content(
        report.month.isoformat(), report.about, opened.count(), solved.count(),
        tickets.filter(Q(resolved_at=None) | Q(resolved_at__gte=ends), Q(closed_at=None) | Q(closed_at__gte=ends),
                       opened_at__lt=ends).count(),
        {str(p): n for p, n in sorted(Counter(opened.values_list("priority", flat=True)).items())},
        rules.kept(answers), rules.kept(resolutions), [b for _, _, b in verdicts if b is not None],
        rules.times(milliseconds(a) - milliseconds(o) for o, a, _ in incidents if a is not None),
        rules.times(milliseconds(r) - milliseconds(o) for o, _, r in incidents),
        list(_objectives(report, milliseconds(begins), milliseconds(ends))),
    )  # fmt: skip


def _tickets(report: ServiceReport) -> QuerySet[Ticket]:
    found = Ticket.objects.all()
    if report.agreement_id:
        found = found.filter(
            Q(agreement=report.agreement) | Q(agreement=None, queue__agreement=report.agreement)
        )
    if report.customer_id:
        own = Q(agreement__organisation=report.customer)
        found = found.filter(own | Q(agreement=None, queue__agreement__organisation=report.customer))
    if report.service_id:
        found = found.filter(items=report.service_id)
    return found


def _judged(tickets: QuerySet[Ticket], begins: dt.datetime, ends: dt.datetime) -> QuerySet[Ticket]:
    """Those of which a promise was kept or broken in this time."""

    def within(name: str) -> Q:
        return Q(**{f"{name}__gte": begins, f"{name}__lt": ends})

    names = ("answered_at", "resolved_at", "answer_breached_at", "resolution_breached_at")
    any_of = within(names[0])
    for name in names[1:]:
        any_of |= within(name)
    return tickets.filter(any_of).exclude(status=desk.CANCELLED).distinct()


def _verdicts(
    ticket: Ticket, begins: dt.datetime, ends: dt.datetime
) -> Iterator[tuple[str, bool, Broken | None]]:
    """Promise, whether it was kept, and how it was broken: each in the month in which it was broken, else done."""
    facts = (("answer_breached_at", "answered_at"), ("resolution_breached_at", "resolved_at"))
    for promise, clock, (breached, done) in zip(_PROMISES, promising.clocks(ticket), facts, strict=True):
        broken_at, done_at = getattr(ticket, breached), getattr(ticket, done)
        if broken_at is None and clock is None:
            continue
        at = broken_at or done_at
        if at is None or not begins <= at < ends:
            continue
        yield promise, broken_at is None, _broken(ticket, promise, clock, ends) if broken_at else None


def _broken(ticket: Ticket, promise: str, clock: Clock | None, ends: dt.datetime) -> Broken:
    over = max(0, clock.used(milliseconds(ends)) - clock.promised_ms) if clock else 0
    reason = ticket.resolution.strip().partition("\n")[0] or f"It is {desk.STATES[ticket.status]}."
    return Broken(ticket.number or "", ticket.title, promise, over // 60_000, reason)


def _objectives(report: ServiceReport, begins: int, ends: int) -> Iterator[Objective]:
    found = ServiceLevelObjective.objects.filter(enabled=True).select_related("service")
    if report.agreement_id:
        found = found.filter(agreement=report.agreement)
    if report.customer_id:
        found = found.filter(agreement__organisation=report.customer)
    if report.service_id:
        found = found.filter(service=report.service_id)
    planned = Planned(begins)
    for one in found:
        window = standing.window(one, begins, ends, ends, planned)
        left = budgets.budget(window.counted, one.share, window.slices)
        excluded = window.counted.excluded * one.step_s
        whole = left
        if excluded:
            one.exclude_maintenance = False
            every = standing.window(one, begins, ends, ends, planned)
            whole = budgets.budget(every.counted, one.share, every.slices)
        yield Objective(
            str(one), one.service.name if one.service else "", one.target, _percent(left and left.attained),
            _percent(whole and whole.attained), _percent(left and left.left), excluded,
        )  # fmt: skip


def _percent(share: float | None) -> float | None:
    return None if share is None else round(share * 100, 5)
