"""Ends what somebody has open: sessions, tokens. What ends is refused from the next request on."""

from __future__ import annotations

from django.utils import timezone

from watchkeeper.domains.identity.models import ApiToken, Session, User
from watchkeeper.kernel.permissions import authority


def end_sessions(user: User, *, but: str = "") -> int:
    """End the user's sessions except the one with this key, as the records have it; how many there were."""
    ended, _ = Session.objects.filter(user=user).exclude(pk=but).delete()
    return ended


def end_access(user: User) -> None:
    """End sessions and revoke tokens, of somebody who was switched off."""
    end_sessions(user)
    ApiToken.objects.filter(user=user, revoked_at=None).update(revoked_at=timezone.now())


def switch_off(user: User) -> None:
    """Save somebody as inactive, and end all that they have open, in the caller's transaction. Raises Refused for
    the last administrator."""
    user.is_active = False
    user.save()  # refused by domains/access where nobody could administer after it
    end_access(user)
    authority().assure()
