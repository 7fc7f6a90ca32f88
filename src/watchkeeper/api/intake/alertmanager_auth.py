"""Who may read alerts and silence through Alertmanager's API: a token by its scope, or an intake key that is good
for the alertmanager door, which may read and silence as it may with Alertmanager itself."""

from __future__ import annotations

from django.http import HttpRequest
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from watchkeeper.domains.identity.authentication import TokenAuthentication, bearer
from watchkeeper.domains.identity.models import IntakeKey
from watchkeeper.domains.identity.rules import within
from watchkeeper.kernel.acting import Actor, ActorKind, Scope, actor_of, address_of, request_id_of
from watchkeeper.kernel.secrets import fingerprint
from watchkeeper.model.errors import Unauthorised, WatchkeeperError

DOOR = "alertmanager"


class Forbidden(WatchkeeperError):
    """Known, but may not."""

    status = 403
    reason = "forbidden"


def known(request: HttpRequest, scope: Scope) -> Actor:
    """Who calls. Raises Unauthorised or Forbidden. A console's session counts for reading only: without a CSRF
    token no page of another site may silence alerts."""
    secret = bearer(request.headers.get("Authorization", ""))
    actor = _by_key(request, secret) if secret else _by_session(request, scope)
    if actor is None:
        try:
            found = TokenAuthentication().authenticate(Request(request))
        except AuthenticationFailed as error:
            raise Unauthorised(str(error.detail)) from error
        if found is None:
            raise Unauthorised("a token or an intake key is needed, as bearer or as the password of basic")
        request.user = found[0]  # type: ignore[assignment]
        actor = actor_of(request)
    if not actor.may(scope):
        raise Forbidden("this token may not do that")
    return actor


def _by_session(request: HttpRequest, scope: Scope) -> Actor | None:
    if scope > Scope.READ or not request.user.is_authenticated:
        return None
    return actor_of(request)


def _by_key(request: HttpRequest, secret: str) -> Actor | None:
    key = IntakeKey.objects.filter(hash=fingerprint(secret), revoked_at=None).first()
    if key is None:
        return None
    address = address_of(request)
    if (key.doors and DOOR not in key.doors) or (key.networks and not within(address, key.networks)):
        raise Unauthorised(f"the intake key {key.name!r} is not for this, or not from {address}")
    return Actor(
        ActorKind.TOKEN, f"intake key {key.name}", str(key.pk), Scope.WRITE, address, request_id_of(request)
    )
