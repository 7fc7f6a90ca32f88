"""Makes API tokens and intake keys, and takes them back. The secret is returned once and kept as a hash."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from watchkeeper.domains.identity.models import ApiToken, IntakeKey, ScopeWord, User
from watchkeeper.domains.identity.rules import networks as parsed
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor, ActorKind, Scope
from watchkeeper.kernel.problems import Invalid, Refused
from watchkeeper.kernel.secrets import fingerprint, new_secret

_SHOWN = 8  # characters of a secret that stay visible, the prefix included


def command_actor() -> Actor:
    """Whoever runs a command on this machine."""
    import getpass
    import os

    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = str(os.getuid())
    return Actor(ActorKind.COMMAND, name, scope=Scope.ADMIN)


def create_token(name: str, scope: str = "admin", *, actor: Actor | None = None, expires_at: dt.datetime | None = None,
                 user: User | None = None, networks: Iterable[str] = (), kinds: Iterable[str] = ()) -> str:  # fmt: skip
    """Make an API token and return its secret. Raises Invalid."""
    token, secret = new_token(name, scope, expires_at=expires_at, user=user, networks=networks, kinds=kinds)
    audit.record(actor or command_actor(), "token.create", token, after=audit.state_of(token))
    return secret


def new_token(name: str, scope: str, *, expires_at: dt.datetime | None = None, user: User | None = None,
              networks: Iterable[str] = (), kinds: Iterable[str] = ()) -> tuple[ApiToken, str]:  # fmt: skip
    """The record and its secret, not audited. Raises Invalid."""
    if scope not in ScopeWord.values:
        raise Invalid(f"{scope!r}: write admin, write, read or scim", "scope")
    if not name.strip():
        raise Invalid("a token needs a name", "name")
    secret = new_secret("wkt")
    token = ApiToken.objects.create(
        name=name.strip()[:150],
        prefix=secret[:_SHOWN],
        hash=fingerprint(secret),
        scope_word=scope,
        expires_at=expires_at,
        user=user,
        networks=checked_networks(networks),
        kinds=sorted(set(kinds)),
    )
    return token, secret


def rotate(token: ApiToken, overlap: dt.timedelta) -> tuple[ApiToken, str]:
    """A new token with the rights and the lifetime of this one, which ends when the overlap is over. The record and
    its secret, not audited."""
    now = timezone.now()
    lifetime = token.expires_at - token.created_at if token.expires_at else None
    with transaction.atomic():
        made, secret = new_token(
            token.name, token.scope_word, expires_at=lifetime and now + lifetime, user=token.user,
            networks=token.networks, kinds=token.kinds,
        )  # fmt: skip
        ends = now + overlap
        token.expires_at = min(ends, token.expires_at) if token.expires_at else ends
        token.save(update_fields=["expires_at"])
    return made, secret


def create_intake_key(
    name: str,
    doors: Iterable[str] = (),
    networks: Iterable[str] = (),
    rate: float = 0.0,
    series: int = 0,
    *,
    actor: Actor | None = None,
) -> str:
    """Make an intake key and return its secret. Raises Invalid, or Refused when the name is taken."""
    key, secret = new_intake_key(name, doors, networks, rate, series)
    audit.record(actor or command_actor(), "intake-key.create", key, after=audit.state_of(key))
    return secret


def new_intake_key(
    name: str,
    doors: Iterable[str] = (),
    networks: Iterable[str] = (),
    rate: float = 0.0,
    series: int = 0,
) -> tuple[IntakeKey, str]:
    """The record and its secret, not audited. Raises Invalid, or Refused when the name is taken."""
    if not name.strip():
        raise Invalid("an intake key needs a name", "name")
    if IntakeKey.objects.filter(name=name.strip()[:150]).exists():
        raise Refused(f"there is an intake key {name.strip()!r} already")
    secret = new_secret("wki")
    key = IntakeKey.objects.create(
        name=name.strip()[:150],
        prefix=secret[:_SHOWN],
        hash=fingerprint(secret),
        doors=sorted(set(doors)),
        networks=checked_networks(networks),
        rate=rate,
        series=series,
    )
    return key, secret


def checked_networks(texts: Iterable[str]) -> list[str]:
    """Networks in their usual form. Raises Invalid naming what is none."""
    try:
        return [str(n) for n in parsed(tuple(texts))]
    except ValueError as error:
        raise Invalid(f"{error}; write 10.0.0.0/8 or one address", "networks") from error


def revoke(record: ApiToken | IntakeKey) -> None:
    """Take it back; doors and the API refuse it within seconds. The record stays, for the audit trail."""
    if record.revoked_at is None:
        record.revoked_at = timezone.now()
        record.save(update_fields=["revoked_at"])
