"""Does what a rule says for a firing: a webhook, a notice, a job. Notes on the firing what came of it, and switches a
rule off that has failed for long."""

from __future__ import annotations

import datetime as dt

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from watchkeeper.domains import inbox
from watchkeeper.domains.automation import (
    retention,  # noqa: F401  (it registers)
    running,
)
from watchkeeper.domains.automation.hearing import KIND
from watchkeeper.domains.automation.models import Does, EventRule, Firing, Outcome
from watchkeeper.domains.automation.rules import message
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.outgoing import webhooks
from watchkeeper.kernel import audit, outbox
from watchkeeper.kernel.acting import SYSTEM
from watchkeeper.kernel.events import Event
from watchkeeper.kernel.models import OutboxRow
from watchkeeper.kernel.resource import registry
from watchkeeper.model.errors import WatchkeeperError

PATIENCE = dt.timedelta(days=3)  # of failing without one success, after which a rule is switched off


@outbox.handler(KIND)
def carry_out(row: OutboxRow) -> str:
    """Raises TryAgain, GiveUp, NotAllowed or Unreachable."""
    firing = Firing.objects.filter(pk=row.payload["firing"]).select_related("rule").first()
    if firing is None:
        raise outbox.GiveUp("the event rule has been removed")
    rule = firing.rule
    try:
        if not rule.enabled:
            raise outbox.GiveUp("the event rule is switched off")
        said = _do(rule, firing)
    except webhooks.Unwanted as error:
        _switch_off(rule, f"the receiver wants no more (it answered {error.detail})")
        raise _failed(firing, row, outbox.GiveUp(error.detail)) from error
    except (WatchkeeperError, OSError) as error:
        raise _failed(firing, row, error) from error
    Firing.objects.filter(pk=firing.pk).update(
        outcome=Outcome.DONE, attempts=row.attempts, answer=said[:2000]
    )
    EventRule.objects.filter(pk=rule.pk).exclude(failing_since=None).update(failing_since=None)
    return said


def _do(rule: EventRule, firing: Firing) -> str:
    event = msgspec.convert(firing.told, Event)
    if rule.does == Does.NOTIFY:
        why = f"The event rule {rule.name!r} tells you."
        if event.act == "test":
            return f"{inbox.note(people(rule), event.id, event.name, why)} people told"
        return f"{inbox.tell(people(rule), event, why)} people told"
    if rule.does == Does.RUN:
        return running.start(rule, event, firing.message)
    url = f"{settings.PUBLIC_URL}/{event.kind}/{event.key}/"
    content = message(event, registry[event.kind].name, url)
    return webhooks.post(rule.address, rule.secret, firing.message, content)


def people(rule: EventRule) -> list[User]:
    """Whom a rule notifies: users, and members of teams."""
    chosen = Q(pk__in=rule.notify_users.values("pk")) | Q(teams__in=rule.notify_teams.values("pk"))
    return list(User.objects.filter(chosen, is_active=True).distinct())


def _failed(firing: Firing, row: OutboxRow, error: WatchkeeperError | OSError) -> WatchkeeperError | OSError:
    """Note it; the error to go on with."""
    final = isinstance(error, outbox.GiveUp) or row.attempts >= outbox.ATTEMPTS
    Firing.objects.filter(pk=firing.pk).update(
        outcome=Outcome.FAILED if final else Outcome.WAITING,
        attempts=row.attempts,
        answer=str(error)[:2000] or repr(error),
    )
    now = timezone.now()
    since = firing.rule.failing_since
    if firing.rule.enabled and since is None:
        EventRule.objects.filter(pk=firing.rule_id, failing_since=None).update(failing_since=now)
    elif firing.rule.enabled and since is not None and now - since > PATIENCE:
        _switch_off(firing.rule, f"nothing was delivered since {since:%Y-%m-%d %H:%M} UTC; last: {error}")
    return error


def _switch_off(rule: EventRule, because: str) -> None:
    """Once, with an entry in the audit trail and an alarm to the administrators."""
    with transaction.atomic():
        before = audit.state_of(rule)
        changed = {"enabled": False, "switched_off_because": because[:500]}
        if not EventRule.objects.filter(pk=rule.pk, enabled=True).update(**changed):
            return
        audit.record(SYSTEM, "event-rule.switch-off", rule, before=before, after={**before, **changed})
        since = timezone.now().isoformat(timespec="seconds")
        text = f"The event rule {rule.name!r} was switched off: {because}"
        inbox.alarm(f"switched-off:{rule.pk}:{since}", text)
