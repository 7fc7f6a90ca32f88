"""How the API knows who calls: a bearer token by its fast hash, or the session of somebody signed in."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from contextlib import suppress

from django.db import OperationalError
from django.db.models import Q
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.authentication import SessionAuthentication as RestSession
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from watchkeeper.domains.identity.models import ApiToken, ScopeWord
from watchkeeper.domains.identity.rules import within
from watchkeeper.kernel.acting import ActorKind, Scope, address_of
from watchkeeper.kernel.secrets import fingerprint

_USED_EVERY = dt.timedelta(minutes=1)


class TokenHolder:
    """What a request's `user` is when a token called: named after the token, and its person if it has one."""

    is_authenticated = True
    is_active = True
    is_anonymous = False
    actor_kind = ActorKind.TOKEN

    def __init__(self, token: ApiToken) -> None:
        self.token, self.pk, self.person = token, token.pk, token.user
        provisions = token.scope_word == ScopeWord.SCIM
        self.scope = Scope.NONE if provisions else Scope.of(token.scope_word)
        self.only = frozenset(token.kinds)

    def get_username(self) -> str:
        """As the audit trail names it."""
        return f"{self.token.user.username} ({self.token.name})" if self.token.user else self.token.name


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer wkt_…`; also as the password of Basic, for clients that know nothing else."""

    def authenticate(self, request: Request) -> tuple[TokenHolder, ApiToken] | None:
        """None when no token is given. Raises AuthenticationFailed for one that does not count."""
        secret = bearer(request.headers.get("Authorization", ""))
        if not secret:
            return None
        now = timezone.now()
        found = ApiToken.objects.filter(
            Q(expires_at=None) | Q(expires_at__gt=now), hash=fingerprint(secret), revoked_at=None
        )
        token = found.select_related("user").first()
        if token is None or (token.user is not None and not token.user.is_active):
            raise AuthenticationFailed("this token is unknown, revoked or expired")
        address = address_of(getattr(request, "_request", request))
        if token.networks and not within(address, token.networks):
            raise AuthenticationFailed(f"this token may not be used from {address}")
        if token.last_used_at is None or now - token.last_used_at > _USED_EVERY:
            # A full disk has no room for this note, which is no reason to keep anybody from reading.
            with suppress(OperationalError):
                ApiToken.objects.filter(pk=token.pk).update(last_used_at=now, last_used_from=address[:64])
        if token.user is not None:
            token.user.seen(now)
        return TokenHolder(token), token

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002
        """What a 401 asks for."""
        return 'Bearer realm="watchkeeper"'


class SessionAuthentication(RestSession):
    """The console's session; unsafe methods need the CSRF token."""


def bearer(header: str) -> str:
    """The secret in an Authorization header: of Bearer, or the password of Basic; "" when there is none.

    >>> bearer("Bearer abc"), bearer("Basic " + base64.b64encode(b"amtool:abc").decode()), bearer("")
    ('abc', 'abc', '')
    """
    scheme, _, rest = header.strip().partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""
