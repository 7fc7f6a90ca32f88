"""Tests of policies: somebody may or may not do something. All of them are asked before a policy changes, and the
change is refused when one of them fails."""

from __future__ import annotations

import re
from typing import Any

from rest_framework import serializers

from watchkeeper.domains.access.deciding import judge_attributes, present_policies
from watchkeeper.domains.access.explaining import actions_of
from watchkeeper.domains.access.facts import PLATFORM, Principal, Uid, kind_of
from watchkeeper.domains.access.language import Policies
from watchkeeper.domains.access.models import PolicyTest
from watchkeeper.domains.access.standing import standing_of
from watchkeeper.kernel.acting import Scope
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.fields import storable
from watchkeeper.kernel.problems import Refused
from watchkeeper.kernel.resource import registry
from watchkeeper.kernel.rest import RecordSerializer


def failures(policies: Policies) -> list[str]:
    """Every test that these rules fail, with what they say instead."""
    out = []
    for test in PolicyTest.objects.select_related("user", "role"):
        resource = next((r for r in registry if r.path == test.kind), None)
        if resource is None and test.kind != PLATFORM:
            out.append(f"{test}: there is no such kind any more")
            continue
        person = (
            standing_of(test.user).principal
            if test.user
            else Principal("", frozenset((Uid("Role", str(test.role)),)))
        )
        verdict = judge_attributes(policies, person, test.action, resource, test.attributes or None)
        if verdict.allowed != test.may:
            out.append(f"{test}; but: {' '.join(verdict.because)}")
    return out


def prove() -> None:
    """Raises Refused naming the tests that the policies, as they are in this transaction, fail."""
    wrong = failures(present_policies())
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise Refused(f"a test of the policies fails: {' / '.join(wrong[:3])}{more}")


class PolicyTestSerializer(RecordSerializer):
    """A user or a role; an action that can be done with the kind; attributes that the kind has."""

    attributes = serializers.DictField(
        default=dict, label="Record",
        help_text="attribute=value of the record that is asked about; none: of any record of the kind",
    )  # fmt: skip

    class Meta:
        model = PolicyTest
        fields = ("id", "policy", "user", "role", "may", "action", "kind", "attributes")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError naming the field."""

        def given(name: str) -> Any:
            return attrs.get(name, getattr(self.instance, name, None))

        if bool(given("user")) == bool(given("role")):
            raise serializers.ValidationError({"user": "a user or a role: one of them"})
        resource = next((r for r in registry if r.path == given("kind")), None)
        if resource is None and given("kind") != PLATFORM:
            raise serializers.ValidationError({"kind": f"there is no kind {given('kind')!r}"})
        if given("action") not in (known := actions_of(resource)):
            raise serializers.ValidationError({"action": f"there are: {', '.join(known)}"})
        columns = {c.name: c.sort for c in kind_of(resource).columns}
        for name, value in (given("attributes") or {}).items():
            if name not in columns:
                there = ", ".join(sorted(columns)) or "none"
                raise serializers.ValidationError(
                    {"attributes": f"{name!r} is not known; there are: {there}"}
                )
            attrs.setdefault("attributes", {})[name] = _typed(name, value, columns[name])
        return attrs


def _typed(name: str, value: Any, sort: str) -> Any:
    """As policies compare it; forms send text."""
    if sort == "long":
        text = str(value)
        if not re.fullmatch(r"-?[0-9]{1,18}", text):
            raise serializers.ValidationError({"attributes": f"{name}: a whole number"})
        return int(text)
    if sort == "truth":
        if str(value).lower() not in ("true", "false", "yes", "no"):
            raise serializers.ValidationError({"attributes": f"{name}: true or false"})
        return str(value).lower() in ("true", "yes")
    return storable(str(value))


plain(
    PolicyTest, "policy test", "policy-tests", "action kind user role may policy",
    fields=PolicyTestSerializer.Meta.fields,
    serializer=PolicyTestSerializer,
    title=str,
    search=("action", "kind"),
    ordering=("id",),
    orderable=("action", "kind"),
    read_scope=Scope.ADMIN,
    write_scope=Scope.ADMIN,
)  # fmt: skip
