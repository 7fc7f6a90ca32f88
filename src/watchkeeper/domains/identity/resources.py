"""Users, API tokens and intake keys, declared."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from watchkeeper.domains.identity import keys
from watchkeeper.domains.identity.models import ApiToken, IntakeKey, ScopeWord, User
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.permissions import authority
from watchkeeper.kernel.problems import Forbidden, Refused
from watchkeeper.kernel.resource import Action, Column, Done, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer


def _administers(actor: Actor) -> bool:
    return actor.person is None or bool(actor.person.is_administrator)


class TokenSerializer(RecordSerializer):
    """`scope` in words."""

    scope = serializers.ChoiceField(choices=ScopeWord.choices, source="scope_word", default="read")

    class Meta:
        model = ApiToken
        fields = ("id", "name", "scope", "prefix", "created_at", "expires_at", "last_used_at", "revoked_at")
        read_only_fields = ("id", "prefix", "created_at", "last_used_at", "revoked_at")


def _make_token(actor: Actor, data: dict[str, Any]) -> ApiToken:
    # Whoever is no administrator makes tokens that can do no more than they themselves.
    owner = None if _administers(actor) else actor.person
    token, secret = keys.new_token(
        data["name"], data["scope_word"], expires_at=data.get("expires_at"), user=owner
    )
    token.shown_once = {"secret": secret}  # type: ignore[attr-defined]
    return token


def _revoke(_: Actor, record: Any, __: dict[str, Any]) -> Done:
    keys.revoke(record)
    return Done()


_REVOKE = Action(
    "revoke",
    "Revoke",
    _revoke,
    scope=Scope.ADMIN,
    offered=lambda r: r.revoked_at is None,
    confirm="Whoever uses it is refused from now on.",
    bulk=True,
)

registry.add(
    Resource(
        model=ApiToken,
        path="tokens",
        name="token",
        description="API tokens. The secret is in the answer that makes one, and never again.",
        fields=TokenSerializer.Meta.fields,
        columns=(
            Column("name", link=True),
            Column("scope_word", "Scope", Show.STATE),
            Column("prefix", "Begins with"),
            Column("last_used_at", "Last used", Show.TIME),
            Column("expires_at", "Expires", Show.TIME),
            Column("revoked_at", "Revoked", Show.TIME),
        ),
        filters={"name": ["exact", "icontains"], "revoked_at": ["isnull"]},
        search=("name",),
        ordering=("-id",),
        orderable=("name", "last_used_at", "created_at"),
        create_only=("name", "scope", "expires_at"),
        allow=frozenset({"create"}),
        serializer=TokenSerializer,
        create=_make_token,
        read_scope=Scope.ADMIN,
        write_scope=Scope.ADMIN,
        actions=(_REVOKE,),
    )
)


class IntakeKeySerializer(RecordSerializer):
    """Lists of words instead of any JSON."""

    doors = serializers.ListField(
        child=serializers.CharField(max_length=64), default=list, max_length=50,
        help_text="names of the doors it opens, such as otlp or syslog; empty: all",
    )  # fmt: skip
    networks = serializers.ListField(
        child=serializers.CharField(max_length=64), default=list, max_length=200,
        help_text="where it may be used from, such as 10.0.0.0/8; empty: anywhere",
    )  # fmt: skip
    rate = serializers.FloatField(
        default=0.0, min_value=0.0, max_value=1e9, help_text="rows a second it may send; 0: no limit"
    )

    class Meta:
        model = IntakeKey
        fields = ("id", "name", "doors", "networks", "rate", "prefix", "created_at", "revoked_at")
        read_only_fields = ("id", "prefix", "created_at", "revoked_at")

    def validate_networks(self, value: list[str]) -> list[str]:
        """Raises Invalid."""
        return keys.checked_networks(value)


def _make_key(_: Actor, data: dict[str, Any]) -> IntakeKey:
    key, secret = keys.new_intake_key(data["name"], data["doors"], data["networks"], data["rate"])
    key.shown_once = {"secret": secret}  # type: ignore[attr-defined]
    return key


registry.add(
    Resource(
        model=IntakeKey,
        path="intake-keys",
        name="intake key",
        description="Keys with which signals are sent in. The secret is in the answer that makes one.",
        fields=IntakeKeySerializer.Meta.fields,
        columns=(
            Column("name", link=True),
            Column("prefix", "Begins with"),
            Column("doors", show=Show.TAGS),
            Column("networks", show=Show.TAGS),
            Column("rate", "Rows a second"),
            Column("revoked_at", "Revoked", Show.TIME),
        ),
        filters={"name": ["exact", "icontains"], "revoked_at": ["isnull"]},
        search=("name",),
        ordering=("name",),
        orderable=("created_at",),
        writable=("doors", "networks", "rate"),
        create_only=("name",),
        allow=frozenset({"create", "change"}),
        serializer=IntakeKeySerializer,
        create=_make_key,
        read_scope=Scope.ADMIN,
        write_scope=Scope.ADMIN,
        actions=(_REVOKE,),
    )
)


_ONLY = "Only an administrator makes or changes administrators."


class UserSerializer(RecordSerializer):
    """A person; the password can be sent and is never shown."""

    password = serializers.CharField(write_only=True, required=False, max_length=1000, trim_whitespace=False)

    class Meta:
        model = User
        fields = ("id", "username", "name", "email", "is_administrator", "is_active", "password", "created_at",
                  "last_login")  # fmt: skip
        read_only_fields = ("id", "created_at", "last_login")

    def validate_password(self, value: str) -> str:
        """Raises ValidationError for one that is easily guessed."""
        from django.contrib.auth.password_validation import validate_password

        validate_password(value, self.instance)
        return value


def _make_user(actor: Actor, data: dict[str, Any]) -> User:
    if data.get("is_administrator") and not _administers(actor):
        raise Forbidden("create", "users", (_ONLY,))
    return User.objects.create_user(**data)


def _change_user(actor: Actor, user: User, data: dict[str, Any]) -> User:
    if (user.is_administrator or data.get("is_administrator")) and not _administers(actor):
        raise Forbidden("change", "users", (_ONLY,))
    loses = user.is_administrator and not (data.get("is_administrator", True) and data.get("is_active", True))
    others = User.objects.filter(is_administrator=True, is_active=True).exclude(pk=user.pk)
    password = data.pop("password", None)
    for name, value in data.items():
        setattr(user, name, value)
    if password:
        user.set_password(password)
    user.save()
    authority().assure()  # which lets one such change through after the other
    if loses and not others.exists():
        raise Refused("the last administrator stays one")
    return user


registry.add(
    Resource(
        model=User,
        path="users",
        name="user",
        description="People.",
        fields=UserSerializer.Meta.fields,
        columns=(
            Column("username", "User name", link=True),
            Column("name"),
            Column("email", "E-mail"),
            Column("is_administrator", "Administrator", Show.YES),
            Column("is_active", "Active", Show.YES),
            Column("last_login", "Last signed in", Show.TIME),
        ),
        filters={"username": ["exact"], "is_administrator": ["exact"], "is_active": ["exact"]},
        search=("username", "name", "email"),
        ordering=("username",),
        orderable=("name", "last_login"),
        writable=("name", "email", "is_administrator", "is_active", "password"),
        create_only=("username",),
        allow=frozenset({"create", "change"}),
        serializer=UserSerializer,
        create=_make_user,
        change=_change_user,
        read_scope=Scope.ADMIN,
        write_scope=Scope.ADMIN,
    )
)
