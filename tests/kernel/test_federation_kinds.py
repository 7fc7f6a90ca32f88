"""Identity providers and what belongs to them keep what every kind promises."""

from __future__ import annotations

import base64
import datetime as dt
from functools import cache
from typing import Any

from allauth.mfa.models import Authenticator
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.kernel.kind_checks import KindChecks
from watchkeeper.domains.access.models import Role, Team
from watchkeeper.domains.federation.models import OidcProvider
from watchkeeper.domains.identity.models import User


def provider() -> OidcProvider:
    return OidcProvider.objects.get_or_create(slug="main", protocol="oidc", defaults={"name": "Main"})[0]


class TestOidcProviders(KindChecks):
    path = "oidc-providers"
    invalid = {
        "issuer": "http://login.example.org",
        "client_id": "",
        "slug": "not a slug",
        "enabled": "perhaps",
    }
    changes = {"enabled": False, "create_accounts": True, "groups_claim": "realm_access.roles"}

    def valid(self, n: int) -> dict[str, Any]:
        return {"slug": f"p{n}", "name": f"P {n}", "issuer": "https://login.example.org", "client_id": "x"}


@cache
def certificate() -> str:
    """Of a provider, made once, as it is kept: without its frame."""
    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp.example.org")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    return base64.b64encode(made.public_bytes(serialization.Encoding.DER)).decode()


class TestSamlProviders(KindChecks):
    path = "saml-providers"
    invalid = {
        "certificate": "none",
        "sso_url": "http://idp.example.org",
        "entity_id": "",
        "metadata": "<a/>",
    }
    changes = {"enabled": False, "create_accounts": True, "email_claim": "mail2"}

    def valid(self, n: int) -> dict[str, Any]:
        at = f"https://idp{n}.example.org"
        return {
            "slug": f"s{n}",
            "name": f"S {n}",
            "entity_id": at,
            "sso_url": f"{at}/sso",
            "certificate": certificate(),
        }


class TestSecondFactors(KindChecks):
    """Made by whoever they are for."""

    path = "second-factors"

    def make(self, start: int, stop: int) -> list[Any]:
        people = [User.objects.create_user(f"person{n}") for n in range(start, stop)]
        return [Authenticator.objects.create(user=p, type="totp", data={"secret": "x"}).pk for p in people]


class TestLdapServers(KindChecks):
    path = "ldap-servers"
    invalid = {"server": "ftp://dc1", "user_filter": "(uid=me)", "group_type": "club"}
    changes = {"bind_dn": "cn=search", "start_tls": False}

    def valid(self, n: int) -> dict[str, Any]:
        return {
            "slug": f"d{n}",
            "name": f"D {n}",
            "server": "ldaps://dc1.example.org",
            "user_base": "dc=example",
        }


class TestGroupMappings(KindChecks):
    path = "group-mappings"
    invalid = {"provider": 4711, "role": 4711}

    def valid(self, n: int) -> dict[str, Any]:
        team = Team.objects.get_or_create(name="Operations")[0]
        return {"provider": provider().pk, "group": f"group {n}", "team": team.pk}


class TestLinkedIdentities(KindChecks):
    path = "linked-identities"
    invalid = {"provider": "nobody", "user": 4711, "uid": ""}

    def valid(self, n: int) -> dict[str, Any]:
        user = User.objects.get_or_create(username=f"person{n}")[0]
        return {"provider": provider().slug, "user": user.pk, "uid": f"id-{n}"}


class TestSecondFactorRules(KindChecks):
    path = "second-factor-rules"
    invalid = {"role": 4711}

    def valid(self, n: int) -> dict[str, Any]:
        return {"role": Role.objects.get_or_create(name=f"role {n}")[0].pk}
