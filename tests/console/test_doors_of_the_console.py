"""Who comes without a session, or to a place that is none of theirs: where they are led."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone

from watchkeeper.domains.access.models import Grant, Role
from watchkeeper.domains.identity.models import User
from watchkeeper.kernel.models import AuditEntry

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture
def ann() -> User:
    user = User.objects.create_user("ann", PASSWORD)
    Grant.objects.create(
        role=Role.objects.get(name="requester"),
        user=user,
        reason="t",
        approved_by="t",
        valid_from=timezone.now(),
    )
    return user


def sign_in(client: Client, wanted: str) -> str:
    answer = client.post("/sign-in/", {"username": "ann", "password": PASSWORD, "next": wanted})
    assert answer.status_code == 302, answer.content
    return str(answer.headers["Location"])


@pytest.mark.usefixtures("ann")
def test_a_deep_link_survives_signing_in(client: Client) -> None:
    wanted = "/alerts/?severity=critical&search=a b&page=2"
    led = client.get(wanted)
    assert led.status_code == 302
    assert (
        led.headers["Location"]
        == f"/sign-in/?next={quote('/alerts/?severity=critical&search=a%20b&page=2', safe='')}"
    )
    form = client.get(led.headers["Location"]).content.decode()
    assert 'value="/alerts/?severity=critical&amp;search=a%20b&amp;page=2"' in form
    assert sign_in(client, "/alerts/?severity=critical&search=a%20b&page=2").endswith("&page=2")


@pytest.mark.usefixtures("ann")
@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "javascript:alert(1)",
        "http:evil",
        " //evil",
    ],
)
def test_signing_in_leads_nowhere_else(client: Client, elsewhere: str) -> None:
    assert sign_in(client, elsewhere) == "/"


def test_people_begin_where_they_chose_to(client: Client, ann: User) -> None:
    assert sign_in(client, "/") == "/"
    assert client.post("/settings/", {"home": "/alerts/", "single_keys": "on"}).status_code == 302
    assert sign_in(client, "/") == "/alerts/"
    assert sign_in(client, "/items/") == "/items/"
    entry = AuditEntry.objects.get(act="user.prefer")
    assert (entry.record, entry.after) == (str(ann.pk), {"home": "/alerts/"})
    for wrong in (
        {"home": "https://evil.example/"},
        {"home": "//evil.example/"},
        {"zone": "Mars"},
        {"theme": "pink"},
    ):
        refused = client.post("/settings/", wrong)
        assert refused.status_code == 400
        assert f"{next(iter(wrong))}: " in refused.content.decode()
    assert sign_in(client, "/") == "/alerts/"


def test_times_are_in_the_chosen_zone(client: Client, ann: User) -> None:
    client.force_login(ann)
    client.post("/settings/", {"zone": "Asia/Kathmandu"})
    page = client.get("/").content.decode()
    assert 'data-zone="Asia/Kathmandu"' in page
    assert "+0545</time>" in page
    assert 'data-keys="off"' in page


def test_a_part_of_a_page_is_not_replaced_by_the_sign_in_form(client: Client) -> None:
    answer = client.get("/alerts/", headers={"HX-Request": "true", "HX-Target": "table"})
    assert (answer.status_code, answer.headers["HX-Refresh"]) == (401, "true")


def test_who_may_not_is_told_what_why_and_what_to_do(client: Client, ann: User) -> None:
    client.force_login(ann)
    page = client.get("/alerts/")
    assert page.status_code == 403
    text = page.content.decode()
    for words in ("You may not read alerts", "requester", "ann", "An administrator can grant"):
        assert words in text
