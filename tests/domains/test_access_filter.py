"""The heart of access: what Cedar decides of a record, and the filter that the same rules become for lists, are one,
over generated policies, people and records."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from tests.domains.analysis_structs import NOW, alert
from tests.domains.cedar_texts import WORDS, policies
from watchkeeper.domains.access import safety
from watchkeeper.domains.access.language import BadPolicy
from watchkeeper.domains.access.models import Grant, Organisation, Policy, Role, Team
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.situations import AnalysisWriter
from watchkeeper.domains.situations.models import Alert
from watchkeeper.kernel.acting import Actor, ActorKind
from watchkeeper.kernel.permissions import authority
from watchkeeper.kernel.resource import Resource, registry
from watchkeeper.model.topology import Discovery, Item, Relation, RelationKind, item_id
from watchkeeper.model.verdicts import Severity

#: text, numbers, truths, severities; some of them missing where an alert has no item
ALERTS = replace(
    registry["alerts"],
    policy_attributes=("name", "severity", "count", "flapping", "item__name", "item__discovered", "item_id"),
)
TEAMS = registry["teams"]
PEOPLE = ("ann", "bob", "cyn", "dan", "eve", "fay")
REAL = settings(
    max_examples=250,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
    ],
)


@pytest.fixture
def people(db: None) -> None:  # noqa: ARG001
    """With roles everywhere, in one organisation, in none."""
    acme = Organisation.objects.create(name="acme")
    part = Organisation.objects.create(name="db-1", parent=acme)
    other = Organisation.objects.create(name="DB-1")
    for name, organisation in zip(WORDS, itertools.cycle((acme, part, other, None)), strict=False):
        Team.objects.create(name=name or "one", organisation=organisation)
    for name in PEOPLE:
        User.objects.create_user(name, name=name.capitalize())
    ann, bob, cyn, _, eve, fay = (User.objects.get(username=name) for name in PEOPLE)
    Team.objects.get(name="one").members.add(ann, cyn)
    role = {r.name: r for r in Role.objects.all()}
    given = {"reason": "for this test", "valid_from": "2020-01-01T00:00:00Z"}
    Grant.objects.create(role=role["operations engineer"], user=ann, **given)
    Grant.objects.create(role=role["requester"], user=bob, in_organisation=acme, **given)
    Grant.objects.create(role=role["operations engineer"], user=bob, in_organisation=other, **given)
    Grant.objects.create(role=role["administrator"], user=cyn, in_team=Team.objects.get(name="db-1"), **given)
    of = {"role": role["operations engineer"], "user": eve, **given}
    Grant.objects.create(attribute="severity", values=["critical", "info", "1"], **of)
    Grant.objects.create(attribute="count", values=["1", "2"], **of)
    Grant.objects.create(attribute="item", values=["db-1", "D"], **{**of, "role": role["requester"]})
    Grant.objects.create(attribute="site", values=["Bern"], **{**of, "user": fay})


@pytest.fixture
def alerts(people: None) -> None:  # noqa: ARG001
    """Of every severity, with and without an item; one names an item that is gone."""
    items = [Item(item_id("host", n), "host", n or "none", (), source="test") for n in WORDS]
    site = Item(item_id("site", "Bern"), "site", "Bern", (), source="test")
    stand = tuple(Relation(site.id, i.id, RelationKind.CONTAINS) for i in items[::2])
    made = {
        f"a{n}": nth(n, word, items[n * 7 % len(items)].id if n % 3 else ("gone" if n % 2 else ""))
        for n, word in enumerate(WORDS)
    }
    AnalysisWriter().write(made, {}, [Discovery(NOW, "t", (*items, site), stand)], [], offset=1, now_ms=NOW)
    assert Alert.objects.count() == len(WORDS)


def nth(n: int, word: str, item: str) -> Any:
    """The nth alert."""
    return alert(
        f"a{n}", name=word, item=item, severity=list(Severity)[n % 4], count=1 + n % 3, flapping=n % 2 == 0
    )


def agree(resource: Resource, text: str, username: str, action: str) -> None:
    """The filter holds exactly the records that are allowed one by one, and the kind is allowed where any may be."""
    try:
        safety.check(text, [*registry, resource])
    except BadPolicy as error:
        event(f"refused: {str(error).partition(':')[2][:20]}")
        return
    Policy.objects.all().delete()
    Policy.objects.create(name="generated", text=text)
    user = User.objects.get(username=username)
    actor = Actor(ActorKind.PERSON, username, str(user.pk), user.scope, person=user)
    found = resource.queryset()
    listed = {r.pk for r in authority().narrow(actor, action, resource, found)}
    single = {r.pk for r in found if authority().decide(actor, action, resource, r).allowed}
    assert listed == single
    kind = authority().decide(actor, action, resource)
    assert kind.allowed or not single
    assert kind.partly or single in (set(), {r.pk for r in found})
    event("some" if 0 < len(single) < len(found) else "all or none")


who = st.sampled_from(PEOPLE)
what = st.sampled_from(["read", "acknowledge", "change"])
_ATTRIBUTES = ["name", "severity", "count", "flapping", "item", "item__discovered"]


@REAL
@given(policies(_ATTRIBUTES, "alerts"), who, what)
@example('permit(principal, action, resource) when { !(resource.item == "db-1") };', "ann", "read")
@example('permit(principal, action, resource) when { resource.name like "db*b" };', "ann", "read")
@example('permit(principal, action, resource) when { resource.severity like "*i*" };', "ann", "read")
@example(
    'permit(principal, action, resource); forbid(principal, action, resource) when { resource.item like "D*" };',
    "ann",
    "read",
)
@example('permit(principal, action, resource) unless { resource.name like "db*" };', "dan", "read")
@example('permit(principal, action, resource) when { true || resource.item == "x" };', "dan", "read")
@example('permit(principal, action, resource) when { resource.item == "x" || true };', "dan", "read")
@example("permit(principal, action, resource) when { resource.flapping == 1 };", "dan", "read")
@example('permit(principal in Role::"operations engineer", action, resource);', "eve", "read")
@example('permit(principal, action, resource) unless { principal in Role::"requester" };', "eve", "read")
@example('permit(principal in Role::"operations engineer", action, resource);', "fay", "read")
@example('permit(principal, action, resource) when { resource.name == "a\\0" };', "dan", "read")
def test_alerts(alerts: None, text: str, username: str, action: str) -> None:  # noqa: ARG001
    """Every sort of attribute."""
    agree(ALERTS, text, username, action)


@REAL
@given(policies(["name", "organisation"], "teams"), who, what)
@example('permit(principal in Role::"requester", action, resource);', "bob", "read")
@example('permit(principal, action, resource) unless { principal in Role::"requester" };', "bob", "read")
@example(
    'permit(principal, action, resource); forbid(principal in Role::"requester", action, resource);',
    "bob",
    "read",
)
def test_teams_of_an_organisation(people: None, text: str, username: str, action: str) -> None:  # noqa: ARG001
    """Roles that somebody has in one organisation only."""
    agree(TEAMS, text, username, action)
