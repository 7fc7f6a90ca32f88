"""Keeps promises about access wherever users and teams are changed: in the console, over REST, by SCIM or a
directory, on the command line. Somebody can always administer, and roles that are kept apart stay apart.

Django's signals come in the transaction of the change, so that what is raised here undoes it."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save

from watchkeeper.domains.access import safety, separating
from watchkeeper.domains.access.models import Role, Team
from watchkeeper.domains.access.standing import ADMINISTRATOR
from watchkeeper.domains.identity.models import User
from watchkeeper.kernel.problems import Refused


def connect() -> None:
    """Once, when the domain is ready."""
    pre_save.connect(_before, sender=User)
    post_save.connect(_after, sender=User)
    post_delete.connect(_gone, sender=User)
    m2m_changed.connect(_members, sender=Team.members.through)


def _before(instance: User, raw: bool = False, **_: Any) -> None:
    known = None if raw or instance._state.adding else User.objects.filter(pk=instance.pk).first()
    instance._was = (known.is_administrator, known.is_active) if known else (False, True)  # type: ignore[attr-defined]


def _after(instance: User, raw: bool = False, **_: Any) -> None:
    if raw:
        return
    was_administrator, was_active = instance._was  # type: ignore[attr-defined]
    if was_administrator and was_active and not (instance.is_administrator and instance.is_active):
        _last(instance)
    if instance.is_administrator and instance.is_active and not (was_administrator and was_active):
        separating.refuse([instance], lambda holding: holding.grant is None)


def _gone(instance: User, **_: Any) -> None:
    if instance.is_administrator and instance.is_active:
        _last(instance)


def _last(user: User) -> None:
    # One after the other: two administrators who put each other out must not both succeed.
    list(Role.objects.select_for_update().filter(name=ADMINISTRATOR))
    if not User.objects.filter(is_administrator=True, is_active=True).exclude(pk=user.pk).exists():
        raise Refused(f"{user} is the last administrator, and stays one")
    safety.assure()


def _members(action: str, instance: Any, pk_set: set[int] | None, reverse: bool, **_: Any) -> None:
    """`instance` is the team, or the user where their teams are set (`reverse`)."""
    if action in ("post_add", "post_remove", "post_clear"):
        safety.assure()
    if action == "post_add" and pk_set:
        users = [instance] if reverse else list(User.objects.filter(pk__in=pk_set, is_active=True))
        teams = pk_set if reverse else {instance.pk}
        separating.refuse(users, lambda holding: holding.team in teams)
