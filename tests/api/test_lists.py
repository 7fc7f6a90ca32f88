"""Lists by a view, many acted on at once, exports as a template says: through the API and the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from watchkeeper.domains.access.models import Grant, Role, Team
from watchkeeper.domains.identity.keys import new_token
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.lists.models import SavedView
from watchkeeper.exchange import rendering
from watchkeeper.kernel.models import AuditEntry

JSON = "application/json"
Api = Callable[..., Client]


@pytest.fixture
def admin(api: Api) -> Client:
    return api("admin")


def post(client: Client, url: str, body: Any, status: int = 201) -> Any:
    answer = client.post(url, json.dumps(body), content_type=JSON)
    assert answer.status_code == status, answer.content
    return answer.json()


def token_of(username: str, role: str = "") -> Client:
    """A client with a token that can do what this person can."""
    user, _ = User.objects.get_or_create(username=username)
    if role:
        from django.utils import timezone

        Grant.objects.create(
            role=Role.objects.get(name=role), user=user, reason="test", valid_from=timezone.now()
        )
    _, secret = new_token(f"of {username}", "write", user=user)
    return Client(headers={"authorization": f"Bearer {secret}"}, raise_request_exception=False)


def view(client: Client, name: str, status: int = 201, **more: Any) -> Any:
    return post(client, "/api/saved-views/", {"kind": "devices", "name": name, **more}, status)


def test_a_view_is_narrowed_ordered_and_searched(admin: Client) -> None:
    rows = [{"name": f"{w} {n}", "role": r, "serial": f"S{n}"} for n, (w, r) in
            enumerate([("web", "server"), ("web", "switch"), ("db", "server"), ("web", "server")])]  # fmt: skip
    post(admin, "/api/devices/", rows)
    view(admin, "webs", sharing="everyone", search="web", ordering="-serial", filters={"role": "server"})

    def serials(**query: str) -> list[str]:
        answer = admin.get("/api/devices/", {"view": "webs", **query})
        assert answer.status_code == 200, answer.content
        return [r["serial"] for r in answer.json()["results"]]

    assert serials() == ["S3", "S0"]
    assert serials(ordering="serial") == ["S0", "S3"]
    assert serials(serial="S0") == ["S0"]
    assert serials(role="switch") == []  # a parameter narrows, it does not replace
    assert serials(search="3") == ["S3"]
    assert serials(cursor="", limit="1") == ["S3"]
    table = admin.get("/api/devices/", {"view": "webs", "format": "csv", "fields": "serial"})
    assert table.getvalue().decode().split() == ["serial", "S3", "S0"]


def test_what_no_list_can_answer_is_named(admin: Client) -> None:
    for more, field in (
        ({"filters": {"colour": "red"}}, "filters"),
        ({"filters": {"position": "high"}}, "filters"),
        ({"ordering": "colour"}, "ordering"),
        ({"columns": ["rack__colour"]}, "columns"),
        ({"kind": "dragons"}, "kind"),
        ({"sharing": "team"}, "team"),
        ({"name": "12"}, "name"),
    ):
        errors = view(admin, "wrong", 400, **more)["errors"] if "name" not in more else None
        errors = errors or post(admin, "/api/saved-views/", {"kind": "devices", **more}, 400)["errors"]
        assert errors.keys() == {field}


def test_views_are_for_whom_they_are_shared_with(admin: Client) -> None:
    ann, bob, eve = token_of("ann", "operations engineer"), token_of("bob"), token_of("eve")
    team = Team.objects.create(name="network")
    team.members.set(User.objects.filter(username__in=("ann", "bob")))
    view(ann, "mine")
    view(ann, "ours", sharing="team", team=team.pk)
    view(ann, "all", sharing="everyone")

    def seen(client: Client) -> set[str]:
        return {v["name"] for v in client.get("/api/saved-views/").json()["results"]}

    assert (seen(ann), seen(bob), seen(eve)) == ({"mine", "ours", "all"}, {"ours", "all"}, {"all"})
    assert seen(admin) == {"mine", "ours", "all"}
    for name, status in (("mine", 400), ("ours", 400), ("all", 200)):
        assert eve.get("/api/devices/", {"view": name}).status_code == status
    view(eve, "secret", 201)
    view(eve, "for all", 403, sharing="everyone")
    theirs = SavedView.objects.get(name="ours").pk
    change = bob.patch(f"/api/saved-views/{theirs}/", json.dumps({"name": "taken"}), content_type=JSON)
    assert change.status_code == 403
    own = SavedView.objects.get(name="secret").pk
    change = eve.patch(f"/api/saved-views/{own}/", json.dumps({"sharing": "everyone"}), content_type=JSON)
    assert change.status_code == 403


def test_ones_own_view_comes_before_those_of_others(admin: Client) -> None:
    ann, bob = token_of("ann", "operations engineer"), token_of("bob", "operations engineer")
    made = post(admin, "/api/devices/", [{"name": "a", "role": "server"}, {"name": "b", "role": "switch"}])
    assert len(made) == 2
    view(ann, "few", sharing="everyone", filters={"role": "server"})
    view(bob, "few", sharing="everyone", filters={"role": "switch"})
    names = [
        [d["name"] for d in c.get("/api/devices/", {"view": "few"}).json()["results"]] for c in (ann, bob)
    ]
    assert names == [["a"], ["b"]]
    both = admin.get("/api/devices/", {"view": "few"})
    assert both.status_code == 400
    assert "give the id" in both.json()["detail"]


def test_many_are_acted_on_or_none(admin: Client) -> None:
    ids = [post(admin, "/api/tokens/", {"name": f"t{n}", "scope": "read"})["id"] for n in range(3)]
    post(admin, f"/api/tokens/{ids[2]}/revoke/", {}, 200)
    refused = post(admin, "/api/tokens/revoke/", {"ids": ids}, 409)
    assert refused["errors"].keys() == {"2"}
    assert admin.get(f"/api/tokens/{ids[0]}/").json()["revoked_at"] is None
    assert post(admin, "/api/tokens/revoke/", {"ids": [ids[0], "0"]}, 400)["errors"].keys() == {"1"}
    for body in ({}, {"ids": []}, {"ids": "all"}, {"ids": [ids[0]], "colour": 1}):
        post(admin, "/api/tokens/revoke/", body, 400)
    done = post(admin, "/api/tokens/revoke/", {"ids": ids[:2]}, 200)
    assert [d["id"] for d in done] == ids[:2]
    assert all(d["revoked_at"] for d in done)
    assert AuditEntry.objects.filter(act="token.revoke").count() == 3


def template(client: Client, text: str, status: int = 201, **more: str) -> Any:
    body = {"kind": "devices", "name": "hosts", "file_name": "hosts.cfg", "text": text, **more}
    return post(client, "/api/export-templates/", body, status)


def test_a_list_is_written_as_a_template_says(admin: Client) -> None:
    site = post(admin, "/api/sites/", {"name": "Zürich"})["id"]
    post(admin, "/api/devices/", [{"name": f"d{n}", "site": site} for n in range(3)])
    template(admin, "{% for r in records %}\n{{ r.name }} at {{ r.site_name }}\n{% endfor %}\n")
    answer = admin.get("/api/devices/", {"format": "template", "template": "hosts", "ordering": "-name"})
    assert answer.status_code == 200, answer.content
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert 'filename="hosts.cfg"' in answer.headers["Content-Disposition"]
    assert answer.content.decode() == "d2 at Zürich\nd1 at Zürich\nd0 at Zürich\n"
    some = admin.get("/api/devices/", {"format": "template", "template": "hosts", "name": "d1"})
    assert some.content.decode() == "d1 at Zürich\n"
    for query in ({"format": "template"}, {"format": "template", "template": "x"}, {"template": "hosts"}):
        assert admin.get("/api/devices/", query).json()["parameter"] == "template"
    wrong = template(admin, "line 1\n{% for r in %}", 400)
    assert wrong["errors"]["text"][0].startswith("line 2: ")
    page = {"name": "page", "file_name": "x.html", "media_type": "text/html"}
    template(admin, "{{ '<' }}{{ '<b>'|safe }}", **page)
    answer = admin.get("/api/devices/", {"format": "template", "template": "page"})
    assert answer.content == b"&lt;<b>"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1\n2\n{{ records[0].colour }}", "line 3: "),
        ("{{ ''.__class__.__mro__ }}", "line 1: access to attribute '__class__'"),
        ("{{ records.append(1) }}", "line 1: "),
        (
            "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
            "time or memory",
        ),
        ("{{ ('x' * 1000000000) * 10 }}", "memory"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "without end"),
        ("{% for n in range(99999) %}{{ 'x' * 1000 }}{% endfor %}", "MiB"),
        ("{{ 1 / 0 }}", "line 1: division by zero"),
    ],
)
def test_a_template_is_bounded_and_says_its_line(
    text: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "CPU_SECONDS", 1)
    with pytest.raises(rendering.BadTemplate) as error:
        rendering.render(rendering.Template(text), [{"name": "a"}])
    assert said in error.value.detail
