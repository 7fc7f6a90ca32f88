"""Signing in by name and password, with a lock-out after failures, and changing one's password."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from watchkeeper.domains.identity.ending import end_sessions
from watchkeeper.domains.identity.models import AccountKind, FailedSignIn, User
from watchkeeper.domains.identity.passwords import require_good
from watchkeeper.domains.identity.rules import LOCKOUT_SECONDS, counted_address, counted_name, locked_out
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor, ActorKind
from watchkeeper.model.errors import RateLimited, Unauthorised

BACKEND = f"{__name__}.Backend"


class Backend(BaseBackend):
    """How Django finds the user of a session. Passwords are checked by `sign_in` alone."""

    def get_user(self, user_id: Any) -> User | None:
        """The person, if still active."""
        user = User.objects.filter(pk=user_id, is_active=True, kind=AccountKind.PERSON).first()
        if user is not None:
            user.seen(timezone.now())
        return user

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> User | None:
        """Name and password, for whatever asks Django. Locked out is as good as wrong."""
        from watchkeeper.kernel.acting import address_of

        address = address_of(request) if request is not None else ""
        try:
            return sign_in(credentials.get("username", ""), credentials.get("password", ""), address)
        except (Unauthorised, RateLimited):
            return None


#: somebody else who knows names and passwords: a directory. None: not theirs.
Directory = Callable[[str, str], User | None]


def check_password(username: str, password: str, address: str, others: Iterable[Directory] = ()) -> User:
    """The user with this name and password, by their own record or else by one of the others. Raises Unauthorised,
    or RateLimited while locked out; neither says whether there is such a user."""
    now = timezone.now()
    since = now - dt.timedelta(seconds=LOCKOUT_SECONDS)
    name, place = counted_name(username), counted_address(address)
    recent = FailedSignIn.objects.filter(Q(username=name) | Q(address=place), at__gt=since)
    if locked_out(recent.values_list("username", "address"), name, place):
        raise RateLimited("Too many failed attempts. Wait 15 minutes.", retry_after=LOCKOUT_SECONDS)
    user = User.objects.filter(
        username=User.normalize_username(username), is_active=True, kind=AccountKind.PERSON
    ).first()
    if user is None:
        # Takes as long as checking one, so that names cannot be guessed by time.
        User().set_password(password)
    if user is None or not user.check_password(password):
        user = next((found for ask in others if (found := ask(username, password)) is not None), None)
    if user is None:
        failed(username, address)
        raise Unauthorised("That name and password do not belong together.")
    return user


def failed(username: str, address: str, why: str = "") -> None:
    """Note an attempt that failed: it counts towards a lock-out, and is audited."""
    now = timezone.now()
    actor = Actor(ActorKind.PERSON, username[:150], address=address)
    with transaction.atomic():
        FailedSignIn.objects.filter(at__lte=now - dt.timedelta(seconds=LOCKOUT_SECONDS)).delete()
        FailedSignIn.objects.create(username=counted_name(username), address=counted_address(address), at=now)
        audit.record(actor, "sign-in.failed", after={"why": why} if why else None)


def forget_failures(username: str, address: str) -> None:
    """Whoever is in begins anew here."""
    FailedSignIn.objects.filter(username=counted_name(username), address=counted_address(address)).delete()


def sign_in(username: str, password: str, address: str, others: Iterable[Directory] = ()) -> User:
    """As `check_password`, ready for Django's login."""
    user = check_password(username, password, address, others)
    user.backend = BACKEND
    return user


def is_user(username: str) -> bool:
    """Whether an active user has this name."""
    return User.objects.filter(username=username, is_active=True).exists()


def change_password(user: User, old: str, new: str, *, session: str = "") -> None:
    """Set a new password; the user's other sessions end. Raises Unauthorised or Invalid."""
    if not user.check_password(old):
        raise Unauthorised("That is not your present password.")
    require_good(new, user)
    user.set_password(new)
    with transaction.atomic():
        user.save(update_fields=["password"])
        end_sessions(user, but=session)
        audit.record(
            Actor(ActorKind.PERSON, user.username, str(user.pk), user.scope), "password.change", user
        )
