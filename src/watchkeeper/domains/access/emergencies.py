"""Break-glass: a person takes a role at once, for a short time and with a reason. Everybody who administers is told,
every page shows it while it lasts, it ends by itself, and somebody else looks at it after."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from watchkeeper.domains.access.granting import end
from watchkeeper.domains.access.models import Emergency, EmergencyState, Grant
from watchkeeper.domains.access.telling import administrators, tell
from watchkeeper.domains.identity.behind import behind
from watchkeeper.domains.identity.models import AccountKind
from watchkeeper.domains.situations import announce
from watchkeeper.kernel.acting import SYSTEM, Actor, Scope
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.problems import Forbidden, Invalid, Refused
from watchkeeper.kernel.rest import RecordSerializer
from watchkeeper.kernel.states import Transition, machine, move


class EmergencySerializer(RecordSerializer):
    """Whoever takes a role takes it for themselves."""

    reason = serializers.CharField(max_length=10_000, style={"base_template": "textarea.html"})
    minutes = serializers.IntegerField(
        min_value=1, required=False, write_only=True, help_text="empty: as long as the role allows"
    )
    user_name = serializers.CharField(source="user.username", read_only=True)
    role_name = serializers.CharField(source="role.name", read_only=True)

    class Meta:
        model = Emergency
        fields = ("id", "user", "user_name", "role", "role_name", "reason", "minutes", "state", "grant", "started_at",
                  "ends_at", "reviewed_by", "review_note")  # fmt: skip
        read_only_fields = (
            "id",
            "user",
            "state",
            "grant",
            "started_at",
            "ends_at",
            "reviewed_by",
            "review_note",
        )


def take(actor: Actor, data: dict[str, Any]) -> Emergency:
    """The role is theirs from this moment. Raises Refused, or Invalid naming the field."""
    person, role, longest = actor.person, data["role"], data["role"].emergency_minutes
    minutes = data.pop("minutes", longest)
    if person is None or person.kind != AccountKind.PERSON:
        raise Refused("only a person takes a role in an emergency")
    if not longest:
        raise Refused(f"{role} cannot be taken in an emergency")
    if minutes > longest:
        raise Invalid(f"{role} can be taken for at most {longest}", "minutes")
    if Emergency.objects.filter(user=person, role=role, state=EmergencyState.ACTIVE).exists():
        raise Refused(f"{person} has taken {role} already")
    now = timezone.now()
    until = now + dt.timedelta(minutes=minutes)
    # Not by `give`: in an emergency what is kept apart may meet. It is found, and looked at after.
    grant = Grant.objects.create(role=role, user=person, reason=f"Emergency: {data['reason']}", valid_from=now,
                                 expires_at=until, approved_by="taken in an emergency")  # fmt: skip
    made = Emergency.objects.create(**data, user=person, grant=grant, ends_at=until)
    tell(f"emergency:{made.pk}:taken", {*administrators(), *role.owners.all()} - {person},
         f"EMERGENCY: {person.called} has taken the role {role}",
         f"{person.called} ({person}) has taken the role {role} until {until:%H:%M} UTC:\n\n{data['reason']}",
         f"/emergencies/{made.pk}/")  # fmt: skip
    announce(f"emergency:{made.pk}", f"{person.called} has taken the role {role} in an emergency", [data["reason"]],
             f"/emergencies/{made.pk}/")  # fmt: skip
    return made


def _ended(_: Actor, emergency: Emergency, __: dict[str, Any]) -> None:
    if emergency.grant is not None and (emergency.grant.expires_at or timezone.now()) > timezone.now():
        end(emergency.grant)
        emergency.ends_at = timezone.now()
    tell(f"emergency:{emergency.pk}:ended", {*administrators()} - {emergency.user},
         f"The emergency of {emergency.user.called} is over",
         f"{emergency.user.called} had the role {emergency.role}. Please look at what was done, and write it down.",
         f"/emergencies/{emergency.pk}/")  # fmt: skip


def _looked_at(actor: Actor, emergency: Emergency, data: dict[str, Any]) -> None:
    if behind(actor) == emergency.user:
        raise Forbidden("review", "emergencies", ("Nobody reviews their own emergency.",))
    emergency.reviewed_by, emergency.review_note = actor.name[:200], data["review_note"]


class EmergencyReviewSerializer(serializers.Serializer[Any]):
    """What the review found."""

    review_note = serializers.CharField(
        label="What was done, and was it right?", max_length=10_000, style={"base_template": "textarea.html"}
    )


_END = Transition("end", "End it now", ("active",), "ended", scope=Scope.ADMIN, then=_ended,
                  confirm="The role is given back at once.")  # fmt: skip
_REVIEW = Transition("review", "Review", ("ended",), "reviewed", scope=Scope.ADMIN, fields=EmergencyReviewSerializer,
                     then=_looked_at)  # fmt: skip


def keep(now: dt.datetime) -> None:
    """End those whose time is over; their grants ended by themselves."""
    for emergency in Emergency.objects.filter(state=EmergencyState.ACTIVE, ends_at__lte=now):
        move("state", _END, SYSTEM, emergency)


def active(reader: Actor) -> list[Emergency]:
    """Those that go on at this moment and that the reader may see, for the banner of every page."""
    found = Emergency.objects.filter(state=EmergencyState.ACTIVE, ends_at__gt=timezone.now())
    return list(visible(reader, "emergencies", found.select_related("user", "role")))


plain(
    Emergency, "emergency", "emergencies",
    "role user:Taken_by reason state started_at ends_at reviewed_by",
    fields=EmergencySerializer.Meta.fields,
    serializer=EmergencySerializer,
    filters={"state": ["exact"], "user": ["exact"], "role": ["exact"], "started_at": ["gte", "lt"]},
    search=("user__username", "role__name", "reason"),
    ordering=("-id",),
    orderable=("started_at", "ends_at"),
    writable=(),
    create_only=("role", "reason", "minutes"),
    allow=frozenset({"create"}),
    create=take,
    read_scope=Scope.ADMIN,
    write_scope=Scope.ADMIN,
    policy_attributes=("user__username", "role__name", "state"),
    actions=machine("state", _END, _REVIEW),
)  # fmt: skip
