"""People, API tokens, intake keys, one-time links and failed sign-ins."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import models

from watchkeeper.kernel.acting import ActorKind, Scope


class Users(BaseUserManager["User"]):
    """Makes users."""

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> User:
        """A user; without a password nobody can sign in as them."""
        user = self.model(username=self.model.normalize_username(username), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """A person."""

    username_validator: ClassVar = UnicodeUsernameValidator()
    username = models.CharField(max_length=150, unique=True, validators=[username_validator])
    name = models.CharField(max_length=150, blank=True, default="")
    email = models.EmailField(blank=True, default="")
    is_administrator = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
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


class ApiToken(models.Model):
    """A token for the API. Only its hash is kept; `prefix` lets people tell tokens apart."""

    name = models.CharField(max_length=150)
    prefix = models.CharField(max_length=16)
    hash = models.CharField(max_length=64, unique=True)
    scope_word = models.CharField("scope", max_length=8, choices=ScopeWord, default=ScopeWord.READ)
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.CASCADE, related_name="tokens")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True, default=None)
    revoked_at = models.DateTimeField(null=True, blank=True, default=None)
    last_used_at = models.DateTimeField(null=True, blank=True, default=None)

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
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True, default=None)

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name = "intake key"

    def __str__(self) -> str:
        return self.name


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
