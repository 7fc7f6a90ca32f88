"""Joining, moving and leaving over REST: tasks in time for the day, what really happens to accounts, teams and roles, and
the proof that nothing is left."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domains.test_catalog import call, later, person, root, work  # noqa: F401  (a fixture)
from watchkeeper.domains import identity
from watchkeeper.domains.access.models import Grant, Role, Team
from watchkeeper.domains.agreements.working import Calendar, WorkingTime
from watchkeeper.domains.catalog import leases, working
from watchkeeper.domains.catalog.models import Lease, RequestTask
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.onboarding import planning
from watchkeeper.domains.onboarding.bundles import Part, difference
from watchkeeper.domains.onboarding.models import Onboarding
from watchkeeper.kernel.acting import SYSTEM

DAY = dt.timedelta(days=1)
_OFFICE = WorkingTime(Calendar("Europe/Berlin", (((540, 1020),),) * 5 + ((), ())))
_parts = st.lists(
    st.builds(Part, st.sampled_from(["team", "role"]), st.sampled_from("abcd"), st.just("x")), unique=True
)


@settings(max_examples=60, deadline=None)
@given(st.integers(1_750_000_000_000, 1_850_000_000_000), st.integers(0, 200))
def test_counted_back_there_is_so_much_working_time_left_and_a_moment_later_less(
    until: int, hours: int
) -> None:
    begin = working.before(_OFFICE, until, hours)
    assert _OFFICE.worked(begin, until) >= hours * working.HOUR
    assert not hours or _OFFICE.worked(begin + 1, until) < hours * working.HOUR


@given(_parts, _parts)
def test_a_move_gives_keeps_and_takes_each_part_once(before: list[Part], after: list[Part]) -> None:
    found = difference(before, after)
    assert {*found.give, *found.keep} == set(after)
    assert {*found.take, *found.keep} == set(before)
    assert not set(found.give) & set(found.take)


def bundle(root: Client) -> dict[str, Any]:  # noqa: F811
    """Two positions that have a team in common, and what they are made of."""
    teams = {n: Team.objects.create(name=n) for n in ("staff", "dba", "web", "it")}
    role = Role.objects.get(name="applications analyst")
    maker = call(root, "post", "manufacturers", {"name": "Acme"}, 201)
    laptop = call(root, "post", "device-types", {"manufacturer": maker["id"], "model": "Book 14"}, 201)
    seat = call(root, "post", "applications", {"name": "CAD"}, 201)
    server = call(root, "post", "items", {"kind": "host", "name": "db1"}, 201)
    phone = call(
        root,
        "post",
        "catalog-items",
        {"name": "Phone", "lease_days": 700, "handover_text": "It is yours."},
        201,
    )
    calendar = call(root, "post", "calendars", {"name": "office", "zone": "Europe/Berlin"}, 201)
    its = {"calendar": calendar["id"], "hardware_team": teams["it"].pk}
    dba = call(root, "post", "positions", {
        "name": "Database administrator", "teams": [teams["staff"].pk, teams["dba"].pk], "roles": [role.pk],
        "hardware": [laptop["id"]], "software": [seat["id"]], "servers": [server["id"]],
        "catalog_items": [phone["id"]], **its,
    }, 201)  # fmt: skip
    web = call(root, "post", "positions", {
        "name": "Web developer", "teams": [teams["staff"].pk, teams["web"].pk], "hardware": [laptop["id"]], **its,
    }, 201)  # fmt: skip
    return {"dba": dba["id"], "web": web["id"], "teams": teams, "role": role}


def by_title(ticket: int) -> dict[str, RequestTask]:
    """The tasks of a request."""
    return {t.title: t for t in RequestTask.objects.filter(ticket=ticket)}


def finish(root: Client, ticket: int) -> None:  # noqa: F811
    """People do what is theirs."""
    for task in RequestTask.objects.filter(ticket=ticket, does="", state="open"):
        call(root, "post", f"request-tasks/{task.pk}/done", {"note": "done"})


def joined(root: Client, there: dict[str, Any], manager: str) -> dict[str, Any]:  # noqa: F811
    """Somebody who has joined, with all that belongs to it."""
    body = {"username": "ina", "full_name": "Ina New", "email": "ina@example.org", "position": there["dba"],
            "manager": manager, "day": str(timezone.now().date() + 14 * DAY)}  # fmt: skip
    made = call(root, "post", "onboardings", body, 201)
    made = call(root, "post", f"onboardings/{made['id']}/start")
    work()
    finish(root, made["ticket"])
    later(days=15)
    done: dict[str, Any] = call(root, "get", f"onboardings/{made['id']}")
    return done


def test_somebody_joins_moves_and_leaves_and_nothing_is_left(root: Client) -> None:  # noqa: F811
    there = bundle(root)
    _, managers = person("boss")
    started = joined(root, there, "boss")
    ina, teams = User.objects.get(username="ina"), there["teams"]
    assert started["state"] == "done", by_title(started["ticket"])
    assert set(ina.teams.values_list("name", flat=True)) == {"staff", "dba"}
    assert Grant.objects.in_force(timezone.now()).filter(user=ina, role=there["role"]).exists()
    held = set(Lease.objects.filter(holder=ina, state="active").values_list("what", flat=True))
    assert held == {"Acme Book 14", "CAD", "db1", "Phone"}
    assert call(managers, "get", f"onboardings/{started['id']}")["who"] == "Ina New"
    assert call(root, "get", f"tickets/{started['ticket']}")["status"] == "resolved"

    body = {"sort": "mover", "person": "ina", "position": there["web"], "day": str(timezone.now().date())}
    move = call(root, "post", "onboardings", body, 201)
    assert move["previous"] == there["dba"]
    call(root, "post", f"onboardings/{move['id']}/start")
    work()
    move = call(root, "get", f"onboardings/{move['id']}")
    finish(root, move["ticket"])
    work()
    assert set(ina.teams.values_list("name", flat=True)) == {"staff", "web"}
    assert not Grant.objects.in_force(timezone.now()).filter(user=ina).exists()
    assert set(Lease.objects.filter(holder=ina, state="active").values_list("what", flat=True)) == {
        "Acme Book 14"
    }
    assert call(root, "get", f"onboardings/{move['id']}")["state"] == "done"

    secret = identity.create_token("of ina", "write", user=ina)
    inas = Client(headers={"authorization": f"Bearer {secret}"})
    assert inas.get("/api/catalog-items/").status_code == 200
    yesterday = str(timezone.now().date() - DAY)
    leave = call(root, "post", "onboardings", {"sort": "leaver", "person": "ina", "day": yesterday}, 201)
    call(root, "post", f"onboardings/{leave['id']}/prove", status=409)  # it has not begun
    call(root, "post", f"onboardings/{leave['id']}/start")
    early = call(root, "post", f"onboardings/{leave['id']}/prove")
    assert {x["what"] for x in early["left"]} == {
        "Account", "API tokens", "Teams", "Hardware, licence seats, access"
    }  # fmt: skip
    work()
    assert inas.get("/api/catalog-items/").status_code == 401
    assert not teams["web"].members.filter(pk=ina.pk).exists()
    late = call(root, "post", f"onboardings/{leave['id']}/prove")
    assert [x["left"] for x in late["left"]] == ["Acme Book 14"]
    ticket = call(root, "get", f"onboardings/{leave['id']}")["ticket"]
    finish(root, ticket)
    proof = call(root, "post", f"onboardings/{leave['id']}/prove")
    assert (proof["clean"], proof["left"]) == (True, [])
    kept = call(root, "get", f"proofs/{proof['id']}")
    assert {x["by"] for x in kept["revoked"]} == {"watchkeeper", "root"}
    assert all(x["at"] for x in kept["revoked"])
    assert call(root, "get", f"onboardings/{leave['id']}")["state"] == "done"
    teams["web"].members.add(ina)  # somebody lets them in again behind our back
    again = call(root, "post", f"onboardings/{leave['id']}/prove")
    assert again["left"] == [{"what": "Teams", "left": "a member of web"}]


def test_tasks_are_due_before_the_first_day_and_access_begins_with_it(root: Client) -> None:  # noqa: F811
    there = bundle(root)
    monday = timezone.now().date() + DAY * (14 - timezone.now().weekday())
    made = call(
        root, "post", "onboardings", {"username": "ina", "position": there["dba"], "day": str(monday)}, 201
    )
    made = call(root, "post", f"onboardings/{made['id']}/start")
    tasks = by_title(made["ticket"])
    assert tasks["Member of dba"].begins_at == tasks["Hand out Acme Book 14 for ina"].due_at
    assert tasks["Hand out Acme Book 14 for ina"].team == there["teams"]["it"]
    friday_of_the_week_before = monday - 7 * DAY  # 40 hours are five days of eight
    assert f"by {friday_of_the_week_before}" in tasks["Hand out Acme Book 14 for ina"].description
    work()
    assert not there["teams"]["dba"].members.exists()


def test_a_mover_gives_back_what_belongs_to_the_position_that_is_named(root: Client) -> None:  # noqa: F811
    there = bundle(root)
    person("bob")
    body = {"sort": "mover", "person": "bob", "position": there["web"], "day": "2030-01-07"}
    made = call(root, "post", "onboardings", body, 201)
    assert made["previous"] is None, "nobody has said what he does"
    made = call(root, "patch", f"onboardings/{made['id']}", {"previous": there["dba"]})
    made = call(root, "patch", f"onboardings/{made['id']}", {"day": "2030-01-08"})
    assert made["previous"] == there["dba"]
    difference = planning.plan(Onboarding.objects.get(pk=made["id"]))
    assert {p.name for p in difference.take} >= {"dba", "CAD", "db1"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"sort": "joiner"}, "position"),
        ({"sort": "joiner", "position": "dba"}, "username"),
        ({"sort": "joiner", "position": "dba", "username": "two words"}, "username"),
        ({"sort": "joiner", "position": "dba", "username": "bob"}, "username"),
        ({"sort": "mover", "position": "dba"}, "person"),
        ({"sort": "leaver", "position": "dba", "person": "bob"}, "position"),
        ({"sort": "leaver", "person": "nobody"}, "person"),
    ],
)
def test_what_is_missing_is_said(root: Client, body: dict[str, Any], field: str) -> None:  # noqa: F811
    there = bundle(root)
    person("bob")
    body = {"day": "2030-01-07", **body, **({"position": there["dba"]} if "position" in body else {})}
    assert field in call(root, "post", "onboardings", body, 400)["errors"]


def test_nobody_becomes_an_administrator_by_a_position_and_few_may_read_who_leaves(root: Client) -> None:  # noqa: F811
    administrator = Role.objects.get(name="administrator")
    assert (
        "roles" in call(root, "post", "positions", {"name": "x", "roles": [administrator.pk]}, 400)["errors"]
    )
    bob, bobs = person("bob", "IT operator")
    call(root, "post", "onboardings", {"sort": "leaver", "person": "bob", "day": "2030-01-07"}, 201)
    for path in ("onboardings", "positions", "proofs"):
        answer = bobs.get(f"/api/{path}/")
        assert answer.status_code == 403 or answer.json()["count"] == 0, path
    twice = call(
        root, "post", "onboardings", {"sort": "leaver", "person": bob.username, "day": "2030-01-08"}, 400
    )
    assert "person" in twice["errors"]


def test_what_is_called_off_is_skipped_and_what_has_happened_stays(root: Client) -> None:  # noqa: F811
    there = bundle(root)
    body = {"username": "ina", "position": there["web"], "day": str(timezone.now().date() + 3 * DAY)}
    made = call(root, "post", "onboardings", body, 201)
    made = call(root, "post", f"onboardings/{made['id']}/start")
    call(root, "post", f"onboardings/{made['id']}/cancel")
    later(days=5)
    assert set(RequestTask.objects.filter(ticket=made["ticket"]).values_list("state", flat=True)) == {
        "skipped"
    }
    assert not there["teams"]["web"].members.exists()
    assert call(root, "get", f"tickets/{made['ticket']}")["status"] == "cancelled"


def leaves(root: Client, days: int) -> Any:  # noqa: F811
    """Bob leaves in so many days, and all that is to be done for it is under way."""
    body = {"sort": "leaver", "person": "bob", "day": str(timezone.now().date() + days * DAY)}
    made = call(root, "post", "onboardings", body, 201)
    made = call(root, "post", f"onboardings/{made['id']}/start")
    work()
    return made


def lent(bob: User, **more: Any) -> Lease:
    """Something that bob has for thirty days."""
    return leases.lend(SYSTEM, bob, "it", **{"until": timezone.now() + 30 * DAY, **more})


def test_whoever_leaves_is_in_the_team_that_was_lent_until_the_day(root: Client) -> None:  # noqa: F811
    bob, _ = person("bob")
    teams = [Team.objects.create(name=name) for name in ("dba", "web")]
    bob.teams.set(teams)
    lent(bob, team=teams[0])
    lent(bob, team=teams[1], until=timezone.now() + 2 * DAY)
    leaves(root, 10)
    assert set(bob.teams.all()) == set(teams)
    later(days=3)
    assert list(bob.teams.all()) == teams[:1], "no longer than it was lent anyway"
    later(days=9)
    assert not bob.teams.exists()
    assert set(Lease.objects.values_list("state", flat=True)) == {"ended"}


def test_who_does_not_leave_after_all_keeps_what_was_lent_until_it_ends(root: Client) -> None:  # noqa: F811
    bob, _ = person("bob")
    team = Team.objects.create(name="dba")
    bob.teams.add(team)
    member, laptop, over = lent(bob, team=team), lent(bob), lent(bob)
    back = lent(bob)
    call(root, "post", f"leases/{back.pk}/give-back")
    made = leaves(root, 10)
    Lease.objects.filter(pk=over.pk).update(until=timezone.now() - DAY)
    call(root, "post", f"onboardings/{made['id']}/cancel")

    def states() -> list[str]:
        return [Lease.objects.get(pk=x.pk).state for x in (member, laptop, over, back)]

    assert states() == ["active", "active", "returning", "returning"]
    for lease in (over, back):
        left = RequestTask.objects.filter(given__return=lease.pk, state="open")
        assert left.count() == 1, "who takes it back is still to do it"
    later(days=31)
    assert states()[:2] == ["ended", "returning"]
    assert not bob.teams.exists()
