"""Does again what a rule did, or what it was kept from: one firing, or those of a time. A message goes out under the
id that it had, so that a receiver who has it can tell."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import QuerySet

from watchkeeper.domains.automation.hearing import send
from watchkeeper.domains.automation.models import EventRule, Firing, Outcome
from watchkeeper.kernel import outbox
from watchkeeper.kernel.models import OutboxRow
from watchkeeper.kernel.problems import Refused

MOST = 5000  # firings at once


def again(firings: QuerySet[Firing]) -> int:
    """Make what these did due once more; returns how many. Those that are waiting stay as they are."""
    rested = list(firings.exclude(outcome=Outcome.WAITING).order_by("pk")[: MOST + 1])
    if len(rested) > MOST:
        raise Refused(f"these are more than {MOST}; choose a shorter time")
    with transaction.atomic():
        for start in range(0, len(rested), 500):
            part = rested[start : start + 500]
            Firing.objects.filter(pk__in=[f.pk for f in part]).update(outcome=Outcome.WAITING, answer="")
            outbox.again(OutboxRow.objects.filter(pk__in=[f.effect for f in part]))
            there = set(
                OutboxRow.objects.filter(pk__in=[f.effect for f in part]).values_list("pk", flat=True)
            )
            for firing in part:  # held back, or its effect was forgotten since
                if firing.effect not in there:
                    send(firing)
    return len(rested)


def of_time(rule: EventRule, begin: dt.datetime, end: dt.datetime, only_missed: bool) -> int:
    """What a rule did from `begin` until before `end`, or only what did not come about. Raises Refused."""
    found = rule.firings.filter(at__gte=begin, at__lt=end)
    if only_missed:
        found = found.exclude(outcome=Outcome.DONE)
    return again(found)
