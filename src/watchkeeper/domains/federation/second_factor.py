"""Second factors: who needs one, who has one, and what is audited of them. Codes and passkeys are allauth's."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpRequest

from watchkeeper.domains import access, identity
from watchkeeper.domains.federation.models import SecondFactorRule
from watchkeeper.domains.identity.models import User
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor, ActorKind, address_of, request_id_of

#: in a session: its person needs a second factor and has not given one
MISSING = "second-factor-missing"
NAMES = {"totp": "authenticator app", "webauthn": "passkey", "recovery_codes": "recovery code"}


def required_of(user: User) -> str:
    """The role because of which somebody needs a second factor; "" when they need none."""
    rules = set(SecondFactorRule.objects.values_list("role__name", flat=True))
    return min(rules & access.roles_of(user), default="") if rules else ""


def factors_of(user: User) -> list[Any]:
    """allauth's authenticators of somebody, the recovery codes among them."""
    from allauth.mfa.models import Authenticator

    return list(Authenticator.objects.filter(user=user).order_by("created_at"))


def on_added(request: HttpRequest, user: User, authenticator: Any, **_: Any) -> None:
    """The session is complete, if it was this that was missing; other sessions end, which had no such factor."""
    request.session.pop(MISSING, None)
    _audited(request, user, "second-factor.add", authenticator)
    with transaction.atomic():
        identity.end_sessions(user, but=identity.own_key(request))


def on_removed(request: HttpRequest, user: User, authenticator: Any, **_: Any) -> None:
    """Audited."""
    _audited(request, user, "second-factor.remove", authenticator)


def on_reset(request: HttpRequest, user: User, authenticator: Any, **_: Any) -> None:
    """New recovery codes."""
    _audited(request, user, "second-factor.renew", authenticator)


def on_failed(request: HttpRequest, user: User, authenticator: Any, **_: Any) -> None:
    """A wrong code counts towards the lock-out, like a wrong password."""
    identity.failed(user.username, address_of(request), f"wrong code of the {NAMES[authenticator.type]}")


def _audited(request: HttpRequest, user: User, act: str, authenticator: Any) -> None:
    actor = Actor(
        ActorKind.PERSON, user.username, str(user.pk), user.scope, address_of(request), request_id_of(request)
    )
    audit.record(actor, act, user, after={"factor": NAMES[authenticator.type], "name": str(authenticator)})
