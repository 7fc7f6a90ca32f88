"""The SCIM server over real HTTP: what its protocol demands by scim2-tester, and what a directory may do to us."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import pytest
from django.test import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import ScimProvider
from scim2_tester import Status, check_server

from tests.api.platform_parts import served
from watchkeeper.domains import identity
from watchkeeper.domains.access.models import Team
from watchkeeper.domains.identity.models import ApiToken, Session, User
from watchkeeper.kernel.models import AuditEntry

PASSWORD = "correct horse battery"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


@pytest.fixture
def directory(transactional_db: None) -> Iterator[httpx.Client]:  # noqa: ARG001
    secret = identity.create_token("entra", "scim")
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/scim+json"}
    with served() as url, httpx.Client(base_url=f"{url}/scim/v2", headers=headers, trust_env=False) as client:
        yield client


def test_the_whole_of_scim2_tester_passes(directory: httpx.Client) -> None:
    User.objects.create_user("ada", PASSWORD, is_administrator=True)
    results = check_server(SyncSCIMClient(directory, provider=ScimProvider()))
    bad = [
        f"{r.status.name} {r.title}: {r.reason}"
        for r in results
        if r.status not in (Status.SUCCESS, Status.SKIPPED)
    ]
    assert not bad, "\n".join(bad)
    assert len([r for r in results if r.status is Status.SUCCESS]) > 50


def made(directory: httpx.Client, name: str, **more: Any) -> dict[str, Any]:
    answer = directory.post("/Users", json={"schemas": [USER], "userName": name, **more})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def patch(directory: httpx.Client, path: str, *operations: dict[str, Any], **headers: str) -> httpx.Response:
    return directory.patch(path, json={"schemas": [PATCH], "Operations": list(operations)}, headers=headers)


def test_a_person_who_is_switched_off_has_nothing_open_any_more(directory: httpx.Client) -> None:
    """As Entra does it, with its own way of writing a boolean."""
    ann = made(directory, "ann", externalId="e-1", displayName="Ann Lee",
               emails=[{"value": "ann@example.org", "type": "work", "primary": True}],
               title="Engineer", active=True)  # fmt: skip
    user = User.objects.get(username="ann")
    assert (user.name, user.email, user.has_usable_password()) == ("Ann Lee", "ann@example.org", False)
    user.set_password(PASSWORD)
    user.save()
    browser = Client()
    assert browser.post("/sign-in/", {"username": "ann", "password": PASSWORD}).status_code == 302
    identity.create_token("hers", "write", user=user)
    answer = patch(directory, f"/Users/{ann['id']}", {"op": "Replace", "path": "active", "value": "False"})
    assert answer.status_code == 204, answer.text
    assert directory.get(f"/Users/{ann['id']}").json()["active"] is False
    assert not Session.objects.filter(user=user).exists()
    assert ApiToken.objects.get(name="hers").revoked_at is not None
    assert browser.get("/").headers["Location"].startswith("/sign-in/")
    entry = AuditEntry.objects.filter(act="user.change", name="ann").latest("pk")
    assert (entry.actor_kind, entry.actor, entry.after) == ("token", "entra", {"is_active": False})


def test_who_was_removed_there_is_switched_off_here(directory: httpx.Client) -> None:
    ann = made(directory, "ann")
    assert directory.delete(f"/Users/{ann['id']}").status_code == 204
    assert directory.get(f"/Users/{ann['id']}").status_code == 404
    assert not User.objects.get(username="ann").is_active
    assert directory.get("/Users", params={"filter": 'userName eq "ANN"'}).json()["totalResults"] == 0
    again = made(directory, "ann", active=True)
    assert again["id"] == ann["id"]
    assert User.objects.get(username="ann").is_active


def test_groups_are_teams(directory: httpx.Client) -> None:
    ann, bob = made(directory, "ann"), made(directory, "bob")
    body = {"schemas": [GROUP], "displayName": "Operations", "members": [{"value": ann["id"]}]}
    group = directory.post("/Groups", json=body).json()
    team = Team.objects.get(name="Operations")
    assert [u.username for u in team.members.all()] == ["ann"]
    path = f"/Groups/{group['id']}"
    assert patch(
        directory, path, {"op": "Add", "path": "members", "value": [{"value": bob["id"]}]}
    ).is_success
    assert {u.username for u in team.members.all()} == {"ann", "bob"}
    removed = patch(directory, path, {"op": "remove", "path": f'members[value eq "{ann["id"]}"]'})
    assert removed.is_success, removed.text
    assert [u.username for u in team.members.all()] == ["bob"]
    stale = patch(
        directory, path, {"op": "replace", "path": "displayName", "value": "X"}, **{"If-Match": 'W/"old"'}
    )
    assert stale.status_code == 412
    nobody = {"op": "add", "path": "members", "value": [{"value": "999999"}]}
    assert patch(directory, path, nobody).status_code == 400
    assert directory.delete(path).status_code == 204
    assert not Team.objects.filter(name="Operations").exists()


def test_the_last_administrator_stays_one(directory: httpx.Client) -> None:
    ada = User.objects.create_user("ada", PASSWORD, is_administrator=True)
    answer = patch(directory, f"/Users/{ada.pk}", {"op": "replace", "path": "active", "value": False})
    assert answer.status_code == 409
    assert "administrator" in answer.json()["detail"]
    assert directory.delete(f"/Users/{ada.pk}").status_code == 409
    ada.refresh_from_db()
    assert ada.is_active
    team = Team.objects.create(name="Held")
    team.members.add(ada)
    from watchkeeper.domains.access.models import Policy

    Policy.objects.create(
        name="t", text='permit (principal in Team::"Held", action == Action::"read", resource);'
    )
    assert directory.delete(f"/Groups/{team.pk}").status_code == 409


def test_only_tokens_for_it_are_let_in(directory: httpx.Client) -> None:
    for secret in (identity.create_token("root", "admin"), "wkt_guess", "x"):
        answer = directory.get("/Users", headers={"Authorization": f"Bearer {secret}"})
        assert answer.status_code in (401, 403)
        assert answer.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    mine = {"Authorization": directory.headers["Authorization"]}
    api = str(directory.base_url).removesuffix("/scim/v2/") + "/api/users/"
    assert httpx.get(api, headers=mine, trust_env=False).status_code == 403


def test_bad_input_is_refused_by_name(directory: httpx.Client) -> None:
    user = {"schemas": [USER]}
    for body in ("{", "[]", '{"schemas": ["x"]}', json.dumps({**user, "userName": 7}),
                 json.dumps({**user, "userName": "a b"}), json.dumps(user)):  # fmt: skip
        answer = directory.post("/Users", content=body)
        assert answer.status_code == 400, body
        assert answer.json()["detail"]
    made(directory, "ann")
    again = directory.post("/Users", json={"schemas": [USER], "userName": "ANN"})
    assert (again.status_code, again.json()["scimType"]) == (409, "uniqueness")
    for wrong in ("userName eq", "nothing sw", 'userName zz "x"'):
        assert directory.get("/Users", params={"filter": wrong}).status_code == 400, wrong
    assert directory.get("/Nothing").status_code == 404
