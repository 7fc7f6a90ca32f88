"""Signing in by OpenID Connect, with a provider that really answers over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.domains.identity_providers import LOOPBACK, openid, provider, sign_in, there
from watchkeeper.domains.access.models import Grant, Role, Team
from watchkeeper.domains.federation.models import GroupMapping, IdentityProvider
from watchkeeper.domains.identity.models import Session, User
from watchkeeper.kernel.models import AuditEntry

ANN = {"preferred_username": "ann", "name": "Ann Lee", "email": "ann@example.org", "email_verified": True,
       "groups": ["ops"]}  # fmt: skip

# The provider itself uses what its libraries call old.
pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture(autouse=True)
def _loopback(settings: Any) -> None:
    settings.OUTBOUND_ALLOW = LOOPBACK


def test_an_account_is_made_and_its_groups_count() -> None:
    team = Team.objects.create(name="Operations")
    with openid(a1=ANN) as issuer:
        one = provider(issuer)
        GroupMapping.objects.create(provider=one, group="ops", team=team)
        role = Role.objects.get(name="operations engineer")
        gone = GroupMapping.objects.create(provider=one, group="ops", role=role)
        browser = Client()
        answer = sign_in(browser, "a1")
        assert (answer.status_code, answer.headers.get("Location")) == (302, "/"), answer.content.decode()
        ann = User.objects.get(username="ann")
        assert (ann.name, ann.email, ann.has_usable_password()) == ("Ann Lee", "ann@example.org", False)
        assert list(team.members.all()) == [ann]
        assert Grant.objects.get(user=ann).role == role
        assert browser.get("/api/alerts/").status_code == 200
        session = Session.objects.get(user=ann)
        assert (session.how, session.address) == ("keycloak", "127.0.0.1")
        gone.group = "others"
        gone.save()
        assert sign_in(Client(), "a1").status_code == 302
        assert Grant.objects.get(user=ann).expires_at is not None
        assert User.objects.filter(username__startswith="ann").count() == 1
    acts = set(AuditEntry.objects.filter(name="ann").values_list("act", flat=True))
    assert {"user.create", "identity.link", "sign-in"} <= acts


def test_nobody_comes_in_without_an_account() -> None:
    with openid(a1=ANN) as issuer:
        provider(issuer, create_accounts=False)
        answer = sign_in(Client(), "a1")
        assert answer.status_code == 403
        assert "nobody has made you an account" in answer.content.decode()
    assert not User.objects.exists()
    assert AuditEntry.objects.filter(act="sign-in.failed").exists()


def test_a_name_alone_takes_nobodys_account() -> None:
    """Nor does an address, unless the provider is to be believed about addresses and has checked this one."""
    root = User.objects.create_user(
        "ann", "correct horse battery", is_administrator=True, email="ann@example.org"
    )
    with openid(a1=ANN, b1={**ANN, "email_verified": False}) as issuer:
        one = provider(issuer)
        assert "account ann here already" in sign_in(Client(), "a1").content.decode()
        one.link_by_email = True
        one.save()
        assert sign_in(Client(), "b1").status_code == 403
        assert sign_in(Client(), "a1").status_code == 302
        User.objects.create_user("eve", "correct horse battery", is_administrator=True)
        root.is_active = False
        root.save()
        assert sign_in(Client(), "a1").status_code == 403


def test_an_address_counts_once_it_is_verified() -> None:
    """Whoever has it here has what is written from it: at some providers people enter any."""
    unchecked = {n: v for n, v in ANN.items() if n != "email_verified"}
    eve = {**ANN, "preferred_username": "eve", "upn": "victim@example.org"}
    with openid(a1=unchecked, b1=eve) as issuer:
        one = provider(issuer)
        assert sign_in(Client(), "a1").status_code == 302
        assert User.objects.get(username="ann").email == ""
        one.email_claim = "upn"  # which is not what was verified
        one.save()
        assert sign_in(Client(), "b1").status_code == 302
        assert User.objects.get(username="eve").email == ""
        one.email_claim, one.addresses_checked = "email", True  # Entra says nothing of what it checked
        one.save()
        assert sign_in(Client(), "a1").status_code == 302
        assert User.objects.get(username="ann").email == "ann@example.org"


def test_a_code_counts_once_and_in_its_own_browser() -> None:
    with openid(a1=ANN) as issuer:
        provider(issuer)
        browser = Client()
        back = there(browser, "a1")
        assert Client().get(back).status_code == 401  # another browser has no such state
        assert browser.get(back).status_code == 302
        assert Client(headers={"cookie": ""}).get(back).status_code == 401
        browser.logout()
        assert browser.get(back).status_code == 401
        assert browser.get("/sign-in/with/keycloak/callback/?state=x&error=access_denied").status_code == 401


def test_the_session_has_a_new_key_and_nobody_is_sent_elsewhere() -> None:
    with openid(a1=ANN) as issuer:
        provider(issuer)
        browser = Client()
        back = there(browser, "a1", "/sign-in/with/keycloak/?next=https://evil.example/")
        before = {m.value for m in browser.cookies.values()}
        answer = browser.get(back)
        assert answer.headers["Location"] == "/"
        assert before.isdisjoint(m.value for n, m in browser.cookies.items() if "session" in n)
        assert browser.get("/sign-in/?next=https://evil.example/").status_code == 200


def test_internal_addresses_are_not_asked(settings: Any) -> None:
    settings.OUTBOUND_ALLOW = []
    with openid(a1=ANN) as issuer:
        provider(issuer)
        answer = Client().get("/sign-in/with/keycloak/")
        assert answer.status_code == 502
        assert "cannot be reached" in answer.content.decode()


def test_providers_are_kept_by_administrators_with_their_secret_sealed(api: Any) -> None:
    root = api()
    body = {"slug": "entra", "name": "Entra", "issuer": "http://login.example.org", "client_id": "x"}
    refused = root.post("/api/oidc-providers/", body, content_type="application/json")
    assert refused.status_code == 400
    assert "issuer" in refused.json()["errors"]
    body |= {"issuer": "https://login.example.org/v2.0", "client_secret": "hush"}
    made = root.post("/api/oidc-providers/", body, content_type="application/json")
    assert made.status_code == 201, made.content
    assert "client_secret" not in made.json()
    assert made.json()["redirect_uri"].endswith("/sign-in/with/entra/callback/")
    raw = IdentityProvider.objects.extra(select={"raw": "client_secret"}).get().raw  # type: ignore[attr-defined]
    assert "hush" not in raw
    assert "Sign in with Entra" in Client().get("/sign-in/").content.decode()
    assert api("write").get("/api/oidc-providers/").status_code == 403


def test_other_sites_cannot_begin_a_sign_in() -> None:
    with openid(a1=ANN) as issuer:
        provider(issuer)
        answer = Client().get("/sign-in/with/keycloak/", headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.headers["Location"] == "/sign-in/"
    assert Client().get("/sign-in/with/nobody/").status_code == 404
