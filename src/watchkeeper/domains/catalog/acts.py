"""What a task can do by itself: an act is declared once, by name; a task names it in `does`, with what it needs in
`given`."""

from __future__ import annotations

from collections.abc import Callable

from watchkeeper.domains.access.models import Team
from watchkeeper.domains.access.placing import join, leave
from watchkeeper.domains.catalog.models import RequestTask
from watchkeeper.domains.identity.models import User
from watchkeeper.kernel.acting import SYSTEM
from watchkeeper.kernel.problems import Refused

Act = Callable[[RequestTask], str]
ACTS: dict[str, Act] = {}
HELD = "held"  # in `given` of a task that joins a team: they were in it before


def act(name: str) -> Callable[[Act], Act]:
    """Declare an act. Its function returns what it did, in words, or raises a WatchkeeperError or a REST framework
    ValidationError; it runs in a transaction, perhaps again after somebody has mended what was in the way."""

    def register(function: Act) -> Act:
        ACTS[name] = function
        return function

    return register


def person_of(task: RequestTask) -> User:
    """Whom it is about. Raises Refused when there is no such account any more."""
    found = User.objects.filter(pk=task.given.get("person")).first()
    if found is None:
        raise Refused("the account that it is about is gone")
    return found


def team_of(task: RequestTask) -> Team:
    """Which team it is about. Raises Refused when it is gone."""
    found = Team.objects.filter(pk=task.given.get("team")).first()
    if found is None:
        raise Refused("the team that it is about is gone")
    return found


@act("join-team")
def _join(task: RequestTask) -> str:
    user, team = person_of(task), team_of(task)
    if join(user, team, SYSTEM):
        return f"{user} is a member of {team}"
    task.given = {**task.given, HELD: True}
    return f"{user} was in {team} already"


@act("leave-team")
def _leave(task: RequestTask) -> str:
    user, team = person_of(task), team_of(task)
    return (
        f"{user} is no member of {team} any more"
        if leave(user, team, SYSTEM)
        else f"{user} was not in {team}"
    )
