"""Sessions and tokens: how long and from where they count, what ends them, and what they do not give away."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from watchkeeper.domains import identity
from watchkeeper.domains.identity.models import ApiToken, Session, User
from watchkeeper.kernel.models import AuditEntry
from watchkeeper.kernel.secrets import fingerprint

PASSWORD = "correct horse battery"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_attempts_yet() -> Iterator[None]:
    """Attempts are counted in the cache, which tests share."""
    cache.clear()
    yield
    cache.clear()


def signed_in(name: str = "ann", **more: Any) -> Client:
    User.objects.filter(username=name).exists() or User.objects.create_user(name, PASSWORD, **more)
    browser = Client(
        headers={"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
    )
    assert browser.post("/sign-in/", {"username": name, "password": PASSWORD}).status_code == 302
    return browser


def lives(browser: Client) -> bool:
    return browser.get("/account/").status_code == 200


def test_a_session_says_where_and_with_what_and_keeps_its_key_to_itself() -> None:
    browser = signed_in(is_administrator=True)
    session = Session.objects.get(user__username="ann")
    assert (session.browser, session.address, session.how) == (
        "Firefox 140 on Linux",
        "127.0.0.1",
        "password",
    )
    key = next(m.value for name, m in browser.cookies.items() if "session" in name)
    assert session.pk == fingerprint(key)
    listed = browser.get("/api/sessions/")
    assert key not in listed.content.decode()
    stolen = Client()
    stolen.cookies[next(n for n in browser.cookies if "session" in n)] = session.pk
    assert not lives(stolen)  # what the records hold opens nothing


def test_a_session_ends_when_idle_and_after_its_lifetime(settings: Any) -> None:
    settings.SESSION_IDLE = dt.timedelta(hours=2)
    browser, now = signed_in(), timezone.now()
    assert Session.objects.get(user__username="ann").expire_date < now + dt.timedelta(hours=3)
    Session.objects.update(last_seen_at=now - dt.timedelta(hours=1))
    assert lives(browser)
    assert Session.objects.get(user__username="ann").last_seen_at >= now
    old = now - dt.timedelta(seconds=settings.SESSION_COOKIE_AGE - 60)
    Session.objects.update(started_at=old, last_seen_at=now - dt.timedelta(hours=1))
    assert lives(browser)
    assert Session.objects.get(user__username="ann").expire_date < now + dt.timedelta(minutes=2)
    Session.objects.update(expire_date=now)
    assert not lives(browser)


def test_signing_in_changes_the_key_so_that_none_can_be_planted() -> None:
    """Session fixation: a key that somebody else has given the browser is worth nothing after the sign-in."""
    User.objects.create_user("ann", PASSWORD)
    browser = signed_in("eve")
    name = next(n for n in browser.cookies if "session" in n)
    planted = browser.cookies[name].value
    assert browser.post("/sign-in/", {"username": "ann", "password": PASSWORD}).status_code == 302
    thief = Client()
    thief.cookies[name] = planted
    assert not lives(thief)
    made_up = Client()
    made_up.cookies[name] = "a" * 32
    made_up.post("/sign-in/", {"username": "ann", "password": PASSWORD})
    assert made_up.cookies[name].value != "a" * 32


def test_what_ends_sessions() -> None:
    """A new password set by an administrator, being switched off, signing out everywhere; others' stay."""
    root = Client(headers={"authorization": "Bearer " + identity.create_token("root")})
    other, ann = signed_in("bob"), User.objects.create_user("ann", PASSWORD)
    first = signed_in()
    assert root.post(f"/api/users/{ann.pk}/sign-out/", {}, content_type="application/json").status_code == 200
    assert not lives(first)
    second = signed_in()
    body = {"password": "another long password"}
    assert root.patch(f"/api/users/{ann.pk}/", body, content_type="application/json").status_code == 200
    assert not lives(second)
    ann.refresh_from_db()
    ann.set_password(PASSWORD)
    ann.save()
    third = signed_in()
    token = identity.create_token("hers", "read", user=ann)
    body = {"is_active": False}
    assert root.patch(f"/api/users/{ann.pk}/", body, content_type="application/json").status_code == 200
    assert not lives(third)
    assert not Session.objects.filter(user=ann).exists()
    assert ApiToken.objects.get(name="hers").revoked_at is not None
    assert Client(headers={"authorization": f"Bearer {token}"}).get("/api/items/").status_code == 401
    assert lives(other)


def test_people_end_their_own_sessions_only() -> None:
    ann, bob = signed_in("ann"), signed_in("bob")
    theirs = Session.objects.get(user__username="bob")
    ann.post("/account/sessions/end/", {"session": theirs.pk})
    assert lives(bob)
    assert ann.get("/api/sessions/").status_code == 403
    assert AuditEntry.objects.filter(act="session.revoke", actor="ann").exists()


def test_nobody_learns_who_has_an_account() -> None:
    """The same answer for a name that is not there, a wrong password, somebody switched off, and a service account."""
    User.objects.create_user("ann", PASSWORD)
    User.objects.create_user("off", PASSWORD, is_active=False)
    User.objects.create_user("robot", kind="service")

    def answer(name: str) -> tuple[int, str]:
        found = Client().post("/sign-in/", {"username": name, "password": "wrong password"})
        page = found.content.decode()
        return found.status_code, page[page.index("alert-danger") :][:150]

    assert len({answer(n) for n in ("ann", "off", "robot", "nobody")}) == 1


def test_sensitive_acts_ask_again_who_it_is() -> None:
    browser = signed_in(is_administrator=True)
    assert browser.get("/tokens/new/").status_code == 200
    began = timezone.now() - dt.timedelta(hours=1)
    session = browser.session
    session["began"] = {**session["began"], "at": began.isoformat()}
    session.save()
    asked = browser.get("/tokens/new/")
    assert asked.headers["Location"] == "/account/confirm/?next=%2Ftokens%2Fnew%2F"
    refused = browser.post("/tokens/new/", {"name": "x", "scope": "read"})
    assert refused.headers["Location"].startswith("/account/confirm/")
    assert not ApiToken.objects.exists()
    assert browser.get("/account/security/app/").headers["Location"].startswith("/account/confirm/")
    assert browser.post(asked.headers["Location"], {"password": "wrong password"}).status_code == 400
    back = browser.post(asked.headers["Location"], {"password": PASSWORD})
    assert back.headers["Location"] == "/tokens/new/"
    assert browser.get("/tokens/new/").status_code == 200
    elsewhere = browser.post("/account/confirm/?next=https://evil.example/", {"password": PASSWORD})
    assert elsewhere.headers["Location"] == "/account/"


def test_sensitive_acts_over_rest_ask_again_too() -> None:
    """In a session, for each way to write; reading is not asked, nor is a token."""
    browser = signed_in(is_administrator=True)
    ann, json = User.objects.get(), {"content_type": "application/json"}
    bob = User.objects.create_user("bob", PASSWORD)
    other = signed_in("cleo")
    theirs = Session.objects.get(user__username="cleo").pk
    session = browser.session
    session["began"] = {**session["began"], "at": (timezone.now() - dt.timedelta(hours=1)).isoformat()}
    session.save()
    documents = {"set": "house", "files": {"a.yaml": "kind: users\nusername: eve\n"}}
    writes = [
        lambda c: c.post("/api/tokens/", {"name": "x", "scope": "admin"}, **json),
        lambda c: c.post("/api/users/", [{"username": "eve", "password": PASSWORD}], **json),
        lambda c: c.patch(f"/api/users/{bob.pk}/", {"is_administrator": True}, **json),
        lambda c: c.patch("/api/users/", [{"id": bob.pk, "is_administrator": True}], **json),
        lambda c: c.post(f"/api/users/{ann.pk}/sign-out/", {}, **json),
        lambda c: c.delete(f"/api/sessions/{theirs}/"),
        lambda c: c.post("/api/apply/", documents, **json),
    ]
    for write in writes:
        refused = write(browser)
        assert refused.status_code == 403, refused.content
        assert refused.json()["type"].endswith(":confirmation_needed")
        assert refused.json()["confirm_at"] == "/account/confirm/"
    assert lives(other) and not ApiToken.objects.exists() and User.objects.count() == 3
    assert browser.get("/api/tokens/").status_code == 200
    assert browser.post("/api/apply/", {**documents, "dry_run": True}, **json).status_code != 403
    assert browser.post("/api/teams/", {"name": "ops"}, **json).status_code == 201
    token = Client(headers={"authorization": "Bearer " + identity.create_token("root")})
    assert writes[1](token).status_code == 201
    assert browser.post("/account/confirm/", {"password": PASSWORD}).status_code == 302
    assert writes[0](browser).status_code == 201


def test_a_token_counts_from_its_networks_and_for_its_kinds() -> None:
    secret = identity.create_token("ci", "write", networks=["10.0.0.0/8"], kinds=["items", "alerts"])
    token = Client(headers={"authorization": f"Bearer {secret}"})
    refused = token.get("/api/items/")
    assert refused.status_code == 401
    assert "may not be used from 127.0.0.1" in refused.json()["detail"]
    assert token.get("/api/items/", REMOTE_ADDR="10.1.2.3").status_code == 200
    assert ApiToken.objects.get(name="ci").last_used_from == "10.1.2.3"
    assert token.get("/api/situations/", REMOTE_ADDR="10.1.2.3").status_code == 403
    assert token.get("/metrics", REMOTE_ADDR="10.1.2.3").status_code == 403
    root = Client(headers={"authorization": "Bearer " + identity.create_token("root")})
    for bad, field in (({"networks": ["here"]}, "networks"), ({"kinds": ["cakes"]}, "kinds")):
        answer = root.post("/api/tokens/", {"name": "x", **bad}, content_type="application/json")
        assert answer.status_code == 400
        assert field in answer.content.decode()


def test_a_token_is_replaced_while_both_count() -> None:
    root = Client(headers={"authorization": "Bearer " + identity.create_token("root")})
    ends = timezone.now() + dt.timedelta(days=90)
    old = identity.create_token("ci", "read", expires_at=ends, networks=["127.0.0.0/8"])
    record = ApiToken.objects.get(name="ci")
    done = root.post(f"/api/tokens/{record.pk}/rotate/", {"hours": 2}, content_type="application/json")
    assert done.status_code == 200, done.content
    new = done.json()["shown_once"]["secret"]
    for secret in (old, new):
        assert Client(headers={"authorization": f"Bearer {secret}"}).get("/api/items/").status_code == 200
    record.refresh_from_db()
    assert record.expires_at < timezone.now() + dt.timedelta(hours=3)
    made = ApiToken.objects.exclude(pk=record.pk).get(name="ci")
    assert (made.scope_word, made.networks) == ("read", ["127.0.0.0/8"])
    assert made.expires_at > timezone.now() + dt.timedelta(days=89)


def test_a_lost_second_factor_is_taken_away_by_an_administrator() -> None:
    from allauth.mfa.models import Authenticator

    ann = User.objects.create_user("ann", PASSWORD)
    for kind in ("totp", "recovery_codes"):
        Authenticator.objects.create(user=ann, type=kind, data={"secret": "sealed", "seed": "sealed"})
    asked = Client().post("/sign-in/", {"username": "ann", "password": PASSWORD})
    assert asked.headers["Location"] == "/sign-in/second-step/"
    root = Client(headers={"authorization": "Bearer " + identity.create_token("root")})
    factor = root.get("/api/second-factors/?type=totp").json()["results"][0]
    assert "sealed" not in str(factor)
    assert root.delete(f"/api/second-factors/{factor['id']}/").status_code == 204
    assert not Authenticator.objects.exists()
    assert lives(signed_in())
    entry = AuditEntry.objects.get(act="second-factor.remove")
    assert "sealed" not in str(entry.before)


def test_what_is_audited_of_a_session_cannot_open_it() -> None:
    browser = signed_in(is_administrator=True)
    session = Session.objects.get(user__username="ann")
    assert browser.delete(f"/api/sessions/{session.pk}/", headers={"x-csrftoken": "x"}).status_code == 204
    entry = AuditEntry.objects.get(act="session.remove")
    assert session.session_data not in str(entry.before)
    assert entry.before["address"] == "127.0.0.1"


_ODD = ("", "{}", "[]", "1", "null", "nonsense", '{"id": 1}', '{"id": "a", "rawId": "a", "type": "b", "response": []}',
        '{"id": "YQ", "rawId": "YQ", "type": "public-key", "response": {"clientDataJSON": "YQ", "authenticatorData": "",'
        ' "signature": "!", "userHandle": 5}}',
        '{"id": "YQ", "rawId": "YQ", "type": "public-key", "response": {"userHandle": "MQ", "clientDataJSON": "e30",'
        ' "authenticatorData": "YQ", "signature": "YQ"}}')  # fmt: skip


@pytest.mark.parametrize("odd", _ODD)
def test_a_device_may_answer_anything(odd: str) -> None:
    browser = Client()
    assert browser.get("/sign-in/passkey/", headers={"accept": "application/json"}).status_code == 200
    assert browser.post("/sign-in/passkey/", {"credential": odd}).status_code in (400, 401)
    mine = signed_in()
    mine.get("/account/security/passkeys/add/")
    assert mine.post("/account/security/passkeys/add/", {"credential": odd, "name": "x"}).status_code == 400


def test_guessing_is_stopped_with_a_word() -> None:
    browser = signed_in()
    answers = [browser.post("/account/confirm/", {"password": "wrong password"}) for _ in range(12)]
    assert answers[-1].status_code == 429
    assert "Too many attempts" in answers[-1].content.decode()


def test_guesses_at_the_second_factor_count_towards_the_lock_out() -> None:
    """Also when each begins with the right password."""
    from allauth.mfa.models import Authenticator

    from watchkeeper.kernel.secrets import seal

    ann = User.objects.create_user("ann", PASSWORD)
    sealed = seal("JBSWY3DPEHPK3PXP", settings.SECRET_KEY)
    Authenticator.objects.create(user=ann, type="totp", data={"secret": sealed})
    for _ in range(5):
        browser = Client()
        assert browser.post("/sign-in/", {"username": "ann", "password": PASSWORD}).status_code == 302
        assert browser.post("/sign-in/second-step/", {"code": "000000"}).status_code == 400
        assert not lives(browser)
    assert Client().post("/sign-in/", {"username": "ann", "password": PASSWORD}).status_code == 429
    assert AuditEntry.objects.filter(act="sign-in.failed", actor="ann").count() == 5
