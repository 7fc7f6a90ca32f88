"""People, their sessions, API tokens, intake keys, one-time links and failed sign-ins."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import OperationalError, models

from watchkeeper.kernel.acting import ActorKind, Scope

SEEN_EVERY = dt.timedelta(minutes=5)


class Users(BaseUserManager["User"]):
    """Makes users."""

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> User:
        """A user; without a password nobody can sign in as them."""
        user = self.model(username=self.model.normalize_username(username), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class AccountKind(models.TextChoices):
    """Who uses an account."""

    PERSON = "person"
    SERVICE = "service"


class User(AbstractBaseUser):
    """A person, or a service account: a program that calls with tokens, never signs in, and has a person as owner."""

    username_validator: ClassVar = UnicodeUsernameValidator()
    username = models.CharField(max_length=150, unique=True, validators=[username_validator])
    name = models.CharField(max_length=150, blank=True, default="")
    email = models.EmailField(blank=True, default="")
    is_administrator = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    kind = models.CharField(max_length=8, choices=AccountKind, default=AccountKind.PERSON)
    owner = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="service_accounts"
    )
    last_seen_at = models.DateTimeField(null=True, blank=True, default=None)  # in a session, or by a token
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    objects: ClassVar[Users] = Users()
    actor_kind = ActorKind.PERSON

    class Meta:
        ordering: ClassVar = ["username"]

    def __str__(self) -> str:
        return self.username

    @property
    def scope(self) -> Scope:
        """What this person may do."""
        return Scope.ADMIN if self.is_administrator else Scope.WRITE

    @property
    def person(self) -> User:
        """Whose rights count."""
        return self

    @property
    def called(self) -> str:
        """The name, or the user name."""
        return self.name or self.username

    @property
    def is_service(self) -> bool:
        """A program, which cannot sign in."""
        return self.kind == AccountKind.SERVICE

    def seen(self, now: dt.datetime) -> None:
        """Note that the account was used; at most once in SEEN_EVERY, because reading should not write."""
        if self.last_seen_at is not None and now - self.last_seen_at < SEEN_EVERY:
            return
        # A full disk has no room for this note, which is no reason to keep anybody from reading.
        with suppress(OperationalError):
            User.objects.filter(pk=self.pk).update(last_seen_at=now)


class Theme(models.TextChoices):
    """How the console looks."""

    SYSTEM = "", "as the system says"
    LIGHT = "light"
    DARK = "dark"


class Preference(models.Model):
    """How somebody wants the console to be; who has never said has no row."""

    user = models.OneToOneField(User, primary_key=True, on_delete=models.CASCADE, related_name="preference")
    zone = models.CharField("time zone", max_length=64, blank=True, default="")  # empty: the browser's
    theme = models.CharField(max_length=8, choices=Theme, blank=True, default=Theme.SYSTEM)
    single_keys = models.BooleanField("single keys are shortcuts", default=True)
    home = models.CharField("page to begin with", max_length=200, blank=True, default="")  # empty: the role's

    def __str__(self) -> str:
        return f"of {self.user}"


class ScopeWord(models.TextChoices):
    """Scopes of a token."""

    ADMIN = "admin"
    WRITE = "write"
    READ = "read"
    SCIM = "scim"  # provisions users and groups at /scim/v2/, and nothing else


class ApiToken(models.Model):
    """A token for the API. Only its hash is kept; `prefix` lets people tell tokens apart. Empty `networks` and
    `kinds` mean any; kinds are the paths of kinds of record, and `platform`."""

    name = models.CharField(max_length=150)
    prefix = models.CharField(max_length=16)
    hash = models.CharField(max_length=64, unique=True)
    scope_word = models.CharField("scope", max_length=8, choices=ScopeWord, default=ScopeWord.READ)
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.CASCADE, related_name="tokens")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True, default=None)
    revoked_at = models.DateTimeField(null=True, blank=True, default=None)
    last_used_at = models.DateTimeField(null=True, blank=True, default=None)
    last_used_from = models.CharField(max_length=64, blank=True, default="")
    networks = models.JSONField(default=list, blank=True)
    kinds = models.JSONField(default=list, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name = "token"

    def __str__(self) -> str:
        return self.name


class IntakeKey(models.Model):
    """A key with which signals are sent in. Empty `doors` and `networks` mean any; without a secret a door
    admits the key's networks, or this machine's own address when it names none."""

    name = models.CharField(max_length=150, unique=True)
    prefix = models.CharField(max_length=16)
    hash = models.CharField(max_length=64, unique=True)
    doors = models.JSONField(default=list, blank=True)
    networks = models.JSONField(default=list, blank=True)
    rate = models.FloatField(default=0.0)  # rows a second; 0: as much as the doors take
    series = models.PositiveIntegerField(default=0)  # new ones in six hours; 0: as many as the doors take
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True, default=None)

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name = "intake key"

    def __str__(self) -> str:
        return self.name


class PayloadMapping(models.Model):
    """How the payloads that a key sends become alerts: an expression for each thing that is said of one, as
    `model.doors.Mapping` has them. The names of the fields are the same."""

    intake_key = models.OneToOneField(IntakeKey, on_delete=models.CASCADE, related_name="mapping")
    alerts_from = models.CharField(max_length=2000, blank=True, default="")
    name_from = models.CharField(max_length=2000)
    severity_from = models.CharField(max_length=2000, blank=True, default="")
    status_from = models.CharField(max_length=2000, blank=True, default="")
    labels_from = models.CharField(max_length=2000, blank=True, default="")
    identity_from = models.CharField(max_length=2000, blank=True, default="")
    summary_from = models.CharField(max_length=2000, blank=True, default="")
    annotations_from = models.CharField(max_length=2000, blank=True, default="")
    starts_from = models.CharField(max_length=2000, blank=True, default="")
    ends_from = models.CharField(max_length=2000, blank=True, default="")
    url_from = models.CharField("link from", max_length=2000, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["intake_key__name"]

    def __str__(self) -> str:
        return f"mapping of {self.intake_key.name}"


class Session(models.Model):
    """A session of the console, or of somebody who is about to sign in (`user` is empty then). The key in the
    cookie is kept as its hash, so that whoever reads the records can use none."""

    session_key = models.CharField(max_length=64, primary_key=True)
    session_data = models.TextField()
    expire_date = models.DateTimeField(db_index=True)
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="sessions")
    how = models.CharField(max_length=100, blank=True, default="")
    address = models.CharField(max_length=64, blank=True, default="")
    browser = models.CharField(max_length=100, blank=True, default="")
    started_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-last_seen_at"]

    def __str__(self) -> str:
        return f"session of {self.user}" if self.user else "sign-in under way"


class OneTimeLink(models.Model):
    """A link that signs in once, for the first administrator."""

    hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, default=None)

    def __str__(self) -> str:
        return f"one-time link {self.pk}"


class FailedSignIn(models.Model):
    """A sign-in that failed, kept for as long as it counts towards a lock-out."""

    username = models.CharField(max_length=150)
    address = models.CharField(max_length=64)
    at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.username} from {self.address}"
