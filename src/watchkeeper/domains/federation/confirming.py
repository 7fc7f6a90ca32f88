"""Whether somebody in a session is still the person who signed in: asked again before sensitive acts, when the
sign-in or the last confirmation is longer ago than FOR."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from watchkeeper.domains import identity
from watchkeeper.kernel.acting import ActorKind, actor_of
from watchkeeper.model.errors import WatchkeeperError

FOR = dt.timedelta(minutes=30)
#: kinds of record that only somebody who has just confirmed may make, change or act on in a session
SENSITIVE = frozenset(
    ("users", "tokens", "sessions", "oidc-providers", "saml-providers", "ldap-servers", "group-mappings",
     "second-factor-rules", "second-factors", "linked-identities")
)  # fmt: skip
_CONFIRMED = "confirmed-at"


class NotConfirmed(WatchkeeperError):
    """A sensitive act in a session that signed in or confirmed too long ago."""

    status = 403
    reason = "confirmation_needed"
    more = {"confirm_at": "/account/confirm/"}


def confirmed(request: HttpRequest) -> bool:
    """Whether this was long enough ago to ask again: False then."""
    at = [identity.began_at(request)]
    if noted := request.session.get(_CONFIRMED):
        at.append(dt.datetime.fromisoformat(noted))
    latest = max((a for a in at if a is not None), default=None)
    return latest is not None and timezone.now() - latest < FOR


def require_confirmed(request: HttpRequest | Any) -> None:
    """For a sensitive act over REST, with REST framework's request. Tokens cannot confirm, and pass. Raises NotConfirmed."""
    if actor_of(request).kind is ActorKind.PERSON and not confirmed(request):
        raise NotConfirmed("confirm at /account/confirm/ that it is still you, and send it again")


def confirm(request: HttpRequest) -> None:
    """They have proven it now."""
    request.session[_CONFIRMED] = timezone.now().isoformat()
