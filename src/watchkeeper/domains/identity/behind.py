"""Who is behind an actor, whatever it called with: for what a person may not do alone, or only an administrator may."""

from __future__ import annotations

from watchkeeper.domains.identity.models import User
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.problems import Forbidden


def behind(actor: Actor) -> User | None:
    """The person who answers for this act: themselves, whose the token is, or who owns the service account; None for a
    token of nobody's, the command line and the platform."""
    user: User | None = actor.person
    return user.owner if user is not None and user.is_service else user


def administers(actor: Actor) -> bool:
    """Whether this is an administrator's act; of a token that belongs to somebody, they have to be one, too."""
    return actor.may(Scope.ADMIN) and (actor.person is None or bool(actor.person.is_administrator))


def require_administers(actor: Actor, action: str) -> None:
    """For what makes or changes an administrator. Raises Forbidden."""
    if not administers(actor):
        raise Forbidden(action, "users", ("Only an administrator makes or changes administrators.",))
