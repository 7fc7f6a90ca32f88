"""Positions, onboardings and proofs, declared. They are for administrators, and for whom policies let: what is started
here makes accounts and ends them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from watchkeeper.domains.access.standing import ADMINISTRATOR
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.identity.naming import Person
from watchkeeper.domains.onboarding import planning, proving, starting
from watchkeeper.domains.onboarding.models import Onboarding, Position, Proof
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.problems import Invalid
from watchkeeper.kernel.resource import Action, Done
from watchkeeper.kernel.rest import RecordSerializer
from watchkeeper.kernel.states import Transition, machine

_Sort, _State = Onboarding.Sort, Onboarding.State
_ADMIN: dict[str, Any] = {"read_scope": Scope.ADMIN, "write_scope": Scope.ADMIN}


class PositionSerializer(RecordSerializer):
    """Its bundle is its teams, roles, hardware, seats, servers and catalogue items."""

    class Meta:
        model = Position
        fields = ("id", "name", "description", "teams", "roles", "hardware", "software", "servers", "catalog_items",
                  "calendar", "hardware_team", "hardware_hours", "software_team", "software_hours", "access_team",
                  "access_hours")  # fmt: skip
        read_only_fields = ("id",)
        extra_kwargs = {
            "calendar": {
                "help_text": "by which time is counted back from the first day; empty: day and night"
            },
            "software": {"help_text": "applications of which they need a seat"},
        }

    def validate_roles(self, roles: list[Any]) -> list[Any]:
        """Raises ValidationError for the role that only administrators give, by hand."""
        if any(r.name == ADMINISTRATOR for r in roles):
            raise serializers.ValidationError("nobody becomes an administrator by a position")
        return roles


class OnboardingSerializer(RecordSerializer):
    """Who, to which position, and when."""

    person = Person(
        required=False, allow_null=True, help_text="the user name of whoever has an account already"
    )
    manager = Person(required=False, allow_null=True)
    who = serializers.CharField(read_only=True)

    WRITTEN = ("sort", "person", "username", "full_name", "email", "position", "previous", "manager", "day")

    class Meta:
        model = Onboarding
        fields = ("id", "sort", "who", "person", "username", "full_name", "email", "position", "previous", "manager", "day",
                  "state", "ticket", "started_at", "ended_at")  # fmt: skip
        read_only_fields = ("id", "state", "ticket", "started_at", "ended_at")
        validators = ()  # validate says it in words
        extra_kwargs = {
            "username": {"help_text": "of a joiner without an account: it is made when this is started"},
            "day": {
                "help_text": "the first day of a joiner or mover, the last day of a leaver",
                "label": "Day",
            },
            "position": {"help_text": "to which they come; nothing for a leaver"},
            "previous": {"help_text": "which they leave; empty: the one to which they came last"},
        }

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """What each of the three needs. Raises ValidationError naming the field."""

        def now(name: str) -> Any:
            return data.get(name, getattr(self.instance, name, None))

        sort = now("sort") or _Sort.JOINER
        if sort == _Sort.LEAVER and now("position"):
            raise serializers.ValidationError({"position": "whoever leaves comes to none"})
        if sort != _Sort.LEAVER and not now("position"):
            raise serializers.ValidationError({"position": "to which position?"})
        if sort != _Sort.JOINER and not now("person"):
            raise serializers.ValidationError({"person": "who?"})
        if sort == _Sort.JOINER and not now("person"):
            _new_account(now("username"), bool(self.instance))
        if now("person") and (self.instance is None or "person" in data):
            _not_twice(now("person"), self.instance)
        return data


def _new_account(username: str, there: bool) -> None:
    if not username:
        raise serializers.ValidationError({"username": "a user name, or a person who has an account"})
    if not there and User.objects.filter(username=username).exists():
        raise serializers.ValidationError({"username": "it is somebody's already: name them as the person"})


def _not_twice(person: User, this: Onboarding | None) -> None:
    running = Onboarding.objects.filter(person=person, state__in=(_State.PLANNED, _State.STARTED))
    if other := running.exclude(pk=this.pk if this else None).first():
        raise serializers.ValidationError(
            {"person": f"{other} on {other.day} already, which is {other.state}"}
        )


def _create(_: Actor, data: dict[str, Any]) -> Onboarding:
    before = data.pop("previous", None) or planning.position_of(data.get("person"))
    return Onboarding.objects.create(previous=before, **data)


def _change(_: Actor, onboarding: Onboarding, data: dict[str, Any]) -> Onboarding:
    if onboarding.state != _State.PLANNED:
        raise Invalid(f"it is {onboarding.state}: what was started is not changed any more")
    before = onboarding.person_id
    for name, value in data.items():
        setattr(onboarding, name, value)
    if onboarding.previous is None or (onboarding.person_id != before and "previous" not in data):
        onboarding.previous = planning.position_of(onboarding.person)
    onboarding.save()
    return onboarding


def _prove(actor: Actor, onboarding: Onboarding, _: dict[str, Any]) -> Done:
    proof = proving.prove(actor, onboarding)
    audit.record(actor, "proof.create", proof, after={"clean": proof.clean, "left": proof.left})
    return Done(
        body={"see": f"/proofs/{proof.pk}/", "id": proof.pk, "clean": proof.clean, "left": proof.left}
    )


plain(
    Position, "position", "positions", "name description",
    serializer=PositionSerializer, fields=PositionSerializer.Meta.fields,
    search=("name", "description"), related={"onboardings": lambda p: p.onboardings.all()}, **_ADMIN,
)  # fmt: skip
plain(
    Onboarding, "onboarding", "onboardings", "who:Who sort position day:Day state manager",
    description="People who join, move to another position, or leave: what they get and give back, in time for the day.",
    serializer=OnboardingSerializer, fields=OnboardingSerializer.Meta.fields, writable=OnboardingSerializer.WRITTEN,
    create=_create, change=_change, allow=frozenset({"create", "change"}),
    filters={"state": ["exact", "in"], "sort": ["exact", "in"], "position": ["exact"], "person__username": ["exact"],
             "manager__username": ["exact"], "day": ["gte", "lte"]},
    search=("full_name", "username", "person__username", "person__name"), ordering=("-day", "-id"),
    orderable=("day", "state"),
    prepare=lambda found: found.select_related("person", "position", "previous", "manager", "ticket"),
    default_filters={"state__in": "planned,started"},
    policy_attributes=("sort", "state", "manager__username", "person__username"),
    actions=(
        *machine(
            "state",
            Transition("start", "Start", (_State.PLANNED,), _State.STARTED, scope=Scope.ADMIN,
                       then=lambda a, o, _: starting.start(a, o),
                       confirm="The tasks are made and given to whoever does them."),
            Transition("cancel", "Call off", (_State.PLANNED, _State.STARTED), _State.CANCELLED, scope=Scope.ADMIN,
                       then=lambda a, o, _: starting.call_off(a, o), confirm="What is left of it is skipped."),
        ),
        Action("prove", "Prove that nothing is left", _prove, scope=Scope.ADMIN, audited=False,
               offered=lambda o: o.sort == _Sort.LEAVER and o.person_id is not None and o.state != _State.PLANNED),
    ),
    related={"proofs": lambda o: o.proofs.all()},
    **_ADMIN,
)  # fmt: skip
plain(
    Proof, "proof", "proofs", "onboarding:Of clean:Nothing_is_left at by",
    description="What the live state said about somebody who has left: what is left, and what was taken back, when and "
    "by whom.",
    writable=(), allow=frozenset(), search=("onboarding__full_name", "onboarding__person__username"), ordering=("-id",),
    orderable=("at",), **_ADMIN,
)  # fmt: skip
