"""Who is behind an actor, whatever it called with: for what a person may not do alone, or only an administrator may."""

from __future__ import annotations

from watchkeeper.domains.identity.models import ApiToken, User
from watchkeeper.kernel.acting import Actor, ActorKind, Scope
from watchkeeper.kernel.problems import Forbidden


def behind(actor: Actor) -> User | None:
    """The person who answers for this act: themselves, whose the token is, or who owns the service account; None for a
    token of nobody's, the command line and the platform."""
    return _answers(actor.person)


def noted(kind: str, key: str) -> User | None:
    """As `behind`, of an act that the audit trail has, by the kind and the id of its actor."""
    if not key.isdecimal():
        return None
    if kind == ActorKind.TOKEN:
        token = ApiToken.objects.filter(pk=key).select_related("user__owner").first()
        return _answers(token.user) if token else None
    return _answers(User.objects.filter(pk=key).first()) if kind == ActorKind.PERSON else None


def _answers(user: User | None) -> User | None:
    return user.owner if user is not None and user.is_service else user


def administers(actor: Actor) -> bool:
    """Whether this is an administrator's act; of a token that belongs to somebody, they have to be one, too."""
    return actor.may(Scope.ADMIN) and (actor.person is None or bool(actor.person.is_administrator))


def require_administers(actor: Actor, action: str) -> None:
    """For what makes or changes an administrator. Raises Forbidden."""
    if not administers(actor):
        raise Forbidden(action, "users", ("Only an administrator makes or changes administrators.",))
