"""The first start: a link that signs the first administrator in once, and a first intake key. Nothing is open
before, and there is no default password."""

from __future__ import annotations

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from watchkeeper.domains.identity.keys import create_intake_key
from watchkeeper.domains.identity.models import IntakeKey, OneTimeLink, User
from watchkeeper.domains.identity.passwords import require_good
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import SYSTEM, Actor, ActorKind, Scope
from watchkeeper.kernel.problems import Invalid, NotThere
from watchkeeper.kernel.secrets import fingerprint, new_secret

LIFETIME = dt.timedelta(hours=24)


def first_run_link() -> str | None:
    """The path of a new one-time sign-in link, or None once an administrator has signed in. Links made before
    stop working: only the last one printed counts."""
    if _has_administrator():
        return None
    secret = new_secret("wko")
    now = timezone.now()
    with transaction.atomic():
        OneTimeLink.objects.filter(used_at=None).delete()
        OneTimeLink.objects.create(hash=fingerprint(secret), created_at=now, expires_at=now + LIFETIME)
    return f"/sign-in/{secret}/"


def first_intake_key() -> str | None:
    """The secret of the intake key `first`, made on the first start only. It names no network, so that
    without its secret it admits this machine alone (syslog)."""
    if IntakeKey.objects.exists():
        return None
    return create_intake_key("first", actor=SYSTEM)


def check_first_run(secret: str) -> None:
    """Whether this link may be used; looking does not use it up. Raises NotThere."""
    _link(secret)


def finish_first_run(secret: str, username: str, password: str, address: str = "") -> User:
    """Use the link up and make the first administrator. Raises NotThere, or Invalid for a name or password that
    will not do; then the link can still be used."""
    with transaction.atomic():
        link = _link(secret)
        user = User(username=User.normalize_username(username.strip()), is_administrator=True)
        try:
            User.username_validator(user.username)
        except ValidationError as error:
            raise Invalid(" ".join(error.messages)) from error
        require_good(password, user)
        if User.objects.filter(username=user.username).exists():
            raise Invalid(f"there is a user {user.username!r} already")
        user.set_password(password)
        user.save()
        used = OneTimeLink.objects.filter(pk=link.pk, used_at=None).update(used_at=timezone.now())
        if not used:
            raise NotThere(_GONE)
        actor = Actor(ActorKind.PERSON, user.username, str(user.pk), Scope.ADMIN, address)
        audit.record(actor, "first-sign-in", user, after=audit.state_of(user))
    return user


_GONE = "This link has been used or is too old. Restart Watchkeeper for a new one, or sign in."


def _link(secret: str) -> OneTimeLink:
    link = OneTimeLink.objects.filter(
        hash=fingerprint(secret), used_at=None, expires_at__gt=timezone.now()
    ).first()
    if link is None or _has_administrator():
        raise NotThere(_GONE)
    return link


def _has_administrator() -> bool:
    return User.objects.filter(is_administrator=True, is_active=True).exists()
