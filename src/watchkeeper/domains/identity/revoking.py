"""Taking back a token or an intake key, as people do it."""

from __future__ import annotations

from typing import Any

from watchkeeper.domains.identity import keys
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.resource import Action, Done


def _revoke(_: Actor, record: Any, __: dict[str, Any]) -> Done:
    keys.revoke(record)
    return Done()


REVOKE = Action(
    "revoke",
    "Revoke",
    _revoke,
    scope=Scope.ADMIN,
    offered=lambda r: r.revoked_at is None,
    confirm="Whoever uses it is refused from now on.",
    bulk=True,
)
