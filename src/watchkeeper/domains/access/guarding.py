"""Keeps promises about access wherever users and teams are changed: in the console, over REST, by SCIM or a
directory, on the command line. Somebody can always administer, and roles that are kept apart stay apart.

Django's signals come before a user is saved or removed, and within the transaction that changes members, so that
what is raised here keeps either from happening."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import m2m_changed, pre_delete, pre_save

from watchkeeper.domains.access import safety, separating
from watchkeeper.domains.access.models import Team
from watchkeeper.domains.identity.models import User
from watchkeeper.kernel.problems import Refused


def connect() -> None:
    """Once, when the domain is ready."""
    pre_save.connect(_saved, sender=User)
    pre_delete.connect(_removed, sender=User)
    m2m_changed.connect(_members, sender=Team.members.through)


def _saved(instance: User, raw: bool = False, **_: Any) -> None:
    known = None if raw or instance._state.adding else User.objects.filter(pk=instance.pk).first()
    before = known is not None and known.is_administrator and known.is_active
    after = instance.is_administrator and instance.is_active
    if before and not after:
        _leaves(instance)
    elif after and not before and not raw:
        separating.refuse([instance], lambda holding: holding.grant is None)


def _removed(instance: User, **_: Any) -> None:
    if instance.is_administrator and instance.is_active:
        _leaves(instance)


def _leaves(user: User) -> None:
    safety.assure(without=user)
    if not User.objects.filter(is_administrator=True, is_active=True).exclude(pk=user.pk).exists():
        raise Refused("the last administrator stays one")


def _members(action: str, instance: Any, pk_set: set[int] | None, reverse: bool, **_: Any) -> None:
    """`instance` is the team, or the user where their teams are set (`reverse`)."""
    if action in ("post_add", "post_remove", "post_clear"):
        safety.assure()
    if action == "post_add" and pk_set:
        users = [instance] if reverse else list(User.objects.filter(pk__in=pk_set, is_active=True))
        teams = pk_set if reverse else {instance.pk}
        separating.refuse(users, lambda holding: holding.team in teams)
