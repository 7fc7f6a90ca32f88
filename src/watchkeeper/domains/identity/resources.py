"""Users, their sessions and API tokens, declared; intake keys are in `intake`."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from watchkeeper.domains.identity import intake, keys  # noqa: F401
from watchkeeper.domains.identity.behind import administers, require_administers
from watchkeeper.domains.identity.ending import end_access, end_sessions
from watchkeeper.domains.identity.models import AccountKind, ApiToken, ScopeWord, Session, User
from watchkeeper.domains.identity.passwords import require_good
from watchkeeper.domains.identity.revoking import REVOKE
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.permissions import authority
from watchkeeper.kernel.problems import Forbidden, Invalid
from watchkeeper.kernel.resource import Action, Column, Done, Resource, Show, registry
from watchkeeper.kernel.rest import Choice, RecordSerializer


class TokenSerializer(RecordSerializer):
    """`scope` in words."""

    scope = Choice(choices=ScopeWord.choices, source="scope_word", default="read")
    user_name = serializers.CharField(source="user.username", read_only=True, default=None)
    networks = serializers.ListField(
        child=serializers.CharField(max_length=64), default=list, max_length=200,
        help_text="where it may be used from, such as 10.0.0.0/8; empty: anywhere",
    )  # fmt: skip
    kinds = serializers.ListField(
        child=serializers.CharField(max_length=64), default=list, max_length=200,
        help_text="the kinds of record it is for, such as items, and platform for pages that are no records; "
        "empty: all",
    )  # fmt: skip

    class Meta:
        model = ApiToken
        extra_kwargs = {
            "user": {"help_text": "a service account, or yourself; it can then do no more than they"}
        }
        fields = ("id", "name", "scope", "user", "user_name", "networks", "kinds", "prefix", "created_at",
                  "expires_at", "last_used_at", "last_used_from", "revoked_at")  # fmt: skip
        read_only_fields = ("id", "prefix", "created_at", "last_used_at", "last_used_from", "revoked_at")

    def validate_networks(self, value: list[str]) -> list[str]:
        """Raises Invalid."""
        return keys.checked_networks(value)

    def validate_expires_at(self, value: dt.datetime | None) -> dt.datetime | None:
        """Raises Invalid for a token that would never count."""
        if value is not None and value <= timezone.now():
            raise Invalid("it would be over already", "expires_at")
        return value

    def validate_kinds(self, value: list[str]) -> list[str]:
        """Raises ValidationError naming what is no kind."""
        known = {r.path for r in registry} | {"platform"}
        if unknown := [k for k in value if k not in known]:
            raise serializers.ValidationError(
                f"{unknown[0]!r} is no kind of record, such as items, nor platform"
            )
        return value


def _make_token(actor: Actor, data: dict[str, Any]) -> ApiToken:
    # Whoever is no administrator makes tokens that can do no more than they themselves.
    owner = data.get("user") or (None if administers(actor) else actor.person)
    if owner is not None and owner != actor.person:
        if not owner.is_service:
            raise Forbidden("create", "tokens", ("Only they themselves make tokens of a person.",))
        if not administers(actor) and owner.owner != actor.person:
            raise Forbidden("create", "tokens", (f"{owner} is looked after by somebody else.",))
    if data["scope_word"] == ScopeWord.SCIM and not administers(actor):
        raise Forbidden("create", "tokens", ("Only an administrator lets a directory provision users.",))
    token, secret = keys.new_token(
        data["name"], data["scope_word"], expires_at=data.get("expires_at"), user=owner,
        networks=data["networks"], kinds=data["kinds"],
    )  # fmt: skip
    token.shown_once = {"secret": secret}  # type: ignore[attr-defined]
    return token


class Overlap(serializers.Serializer[Any]):
    """For how long both count."""

    hours = serializers.FloatField(
        default=24.0, min_value=0, max_value=24 * 90, help_text="how long the old one still counts"
    )


def _rotate(_: Actor, record: Any, data: dict[str, Any]) -> Done:
    made, secret = keys.rotate(record, dt.timedelta(hours=data["hours"]))
    return Done(body={"id": made.pk, "shown_once": {"secret": secret}, "expires_at": made.expires_at})


def _counts(token: ApiToken) -> bool:
    return token.revoked_at is None and (token.expires_at is None or token.expires_at > timezone.now())


_ROTATE = Action("rotate", "Replace", _rotate, fields=Overlap, scope=Scope.ADMIN, offered=_counts,
                 confirm="A new token with the same rights is made; this one ends a while later.")  # fmt: skip

registry.add(
    Resource(
        model=ApiToken,
        path="tokens",
        policy_attributes=("user__username",),
        name="token",
        description="API tokens. The secret is in the answer that makes one, and never again.",
        fields=TokenSerializer.Meta.fields,
        columns=(
            Column("name", link=True),
            Column("user__username", "Of"),
            Column("scope_word", "Scope", Show.STATE),
            Column("prefix", "Begins with"),
            Column("last_used_at", "Last used", Show.TIME),
            Column("last_used_from", "From"),
            Column("expires_at", "Expires", Show.TIME),
            Column("revoked_at", "Revoked", Show.TIME),
        ),
        filters={"name": ["exact", "icontains"], "expires_at": ["lt", "isnull"],
                 "user": ["exact", "isnull"], "revoked_at": ["isnull"],
                 "last_used_at": ["isnull", "lt"]},
        search=("name", "user__username"),
        ordering=("-id",),
        orderable=("name", "last_used_at", "expires_at", "created_at"),
        create_only=("name", "scope", "user", "networks", "kinds", "expires_at"),
        allow=frozenset({"create"}),
        serializer=TokenSerializer,
        prepare=lambda found: found.select_related("user"),
        create=_make_token,
        read_scope=Scope.ADMIN,
        write_scope=Scope.ADMIN,
        actions=(_ROTATE, REVOKE),
    )
)  # fmt: skip


class UserSerializer(RecordSerializer):
    """The password can be sent and is never shown; a service account has an owner instead of one."""

    owner_name = serializers.CharField(source="owner.username", read_only=True, default=None)
    password = serializers.CharField(
        write_only=True, required=False, max_length=1000, trim_whitespace=False, style={"input": "secret"}
    )

    class Meta:
        model = User
        extra_kwargs = {
            "kind": {"help_text": "a service account calls with tokens and cannot sign in"},
            "owner": {"help_text": "of a service account: the person who answers for it"},
        }
        fields = ("id", "username", "name", "email", "kind", "owner", "owner_name", "is_administrator", "is_active",
                  "password", "created_at", "last_login", "last_seen_at")  # fmt: skip
        read_only_fields = ("id", "created_at", "last_login", "last_seen_at")

    def validate_password(self, value: str) -> str:
        """Raises Invalid for one that is easily guessed."""
        require_good(value, self.instance, "password")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A service account has an owner, no password and no rights of an administrator by itself; a person has no
        owner. Raises ValidationError naming the field."""

        def given(name: str) -> Any:
            return attrs.get(name, getattr(self.instance, name, None))

        service, owner = given("kind") == AccountKind.SERVICE, given("owner")
        wrong = {
            "owner": not service and owner is not None and "only a service account has an owner",
            "password": service and attrs.get("password") and "a service account has tokens and no password",
            "is_administrator": service and given("is_administrator") and "only a person is an administrator",
        }
        if (
            service
            and "owner" in (attrs if self.instance else {"owner"})
            and (owner is None or owner.is_service or not owner.is_active)
        ):
            wrong["owner"] = "a service account needs an active person as its owner"
        if told := {name: text for name, text in wrong.items() if text}:
            raise serializers.ValidationError(told)
        return attrs


def _make_user(actor: Actor, data: dict[str, Any]) -> User:
    if data.get("is_administrator"):
        require_administers(actor, "create")
    return User.objects.create_user(**data)


def _change_user(actor: Actor, user: User, data: dict[str, Any]) -> User:
    if user.is_administrator or data.get("is_administrator"):
        require_administers(actor, "change")
    password = data.pop("password", None)
    for name, value in data.items():
        setattr(user, name, value)
    if password:
        user.set_password(password)
    user.save()  # refused by domains/access where nobody could administer after it
    if not user.is_active:
        end_access(user)
    elif password:
        end_sessions(user)
    authority().assure()
    return user


def _sign_out(_: Actor, user: Any, __: dict[str, Any]) -> Done:
    end_sessions(user)
    return Done()


registry.add(
    Resource(
        model=User,
        path="users",
        name="user",
        description="People, and service accounts: programs that call with tokens.",
        fields=UserSerializer.Meta.fields,
        columns=(
            Column("username", "User name", link=True),
            Column("name"),
            Column("kind", show=Show.STATE),
            Column("email", "E-mail"),
            Column("is_administrator", "Administrator", Show.YES),
            Column("is_active", "Active", Show.YES),
            Column("last_seen_at", "Last seen", Show.TIME),
        ),
        filters={"username": ["exact"], "kind": ["exact"], "owner": ["exact", "isnull"],
                 "is_administrator": ["exact"], "is_active": ["exact"], "last_seen_at": ["lt", "isnull"]},
        search=("username", "name", "email"),
        ordering=("username",),
        orderable=("name", "last_login", "last_seen_at"),
        writable=("name", "email", "owner", "is_administrator", "is_active", "password"),
        create_only=("username", "kind"),
        allow=frozenset({"create", "change"}),
        serializer=UserSerializer,
        prepare=lambda found: found.select_related("owner"),
        create=_make_user,
        change=_change_user,
        read_scope=Scope.ADMIN,
        write_scope=Scope.ADMIN,
        actions=(
            Action("sign-out", "Sign out everywhere", _sign_out, scope=Scope.ADMIN, offered=lambda u: not u.is_service,
                   confirm="All sessions of this person end now."),
        ),
        related={"tokens": lambda user: user.tokens.all(), "sessions": lambda user: user.sessions.all()},
    )
)  # fmt: skip


class SessionSerializer(RecordSerializer):
    """Without its key, which is kept as a hash."""

    id = serializers.CharField(source="session_key", read_only=True)
    user_name = serializers.CharField(source="user.username", read_only=True)

    class Meta:
        model = Session
        fields = ("id", "user", "user_name", "how", "address", "browser", "started_at", "last_seen_at")
        read_only_fields = fields


def _end(_: Actor, session: Session) -> None:
    session.delete()


registry.add(
    Resource(
        model=Session,
        path="sessions",
        name="session",
        description="Who is signed in to the console, from where, with what. Remove one, and whoever uses it has to "
        "sign in again.",
        fields=SessionSerializer.Meta.fields,
        title=str,
        columns=(
            Column("user__username", "User", link=True),
            Column("how", "Signed in with"),
            Column("address", "From"),
            Column("browser"),
            Column("started_at", "Since", Show.TIME),
            Column("last_seen_at", "Last seen", Show.TIME),
        ),
        filters={"user": ["exact"], "address": ["exact"], "last_seen_at": ["lt", "gte"]},
        search=("user__username", "address", "browser"),
        ordering=("-last_seen_at",),
        orderable=("started_at",),
        prepare=lambda found: found.filter(user__isnull=False, expire_date__gt=timezone.now()).select_related("user"),
        allow=frozenset({"remove"}),
        remove=_end,
        serializer=SessionSerializer,
        read_scope=Scope.ADMIN,
        write_scope=Scope.ADMIN,
    )
)  # fmt: skip
