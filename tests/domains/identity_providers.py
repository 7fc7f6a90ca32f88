"""An OpenID provider that really answers, and a browser's way through it without a browser."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import oidc_provider_mock
import requests
from django.test import Client

from watchkeeper.domains.federation.models import OidcProvider

LOOPBACK = [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")]


@contextmanager
def openid(**people: dict[str, Any]) -> Iterator[str]:
    """The issuer's address; `people` are its users with their claims."""
    users = [oidc_provider_mock.User(sub=sub, claims=claims) for sub, claims in people.items()]
    with oidc_provider_mock.run_server_in_thread(user_claims=users) as server:
        yield f"http://localhost:{server.server_port}"


def provider(issuer: str, **more: Any) -> OidcProvider:
    """Ours, of this issuer."""
    given = {"username_claim": "preferred_username", "name_claim": "name", "email_claim": "email",
             "groups_claim": "groups", "create_accounts": True, **more}  # fmt: skip
    return OidcProvider.objects.create(
        slug="keycloak", name="Keycloak", protocol="oidc", issuer=issuer, client_id="watchkeeper",
        client_secret="s3cret", **given,
    )  # fmt: skip


def there(client: Client, sub: str, at: str = "/sign-in/with/keycloak/") -> str:
    """Out to the provider, where `sub` says yes; the address that it sends the browser back to."""
    out = client.get(at)
    assert out.status_code == 302, out.content
    answer = requests.post(out.headers["Location"], data={"sub": sub}, allow_redirects=False, timeout=10)
    assert answer.status_code == 302, answer.text
    back = answer.headers["Location"]
    return back[back.index("/sign-in/") :]


def sign_in(client: Client, sub: str) -> Any:
    """All of it: the answer to coming back."""
    return client.get(there(client, sub))
