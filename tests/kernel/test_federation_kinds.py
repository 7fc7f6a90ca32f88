"""Identity providers and what belongs to them keep what every kind promises."""

from __future__ import annotations

from typing import Any

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
