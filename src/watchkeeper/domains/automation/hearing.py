"""Hears events for the rules: finds out which of them fire, and adds what they do to the outbox. An event that was
heard before adds nothing."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

import msgspec
from django.db import connection, transaction
from django.utils import timezone

from watchkeeper.domains.automation import rules
from watchkeeper.domains.automation.conditions import evaluator
from watchkeeper.domains.automation.models import EventRule, Firing, Outcome
from watchkeeper.domains.automation.rules import Watched
from watchkeeper.domains.outgoing.webhooks import message_id
from watchkeeper.kernel import outbox
from watchkeeper.kernel.events import Event, kinds_of

KIND = "rule"
FORGET = "forget"  # see retention
_MINUTE = dt.timedelta(minutes=1)
_ECHO = dt.timedelta(
    hours=1
)  # for so long a message's id in a request marks what the request does as its effect


class Rules:
    """A listener; see kernel.events."""

    def wants(self, kinds: Collection[str]) -> Collection[str]:
        """The kinds that an enabled rule names. Every act asks, so it is asked without a queryset, which would take
        ten times as long."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT kinds FROM automation_eventrule WHERE enabled")
            named = [json.loads(row[0]) if isinstance(row[0], str) else row[0] for row in cursor.fetchall()]
        return {kind for listed in named for kind in listed} & set(kinds)

    def hear(self, events: Sequence[Event]) -> str:
        """Let the rules fire."""
        fired = [(event, rule) for event in events for rule in _firing(event)]
        if not fired:
            return ""
        with transaction.atomic():
            made = [firing for event, rule in fired if (firing := fire(event, rule))]
            outbox.add([outbox.Effect(f"forget:{timezone.now():%Y-%m-%d}", FORGET, "", {})])
        outcomes = Counter("fired" if f.outcome == Outcome.WAITING else f.get_outcome_display() for f in made)
        return ", ".join(f"{n} {outcome}" for outcome, n in outcomes.items())


def watched(rule: EventRule) -> Watched:
    """A rule as `rules` takes it."""
    return Watched(rule.pk, frozenset(rule.kinds), frozenset(rule.acts), rule.condition, rule.per_minute)


def _firing(event: Event) -> Iterator[Watched]:
    kinds = kinds_of(event.kind)
    enabled = map(watched, EventRule.objects.filter(enabled=True).defer("secret").order_by("pk"))
    about = [rule for rule in enabled if rules.covers(rule, event, kinds)]
    conditions = [rule.condition for rule in about if rule.condition.strip()]
    answers = (
        dict(zip(conditions, evaluator.ask(conditions, rules.asked(event)), strict=True))
        if conditions
        else {}
    )
    for rule in about:
        if answers.get(rule.condition, True) is True:
            yield rule


def fire(event: Event, rule: Watched) -> Firing | None:
    """Note that a rule fires, and add what it does to the outbox unless something keeps it back; None for an event
    that it has fired for."""
    if Firing.objects.filter(rule=rule.id, event=event.id).exists():
        return None
    now = timezone.now()
    lately = Firing.objects.filter(rule=rule.id, at__gt=now - _MINUTE)
    cause = _cause(event, now)
    loop = rules.cut(rule.id, _chain(cause), lately.filter(kind=event.kind, record=event.key).count())
    outcome, said = Outcome.WAITING, ""
    if loop:
        outcome, said = Outcome.LOOP, loop
    elif lately.exclude(outcome__in=(Outcome.LOOP, Outcome.HELD_BACK)).count() >= rule.per_minute:
        outcome, said = Outcome.HELD_BACK, f"more than {rule.per_minute} a minute"
    effect = f"rule:{rule.id}:{event.id}"
    firing = Firing.objects.create(
        rule_id=rule.id, event=event.id, kind=event.kind, act=event.act[:64], record=event.key, name=event.name,
        told=msgspec.to_builtins(event), at=now, outcome=outcome, answer=said, message=message_id(effect), caused_by=cause,
    )  # fmt: skip
    if outcome == Outcome.WAITING:
        send(firing)
    return firing


def send(firing: Firing) -> None:
    """Add what its rule does to the outbox."""
    subject = f"{firing.kind}/{firing.record}"[:200]
    outbox.add([outbox.Effect(firing.effect, KIND, subject, {"firing": firing.pk})])


def _cause(event: Event, now: dt.datetime) -> Firing | None:
    """The firing whose message led to this event: whoever acts for it gives the message's id as that of the request."""
    if not event.actor.request.startswith("msg_"):
        return None
    return Firing.objects.filter(message=event.actor.request, at__gt=now - _ECHO).first()


def _chain(firing: Firing | None) -> Iterator[int]:
    for _ in range(rules.DEEP):
        if firing is None:
            return
        yield firing.rule_id
        firing = firing.caused_by
