"""Signing in with the password of a directory: a real OpenLDAP server, over TLS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from tests.domains.directory import BASE, PASSWORD, SLAPD, Running, slapd
from tests.domains.identity_providers import LOOPBACK
from tests.support import require
from watchkeeper.domains.access.models import Role, Team
from watchkeeper.domains.federation.models import GroupMapping, LdapDirectory
from watchkeeper.domains.identity.models import User
from watchkeeper.kernel.models import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    require(bool(SLAPD), "no slapd")
    try:
        import ldap  # noqa: F401
    except ImportError:
        require(False, "the extra [ldap] is not installed")
    with slapd(tmp_path_factory.mktemp("slapd")) as running:
        yield running


@pytest.fixture
def directory(server: Running, settings: Any) -> LdapDirectory:
    settings.OUTBOUND_ALLOW = LOOPBACK
    return LdapDirectory.objects.create(
        slug="ldap", name="Directory", protocol="ldap", server=f"ldap://127.0.0.1:{server.port}", start_tls=True,
        certificate=server.certificate, bind_dn=f"cn=admin,{BASE}", bind_password="admin",
        user_base=f"ou=people,{BASE}", user_filter="(uid=%(user)s)", group_base=f"ou=groups,{BASE}",
        group_type="nested", username_claim="uid", name_claim="cn", email_claim="mail", create_accounts=True,
    )  # fmt: skip


def sign_in(name: str, password: str = PASSWORD) -> Any:
    return Client().post("/sign-in/", {"username": name, "password": password})


def test_names_and_passwords_of_the_directory_count(directory: LdapDirectory, server: Running) -> None:
    """With StartTLS and with ldaps; groups within groups; not with a wrong password, nor when disabled there."""
    team = Team.objects.create(name="Staff")
    GroupMapping.objects.create(provider=directory, group="staff", team=team)
    role = Role.objects.get(name="operations engineer")
    GroupMapping.objects.create(provider=directory, group=f"cn=ops,ou=groups,{BASE}", role=role)
    assert sign_in("ann").status_code == 302
    ann = User.objects.get(username="ann")
    assert (ann.name, ann.email, ann.has_usable_password()) == ("Ann Lee", "ann@example.org", False)
    assert list(team.members.all()) == [ann]
    assert ann.grants.get().role == role
    for name, password in (
        ("ann", "wrong"),
        ("ann", ""),
        ("bob", PASSWORD),
        ("*", PASSWORD),
        ("ann)(uid=*", PASSWORD),
    ):
        assert sign_in(name, password).status_code == 401, name
    LdapDirectory.objects.update(server=f"ldaps://127.0.0.1:{server.secure}")
    assert sign_in("ann").status_code == 302
    assert User.objects.count() == 1
    assert AuditEntry.objects.filter(act="sign-in", actor="ann").count() == 2


def test_a_certificate_of_somebody_else_is_not_believed(directory: LdapDirectory) -> None:  # noqa: ARG001
    LdapDirectory.objects.update(certificate="")
    assert sign_in("ann").status_code == 401


def test_a_local_account_of_the_same_name_is_not_theirs(directory: LdapDirectory) -> None:  # noqa: ARG001
    User.objects.create_user("ann", "another password entirely", is_administrator=True)
    answer = sign_in("ann")
    assert answer.status_code == 403
    assert "account ann here already" in answer.content.decode()
    assert sign_in("ann", "another password entirely").status_code == 302


def test_a_directory_that_is_away_keeps_nobody_else_out(directory: LdapDirectory) -> None:  # noqa: ARG001
    LdapDirectory.objects.update(server="ldaps://127.0.0.1:1")
    User.objects.create_user("ada", PASSWORD)
    assert sign_in("ada").status_code == 302
    assert sign_in("ann").status_code == 401


def test_passwords_never_go_out_in_the_clear(api: Any) -> None:
    body = {"slug": "d", "name": "D", "server": "ldap://d.example.org", "start_tls": False, "user_base": BASE}
    refused = api().post("/api/ldap-servers/", body, content_type="application/json")
    assert "start_tls" in refused.json()["errors"]
    body |= {"server": "https://d.example.org", "start_tls": True}
    assert (
        "server" in api().post("/api/ldap-servers/", body, content_type="application/json").json()["errors"]
    )
    body |= {"server": "ldaps://d.example.org", "bind_password": "hush"}
    made = api().post("/api/ldap-servers/", body, content_type="application/json")
    assert made.status_code == 201, made.content
    assert "hush" not in made.content.decode()
    assert LdapDirectory.objects.get().bind_password == "hush"
