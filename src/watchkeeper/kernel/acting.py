"""Who acts, as one value: a person in a session, a token, the command line, or the platform itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any

from django.http import HttpRequest


class Scope(IntEnum):
    """What one may do; each includes those below."""

    NONE = 0
    READ = 1
    WRITE = 2  # what people do with alerts, situations and the inventory
    ADMIN = 3  # users, tokens, keys, rules

    @classmethod
    def of(cls, word: str) -> Scope:
        """The scope with this name. Raises ValueError.

        >>> Scope.of("write") < Scope.ADMIN
        True
        """
        try:
            return cls[word.upper()]
        except KeyError as error:
            raise ValueError(f"{word!r} is not a scope: write admin, write or read") from error


class ActorKind(StrEnum):
    """What sort of actor."""

    PERSON = "person"
    TOKEN = "token"
    COMMAND = "command"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, from where, in which request."""

    kind: ActorKind
    name: str
    id: str = ""
    scope: Scope = Scope.NONE
    address: str = ""
    request_id: str = ""
    #: the user whose rights bound this actor's, as read for this request: the person, or a token's
    person: Any = field(default=None, repr=False, compare=False)
    only: frozenset[str] = frozenset()  # paths of the kinds that a token is for; empty: all

    def may(self, scope: Scope) -> bool:
        """Whether this actor has this scope or a higher one."""
        return self.scope >= scope


SYSTEM = Actor(ActorKind.SYSTEM, "watchkeeper", scope=Scope.ADMIN)


def actor_of(request: HttpRequest | Any) -> Actor:
    """The actor behind a request, Django's or REST framework's; scope NONE when nobody has signed in.

    Whatever authenticates leaves `scope` and `actor_kind` on the user object it sets.
    """
    user: Any = request.user
    inner = getattr(request, "_request", request)
    if not user.is_authenticated:
        return Actor(ActorKind.PERSON, "", address=address_of(inner), request_id=request_id_of(inner))
    return Actor(
        kind=getattr(user, "actor_kind", ActorKind.PERSON),
        name=user.get_username(),
        id=str(user.pk),
        scope=user.scope,
        address=address_of(inner),
        request_id=request_id_of(inner),
        person=getattr(user, "person", None),
        only=getattr(user, "only", frozenset()),
    )


def address_of(request: HttpRequest) -> str:
    """The client's address, as the front said when it was the front that said it."""
    return str(request.META.get("REMOTE_ADDR", ""))


def request_id_of(request: HttpRequest) -> str:
    """The id of this request, as it is in its answer's X-Request-Id."""
    return str(getattr(request, "id", ""))
