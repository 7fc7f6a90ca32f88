"""Whether somebody in a session is still the person who signed in: asked again before sensitive acts, when the
sign-in or the last confirmation is longer ago than FOR."""

from __future__ import annotations

import datetime as dt

from django.http import HttpRequest
from django.utils import timezone

from watchkeeper.domains import identity

FOR = dt.timedelta(minutes=30)
#: kinds of record that only somebody who has just confirmed may make, change or act on in the console
SENSITIVE = frozenset(
    ("users", "tokens", "sessions", "oidc-providers", "saml-providers", "ldap-servers", "group-mappings",
     "second-factor-rules", "second-factors", "linked-identities")
)  # fmt: skip
_CONFIRMED = "confirmed-at"


def confirmed(request: HttpRequest) -> bool:
    """Whether this was long enough ago to ask again: False then."""
    at = [identity.began_at(request)]
    if noted := request.session.get(_CONFIRMED):
        at.append(dt.datetime.fromisoformat(noted))
    latest = max((a for a in at if a is not None), default=None)
    return latest is not None and timezone.now() - latest < FOR


def confirm(request: HttpRequest) -> None:
    """They have proven it now."""
    request.session[_CONFIRMED] = timezone.now().isoformat()
