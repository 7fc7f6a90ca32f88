"""Django's name for this domain; every sign-in is noted and audited, whoever vouched for the person."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in


class Identity(AppConfig):
    """See models."""

    name = "watchkeeper.domains.identity"

    def ready(self) -> None:
        """Listen for sign-ins."""
        user_logged_in.connect(_signed_in, dispatch_uid="watchkeeper-signed-in")


def _signed_in(request: Any, user: Any, **_: Any) -> None:
    from watchkeeper.domains.identity import sessions
    from watchkeeper.domains.identity.signing_in import forget_failures
    from watchkeeper.kernel import audit
    from watchkeeper.kernel.acting import Actor, ActorKind, address_of, request_id_of

    how = getattr(request, "signed_in_with", "password")
    sessions.began(request, how)
    sessions.SessionStore.clear_expired()
    # Only now: who knows a password and guesses at the second factor must not begin anew with each guess. And only after
    # a password: whoever chose a name at a provider that counts as another's has not shown that they know its password.
    if how.split(" and ")[0] == "password":
        forget_failures(user.username, address_of(request))
    actor = Actor(
        ActorKind.PERSON, user.username, str(user.pk), user.scope, address_of(request), request_id_of(request)
    )
    audit.record(actor, "sign-in", user, after={"how": how})
