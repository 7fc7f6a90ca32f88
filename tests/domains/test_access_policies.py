"""Policies over time: versions, drafts tried out before they count, tests that must pass, what a release brings; and
that somebody can always administer, by whatever way users and teams are changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from tests.domains.analysis_structs import NOW, alert
from tests.domains.test_access import ITEMS, grant, names, person, policy, post
from tests.domains.test_access_requests import PATCH, user
from watchkeeper.domains.access import beginning, safety
from watchkeeper.domains.access.models import Policy, PolicyDraft, PolicyTest, PolicyVersion, Role, Team
from watchkeeper.domains.access.policies import difference
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.situations import AnalysisWriter
from watchkeeper.kernel.models import AuditEntry
from watchkeeper.kernel.problems import Refused
from watchkeeper.model.topology import Discovery

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("records")]
Api = Callable[..., Client]
NIGHT = 'permit (principal in Team::"night", action, resource == Kind::"items") when { resource.kind == "switch" };'


@pytest.fixture
def records(db: None) -> None:  # noqa: ARG001
    """Items to give as examples."""
    AnalysisWriter().write({}, {}, [Discovery(NOW, "t", tuple(ITEMS), ())], [], offset=1, now_ms=NOW)


def night() -> None:
    """A team with somebody in it."""
    person("nat", "requester")
    Team.objects.create(name="night").members.add(user("nat"))


def effect(client: Client, draft: int) -> list[dict[str, Any]]:
    """Whose rights a draft would change."""
    answer = client.get("/api/access/effect", {"draft": draft})
    assert answer.status_code == 200, answer.content
    return list(answer.json()["results"])


def test_a_draft_shows_whose_rights_it_would_change_and_then_counts(api: Api) -> None:
    """Gained and lost, with records; nothing changes before it is put into effect."""
    night()
    root = api()
    made = post(root, "policy-drafts/", name="night shift", text=NIGHT)
    assert made.status_code == 201, made.content
    changes = effect(root, made.json()["id"])
    reads = next(c for c in changes if (c["kind"], c["action"]) == ("items", "read"))
    assert (reads["effect"], reads["before"], reads["after"], reads["people"]) == (
        "gained",
        "none",
        "some",
        ["nat"],
    )
    assert [e["name"] for e in reads["examples"]] == ["sw-1"]
    assert {c["kind"] for c in changes} == {"items"} and not any(c["roles"] for c in changes)
    nat = Client(raise_request_exception=False)
    nat.force_login(user("nat"))
    assert nat.get("/api/items/").status_code == 403
    applied = post(root, f"policy-drafts/{made.json()['id']}/apply/")
    assert applied.status_code == 200, applied.content
    assert names(nat, "items") == {"sw-1"}
    assert not PolicyDraft.objects.exists()
    assert AuditEntry.objects.filter(act="policy.create").exists()


def test_what_is_lost_comes_first_and_names_roles(api: Api) -> None:
    """A forbid takes from everybody but whom it spares."""
    person("ann")
    text = 'forbid (principal in Role::"IT operator", action, resource == Kind::"items") when { resource.kind == "host" };'
    draft = post(api(), "policy-drafts/", name="no hosts", text=text).json()["id"]
    first = effect(api(), draft)[0]
    assert (first["effect"], first["kind"], first["before"], first["after"]) == (
        "lost",
        "items",
        "all",
        "some",
    )
    assert "ann" in first["people"] and "IT operator" in first["roles"] and "db-1" in str(first["examples"])


def test_every_change_leaves_a_version_that_can_be_drafted_again(api: Api) -> None:
    """Compared line by line."""
    night()
    root = api()
    made = post(root, "policies/", name="night shift", text=NIGHT).json()
    wider = NIGHT.replace('"switch"', '"router"')
    assert root.patch(f"/api/policies/{made['id']}/", {"text": wider}, **PATCH).status_code == 200
    versions = root.get("/api/policy-versions/", {"policy": made["id"]}).json()["results"]
    assert [(v["number"], v["by"]) for v in versions] == [(2, "test admin"), (1, "test admin")]
    assert [sign for sign, _ in difference(NIGHT, wider)] == ["@", "-", "+"]
    assert post(root, f"policy-versions/{versions[1]['id']}/restore/").status_code == 200
    draft = PolicyDraft.objects.get()
    assert draft.text == NIGHT and draft.note == "back to version 1"
    assert post(root, f"policy-drafts/{draft.pk}/apply/").status_code == 200
    assert Policy.objects.get(pk=made["id"]).version == 3
    root.delete(f"/api/policies/{made['id']}/")
    assert PolicyVersion.objects.filter(name="night shift").count() == 3


def test_a_test_that_fails_keeps_a_policy_from_changing(api: Api) -> None:
    """Of a person, or of a role; of the kind, or of a record with such attributes."""
    night()
    root, builtin = api(), Policy.objects.get()
    base = {"policy": builtin.pk, "kind": "items"}
    for wrong, name in (
        ({"user": user("nat").pk, "action": "fly"}, "action"),
        ({"action": "read"}, "user"),
        ({"user": user("nat").pk, "action": "read", "attributes": {"colour": "red"}}, "attributes"),
        ({"user": user("nat").pk, "action": "read", "kind": "itmes"}, "kind"),
    ):
        assert post(root, "policy-tests/", **{**base, **wrong}).json()["errors"].keys() == {name}
    cannot = post(root, "policy-tests/", **base, user=user("nat").pk, action="change", may=False,
                  attributes={"kind": "switch"})  # fmt: skip
    assert cannot.status_code == 201, cannot.content
    can = post(root, "policy-tests/", **base, role=Role.objects.get(name="IT operator").pk, action="read")
    assert can.status_code == 201, can.content
    refused = post(root, "policies/", name="night shift", text=NIGHT)
    assert refused.status_code == 409
    assert "nat may not change items (kind switch)" in refused.json()["detail"]
    assert not Policy.objects.filter(name="night shift").exists()
    other = NIGHT.replace('"switch"', '"router"')
    assert post(root, "policies/", name="night shift", text=other).status_code == 201
    takes = 'forbid (principal in Role::"IT operator", action, resource == Kind::"items");'
    assert (
        "the role IT operator may read items"
        in post(root, "policies/", name="x", text=takes).json()["detail"]
    )


# ── what a release brings ──────────────────────────────────────────────────────────────────────────────────────


def test_a_release_brings_an_untouched_policy_up_to_date() -> None:
    """As a version, with an entry in the trail; and once."""
    builtin, text = Policy.objects.get(), beginning.BUILT_IN.read_text(encoding="utf-8")
    older = text[: text.index("// ── everybody")]
    Policy.objects.update(text=older, released=older)
    for _ in range(2):
        beginning.begin()
    builtin.refresh_from_db()
    assert (builtin.text, builtin.version) == (text, 2)
    assert list(PolicyVersion.objects.values_list("number", "text")) == [(2, text), (1, older)]
    assert AuditEntry.objects.filter(act="policy.update").count() == 1
    safety.check(text)


def test_of_a_policy_that_somebody_changed_the_update_is_a_draft() -> None:
    """One's own changes stay, new rules are added, rules that one has not touched change."""
    builtin, text = Policy.objects.get(), beginning.BUILT_IN.read_text(encoding="utf-8")
    older = text[: text.index("// ── everybody")].replace('"cloud architect keep', '"x')
    own = older.replace("Requesters see which teams", "Our requesters see which teams")
    Policy.objects.update(text=own, released=older)
    for _ in range(2):
        beginning.begin()
    builtin.refresh_from_db()
    assert (builtin.text, builtin.version) == (own, 1)
    draft = PolicyDraft.objects.get()
    assert "Our requesters see which teams" in draft.text and '"everybody: approving"' in draft.text
    safety.check(draft.text)


def test_two_releases_become_one_draft_and_tests_keep_an_update_from_counting_by_itself() -> None:
    """Whoever has written tests looks first."""
    builtin, text = Policy.objects.get(), beginning.BUILT_IN.read_text(encoding="utf-8")
    oldest, older = (text[: text.index(at)] for at in ("// ── everybody", "// ── emergencies:"))
    PolicyTest.objects.create(
        policy=builtin, role=Role.objects.get(name="requester"), action="read", kind="roles"
    )
    Policy.objects.update(text=oldest, released=oldest)
    for release in (older, text):
        Policy.objects.update(released=oldest if release == older else older)
        beginning.begin(released=release)
    assert Policy.objects.get().text == oldest
    [draft] = PolicyDraft.objects.all()
    assert '"everybody: approving"' in draft.text and '"emergency access"' in draft.text
    safety.check(draft.text)


def test_roles_that_a_release_brings_are_added() -> None:
    """The others stay as they are."""
    Role.objects.filter(name="requester").delete()
    Role.objects.filter(name="IT operator").update(purpose="ours")
    beginning.begin()
    assert Role.objects.filter(name="requester").exists()
    assert Role.objects.get(name="IT operator").purpose == "ours"


# ── somebody can always administer ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("way", ["disable", "demote", "remove"])
def test_the_last_administrator_stays_whoever_changes_users(way: str) -> None:
    """Not only the console and REST, but whatever saves or deletes a user, as a directory or SCIM does."""
    person("root", "administrator")

    def change(one: User) -> None:
        one.is_active, one.is_administrator = way != "disable", way != "demote"
        one.delete() if way == "remove" else one.save()

    with pytest.raises(Refused, match="last administrator"), transaction.atomic():
        change(user("root"))
    assert User.objects.filter(username="root", is_active=True, is_administrator=True).exists()
    person("other", "administrator")
    change(user("root"))


def test_a_team_on_which_administrators_depend_is_not_emptied(api: Api) -> None:
    """By whatever way."""
    person("root", "administrator")
    team = Team.objects.create(name="platform")
    team.members.add(user("root"))
    policy(
        'forbid (principal, action, resource == Kind::"policies") unless { principal in Team::"platform" };'
    )
    for leave in (
        lambda: team.members.remove(user("root")),
        lambda: user("root").teams.clear(),
        team.members.clear,
    ):
        with pytest.raises(Refused), transaction.atomic():
            leave()
    refused = api().patch(f"/api/teams/{team.pk}/", {"members": []}, **PATCH)
    assert refused.status_code == 409
    assert list(team.members.all()) == [user("root")]


# ── scopes ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_role_counts_where_an_attribute_has_a_value(api: Api) -> None:
    """A site, a service, or any other attribute; lists are narrowed to it and acts refused outside."""
    root = api()
    maker = post(root, "manufacturers/", name="Acme").json()["id"]
    kind = post(root, "device-types/", model="X", manufacturer=maker).json()["id"]
    sites = {n: post(root, "sites/", name=n).json()["id"] for n in ("Bern", "Zug")}
    devices = {
        f"{site}-{role}": post(root, "devices/", name=f"{site}-{role}", device_type=kind, site=key, role=role).json()
        for site, key in sites.items() for role in ("switch", "server")
    }  # fmt: skip
    bern = person("ann", "operations engineer", attribute="site", values=["Bern"])
    assert names(bern, "devices") == {"Bern-switch", "Bern-server"}
    url = "/api/devices/{}/"
    assert bern.patch(url.format(devices["Bern-switch"]["id"]), {"serial": "1"}, **PATCH).status_code == 200
    assert bern.patch(url.format(devices["Zug-switch"]["id"]), {"serial": "1"}, **PATCH).status_code == 404
    moved = bern.patch(url.format(devices["Bern-switch"]["id"]), {"site": sites["Zug"]}, **PATCH)
    assert moved.status_code == 400 and moved.json()["errors"].keys() == {"site"}, (
        "for her there is no such site"
    )
    switches = person("bob", "operations engineer", attribute="role", values=["switch"])
    assert names(switches, "devices") == {"Bern-switch", "Zug-switch"}
    body = {"role": Role.objects.get(name="requester").pk, "user": user("ann").pk, "reason": "x"}
    wrong = post(root, "grants/", **body, attribute="colour", values=["red"])
    assert wrong.json()["errors"].keys() == {"attribute"}
    assert post(root, "grants/", **body, attribute="site").json()["errors"].keys() == {"values"}
    assert (
        grant("requester", user=user("bob"), attribute="site", values=["Bern"]).where == " where site is Bern"
    )


def test_a_role_for_a_site_or_a_service_counts_for_all_that_belongs_to_it(api: Api) -> None:
    """In the list of all items, the lists of their kinds, and those of their alerts; followed through the graph."""
    root = api()

    def made(path: str, **body: Any) -> str:
        answer = post(root, f"{path}/", **body)
        assert answer.status_code == 201, answer.content
        return str(answer.json()["id"])

    bern = made("sites", name="Bern")
    rack = made("racks", name="R1", site=bern)
    device = made("device-types", model="X", manufacturer=made("manufacturers", name="Acme"))
    web = made("devices", name="web-1", device_type=device, rack=rack, role="server")
    made("devices", name="web-2", device_type=device, site=made("sites", name="Zug"), role="server")
    shop = made("business-services", name="Shop")
    checkout = made("technical-services", name="checkout")
    made("relations", source=shop, target=checkout, kind="depends_on")
    made("relations", source=checkout, target=web, kind="runs_on")
    rows = {"hot": web, "other": made("items", kind="host", name="elsewhere")}
    AnalysisWriter().write(
        {n: alert(n, name=n, item=item) for n, item in rows.items()}, {}, [], [], offset=2, now_ms=NOW
    )
    at_bern = person("ann", "operations engineer", attribute="site", values=["Bern"])
    assert names(at_bern, "items") == {"Bern", "R1", "web-1"}
    assert names(at_bern, "devices") == {"web-1"} and names(at_bern, "racks") == {"R1"}
    assert names(at_bern, "alerts") == {"hot"}
    assert at_bern.patch(f"/api/items/{rows['other']}/", {"name": "x"}, **PATCH).status_code == 404
    of_shop = person("bob", "operations engineer", attribute="service", values=["Shop"])
    # What it stands in is needed as well.
    assert {"Shop", "checkout", "web-1"} <= names(of_shop, "items")
    assert not {"web-2", "Zug", "elsewhere"} & names(of_shop, "items")
    assert names(of_shop, "technical-services") == {"checkout"}
    assert names(of_shop, "alerts") == {"hot"}
    assert of_shop.get("/items/").status_code == 200
