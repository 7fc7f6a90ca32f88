"""Who may do what: roles by grants that begin and end, denials that say why, changes that are refused because they
are unsafe, explanations, and the pages of people who may not do everything."""

from __future__ import annotations

import datetime as dt
import html
import json
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.domains.analysis_structs import NOW, alert, situation
from watchkeeper.domains import identity
from watchkeeper.domains.access.models import Grant, Organisation, Policy, Role, Team
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.maintenance.models import MaintenanceWindow
from watchkeeper.domains.situations import AnalysisWriter
from watchkeeper.jobs.models import Job
from watchkeeper.kernel.models import AuditEntry
from watchkeeper.model.topology import Discovery, Item, item_id
from watchkeeper.model.verdicts import Severity

pytestmark = pytest.mark.django_db
Api = Callable[..., Client]
ITEMS = [
    Item(item_id("t", n), k, n, (), source="test")
    for n, k in (("shop", "service"), ("sw-1", "switch"), ("db-1", "host"))
]


@pytest.fixture
def records(db: None) -> None:  # noqa: ARG001
    """Three items, an alert on one of them, a situation with it."""
    alerts = {
        "a1": alert("a1", name="Down", item=ITEMS[0].id, situation="s1", severity=Severity.CRITICAL),
        "a2": alert("a2", name="Slow", severity=Severity.WARNING),
    }
    AnalysisWriter().write(
        alerts,
        {"s1": situation("s1", ("a1",))},
        [Discovery(NOW, "t", tuple(ITEMS), ())],
        [],
        offset=1,
        now_ms=NOW,
    )


def person(name: str, *roles: str, **of_grant: Any) -> Client:
    """A browser in which this new person has signed in, with these roles."""
    user = User.objects.create_user(name, "correct horse battery", is_administrator="administrator" in roles)
    for role in roles:
        if role != "administrator":
            grant(role, user=user, **of_grant)
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def grant(role: str, **fields: Any) -> Grant:
    """A grant in force since yesterday."""
    base = {"reason": "a test", "valid_from": timezone.now() - dt.timedelta(days=1), "approved_by": "test"}
    return Grant.objects.create(role=Role.objects.get(name=role), **{**base, **fields})


@pytest.mark.parametrize(
    ("role", "status"),
    [("applications analyst", 409), ("network administrator", 409), ("service desk agent", 403), ("cloud architect", 403),
     ("external auditor", 403)],
)  # fmt: skip
def test_who_does_not_plan_maintenance_may_not_end_it(role: str, status: int) -> None:
    """Making, changing, extending, ending and removing; who may is told that this one does not run now."""
    window = MaintenanceWindow.objects.create(
        name="later", labels={"a": "b"}, created_by="ann", starts_at=timezone.now() + dt.timedelta(days=1),
        ends_at=timezone.now() + dt.timedelta(days=2),
    )  # fmt: skip
    client, one = person("cat", role), f"/api/maintenance-windows/{window.pk}/"
    for action, data in (("end-now", {}), ("extend", {"until": "2099-01-01T00:00:00Z"})):
        assert client.post(f"{one}{action}/", data, "application/json").status_code == status, action
    new = {
        "name": "new",
        "labels": {"a": "b"},
        "starts_at": "2099-01-01T00:00:00Z",
        "ends_at": "2099-01-01T01:00:00Z",
    }
    may = status == 409
    assert client.post("/api/maintenance-windows/", new, "application/json").status_code == (
        201 if may else 403
    )
    assert client.patch(one, {"name": "x"}, "application/json").status_code == (200 if may else 403)
    assert client.delete(one).status_code == (204 if may else 403)


def policy(text: str, **fields: Any) -> Policy:
    """One more policy."""
    return Policy.objects.create(name=fields.pop("name", "house rule"), text=text, **fields)


def names(client: Client, path: str, **query: Any) -> set[str]:
    """What a list shows."""
    answer = client.get(f"/api/{path}/", query)
    assert answer.status_code == 200, answer.content
    return {r["name"] for r in answer.json()["results"]}


def post(client: Client, path: str, **body: Any) -> Any:
    """POST as JSON."""
    return client.post(f"/api/{path}", body, content_type="application/json")


# ── what roles may do ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("records")
def test_whoever_was_granted_nothing_is_an_it_operator_until_that_grant_ends(api: Api) -> None:
    """And then may do nothing."""
    ann = person("ann")
    assert names(ann, "items") == {"shop", "sw-1", "db-1"}
    assert post(ann, f"items/{ITEMS[0].id}/confirm/").status_code == 200
    assert post(ann, "items/", kind="host", name="x").status_code == 403
    assert ann.get("/api/audit/").status_code == 403
    default = Grant.objects.get(everyone_else=True)
    assert post(api(), f"grants/{default.pk}/end/").status_code == 200
    assert ann.get("/api/items/").status_code == 403
    assert "No policy allows it." in ann.get("/api/items/").json()["because"]
    assert AuditEntry.objects.filter(act="grant.end").exists()


@pytest.mark.usefixtures("records")
@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        ("operations engineer", ["items", "notification-rules"], ["audit", "policies"]),
        ("operations manager", ["items", "audit", "grants"], ["policies"]),
        ("cloud architect", ["items"], ["audit"]),
        ("business architect", ["items"], ["audit"]),
        ("systems integrator", ["items", "intake-keys"], ["policies", "users"]),
        ("incident and security manager", ["audit", "tokens", "policies"], []),
        ("applications analyst", ["alerts"], ["audit"]),
        ("technical analyst", ["alerts"], ["audit"]),
        ("network administrator", ["alerts"], ["audit"]),
        ("IT operator", ["alerts", "situations"], ["audit", "users"]),
        ("service desk agent", ["situations"], ["audit"]),
        ("requester", ["teams"], ["items", "alerts", "audit"]),
        ("external auditor", ["items", "audit", "policies", "users"], []),
        ("administrator", ["items", "audit", "policies", "users", "tokens"], []),
    ],
)
def test_every_built_in_role(role: str, may: list[str], may_not: list[str]) -> None:
    """What it reads and what not; and nothing but an administrator's hand makes policies."""
    client = person("ann", role)
    assert {p: client.get(f"/api/{p}/").status_code for p in may} == dict.fromkeys(may, 200)
    assert {p: client.get(f"/api/{p}/").status_code for p in may_not} == dict.fromkeys(may_not, 403)
    made = post(client, "policies/", name="mine", text="permit (principal, action, resource);")
    assert made.status_code == (201 if role == "administrator" else 403), made.content
    assert client.get("/").status_code == 200


@pytest.mark.parametrize(
    ("role", "works", "keeps", "leads"),
    [
        ("service desk agent", True, True, True),
        ("operations manager", True, True, True),
        ("incident and security manager", True, False, True),
        ("IT operator", True, False, False),
        ("network administrator", True, False, False),
        ("business architect", False, False, False),
        ("requester", False, False, False),
        ("external auditor", False, False, False),
    ],
)
def test_who_works_on_tickets(role: str, works: bool, keeps: bool, leads: bool) -> None:
    """Takes them, writes replies and internal notes, ticks steps; keeps what the desk uses; leads a major incident."""
    ticket, may = Ticket.objects.create(title="It is slow", number="INC-1"), {True: 201, False: 403}
    client = person("cat", role)
    about = {"ticket": ticket.pk}
    assert post(client, f"tickets/{ticket.pk}/take/").status_code == (200 if works else 403)
    for sort in ("reply", "note"):
        said = post(client, "ticket-messages/", **about, sort=sort, body="we look into it")
        assert said.status_code == may[works], said.content
    assert post(client, "checklist-items/", **about, text="Look").status_code == may[works]
    assert post(client, "macros/", name="More", reply="Since when?").status_code == may[keeps]
    assert post(client, "major-incidents/", **about, title="All is slow").status_code == may[leads]
    other = Ticket.objects.create(title="A mistake", number="INC-2")
    assert client.delete(f"/api/tickets/{other.pk}/").status_code == (204 if keeps else 403)


@pytest.mark.usefixtures("records")
def test_a_role_may_do_it_with_some_records_only() -> None:
    """The record's attributes decide: before it is changed, after it, and when it is made."""
    nat = person("nat", "network administrator")
    patch = {"content_type": "application/json"}
    assert nat.patch(f"/api/items/{ITEMS[1].id}/", {"name": "sw-2"}, **patch).status_code == 200
    assert nat.patch(f"/api/items/{ITEMS[0].id}/", {"name": "x"}, **patch).status_code == 403
    assert nat.patch(f"/api/items/{ITEMS[1].id}/", {"kind": "service"}, **patch).status_code == 403
    assert nat.get(f"/api/items/{ITEMS[1].id}/").json()["kind"] == "switch"
    assert post(nat, "items/", kind="router", name="r-1").status_code == 201
    assert post(nat, "items/", kind="service", name="s-1").status_code == 403
    assert "s-1" not in names(nat, "items")


@pytest.mark.usefixtures("records")
def test_an_auditor_changes_nothing_whatever_else_they_are() -> None:
    """A forbid wins."""
    eve = person("eve", "external auditor", "operations engineer")
    denied = post(eve, f"items/{ITEMS[0].id}/confirm/")
    assert denied.status_code == 403
    assert denied.json()["action"] == "confirm" and denied.json()["kind"] == "items"
    assert denied.json()["because"] == ["External auditors change nothing, whatever else they were granted."]
    assert denied.json()["type"] == "urn:watchkeeper:problem:forbidden"


def test_an_auditor_has_the_audit_trail_verified_and_starts_nothing_else() -> None:
    """By REST and with the button of the list; their own job they may also stop."""
    eve = person("eve", "external auditor", "operations engineer")
    made = post(eve, "jobs/", kind="audit-verify")
    assert made.status_code == 201, made.content
    assert post(eve, f"jobs/{made.json()['id']}/cancel/").status_code == 200
    assert eve.post("/jobs/start/audit-verify/").status_code == 302
    for other in ("clear-away", "export"):
        assert eve.post(f"/jobs/start/{other}/").status_code in (400, 403)
        assert post(eve, "jobs/", kind=other, arguments={}).status_code in (400, 403)
    assert Job.objects.exclude(kind="audit-verify").count() == 0
    assert "Verify the whole audit trail" in eve.get("/audit/").content.decode()


def test_every_kind_to_choose_from_in_the_audit_trail_has_a_name() -> None:
    """Also beside entries that are about no record, such as a failure to sign in."""
    root = person("root", "administrator")
    Client().post("/sign-in/", {"username": "root", "password": "wrong"})
    assert AuditEntry.objects.filter(kind="").exists()
    options = re.findall(r"<option[^>]*>([^<]*)</option>", root.get("/audit/").content.decode())
    assert options and all(text.strip() for text in options), options


def test_only_who_may_make_intake_keys_is_told_to_make_one() -> None:
    assert (
        "Begin here" in person("eva", "operations engineer", "systems integrator").get("/").content.decode()
    )
    for role in ("requester", "external auditor", "network administrator"):
        assert "Begin here" not in person(role.replace(" ", "-"), role).get("/").content.decode()


def test_a_reference_to_what_may_not_be_read_is_answered_like_one_to_nothing(
    api: Callable[..., Client],
) -> None:
    """In a body, a list of bodies, an import and a form. What a record refers to already may stay."""
    root = api("admin")
    hidden, open_ = (post(root, "sites/", name=n).json()["id"] for n in ("vault", "hall"))
    kept = post(root, "devices/", name="sw1", site=hidden).json()
    for kind in ("sites", "items"):
        policy(
            f'forbid (principal, action, resource == Kind::"{kind}") when {{ resource.name == "vault" }};',
            name=kind,
        )
    ann = person("ann", "technical analyst")
    nothing = "00000000-0000-0000-0000-000000000000"
    answers = [post(ann, "devices/", name="sw2", site=site).json() for site in (hidden, nothing)]
    told = [json.dumps(a["errors"]).replace(hidden, nothing) for a in answers]
    assert told[0] == told[1] and answers[0]["status"] == 400
    many = ann.post(
        "/api/devices/", json.dumps([{"name": "a", "site": hidden}]), content_type="application/json"
    )
    assert many.json()["errors"]["0"].keys() == {"site"}
    form = ann.post("/devices/new/", {"name": "sw2", "site": hidden, "role": "switch", "status": "active"})
    assert form.status_code == 400
    seen = ann.post("/devices/import/", {"text": f"name,site\nsw3,{hidden}\n", "format": "csv"})
    assert "there is no site" in html.unescape(seen.content.decode())
    merged = [post(ann, f"items/{open_}/merge/", into=site).json()["detail"] for site in (hidden, nothing)]
    assert merged[0].replace(hidden, nothing) == merged[1]
    url = f"/api/devices/{kept['id']}/"
    whole = ann.get(url).json()
    assert (
        ann.put(url, json.dumps({**whole, "asset_tag": "A"}), content_type="application/json").status_code
        == 200
    )
    assert ann.get(url).json()["site"] == hidden
    assert post(ann, "devices/", name="sw4", site=open_).status_code == 201


@pytest.mark.usefixtures("records")
def test_lists_related_lists_search_and_counts_show_what_may_be_read() -> None:
    """One policy, everywhere the same records."""
    policy(
        'forbid (principal, action, resource == Kind::"items") when { resource.kind == "switch" };\n'
        'forbid (principal, action, resource == Kind::"alerts") when { resource.severity == "critical" };'
    )
    ann = person("ann")
    assert names(ann, "items") == {"shop", "db-1"}
    assert ann.get(f"/api/items/{ITEMS[1].id}/").status_code == 404
    assert names(ann, "alerts") == {"Slow"}
    assert names(ann, "situations/s1/alerts") == set()
    assert [a["labels"]["alertname"] for a in ann.get("/api/v2/alerts").json()] == ["DiskFull"]
    assert ann.get(f"/items/{ITEMS[1].id}/").status_code == 404
    assert "sw-1" not in ann.get("/items/").content.decode()
    assert "Down" not in ann.get(f"/items/{ITEMS[0].id}/").content.decode()
    assert "sw-1" not in ann.get("/search/?q=sw").content.decode()
    assert "2 items" in ann.get("/").content.decode()
    assert ann.get(f"/items/{ITEMS[1].id}/graph.json").json()["nodes"] == []


@pytest.mark.usefixtures("records")
def test_what_one_works_on_oneself() -> None:
    """A policy may compare a record with the person."""
    Grant.objects.update(expires_at=timezone.now())
    policy(
        'permit (principal, action, resource == Kind::"situations") '
        "when { resource.assignee == principal.username };"
    )
    ann = person("ann")
    situations = ann.get("/api/situations/").json()
    assert situations["count"] == 0
    from watchkeeper.domains.situations.models import Situation

    Situation.objects.update(assignee="ann")
    assert ann.get("/api/situations/").json()["count"] == 1
    assert ann.get("/situations/").status_code == 200


# ── grants ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("records")
def test_a_grant_counts_from_its_beginning_to_its_end_to_the_moment() -> None:
    """Between two requests of one session."""
    ann = person("ann", "incident and security manager")
    assert ann.get("/api/audit/").status_code == 200
    Grant.objects.filter(user__username="ann").update(expires_at=timezone.now())
    assert ann.get("/api/audit/").status_code == 403
    Grant.objects.filter(user__username="ann").update(
        expires_at=None, valid_from=timezone.now() + dt.timedelta(hours=1)
    )
    assert ann.get("/api/audit/").status_code == 403


def test_what_is_granted_to_a_team_counts_for_its_members(api: Api) -> None:
    """And ends for whoever leaves it, which the trail shows."""
    ann = person("ann")
    user = User.objects.get(username="ann")
    team = post(api(), "teams/", name="security", members=[user.pk]).json()
    role = Role.objects.get(name="incident and security manager")
    made = post(api(), "grants/", role=role.pk, team=team["id"], reason="they look after incidents")
    assert made.status_code == 201, made.content
    assert made.json()["approved_by"] == "test admin"
    assert ann.get("/api/audit/").status_code == 200
    left = api().patch(f"/api/teams/{team['id']}/", {"members": []}, content_type="application/json")
    assert left.json()["members"] == []
    assert ann.get("/api/audit/").status_code == 403
    trail = AuditEntry.objects.get(act="team.change")
    assert trail.before == {"members": [user.pk]} and trail.after == {"members": []}


def test_a_role_in_one_organisation_counts_for_its_records_and_those_of_its_parts() -> None:
    """Teams have an organisation."""
    acme = Organisation.objects.create(name="Acme")
    Team.objects.create(name="one", organisation=Organisation.objects.create(name="Acme North", parent=acme))
    Team.objects.create(name="two", organisation=Organisation.objects.create(name="Other"))
    Team.objects.create(name="three")
    Grant.objects.update(expires_at=timezone.now())
    ann = person("ann", "IT operator", in_organisation=acme)
    assert names(ann, "teams") == {"one"}
    assert ann.get(f"/api/teams/{Team.objects.get(name='two').pk}/").status_code == 404
    assert ann.get("/api/items/").status_code == 403  # items belong to no organisation


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reason": " "}, "reason"),
        ({"reason": None}, "reason"),
        ({"everyone_else": True}, "user"),
        ({"user": None}, "user"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"role": 4711}, "role"),
    ],
)
def test_a_grant_that_cannot_be_is_refused(api: Api, changes: dict[str, Any], field: str) -> None:
    """With the field that is wrong; and nothing is written."""
    user = User.objects.create_user("ann")
    role = Role.objects.get(name="requester")
    body = {"role": role.pk, "user": user.pk, "reason": "asks for things", **changes}
    answer = post(api(), "grants/", **{k: v for k, v in body.items() if v is not None})
    assert answer.status_code == 400, answer.content
    assert field in answer.json()["errors"]
    assert Grant.objects.count() == 1


# ── unsafe changes ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("// a comment\npermit (principal, action, resource)\nwhen { resource.name == };", "line"),
        ("permit (principal, action, resource);\npermit (principal, action, thing);", "line 2"),
        ('permit (principal in Role::"IT operater", action, resource);', "IT operater"),
        ('permit (principal, action == Action::"raed", resource);', "raed"),
        ("permit (principal, action, resource) when { resource.colour == 1 };", "resource.colour"),
        ("permit (principal, action, resource) when { resource.name == resource.kind };", "two attributes"),
        ('permit (principal, action, resource) when { resource.name like "a*b*c" };', "like"),
        ("permit (principal, action, resource) when { context.hour < 8 };", "context.hour"),
        ("permit (principal == ?principal, action, resource);", "templates"),
        ("// nothing\n", "no rule"),
    ],
)
def test_a_policy_that_cannot_be_used_is_refused_with_its_place(api: Api, text: str, said: str) -> None:
    """When it is made and when it is changed; the old one goes on."""
    root = api()
    answer = post(root, "policies/", name="wrong", text=text)
    assert answer.status_code == 400, answer.content
    assert said in answer.json()["errors"]["text"][0]
    builtin = Policy.objects.get()
    changed = root.patch(f"/api/policies/{builtin.pk}/", {"text": text}, content_type="application/json")
    assert changed.status_code == 400
    builtin.refresh_from_db()
    assert builtin.version == 1


@pytest.mark.parametrize(
    "text",
    [
        "forbid (principal, action, resource);",
        'forbid (principal in Role::"administrator", action == Action::"change", resource == Kind::"policies");',
        'forbid (principal == User::"ann", action, resource in Area::"administration");',
        'forbid (principal, action, resource) when { resource has name && resource.name == "x" };',
    ],
)
def test_a_policy_that_locks_administrators_out_is_refused(api: Api, text: str) -> None:
    """Even one that names the only administrator; with another one it may be."""
    person("ann", "administrator")
    answer = post(api(), "policies/", name="locked", text=text)
    locks = "resource.name" not in text  # what is said of items' names says nothing of policies
    assert answer.status_code == (409 if locks else 201), answer.content
    if "ann" in text:
        person("bob", "administrator")
        assert post(api(), "policies/", name="locked", text=text).status_code == 201
        bob = User.objects.get(username="bob")
        body = {"is_active": False}
        assert api().patch(f"/api/users/{bob.pk}/", body, content_type="application/json").status_code == 409


def test_the_policy_that_lets_administrators_in_cannot_go(api: Api) -> None:
    """Neither be removed, nor switched off, nor emptied of that rule."""
    root, builtin = api(), Policy.objects.get()
    url = f"/api/policies/{builtin.pk}/"
    assert root.delete(url).status_code == 409
    assert root.patch(url, {"enabled": False}, content_type="application/json").status_code == 409
    less = 'permit (principal in Role::"IT operator", action, resource);'
    assert root.patch(url, {"text": less}, content_type="application/json").status_code == 409
    more = f"{builtin.text}\n{less}"
    changed = root.patch(url, {"text": more}, content_type="application/json")
    assert changed.status_code == 200 and changed.json()["version"] == 2
    trail = AuditEntry.objects.get(act="policy.change")
    assert less in (trail.after or {})["text"] and less not in (trail.before or {})["text"]


@pytest.mark.django_db(transaction=True)
def test_two_administrators_cannot_put_each_other_out(api: Api) -> None:
    """Both at the same moment: one of them stays."""
    people = [User.objects.create_user(name, is_administrator=True) for name in ("ann", "bob")]
    clients, together = [api() for _ in people], threading.Barrier(2)

    def put_out(client: Client, user: User) -> int:
        try:
            together.wait(10)
            body = {"is_administrator": False}
            answer = client.patch(f"/api/users/{user.pk}/", body, content_type="application/json")
            return int(answer.status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(put_out, clients, people))
    assert sorted(answers) == [200, 409]
    assert User.objects.filter(is_administrator=True).count() == 1


def test_nobody_becomes_an_administrator_by_the_back_door() -> None:
    """Whoever a policy lets change users, grants and tokens gets no further than they may go themselves."""
    policy('permit (principal == User::"eve", action, resource in Area::"identity");\n'
           'permit (principal == User::"eve", action, resource == Kind::"grants");')  # fmt: skip
    eve, root = person("eve"), User.objects.create_user("root", is_administrator=True)
    own = User.objects.get(username="eve")
    patch = {"content_type": "application/json"}
    assert eve.patch(f"/api/users/{own.pk}/", {"is_administrator": True}, **patch).status_code == 403
    assert eve.patch(f"/api/users/{root.pk}/", {"password": "a new long one!"}, **patch).status_code == 403
    assert eve.patch(f"/api/users/{own.pk}/", {"email": "eve@example.org"}, **patch).status_code == 200
    role = Role.objects.get(name="administrator")
    assert post(eve, "grants/", role=role.pk, user=own.pk, reason="why not").status_code == 403
    secret = post(eve, "tokens/", name="mine", scope="admin").json()["secret"]
    token = Client(headers={"authorization": f"Bearer {secret}"})
    assert token.get("/api/tokens/").status_code == 200
    assert token.get("/api/policies/").status_code == 403


@pytest.mark.usefixtures("records")
def test_a_relation_is_read_by_who_may_read_both_its_ends(api: Callable[..., Client]) -> None:
    """Or it would name the one that is hidden, in its list, its page and beside the other end."""
    ends = [i.id for i in ITEMS]
    for source, target in ((ends[0], ends[2]), (ends[0], ends[1])):
        made = post(api(), "relations/", source=source, kind="depends_on", target=target)
        assert made.status_code == 201
    hidden = made.json()["id"]
    policy(
        'forbid (principal == User::"ann", action, resource == Kind::"items") when { resource.name == "sw-1" };'
    )
    ann = person("ann")
    assert [r["target"] for r in ann.get("/api/relations/").json()["results"]] == [ends[2]]
    assert ann.get(f"/api/relations/{hidden}/").status_code == 404
    assert ann.get(f"/relations/{hidden}/").status_code == 404
    assert ann.get(f"/api/items/{ends[0]}/relations/").json()["count"] == 1
    assert api().get("/api/relations/").json()["count"] == 2


def test_everybody_makes_tokens_of_their_own_and_sees_no_others() -> None:
    """Which do no more than they may; also in the console."""
    identity.create_token("the platform's", "admin")
    ann, bert = person("ann", "IT operator"), person("bert")
    made = post(ann, "tokens/", name="ann's", scope="admin").json()
    assert made["user_name"] == "ann"
    assert names(ann, "tokens") == {"ann's"} and names(bert, "tokens") == set()
    token = Client(headers={"authorization": f"Bearer {made['secret']}"})
    assert token.get("/api/situations/").status_code == 200
    assert token.get("/api/policies/").status_code == 403
    assert post(bert, f"tokens/{made['id']}/revoke/").status_code == 404
    assert ann.post("/tokens/new/", {"name": "by form", "scope": "read"}).status_code == 200
    assert names(ann, "tokens") == {"ann's", "by form"}
    assert post(ann, f"tokens/{made['id']}/revoke/").status_code == 200
    assert token.get("/api/situations/").status_code == 401
    assert post(
        ann, "tokens/", name="x", scope="read", user=User.objects.get(username="bert").pk
    ).status_code in (400, 403)


def test_a_token_of_a_person_is_bound_by_both() -> None:
    """Its scope and their policies; the person who leaves takes it along."""
    person("ann", "administrator")
    user = User.objects.get(username="ann")
    reads = Client(headers={"authorization": "Bearer " + identity.create_token("r", "read", user=user)})
    assert reads.get("/api/items/").status_code == 200
    assert reads.get("/api/policies/").status_code == 403
    assert post(reads, "items/", kind="host", name="x").status_code == 403
    everything = Client(headers={"authorization": "Bearer " + identity.create_token("a", user=user)})
    assert everything.get("/api/policies/").status_code == 200
    User.objects.update(is_administrator=False)
    assert everything.get("/api/policies/").status_code == 403


def test_what_a_policy_names_keeps_its_name(api: Api) -> None:
    """Or the policy would be about nobody."""
    team = Team.objects.create(name="dba")
    policy('permit (principal in Team::"dba", action, resource);')
    root, url = api(), f"/api/teams/{team.pk}/"
    answer = root.patch(url, {"name": "databases"}, content_type="application/json")
    assert answer.status_code == 409 and "house rule" in answer.json()["detail"]
    assert root.delete(url).status_code == 409
    Policy.objects.filter(name="house rule").delete()
    grant("requester", team=team)
    assert "requester" in root.delete(url).json()["detail"]
    acme = Organisation.objects.create(name="Acme")
    part = Organisation.objects.create(name="Part", parent=acme)
    looped = root.patch(
        f"/api/organisations/{acme.pk}/", {"parent": part.pk}, content_type="application/json"
    )
    assert looped.status_code == 400 and looped.json()["errors"].keys() == {"parent"}


# ── explanations ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("records")
def test_a_decision_is_explained(api: Api) -> None:
    """Which rule of which policy, in words, and by which grants."""
    person("nat", "network administrator")

    def ask(**query: str) -> Any:
        answer = api().get("/api/access/explain", query)
        assert answer.status_code == 200, answer.content
        return answer.json()

    yes = ask(user="nat", action="change", kind="items", record=ITEMS[1].id)
    assert yes["allowed"] and not yes["partly"]
    assert yes["because"] == [
        {"policy": "Built-in roles", "rule": "network administrator: network", "effect": "permit",
         "text": "Network administrators keep what the network is made of."}
    ]  # fmt: skip
    assert [(g["role"], g["reason"]) for g in yes["grants"]] == [("network administrator", "a test")]
    no = ask(user="nat", action="change", kind="items", record=ITEMS[0].id)
    assert not no["allowed"] and no["because"][0]["text"] == "No policy allows it." and no["grants"] == []
    some = ask(user="nat", action="change", kind="items")
    assert some["allowed"] and some["partly"]
    assert not ask(user="nat", action="administer", kind="platform")["allowed"]


@pytest.mark.usefixtures("records")
def test_who_may(api: Api) -> None:
    """By name, with the grant; the number of queries does not grow with the people."""
    for n in range(3):
        person(f"nat{n}", "network administrator")
    person("ann", "administrator")
    person("bob")
    client, query = api(), {"action": "change", "kind": "items", "record": ITEMS[1].id}
    client.get("/api/items/")

    def asked() -> tuple[Any, int]:
        with CaptureQueriesContext(connection) as captured:
            answer = client.get("/api/access/who", query)
        assert answer.status_code == 200, answer.content
        return answer.json(), len(captured)

    found, queries = asked()
    assert [r["user"] for r in found["results"]] == ["ann", "nat0", "nat1", "nat2"]
    assert found["results"][0]["grants"][0]["role"] == "administrator"
    for n in range(3, 9):
        person(f"nat{n}", "network administrator")
    more, again = asked()
    assert more["count"] == 10 and again == queries


@pytest.mark.usefixtures("records")
def test_who_may_ask(api: Api) -> None:
    """Everybody about themselves; about others who may read policies. What is asked wrongly is named."""
    ann = person("ann")
    about = {"action": "read", "kind": "items"}
    assert ann.get("/api/access/explain", about).json()["allowed"]
    assert ann.get("/api/access/explain", {**about, "user": "ann"}).json()["user"] == "ann"
    assert ann.get("/api/access/explain", {**about, "user": "bob"}).status_code == 403
    assert ann.get("/api/access/who", about).status_code == 403
    assert Client().get("/api/access/explain", about).status_code == 401
    root = api()
    record_of_none = {"kind": "platform", "action": "work", "record": "1"}
    for wrong, name in (
        ({"kind": "itms"}, "kind"),
        ({"action": "fly"}, "action"),
        ({"user": "eve"}, "user"),
        ({"colour": "red"}, "colour"),
        (record_of_none, "record"),
    ):
        answer = root.get("/api/access/explain", {**about, "user": "ann", **wrong})
        assert answer.status_code == 400 and answer.json()["parameter"] == name, answer.content
    assert root.get("/api/access/explain", {**about, "user": "ann", "record": "x"}).status_code == 404


# ── pages ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("records")
def test_the_console_hides_what_one_may_not_do() -> None:
    """Navigation, buttons and forms; a page that says why not where somebody goes by hand."""
    ann = person("ann")
    shown = ann.get(f"/items/{ITEMS[0].id}/").content.decode()
    assert "Confirm" in shown and "/edit/" not in shown and "/remove/" not in shown
    for path in ("/audit/", "/access/", "/policies/", "/items/new/", f"/items/{ITEMS[0].id}/edit/"):
        assert f'href="{path}"' not in shown
        denied = ann.get(path, headers={"accept": "text/html"})
        assert denied.status_code == 403, path
        assert "You may not" in denied.content.decode() and "No policy allows it." in denied.content.decode()
    assert ann.post(f"/items/{ITEMS[0].id}/remove/").status_code == 403
    root = person("root", "administrator")
    shown = root.get(f"/items/{ITEMS[0].id}/").content.decode()
    assert all(part in shown for part in ("/edit/", "/remove/", 'href="/access/"', "Add a relation"))


@pytest.mark.usefixtures("records")
def test_a_requester_sees_no_operations() -> None:
    """Neither in the navigation nor on the overview, nor the platform's own pages."""
    rae = person("rae", "requester")
    home = rae.get("/").content.decode()
    assert (
        "Disk is full" not in home
        and 'href="/logs/"' not in home
        and 'href="/alerts/"' not in home.split("<main")[0]
    )
    for path in (
        "/explore/logs/",
        "/explore/metrics/",
        "/doors/",
        "/situations/",
        "/situations/s1/",
        "/map/",
    ):
        assert rae.get(path).status_code == 403, path


@pytest.mark.usefixtures("records")
def test_the_page_that_answers() -> None:
    """Both questions, in plain words."""
    person("nat", "network administrator")
    root = person("root", "administrator")
    page = root.get("/access/", {"ask": "explain", "user": "nat", "action": "change", "kind": "items"})
    text = page.content.decode()
    assert "Some: nat may change items" in text and "Network administrators keep" in text
    who = root.get("/access/", {"ask": "who", "action": "change", "kind": "items"}).content.decode()
    assert "2 people may change items" in who
    wrong = root.get("/access/", {"ask": "who", "action": "change", "kind": "audit"}).content.decode()
    assert "cannot be done" in wrong


def test_policies_teams_and_grants_are_made_in_the_console() -> None:
    """By the derived forms; a refused policy keeps what was typed."""
    root = person("root", "administrator")
    user = User.objects.get()
    wrong = root.post("/policies/new/", {"name": "mine", "text": "permit (principal, action, thing);"})
    assert wrong.status_code == 400
    assert "invalid variable" in wrong.content.decode() and "thing" in wrong.content.decode()
    made = root.post("/teams/new/", {"name": "one", "members": [str(user.pk)]})
    assert made.status_code == 302
    team = Team.objects.get()
    assert list(team.members.all()) == [user]
    form = root.get(f"/teams/{team.pk}/edit/").content.decode()
    assert f'<option value="{user.pk}" selected>' in form
    root.post(f"/teams/{team.pk}/edit/", {"name": "two"})
    team.refresh_from_db()
    assert team.name == "two" and not team.members.exists()
    role = Role.objects.get(name="requester")
    given = root.post("/grants/new/", {"role": str(role.pk), "team": str(team.pk), "reason": "they ask"})
    assert given.status_code == 302, given.content
    assert Grant.objects.get(team=team).approved_by == "root"


def test_one_begins_on_the_page_of_ones_role() -> None:
    """Unless another page was asked for."""
    person("mia", "operations manager")
    signs_in = {"username": "mia", "password": "correct horse battery"}
    assert Client().post("/sign-in/", signs_in).headers["Location"] == "/"
    Role.objects.filter(name="operations manager").update(home_page="/situations/")
    assert Client().post("/sign-in/", signs_in).headers["Location"] == "/situations/"
    assert Client().post("/sign-in/", {**signs_in, "next": "/items/"}).headers["Location"] == "/items/"
