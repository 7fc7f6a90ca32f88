"""Who is behind an actor, whatever it called with: for what a person may not do alone, or only an administrator may."""

from __future__ import annotations

from watchkeeper.domains.identity.models import User
from watchkeeper.kernel.acting import Actor


def behind(actor: Actor) -> User | None:
    """The person who answers for this act: themselves, whose the token is, or who owns the service account; None for a
    token of nobody's, the command line and the platform."""
    user: User | None = actor.person
    return user.owner if user is not None and user.is_service else user
