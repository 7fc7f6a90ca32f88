"""Whether a situation is escalated, also once more: it has become graver, it has opened again, or an alert has joined that
is graver than those that somebody has. What only changes while somebody has it, or after nobody has answered, pages nobody.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

from django.db import transaction
from django.db.models import Max

from watchkeeper.domains.oncall.paging import beginning, ending, subjects
from watchkeeper.domains.oncall.paging.models import BY_HAND, GRAVER, Escalation, EscalationRule
from watchkeeper.domains.situations.models import Alert
from watchkeeper.kernel.events import Event
from watchkeeper.model.verdicts import Severity

State = Escalation.State
#: acts after which one may begin; others are of people, who see how it stands
_BEGINNING = ("open", "escalate", "change")


def escalation_of(event: Event, in_force: Sequence[EscalationRule], now: dt.datetime) -> Escalation | None:
    """What begins with this event of a situation that is open or acknowledged, not saved. One that runs begins anew with its
    first step when the situation has become graver."""
    found = Escalation.objects.filter(kind="situations", record=event.key)
    last = found.exclude(cause__startswith=BY_HAND).order_by("-pk").first()
    runs = last is not None and last.state == State.RUNNING
    if last is not None and runs and not _graver(event, last):
        return None
    cause = _cause(event, last)
    rule = beginning.matching(in_force, event.record, now) if cause else None
    if rule is None:
        return None
    made = beginning.begun(rule, cause, event.record, now)
    if last is not None and runs:
        taken = subjects.standing([last]).get(last.pk) == State.ACKNOWLEDGED  # which nothing has noticed yet
        if not taken and _begun_anew(last, made, now):
            return None
        ending.end(found.filter(pk=last.pk, state=State.RUNNING), State.ACKNOWLEDGED, "", now)
    return made


def begin(wanted: Collection[Escalation], now: dt.datetime) -> int:
    """Begin these; one whose cause has begun one already is not begun again. Where another thread has done so meanwhile,
    what is graver counts. Returns how many were asked for."""
    asked = {escalation.cause: escalation for escalation in wanted}
    Escalation.objects.bulk_create(asked.values(), ignore_conflicts=True)
    for found in Escalation.objects.filter(cause__in=asked, state=State.RUNNING):
        if Severity(asked[found.cause].severity).rank > Severity(found.severity).rank:
            _begun_anew(found, asked[found.cause], now)
    return len(asked)


def _graver(event: Event, last: Escalation) -> bool:
    return Severity(event.record["severity"]).rank > Severity(last.severity).rank


def _cause(event: Event, last: Escalation | None) -> str:
    """Of what begins with this event, "" for nothing. It is made of the last one where another event may say the same."""
    is_open = event.record["state"] == "open"
    if is_open and (
        event.act == "unacknowledge" or event.before.get("state") in ("acknowledged", "resolved")
    ):
        return f"again:{event.id}"
    if event.act not in _BEGINNING:
        return ""
    if last is None:
        graver = f"{GRAVER}{event.id}" if event.act == "escalate" else ""
        return f"situations:{event.key}" if is_open else graver
    if _graver(event, last):
        return f"{GRAVER}{last.pk}"
    return f"again:{last.pk}" if is_open and _left_over(last) else ""


def _left_over(last: Escalation) -> bool:
    """Whether it ended because all of its alerts were acknowledged, and one now fires that is graver than these."""
    if last.state != State.ACKNOWLEDGED or last.ended_by:
        return False
    firing = Alert.objects.filter(situation=last.record, status="firing").order_by()
    taken, left = firing.exclude(acknowledged_by=""), firing.filter(acknowledged_by="", suppressed_by="")
    worst = [found.aggregate(worst=Max("severity"))["worst"] for found in (left, taken)]
    ranks = [-1 if severity is None else Severity(severity).rank for severity in worst]
    return ranks[0] > ranks[1]


def _begun_anew(last: Escalation, made: Escalation, now: dt.datetime) -> bool:
    """Begin it anew as this one would begin; False when it has ended meanwhile. What waits, for quiet hours or an answer,
    comes of the new steps."""
    with transaction.atomic():
        found = Escalation.objects.select_for_update().filter(pk=last.pk, state=State.RUNNING).first()
        if found is None or found.due_at is None or made.due_at is None:
            return False
        found.severity, found.urgency, found.policy = made.severity, made.urgency, made.policy
        found.round, found.position = found.round + (found.position >= 0), -1
        found.due_at = min(found.due_at, max(now, found.began_at + (made.due_at - made.began_at)))
        found.note = f"It has become graver. {made.note}"[:300]
        found.save()
        ending.give_up([found.pk], after=now)
    return True
