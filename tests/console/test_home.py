"""The page that everybody begins with: what needs each role now, from real records, within bounds."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from watchkeeper.console.answers import COUNTED, answered
from watchkeeper.domains.access.models import AccessFinding, AccessRequest, Approval, Grant, Role
from watchkeeper.domains.automation.models import EventRule
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.identity.models import ApiToken, User
from watchkeeper.domains.inbox.models import Notice
from watchkeeper.domains.inventory import models as m
from watchkeeper.domains.situations.models import Alert, Situation
from watchkeeper.jobs.models import Job
from watchkeeper.kernel.acting import Actor, ActorKind
from watchkeeper.kernel.models import OutboxRow
from watchkeeper.kernel.panels import EVERYONE, panels
from watchkeeper.model.verdicts import Severity

pytestmark = pytest.mark.django_db
NOW = timezone.now()
TODAY = NOW.date()
SEEN = {"first_seen_at": NOW, "last_seen_at": NOW}


def day(days: int) -> dt.date:
    return TODAY + dt.timedelta(days)


def person(*roles: str, name: str = "rita") -> Actor:
    user = User.objects.create_user(name, "correct horse battery")
    for role in roles:
        Grant.objects.create(
            role=Role.objects.get(name=role), user=user, reason="test", approved_by="test", valid_from=NOW,
        )  # fmt: skip
    return Actor(ActorKind.PERSON, name, str(user.pk), user.scope, person=user)


def saved(record: Any) -> Any:
    record.save()
    return record


def alert(key: str, item: m.Item | None, **more: Any) -> None:
    Alert.objects.create(
        fingerprint=key, name=f"alert {key}", item=item, severity=Severity.ERROR, status="firing", annotations={},
        because=(), source="test", starts_at=NOW, first_seen_at=NOW, last_seen_at=NOW, **more,
    )  # fmt: skip


@pytest.fixture
def trouble() -> None:
    """Something for every panel that looks at records."""
    provider = m.Provider.objects.create(name="Acme")
    old = m.Platform.objects.create(name="OldOS", end_of_support=day(30))
    kind = m.DeviceType.objects.create(
        manufacturer=m.Manufacturer.objects.create(name="Acme"), model="X1", end_of_support=day(10)
    )
    core = saved(m.Device(name="core-1", role="switch", status="failed", platform=old, device_type=kind,
                          warranty_until=day(10), **SEEN))  # fmt: skip
    ends = [
        saved(m.Interface(owner=saved(m.Device(name=f"leaf-{n}", **SEEN)), label="a", **SEEN)) for n in (0, 1)
    ]
    for n, end in enumerate(ends):
        port = saved(m.Interface(owner=core, label=f"p{n}", **SEEN))
        for part, whole in ((end, end.owner), (port, core)):
            relation(whole, part, "contains")
        relation(end, port, "connects_to")
    saved(m.Circuit(provider=provider, circuit_id="C-1", ends_on=day(20), **SEEN))
    saved(m.Prefix(prefix="10.0.0.0/30", **SEEN))
    for n in (1, 2):
        saved(m.Address(address=f"10.0.0.{n}/30", **SEEN))
    saved(m.Certificate(name="www", subject="CN=www", expires_at=NOW + dt.timedelta(days=3), **SEEN))
    saved(m.VirtualMachine(name="vm-1", **SEEN))
    saved(m.Database(name="orders", engine="postgresql", **SEEN))
    account = saved(m.CloudAccount(name="prod", provider=provider, account_id="1", **SEEN))
    cloud = saved(m.CloudResource(name="bucket", account=account, type="s3:bucket", resource_id="b", status="failed",
                                  **SEEN))  # fmt: skip
    shop = saved(m.Application(name="shop", **SEEN))
    saved(m.BusinessService(name="selling", **SEEN))
    group = saved(m.RedundancyGroup(name="cores", **SEEN))
    m.GroupMember.objects.create(group=group, item=m.Item.objects.get(pk=core.pk))
    m.Item.objects.create(id="new", kind="host", name="newcomer", **SEEN)
    m.Item.objects.create(id="old", kind="host", name="gone", first_seen_at=NOW - dt.timedelta(days=30),
                          last_seen_at=NOW - dt.timedelta(days=10))  # fmt: skip
    for n, item in enumerate((core, shop, cloud)):
        alert(f"a{n}", m.Item.objects.get(pk=item.pk), flapping=n == 0)
    for n, who in enumerate(("", "rita")):
        Situation.objects.create(
            id=f"s{n}", state="open", severity=Severity.CRITICAL, title=f"Trouble {n}", assignee=who, because=(),
            opened_at=NOW - dt.timedelta(hours=9), updated_at=NOW, causes=(), alert_count=1,
        )  # fmt: skip
    EventRule.objects.create(
        name="pages", enabled=False, kinds=["devices"], switched_off_because="410 for an hour"
    )
    m.Source.objects.create(name="racks", type="file", last_read_at=NOW - dt.timedelta(days=90))
    first, second = m.Item.objects.exclude(kind="host").order_by("pk")[:2]
    m.Duplicate.objects.create(first=first, second=second, score=0.9, because=(), found_at=NOW)
    AccessFinding.objects.create(
        found="dormant", subject="user 1", detail="The account x was never used", found_at=NOW
    )
    OutboxRow.objects.create(id="o1", kind="webhook", payload={}, state="failed", created_at=NOW, due_at=NOW,
                             error="the address answered 410")  # fmt: skip
    ApiToken.objects.create(name="grafana", prefix="x", hash="x", expires_at=NOW + dt.timedelta(days=3))


def relation(source: m.Item, target: m.Item, kind: str) -> None:
    m.Relation.objects.create(
        source_id=source.pk, target_id=target.pk, kind=kind, valid_from=NOW, last_seen_at=NOW, observed=False
    )


#: role → panels that show something of `trouble`, in their order
WANTED = {
    "operations engineer": ("my-situations", "nobodys-situations", "unacknowledged-alerts", "groups-at-risk",
                            "failed-devices", "flapping-alerts", "new-items", "certificates", "not-backed-up",
                            "warranties", "stale-items"),
    "operations manager": ("nobodys-situations", "my-situations", "old-situations", "unowned-services", "warranties",
                           "circuits", "unsupported-hardware", "cloud-budgets"),
    "cloud architect": ("cloud-alerts", "failed-cloud", "groups-at-risk", "cloud-budgets", "capacity-unknown",
                        "weak-points", "unsupported-platforms", "certificates"),
    "business architect": ("application-alerts", "unowned-services", "unowned-applications", "unlinked-services"),
    "systems integrator": ("journal", "new-items", "stale-items", "certificates", "flapping-alerts"),
    "incident and security manager": ("my-situations", "nobodys-situations", "unacknowledged-alerts",
                                      "old-situations", "certificates", "unsupported-platforms"),
    "applications analyst": ("my-situations", "application-alerts", "not-backed-up", "certificates",
                             "unowned-applications"),
    "technical analyst": ("my-situations", "groups-at-risk", "unacknowledged-alerts", "failed-devices",
                          "weak-points", "not-backed-up", "unsupported-platforms", "unsupported-hardware"),
    "network administrator": ("my-situations", "network-alerts", "full-prefixes", "weak-points", "failed-devices",
                              "groups-at-risk", "circuits", "unsupported-hardware", "stale-items"),
    "IT operator": ("my-situations", "nobodys-situations", "unacknowledged-alerts", "failed-devices",
                    "flapping-alerts", "new-items"),
    "service desk agent": ("my-situations", "nobodys-situations", "old-situations"),
    "requester": ("own-grants",),
    "external auditor": ("audit-seal",),
    "administrator": ("failed-effects", "failed-event-rules", "journal", "my-situations", "nobodys-situations",
                      "silent-sources", "audit-seal", "access-findings", "tokens-expiring", "duplicates"),
}  # fmt: skip


@pytest.mark.usefixtures("trouble")
@pytest.mark.parametrize("role", WANTED)
def test_each_role_sees_what_needs_it(role: str) -> None:
    shown = [a.panel.name for a in answered(person(role)) if a.lines]
    assert [name for name in shown if name in WANTED[role]] == list(WANTED[role])
    assert not any(a.late for a in answered(person(role, name="rina")))


def test_tickets_wait_for_who_works_on_them_and_for_who_asked() -> None:
    agent, rita = person("service desk agent", name="dee"), person("requester")
    late = timezone.now() - dt.timedelta(hours=1)
    Ticket.objects.create(number="INC-1", title="no mail", requester=rita.person, resolution_due_at=late)
    Ticket.objects.create(number="INC-2", title="slow", assignee=agent.person)
    Ticket.objects.create(number="INC-3", title="over", status="closed", requester=rita.person)

    def lines(reader: Actor) -> dict[str, list[str]]:
        return {a.panel.name: [line.url for line in a.lines] for a in answered(reader) if a.lines}

    one, two = (f"/tickets/{t.pk}/" for t in Ticket.objects.order_by("number")[:2])
    found = lines(agent)
    assert list(found)[:3] == ["my-tickets", "late-tickets", "nobodys-tickets"]
    assert [found[n] for n in ("my-tickets", "late-tickets", "nobodys-tickets")] == [[two], [one], [one]]
    assert lines(rita)["asked"] == ["/portal/tickets/INC-1/"]


def test_every_role_has_panels_and_every_panel_says_when_there_is_nothing() -> None:
    roles = set(
        Role.objects.exclude(name="customer").values_list("name", flat=True)
    )  # they have the portal instead
    assert roles == WANTED.keys()
    for panel in panels:
        assert panel.roles.keys() <= roles | {EVERYONE}, panel.name
        assert panel.empty.endswith(".") or (panel.empty == "" and EVERYONE in panel.roles)
        assert panel.title
    for role in roles:
        assert panels.of(frozenset({role})), role


@pytest.mark.usefixtures("trouble")
def test_several_roles_make_one_page_without_doubles() -> None:
    names = [a.panel.name for a in answered(person("network administrator", "operations engineer"))]
    assert len(names) == len(set(names))
    assert {"network-alerts", "nobodys-situations", "own-work"} <= set(names)
    assert names.index("my-situations") < names.index("network-alerts") < names.index("own-work")


@pytest.mark.usefixtures("trouble")
def test_the_links_of_panels_lead_to_lists() -> None:
    User.objects.create_user("ada", "correct horse battery", is_administrator=True)
    client = Client()
    client.force_login(User.objects.get(username="ada"))
    page = client.get("/").content.decode()
    assert "the address answered 410" in page
    assert "Trouble 0" in page
    for panel in panels:
        if panel.link and panel.kind != "platform":
            assert client.get(panel.link).status_code == 200, panel.link


def test_everyone_sees_what_waits_for_them_and_nothing_of_others() -> None:
    rita, role = person("IT operator"), Role.objects.get(name="IT operator")
    other = person("IT operator", name="rina")
    for who, state in ((rita, "failed"), (other, "running")):
        Job.objects.create(id=who.name, kind="export", label=f"Export of {who.name}", state=state, user=who.person,
                           actor_kind="person", actor=who.name, scope=1,
                           created_at=NOW, due_at=NOW, finished_at=NOW)  # fmt: skip
        Notice.objects.create(user=who.person, event=f"e-{who.name}", text=f"Hello {who.name}", at=NOW)
    asked = AccessRequest.objects.create(user=other.person, role=role, reason="on call")
    Approval.objects.create(request=asked, approver=rita.person)
    shown = {a.panel.name: [line.text for line in a.lines] for a in answered(rita)}
    assert shown["jobs"] == ["Export of rita"]
    assert shown["inbox"] == ["Hello rita"]
    assert shown["requests-to-answer"] == ["IT operator for rina"]
    assert shown["reviews-to-answer"] == []
    root = {
        a.panel.name: [line.text for line in a.lines] for a in answered(person("administrator", name="root"))
    }
    assert root["jobs"] == ["Export of rita", "Export of rina"]
    assert root["requests-to-answer"] == root["inbox"] == []


def test_counts_are_bounded() -> None:
    Alert.objects.bulk_create(
        Alert(fingerprint=str(n), name="x", severity=Severity.ERROR, status="firing", annotations={}, because=(),
              source="test", starts_at=NOW, first_seen_at=NOW, last_seen_at=NOW)
        for n in range(COUNTED + 5)
    )  # fmt: skip
    found = {a.panel.name: a for a in answered(person("IT operator"))}["unacknowledged-alerts"]
    assert (len(found.lines), found.count, found.more) == (5, COUNTED, True)


def test_who_may_not_read_a_kind_is_not_asked_about_it() -> None:
    asked = [a.panel for a in answered(person("requester")) if EVERYONE not in a.panel.roles]
    assert {p.name for p in asked} == {"asked", "own-grants", "own-work"}
