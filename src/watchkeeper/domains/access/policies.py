"""Policies, their versions and drafts, declared. A policy changes only if it can be used, if somebody can administer
after it, and if every test passes; each change leaves a version."""

from __future__ import annotations

import difflib
from typing import Any

from django.db import transaction
from rest_framework import serializers

from watchkeeper.domains.access import proving, safety
from watchkeeper.domains.access.deciding import policies_of
from watchkeeper.domains.access.language import BadPolicy
from watchkeeper.domains.access.models import Policy, PolicyDraft, PolicyVersion
from watchkeeper.domains.access.simulating import simulate, told
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.permissions import require, visible
from watchkeeper.kernel.problems import Invalid, NotThere, Refused
from watchkeeper.kernel.resource import Action, Column, Done, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer


class PolicyTextSerializer(RecordSerializer):
    """A text that cannot be used is refused with the reason."""

    text = serializers.CharField(
        max_length=200_000,
        trim_whitespace=False,
        style={"base_template": "textarea.html", "rows": 24},
        help_text="rules in Cedar; see docs/how-to/access.md",
    )

    def validate_text(self, text: str) -> str:
        """Raises ValidationError naming the line or rule."""
        try:
            safety.check(text)
        except BadPolicy as error:
            raise serializers.ValidationError(str(error)) from error
        return text


class PolicySerializer(PolicyTextSerializer):
    """What counts now."""

    class Meta:
        model = Policy
        fields = ("id", "name", "enabled", "text", "version")
        read_only_fields = ("id", "version")


class DraftSerializer(PolicyTextSerializer):
    """What may count."""

    name = serializers.CharField(max_length=150, required=False, help_text="empty: as the policy is called")

    class Meta:
        model = PolicyDraft
        fields = ("id", "policy", "name", "text", "enabled", "note", "made_by", "made_at")
        read_only_fields = ("id", "made_by", "made_at")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError naming the field."""
        policy = attrs.get("policy", self.instance.policy if self.instance else None)
        if not attrs.get("name") and self.instance is None:
            if policy is None:
                raise serializers.ValidationError({"name": "how shall the new policy be called?"})
            attrs["name"] = policy.name
        return attrs


def keep_version(actor: Actor, policy: Policy, note: str = "") -> None:
    """Write down what the policy is now."""
    PolicyVersion.objects.create(policy=policy, name=policy.name, number=policy.version, text=policy.text,
                                 enabled=policy.enabled, by=actor.name[:200], note=note[:300])  # fmt: skip


def _settled(actor: Actor, policy: Policy, note: str = "") -> Policy:
    safety.assure()
    proving.prove()
    keep_version(actor, policy, note)
    return policy


def _make(actor: Actor, data: dict[str, Any]) -> Policy:
    return _settled(actor, Policy.objects.create(**data))


def _change(actor: Actor, policy: Policy, data: dict[str, Any], note: str = "") -> Policy:
    policy.version += 1
    for name, value in data.items():
        setattr(policy, name, value)
    policy.save()
    return _settled(actor, policy, note)


def _remove(_: Actor, policy: Policy) -> None:
    policy.delete()
    safety.assure()
    proving.prove()


def put_into_effect(actor: Actor, draft: PolicyDraft) -> Policy:
    """The draft becomes the policy. Raises what changing the policy would raise; then the draft stays."""
    data = {"name": draft.name, "text": draft.text, "enabled": draft.enabled}
    resource = registry["policies"]
    try:
        safety.check(draft.text)  # what it names may be gone since it was written
    except BadPolicy as error:
        raise Invalid(str(error)) from error
    if Policy.objects.filter(name=draft.name).exclude(pk=draft.policy_id).exists():
        raise Refused(f"there is another policy “{draft.name}”")
    with transaction.atomic():
        if draft.policy is None:
            require(actor, "create", resource)
            policy = _make(actor, data)
            audit.record(actor, "policy.create", policy, after=audit.state_of(policy))
        else:
            require(actor, "change", resource, draft.policy)
            before = audit.state_of(draft.policy)
            policy = _change(actor, draft.policy, data, draft.note)
            audit.record(actor, "policy.change", policy, before=before, after=audit.state_of(policy))
        draft.delete()
    return policy


def _texts(draft: PolicyDraft) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The enabled policies without and with the draft."""
    rows = list(Policy.objects.filter(enabled=True).order_by("id").values_list("id", "name", "text"))
    after = [(name, text) for pk, name, text in rows if pk != draft.policy_id]
    if draft.enabled:
        after.append((draft.name, draft.text))
    return [(name, text) for _, name, text in rows], after


def effect(actor: Actor, key: str) -> list[dict[str, Any]]:
    """The same as plain data, for whoever may read this draft. Raises NotThere, Invalid or Forbidden."""
    require(actor, "read", registry["policy-drafts"])
    draft = (
        visible(actor, "policy-drafts").filter(pk=key).first() if key.isascii() and key.isdigit() else None
    )
    if draft is None:
        raise NotThere(f"there is no policy draft {key!r}")
    return simulation(actor, draft)[0]


def simulation(actor: Actor, draft: PolicyDraft) -> tuple[list[dict[str, Any]], list[str]]:
    """Whose rights would change, as `told` says it, and the tests that would fail. Raises Invalid."""
    try:
        safety.check(draft.text)
        before, after = _texts(draft)
        return [told(change, actor) for change in simulate(before, after)], proving.failures(
            policies_of(after)
        )
    except BadPolicy as error:
        raise Invalid(str(error)) from error


def difference(before: str, after: str) -> list[tuple[str, str]]:
    """Lines of a comparison: "+", "-", " " or "@" for a gap, and the line."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2)
    return [
        (line[0], line[1:] if line[0] != "@" else "") for line in lines if not line.startswith(("---", "+++"))
    ]


def _apply(actor: Actor, draft: PolicyDraft, _: dict[str, Any]) -> Done:
    policy = put_into_effect(actor, draft)
    return Done(body={"policy": policy.pk, "version": policy.version})


def _draft(actor: Actor, data: dict[str, Any]) -> PolicyDraft:
    return PolicyDraft.objects.create(**data, made_by=actor.name[:200])


def _restore(actor: Actor, version: PolicyVersion, _: dict[str, Any]) -> Done:
    """As a draft, so that its effect can be seen first."""
    draft = PolicyDraft.objects.create(policy=version.policy, name=version.name, text=version.text,
                                       enabled=version.enabled, note=f"back to version {version.number}",
                                       made_by=actor.name[:200])  # fmt: skip
    return Done(body={"draft": draft.pk})


registry.add(
    Resource(
        model=Policy,
        path="policies",
        name="policy",
        description="Rules that say who may do what, written in Cedar. What is not allowed by a rule is denied.",
        fields=PolicySerializer.Meta.fields,
        columns=(
            Column("name", link=True),
            Column("enabled", "On", Show.YES),
            Column("version", show=Show.COUNT),
        ),
        filters={"name": ["exact", "icontains"], "enabled": ["exact"]},
        search=("name", "text"),
        ordering=("name",),
        writable=("name", "enabled", "text"),
        allow=frozenset({"create", "change", "remove"}),
        serializer=PolicySerializer,
        create=_make,
        change=_change,
        remove=_remove,
        read_scope=Scope.ADMIN,
        write_scope=Scope.ADMIN,
        related={
            "policy-drafts": lambda policy: policy.drafts.all(),
            "policy-versions": lambda policy: policy.versions.all(),
            "policy-tests": lambda policy: policy.tests.all(),
        },
    )
)

plain(
    PolicyVersion, "policy version", "policy-versions", "name number by at note",
    filters={"policy": ["exact"], "number": ["exact"], "at": ["gte", "lt"]},
    search=("name", "text", "note"),
    ordering=("-id",),
    orderable=("at", "name"),
    writable=(),
    allow=frozenset(),
    read_scope=Scope.ADMIN,
    write_scope=Scope.ADMIN,
    actions=(Action("restore", "Draft this version again", _restore, scope=Scope.ADMIN),),
)  # fmt: skip

plain(
    PolicyDraft, "policy draft", "policy-drafts", "name policy note made_by made_at",
    fields=DraftSerializer.Meta.fields,
    serializer=DraftSerializer,
    filters={"policy": ["exact", "isnull"], "made_by": ["exact"]},
    search=("name", "text", "note"),
    ordering=("-id",),
    orderable=("made_at", "name"),
    writable=("name", "text", "enabled", "note"),
    create_only=("policy",),
    create=_draft,
    read_scope=Scope.ADMIN,
    write_scope=Scope.ADMIN,
    actions=(
        Action("apply", "Put into effect", _apply, scope=Scope.ADMIN,
               confirm="From this moment it decides who may do what."),
    ),
)  # fmt: skip
