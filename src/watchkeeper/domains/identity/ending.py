"""Ends what somebody has open: sessions, tokens. What ends is refused from the next request on."""

from __future__ import annotations

from django.utils import timezone

from watchkeeper.domains.identity.models import ApiToken, Session, User


def end_sessions(user: User, *, but: str = "") -> int:
    """End the user's sessions except the one with this key, as the records have it; how many there were."""
    ended, _ = Session.objects.filter(user=user).exclude(pk=but).delete()
    return ended


def end_access(user: User) -> None:
    """End sessions and revoke tokens, of somebody who was switched off."""
    end_sessions(user)
    ApiToken.objects.filter(user=user, revoked_at=None).update(revoked_at=timezone.now())
