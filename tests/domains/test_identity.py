"""Who may sign in, call and send: the first link, passwords and lock-out, tokens, and the doors' keyring."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.support import eventually
from watchkeeper.domains import identity
from watchkeeper.domains.identity.keys import revoke
from watchkeeper.domains.identity.models import ApiToken, IntakeKey, OneTimeLink, PayloadMapping, User
from watchkeeper.domains.identity.signing_in import Backend
from watchkeeper.kernel.models import AuditEntry
from watchkeeper.kernel.problems import Invalid, NotThere, Refused
from watchkeeper.model import doors
from watchkeeper.model.errors import RateLimited, Unauthorised

PASSWORD = "correct horse battery"
JSON = "application/json"


def ann() -> User:
    """An administrator."""
    return User.objects.create_user("ann", PASSWORD, is_administrator=True)


@pytest.mark.django_db
def test_the_first_link_signs_in_once() -> None:
    """In the console: looking does not use it up, a weak password does not either, using it does."""
    link = identity.first_run_link()
    assert link is not None
    browser = Client()
    assert browser.get(link).status_code == 200
    assert browser.post(link, {"username": "ann", "password": "short"}).status_code == 400
    assert browser.post(link, {"username": "ann", "password": PASSWORD}).status_code == 302
    assert browser.get("/api/users/").json()["results"][0]["is_administrator"] is True
    assert Client().post(link, {"username": "eve", "password": PASSWORD}).status_code == 404
    assert identity.first_run_link() is None
    assert AuditEntry.objects.get(act="first-sign-in").actor == "ann"


@pytest.mark.django_db
def test_only_the_newest_first_link_counts_and_not_for_ever() -> None:
    """A second start prints a new one."""
    old, new = identity.first_run_link(), identity.first_run_link()
    assert old is not None and new is not None
    with pytest.raises(NotThere):
        identity.check_first_run(old.split("/")[2])
    identity.check_first_run(new.split("/")[2])
    OneTimeLink.objects.update(expires_at=timezone.now())
    with pytest.raises(NotThere):
        identity.finish_first_run(new.split("/")[2], "ann", PASSWORD)
    assert not User.objects.exists()


@pytest.mark.django_db
def test_failures_lock_out_one_place_and_not_the_person() -> None:
    """Five wrong passwords from one address; from another the right one still counts."""
    ann()
    for _ in range(5):
        with pytest.raises(Unauthorised):
            identity.sign_in("ann", "wrong", "10.0.0.1")
    with pytest.raises(RateLimited):
        identity.sign_in("ann", PASSWORD, "10.0.0.1")
    assert identity.sign_in("ann", PASSWORD, "10.0.0.2").username == "ann"
    with pytest.raises(Unauthorised):
        identity.sign_in("nobody", PASSWORD, "10.0.0.2")
    assert AuditEntry.objects.filter(act="sign-in.failed", actor="ann").count() == 5


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("names", "addresses"),
    [
        (["ann", "\uff41nn", "a\uff4en", "an\uff4e", "ANN"], ["10.0.0.1"] * 5),
        (["ann"] * 5, ["2001:db8::1", "2001:db8::2", "2001:db8::3:4", "2001:db8::5%eth0", "2001:db8::6"]),
        (["ann"] * 5, ["10.0.0.1", "::ffff:10.0.0.1"] * 2 + ["10.0.0.1"]),
    ],
    ids=["spellings of a name", "addresses of one machine", "IPv4 in IPv6"],
)
def test_a_lock_out_is_not_avoided_by_writing_it_otherwise(names: list[str], addresses: list[str]) -> None:
    ann()
    for name, address in zip(names, addresses, strict=True):
        wrong = Client(REMOTE_ADDR=address).post("/sign-in/", {"username": name, "password": "wrong"})
        assert wrong.status_code == 401, name
    assert AuditEntry.objects.filter(act="sign-in.failed", actor=names[-1]).exists()  # as it was typed
    body = {"username": names[1], "password": PASSWORD}
    assert Client(REMOTE_ADDR=addresses[1]).post("/sign-in/", body).status_code == 429
    elsewhere = Client(REMOTE_ADDR="2001:db8:1::1")
    assert elsewhere.post("/sign-in/", {"username": "ann", "password": PASSWORD}).status_code == 302


@pytest.mark.django_db
def test_whoever_signs_in_begins_anew() -> None:
    """However the name was typed that went wrong."""
    ann()
    here = Client(REMOTE_ADDR="2001:db8::1")
    for _ in range(2):
        for n in range(4):
            wrong = {"username": "Ann", "password": f"wrong {n}"}
            assert Client(REMOTE_ADDR=f"2001:db8::{n}").post("/sign-in/", wrong).status_code == 401
        assert here.post("/sign-in/", {"username": "ann", "password": PASSWORD}).status_code == 302


@pytest.mark.django_db
def test_one_address_cannot_try_many_names(settings: Any) -> None:
    """Thirty failures of any names lock the address."""
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher"
    ]  # thirty of the other take long
    ann()
    for n in range(30):
        with pytest.raises(Unauthorised):
            identity.sign_in(f"user{n}", "wrong", "10.0.0.1")
    with pytest.raises(RateLimited):
        identity.sign_in("ann", PASSWORD, "10.0.0.1")


@pytest.mark.django_db
def test_passwords_change_with_the_old_one() -> None:
    """And somebody who was switched off has no session any more."""
    user = ann()
    with pytest.raises(Unauthorised):
        identity.change_password(user, "wrong", PASSWORD + "!")
    with pytest.raises(Invalid):
        identity.change_password(user, PASSWORD, "password")
    identity.change_password(user, PASSWORD, PASSWORD + "!")
    assert identity.sign_in("ann", PASSWORD + "!", "10.0.0.1") == user
    assert User.objects.get().password.startswith("argon2")
    User.objects.update(is_active=False)
    assert Backend().get_user(user.pk) is None


@pytest.mark.django_db
def test_a_token_is_shown_once_and_counts_until_it_does_not() -> None:
    """Its hash is kept; expired, revoked and unknown are the same to a caller."""
    made = Client(headers={"authorization": "Bearer " + identity.create_token("root")}).post(
        "/api/tokens/", {"name": "ci", "scope": "write"}, content_type="application/json"
    )
    assert made.status_code == 201, made.content
    secret = made.json()["secret"]
    assert len(secret) >= 47
    ci = Client(headers={"authorization": f"Bearer {secret}"})
    assert ci.get("/api/items/").status_code == 200
    assert ci.get("/api/tokens/").status_code == 403
    token = ApiToken.objects.get(name="ci")
    assert secret not in str(token.__dict__)
    used = token.last_used_at
    ci.get("/api/items/")
    token.refresh_from_db()
    assert token.last_used_at == used is not None  # noted once a minute, not on each request
    ApiToken.objects.filter(pk=token.pk).update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert ci.get("/api/items/").status_code == 401
    ApiToken.objects.filter(pk=token.pk).update(expires_at=None)
    revoke(token)
    assert ci.get("/api/items/").status_code == 401
    assert AuditEntry.objects.filter(act="token.create").count() == 2
    with pytest.raises(Invalid):
        identity.create_token("x", "everything")


@pytest.mark.django_db
def test_the_last_administrator_stays() -> None:
    """Nobody locks everybody out."""
    user = ann()
    root = Client(headers={"authorization": "Bearer " + identity.create_token("root")})
    body = {"is_administrator": False}
    assert root.patch(f"/api/users/{user.pk}/", body, content_type="application/json").status_code == 409
    User.objects.create_user("bob", PASSWORD, is_administrator=True)
    assert root.patch(f"/api/users/{user.pk}/", body, content_type="application/json").status_code == 200
    assert "password" not in root.get("/api/users/").json()["results"][0]


@pytest.mark.django_db
def test_intake_keys_are_checked_when_made() -> None:
    """Names are unique, networks are networks."""
    identity.create_intake_key("web", networks=["10.1.2.3"])
    assert IntakeKey.objects.get().networks == ["10.1.2.3/32"]
    with pytest.raises(Refused):
        identity.create_intake_key("web")
    with pytest.raises(Invalid):
        identity.create_intake_key("other", networks=["10.0.0.0/40"])


@pytest.fixture
def keyring(transactional_db: None) -> Iterator[identity.DatabaseKeyring]:  # noqa: ARG001
    """One that runs."""
    made = identity.DatabaseKeyring()
    made.start()
    yield made
    made.stop()


def test_a_key_works_at_once_and_stops_within_seconds(keyring: identity.DatabaseKeyring) -> None:
    """Made while the doors are open; also asked from an event loop."""
    secret = identity.create_intake_key("prometheus", doors=["remote_write"], networks=["10.0.0.0/8", "::1"])

    async def ask(door: str, address: str) -> str:
        return keyring.by_secret(secret, door, address).name

    assert asyncio.run(ask("remote_write", "10.9.8.7")) == "prometheus"
    assert keyring.by_secret(secret, "remote_write", "::ffff:10.9.8.7").name == "prometheus"
    for door, address in (("syslog", "10.9.8.7"), ("remote_write", "11.0.0.1"), ("remote_write", "")):
        with pytest.raises(Unauthorised):
            keyring.by_secret(secret, door, address)
    with pytest.raises(Unauthorised):
        keyring.by_secret("wki_guess", "remote_write", "10.9.8.7")
    revoke(IntakeKey.objects.get())

    def refused() -> bool:
        try:
            keyring.by_secret(secret, "remote_write", "10.9.8.7")
        except Unauthorised:
            return True
        return False

    eventually(refused, timeout=5)


def test_a_changed_mapping_reaches_the_doors_within_seconds(keyring: identity.DatabaseKeyring) -> None:
    secret = identity.create_intake_key("sensors", ["custom"], series=7)

    def found() -> doors.IntakeKey:
        return keyring.by_secret(secret, "custom", "10.9.8.7")

    assert (found().mapping, found().series) == (None, 7)
    mapping = PayloadMapping.objects.create(
        intake_key=IntakeKey.objects.get(name="sensors"), name_from="title", labels_from="{host: name}"
    )
    eventually(lambda: found().mapping == doors.Mapping(name_from="title", labels_from="{host: name}"))
    mapping.name_from = "name"
    mapping.save()
    eventually(lambda: found().mapping == doors.Mapping(name_from="name", labels_from="{host: name}"))
    mapping.delete()
    eventually(lambda: found().mapping is None)


def test_addresses_are_admitted_by_the_narrowest_network(keyring: identity.DatabaseKeyring) -> None:
    """A key that names no network admits this machine alone."""
    identity.create_intake_key("first")
    identity.create_intake_key("site", networks=["10.0.0.0/8"], doors=["syslog"])
    identity.create_intake_key("rack", networks=["10.1.0.0/16"], doors=["syslog"])

    def admitted(address: str, door: str = "syslog") -> str:
        try:
            return keyring.by_address(door, address).name
        except Unauthorised:
            return ""

    eventually(lambda: admitted("10.1.2.3") == "rack")
    assert admitted("10.2.2.3") == "site"
    assert admitted("127.0.0.1") == admitted("::1") == "first"
    assert admitted("192.0.2.1") == admitted("nonsense") == ""
    assert admitted("10.1.2.3", "netflow") == ""


@pytest.mark.django_db
def test_a_service_account_calls_with_tokens_and_never_signs_in(api: Callable[..., Client]) -> None:
    """It has an owner, who answers for it, and no password; its use is noted."""
    root, owner = api(), User.objects.create_user("ann")

    def sent(**body: Any) -> Any:
        return root.post("/api/users/", {"username": "backup", "kind": "service", **body}, content_type=JSON)

    assert sent().json()["errors"].keys() == {"owner"}
    assert sent(owner=owner.pk, password="correct horse battery").json()["errors"].keys() == {"password"}
    assert sent(owner=owner.pk, is_administrator=True).json()["errors"].keys() == {"is_administrator"}
    made = sent(owner=owner.pk)
    assert made.status_code == 201, made.content
    account = User.objects.get(username="backup")
    account.set_password("correct horse battery")
    account.save()
    with pytest.raises(Unauthorised):
        identity.sign_in("backup", "correct horse battery", "127.0.0.1")
    assert Backend().get_user(account.pk) is None
    token = root.post("/api/tokens/", {"name": "nightly", "user": account.pk}, content_type=JSON).json()
    assert token["user_name"] == "backup"
    caller = Client(headers={"authorization": f"Bearer {token['secret']}"})
    assert caller.get("/api/items/").status_code == 200
    account.refresh_from_db()
    assert account.last_seen_at is not None
    other = root.post("/api/tokens/", {"name": "hers", "user": owner.pk}, content_type=JSON)
    assert other.status_code == 403
