"""Event rules and their firings, declared."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from watchkeeper.domains.automation import hearing, replaying, running
from watchkeeper.domains.automation.conditions import LENGTH, evaluator
from watchkeeper.domains.automation.models import Does, EventRule, Firing, Outcome
from watchkeeper.domains.outgoing import addresses, webhooks
from watchkeeper.kernel import events
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.events import By, Event
from watchkeeper.kernel.permissions import CRUD, authority
from watchkeeper.kernel.problems import Forbidden, Invalid, Refused
from watchkeeper.kernel.resource import Action, Column, Done, Resource, Show, registry
from watchkeeper.kernel.rest import Choice, RecordSerializer

_NEEDS = {Does.WEBHOOK: ("address",), Does.NOTIFY: ("notify_users", "notify_teams"), Does.RUN: ("job",)}


class EventRuleSerializer(RecordSerializer):
    """Kinds and acts that there are, a condition that is one, and what the effect needs."""

    kinds = serializers.ListField(child=serializers.CharField(max_length=64))
    acts = serializers.ListField(
        child=serializers.CharField(max_length=64), default=list, label="When",
        help_text="create, change, remove, or what else can be done with these kinds; none: all of it",
    )  # fmt: skip
    condition = serializers.CharField(
        max_length=LENGTH, allow_blank=True, default="", style={"base_template": "textarea.html", "rows": 4},
        help_text="in CEL, about event, record, before, after and actor, as in record.status == 'failed'; "
        "none: always",
    )  # fmt: skip
    arguments = serializers.DictField(
        default=dict, help_text="of the job; the event goes with them where the job takes an argument event"
    )

    class Meta:
        model = EventRule
        fields = ("id", "name", "enabled", "kinds", "acts", "condition", "does", "address", "notify_users",
                  "notify_teams", "job", "arguments", "per_minute", "failing_since", "switched_off_because",
                  "created_at")  # fmt: skip
        read_only_fields = ("id", "failing_since", "switched_off_because", "created_at")
        extra_kwargs = {
            "address": {"help_text": "as in https://host/path"},
            "notify_users": {"help_text": "who may read the record"},
            "notify_teams": {"help_text": "their members who may read the record"},
            "job": {"help_text": "the name of a declared job"},
            "per_minute": {
                "min_value": 1, "max_value": 6000, "label": "A minute, at most",
                "help_text": "more events are held back, and can be replayed",
            },
        }  # fmt: skip

    def get_fields(self) -> dict[str, Any]:
        """The kinds to choose from are known once all have been declared."""
        fields = super().get_fields()
        choices = sorted((r.path, r.plural) for r in registry)
        fields["kinds"] = serializers.ListField(
            child=Choice(choices=choices),
            min_length=1,
            max_length=100,
            label="Kinds of record",
        )
        return fields

    def validate_condition(self, text: str) -> str:
        """Raises ValidationError with the place of the error."""
        try:
            if text.strip():
                evaluator.check(text)
        except Invalid as error:
            raise serializers.ValidationError(error.detail) from error
        return text

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError naming the field."""
        kinds = self._now(attrs, "kinds", [])
        known = {act for kind in kinds for act in acts_of(kind)}
        if unknown := [a for a in self._now(attrs, "acts", []) if a not in known]:
            said = f"{unknown[0]!r} is not done with these kinds; there are: {', '.join(sorted(known))}"
            raise serializers.ValidationError({"acts": said})
        does = self._now(attrs, "does", Does.WEBHOOK)
        if not any(self._now(attrs, name, None) for name in _NEEDS[does]):
            said = f"this is needed to {Does(does).label}"
            raise serializers.ValidationError({_NEEDS[does][0]: said})
        try:
            if does == Does.WEBHOOK:
                addresses.check_web(self._now(attrs, "address", ""))
        except Invalid as error:
            raise serializers.ValidationError({"address": error.detail}) from error
        return attrs

    def _now(self, attrs: dict[str, Any], name: str, default: Any) -> Any:
        """What this field will be."""
        if name in attrs or self.instance is None:
            return attrs.get(name, default)
        value = getattr(self.instance, name)
        return list(value.all()) if name.startswith("notify_") else value


def acts_of(kind: str) -> set[str]:
    """What can be done to records of a kind, and so become an event."""
    resource = registry[kind]
    written = events.written.get(kind)
    return {*CRUD[1:], *(a.name for a in resource.actions), *(written.acts if written else ())}


def _may_read(actor: Actor, kinds: list[str]) -> None:
    """A rule tells of every record of its kinds: whoever makes one has to be allowed to read them all.
    Raises Forbidden."""
    for kind in kinds:
        decision = authority().decide(actor, "read", registry[kind])
        if not decision.allowed or decision.partly:
            because = ("A rule tells of every record of its kinds, and you may not read them all.",)
            raise Forbidden("make rules about", kind, because)


def _make(actor: Actor, data: dict[str, Any]) -> EventRule:
    _may_read(actor, data["kinds"])
    if data.get("does") == Does.RUN:
        running.check(actor, data.get("job", ""), data.get("arguments", {}))
    users, teams = data.pop("notify_users", []), data.pop("notify_teams", [])
    webhook = data.get("does", Does.WEBHOOK) == Does.WEBHOOK
    made = EventRule.objects.create(**data, secret=webhooks.new_secret() if webhook else "")
    made.notify_users.set(users)
    made.notify_teams.set(teams)
    if webhook:
        made.shown_once = {"secret": made.secret}  # type: ignore[attr-defined]
    return made


def _change(actor: Actor, rule: EventRule, data: dict[str, Any]) -> EventRule:
    _may_read(actor, data.get("kinds", rule.kinds))
    for name in ("notify_users", "notify_teams"):
        if name in data:
            getattr(rule, name).set(data.pop(name))
    for name, value in data.items():
        setattr(rule, name, value)
    if rule.does == Does.RUN:
        running.check(actor, rule.job, rule.arguments)
    if data.get("enabled"):
        rule.switched_off_because, rule.failing_since = "", None
    if rule.does == Does.WEBHOOK and not rule.secret:
        rule.secret = webhooks.new_secret()
    rule.save()
    return rule


def _rotate(_: Actor, rule: EventRule, __: dict[str, Any]) -> Done:
    rule.secret = webhooks.new_secret()
    rule.save(update_fields=["secret"])
    return Done(body={"secret": rule.secret, "shown_once": {"secret": rule.secret}})


def _test(actor: Actor, rule: EventRule, _: dict[str, Any]) -> Done:
    """A firing like any other, of an event that was made up."""
    if not rule.enabled:
        raise Refused("the rule is switched off")
    number = uuid.uuid4().hex
    by = By(actor.kind, actor.name, actor.id)
    event = Event(
        f"event:test:{number}", rule.kinds[0], "test", "test", f"A test by {actor.name}",
        events.text(timezone.now()), by,
    )  # fmt: skip
    firing = hearing.fire(event, hearing.watched(rule))
    return Done(body={"firing": firing.pk if firing else None})


class Range(serializers.Serializer[Any]):
    """Of which time."""

    begin = serializers.DateTimeField()
    end = serializers.DateTimeField(required=False, help_text="empty: until now")
    only_missed = serializers.BooleanField(default=True, label="Only what did not come about")


def _replay_range(_: Actor, rule: EventRule, data: dict[str, Any]) -> Done:
    end = data.get("end") or timezone.now()
    if end <= data["begin"]:
        raise Invalid("this is before the begin", "end")
    return Done(body={"replayed": replaying.of_time(rule, data["begin"], end, data["only_missed"])})


def _replay(_: Actor, firing: Firing, __: dict[str, Any]) -> Done:
    replaying.again(Firing.objects.filter(pk=firing.pk))
    return Done()


registry.add(
    Resource(
        model=EventRule,
        path="event-rules",
        name="event rule",
        description="What shall happen when something is done to a record: a signed webhook, a notice, a job.",
        fields=EventRuleSerializer.Meta.fields,
        columns=(
            Column("name", link=True),
            Column("enabled", "On", Show.YES),
            Column("kinds", show=Show.TAGS),
            Column("acts", "When", show=Show.TAGS),
            Column("get_does_display", "Does"),
            Column("failing_since", "Failing since", Show.TIME),
        ),
        filters={"name": ["exact", "icontains"], "enabled": ["exact"], "does": ["exact"],
                 "failing_since": ["isnull"]},
        search=("name", "condition", "address"),
        ordering=("name",),
        orderable=("created_at",),
        writable=("name", "enabled", "kinds", "acts", "condition", "does", "address", "notify_users",
                  "notify_teams", "job", "arguments", "per_minute"),
        allow=frozenset({"create", "change", "remove"}),
        serializer=EventRuleSerializer,
        create=_make,
        change=_change,
        prepare=lambda found: found.defer("secret").prefetch_related("notify_users", "notify_teams"),
        read_scope=Scope.ADMIN,
        write_scope=Scope.ADMIN,
        related={"firings": lambda rule: rule.firings.all()},
        actions=(
            Action("test", "Send a test", _test, scope=Scope.ADMIN, offered=lambda r: r.enabled),
            Action("replay", "Replay", _replay_range, Range, scope=Scope.ADMIN),
            Action("rotate-secret", "New signing secret", _rotate, scope=Scope.ADMIN,
                   offered=lambda r: r.does == Does.WEBHOOK,
                   confirm="The present secret stops signing at once."),
        ),
    )
)  # fmt: skip


class FiringSerializer(RecordSerializer):
    """With the event whole."""

    rule_name = serializers.CharField(source="rule.name", read_only=True)
    effect = serializers.CharField(read_only=True)

    class Meta:
        model = Firing
        fields = ("id", "rule", "rule_name", "at", "kind", "act", "record", "name", "outcome", "attempts", "answer",
                  "message", "effect", "event", "told", "caused_by")  # fmt: skip
        read_only_fields = fields


registry.add(
    Resource(
        model=Firing,
        path="firings",
        name="firing",
        description="For which events the rules fired, and what came of it.",
        fields=FiringSerializer.Meta.fields,
        columns=(
            Column("at", "When", Show.TIME, link=True),
            Column("rule__name", "Rule"),
            Column("what"),
            Column("outcome", show=Show.STATE),
            Column("answer", "What came back"),
        ),
        filters={"rule": ["exact"], "outcome": ["exact", "in"], "kind": ["exact"], "record": ["exact"],
                 "act": ["exact"], "message": ["exact"], "at": ["gte", "lt"]},
        search=("name", "answer", "rule__name"),
        ordering=("-id",),
        orderable=("at",),
        serializer=FiringSerializer,
        prepare=lambda found: found.select_related("rule"),
        read_scope=Scope.ADMIN,
        write_scope=Scope.ADMIN,
        actions=(
            Action("replay", "Replay", _replay, scope=Scope.ADMIN,
                   offered=lambda f: f.outcome != Outcome.WAITING),
        ),
    )
)  # fmt: skip
