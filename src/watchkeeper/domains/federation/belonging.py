"""What belongs to identity providers and second factors, declared: group mappings, linked identities, factors and
the rules about them."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from rest_framework import serializers

from watchkeeper.domains import identity
from watchkeeper.domains.access.models import Role
from watchkeeper.domains.federation.models import GroupMapping, IdentityProvider, SecondFactorRule
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.problems import Forbidden
from watchkeeper.kernel.resource import Column, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer


class MappingSerializer(RecordSerializer):
    """One group to one team or one role."""

    provider_name = serializers.CharField(source="provider.name", read_only=True)
    team_name = serializers.CharField(source="team.name", read_only=True, default=None)
    role_name = serializers.CharField(source="role.name", read_only=True, default=None)

    class Meta:
        model = GroupMapping
        fields = ("id", "provider", "provider_name", "group", "team", "team_name", "role", "role_name")
        extra_kwargs = {"group": {"help_text": "as the provider says it: a name, an id, or a directory's DN"}}
        validators: list[Any] = []

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError."""
        if (attrs.get("team") is None) == (attrs.get("role") is None):
            raise serializers.ValidationError({"team": "a team or a role: exactly one of them"})
        known = GroupMapping.objects.filter(
            **{n: attrs.get(n) for n in ("provider", "group", "team", "role")}
        )
        if known.exists():
            raise serializers.ValidationError({"group": "this group counts for it already"})
        return attrs


def _map(actor: Actor, data: dict[str, Any]) -> GroupMapping:
    _only_administrators(actor, data.get("role"), "create", "group-mappings")
    return GroupMapping.objects.create(**data)


def _only_administrators(actor: Actor, role: Role | None, act: str, kind: str) -> None:
    if (
        role is not None
        and role.name == "administrator"
        and actor.person
        and not actor.person.is_administrator
    ):
        raise Forbidden(act, kind, ("Only an administrator makes administrators.",))


registry.add(
    Resource(
        model=GroupMapping,
        path="group-mappings",
        name="group mapping",
        description="What an identity provider's groups count for here: membership of a team, or a role. It is "
        "given at each sign-in, and taken back when the provider no longer says so.",
        fields=MappingSerializer.Meta.fields,
        serializer=MappingSerializer,
        columns=(Column("group", link=True), Column("provider__name", "Of"), Column("team__name", "Team"),
                 Column("role__name", "Role")),
        filters={"provider": ["exact"], "group": ["exact", "icontains"], "team": ["exact"], "role": ["exact"]},
        search=("group",),
        ordering=("provider", "group"),
        create_only=("provider", "group", "team", "role"),
        allow=frozenset({"create", "remove"}),
        prepare=lambda found: found.select_related("provider", "team", "role"),
        create=_map,
        read_scope=Scope.ADMIN,
        write_scope=Scope.ADMIN,
    )
)  # fmt: skip


class LinkedIdentitySerializer(RecordSerializer):
    """One identity elsewhere."""

    user_name = serializers.CharField(source="user.username", read_only=True)
    provider = serializers.CharField(max_length=50, help_text="the short name of the provider")
    uid = serializers.CharField(
        max_length=190, help_text="its lasting id of the person: sub, NameID, entryUUID"
    )

    class Meta:
        model = SocialAccount
        fields = ("id", "user", "user_name", "provider", "uid", "last_login")
        read_only_fields = ("id", "last_login")
        validators: list[Any] = []

    def validate_provider(self, value: str) -> str:
        """Raises ValidationError."""
        if not IdentityProvider.objects.filter(slug=value).exists():
            raise serializers.ValidationError(f"there is no identity provider {value!r}")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError."""
        if SocialAccount.objects.filter(provider=attrs["provider"], uid=attrs["uid"]).exists():
            raise serializers.ValidationError({"uid": "this identity is linked to a user already"})
        if attrs["user"].is_service:
            raise serializers.ValidationError({"user": "a service account cannot sign in"})
        return attrs


def _link(actor: Actor, data: dict[str, Any]) -> SocialAccount:
    if data["user"].is_administrator and actor.person and not actor.person.is_administrator:
        raise Forbidden("create", "linked-identities", ("Only an administrator links an administrator.",))
    return SocialAccount.objects.create(**data, extra_data={})


def _unlink(_: Actor, link: SocialAccount) -> None:
    identity.end_sessions(link.user)
    link.delete()


registry.add(
    Resource(
        model=SocialAccount,
        path="linked-identities",
        name="linked identity",
        description="Which person of an identity provider is which user here.",
        fields=LinkedIdentitySerializer.Meta.fields,
        serializer=LinkedIdentitySerializer,
        title=lambda link: f"{link.user} at {link.provider}",
        columns=(Column("user__username", "User", link=True), Column("provider"), Column("uid", "Known there as"),
                 Column("last_login", "Last signed in", Show.TIME)),
        filters={"user": ["exact"], "provider": ["exact"], "uid": ["exact"]},
        search=("user__username", "uid"),
        ordering=("-id",),
        create_only=("user", "provider", "uid"),
        allow=frozenset({"create", "remove"}),
        prepare=lambda found: found.select_related("user"),
        create=_link,
        remove=_unlink,
        read_scope=Scope.ADMIN,
        write_scope=Scope.ADMIN,
    )
)  # fmt: skip


class SecondFactorRuleSerializer(RecordSerializer):
    """One role."""

    role_name = serializers.CharField(source="role.name", read_only=True)

    class Meta:
        model = SecondFactorRule
        fields = ("id", "role", "role_name")


registry.add(
    Resource(
        model=SecondFactorRule,
        path="second-factor-rules",
        name="second factor rule",
        description="Whoever has one of these roles needs a second factor. From their next sign-in on, those who "
        "have none can do nothing but set one up.",
        fields=SecondFactorRuleSerializer.Meta.fields,
        serializer=SecondFactorRuleSerializer,
        columns=(Column("role__name", "Role", link=True),),
        filters={"role": ["exact"]},
        ordering=("role",),
        create_only=("role",),
        allow=frozenset({"create", "remove"}),
        prepare=lambda found: found.select_related("role"),
        read_scope=Scope.ADMIN,
        write_scope=Scope.ADMIN,
    )
)


class FactorSerializer(RecordSerializer):
    """What it is and when it was used; its secret is nobody's business."""

    user_name = serializers.CharField(source="user.username", read_only=True)
    name = serializers.CharField(source="__str__", read_only=True)

    class Meta:
        model = Authenticator
        fields = ("id", "user", "user_name", "type", "name", "created_at", "last_used_at")
        read_only_fields = fields


def _take_away(actor: Actor, factor: Authenticator) -> None:
    """With the recovery codes, when nothing is left that they could stand for. The sessions end."""
    if factor.user.is_administrator and actor.person and not actor.person.is_administrator:
        raise Forbidden("remove", "second-factors", ("Only an administrator removes an administrator's.",))
    user = factor.user
    factor.delete()
    left = Authenticator.objects.filter(user=user)
    if not left.exclude(type="recovery_codes").exists():
        left.delete()
    identity.end_sessions(user)


registry.add(
    Resource(
        model=Authenticator,
        path="second-factors",
        name="second factor",
        description="What people sign in with besides their password. Remove one for somebody who has lost it.",
        fields=FactorSerializer.Meta.fields,
        serializer=FactorSerializer,
        columns=(Column("user__username", "User", link=True), Column("type", show=Show.STATE),
                 Column("created_at", "Since", Show.TIME), Column("last_used_at", "Last used", Show.TIME)),
        filters={"user": ["exact"], "type": ["exact"], "last_used_at": ["lt", "isnull"]},
        search=("user__username",),
        ordering=("user", "type"),
        allow=frozenset({"remove"}),
        prepare=lambda found: found.select_related("user"),
        remove=_take_away,
        read_scope=Scope.ADMIN,
        write_scope=Scope.ADMIN,
    )
)  # fmt: skip
