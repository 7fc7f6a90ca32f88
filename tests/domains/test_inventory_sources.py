"""Sources: what they describe is compared and taken over, twice with the same result; whose word counts is declared;
what they do not name any more goes stale and comes back. On the real database, through the command line and REST too."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from watchkeeper.analysis.identify import identify
from watchkeeper.cli import build
from watchkeeper.domains.inventory import load_topology, models, staleness
from watchkeeper.domains.inventory.applying import Applied, apply
from watchkeeper.domains.inventory.describing import Described, Related
from watchkeeper.domains.inventory.planning import Plan, plan
from watchkeeper.kernel.acting import SYSTEM
from watchkeeper.kernel.models import AuditEntry
from watchkeeper.kernel.problems import Refused
from watchkeeper.model.topology import Identifier, RelationKind

pytestmark = pytest.mark.django_db
Send = Callable[..., Any]


def source(name: str = "netbox", **more: Any) -> models.Source:
    """A source of this name."""
    return models.Source.objects.get_or_create(name=name, defaults={"type": "netbox", **more})[0]


def take(of: models.Source, *described: Described, **more: Any) -> tuple[Plan, Applied]:
    """Plan, then apply."""
    of.refresh_from_db()
    made = plan(of, described, **more)
    return made, apply(made, SYSTEM)


def db1(**more: Any) -> Described:
    """A device as NetBox has it."""
    return Described(
        "devices", "device/1", "db1", {"serial": "X1", "role": "server", **more}, {"site": "site/1"}
    )


ZURICH = Described("sites", "site/1", "Zurich", {"facility": "ZRH1"})


@pytest.fixture
def send(api: Callable[..., Client]) -> Send:
    """`send("POST", path, body)` → the answer's body."""
    client = api("admin")

    def call(method: str, path: str, body: Any = None, status: int = 0) -> Any:
        answer = client.generic(method, path, "" if body is None else json.dumps(body), "application/json")
        assert answer.status_code == (status or {"POST": 201, "DELETE": 204}.get(method, 200)), (
            answer.content[:900]
        )
        return answer.json() if answer.content else None

    return call


def test_a_dry_run_says_what_applying_then_does() -> None:
    of = source()
    described = [db1(device_type={"manufacturer": "Dell", "model": "R640"}), ZURICH]
    made = plan(of, described)
    assert made.counts == {"create": 2, "change": 0, "close": 0, "conflict": 0, "same": 0}
    assert not models.Device.objects.exists() and not models.Manufacturer.objects.exists()
    step = next(s for s in made.steps if s.key == "device/1")
    assert step.values["serial"] == (None, "X1") and step.values["device_type"] == (None, "Dell R640 (new)")
    apply(made, SYSTEM)
    device = models.Device.objects.select_related("site", "device_type__manufacturer").get()
    assert (device.site.name, str(device.device_type), device.source) == ("Zurich", "Dell R640", "netbox")  # type: ignore[union-attr]
    graph = load_topology()
    assert {(graph.name(r.source), r.kind.value, graph.name(r.target)) for r in graph.relations} == {
        ("Zurich", "contains", "db1")
    }
    found = graph.resolve([Identifier("serial", "x1")])
    assert found is not None and found.id == device.pk == step.item
    assert AuditEntry.objects.filter(act="device.create", record=device.pk).count() == 1
    again = plan(of, described)
    assert again.nothing and again.counts["same"] == 2


def test_what_is_wrong_with_one_thing_stops_no_other() -> None:
    made, done = take(
        source(), ZURICH, db1(),
        Described("devices", "d/2", "db2", {"role": "toaster", "warranty_until": "never"}),
        Described("devices", "d/3", "db3", {}, {"site": "site/9", "colour": "site/1"}),
        Described("devices", "d/3", "again"), Described("racks", "r/1", "R1"), Described("Devices!", "d/4", "x"),
    )  # fmt: skip
    assert made.counts["conflict"] == done.counts["conflict"] == 5
    said: dict[str, str] = {}
    for s in done.conflicts:
        said[s.key] = f"{said.get(s.key, '')} {' '.join(s.because)}"
    assert "role:" in said["d/2"] and "warranty_until:" in said["d/2"]
    assert "site: nothing is known as site/9" in said["d/3"] and "twice" in said["d/3"]
    assert "no such reference" in said["d/3"]
    assert "site: it is needed" in said["r/1"] and "not a kind" in said["d/4"]
    assert list(models.Device.objects.values_list("name", flat=True)) == ["db1"]


def test_precedence_decides_attribute_by_attribute_and_falls_back() -> None:
    first, second = source("netbox", rank=30), source("glpi", rank=40)
    take(first, ZURICH, db1(asset_tag="A1"))
    there = Described("devices", "c/1", "db1", {"serial": "x1", "asset_tag": "B2", "os": "linux"})
    made, _ = take(second, there)
    [step] = made.steps
    assert step.act == "change" and "asset_tag: what netbox says counts" in step.because
    device = models.Device.objects.get()
    assert (device.asset_tag, device.serial, device.attributes["os"]) == ("A1", "X1", "linux")
    models.Precedence.objects.create(source=second, kind="devices", attribute="asset_tag", rank=5)
    assert take(second, there)[0].steps[0].values == {"asset_tag": ("A1", "B2")}
    take(second, Described("devices", "c/1", "db1", {"serial": "X1"}))
    device.refresh_from_db()
    assert device.asset_tag == "A1", "what one source does not say any more, the next one does"
    assert "os" not in device.attributes, "what nobody says any more is gone"


def test_what_people_enter_stays_until_they_take_it_back(send: Send) -> None:
    of = source()
    take(of, ZURICH, db1(asset_tag="A1"))
    device = models.Device.objects.get()
    send("PATCH", f"/api/devices/{device.pk}/", {"asset_tag": "P9"})
    send("POST", f"/api/devices/{device.pk}/fail/", {}, 200)
    for tag in ("A1", "A2"):
        made, _ = take(of, ZURICH, db1(asset_tag=tag, status="active"))
        device.refresh_from_db()
        assert (device.asset_tag, device.status) == ("P9", "failed")
    assert "asset_tag: what people say counts" in next(s for s in made.steps if s.kind == "devices").because
    words = {s.source.name: s.values for s in models.Statement.objects.filter(item=device.pk)}
    assert words["people"] == {"asset_tag": "P9", "status": "failed"} and words["netbox"]["asset_tag"] == "A2"
    send("PATCH", f"/api/devices/{device.pk}/", {"asset_tag": "A2"})
    take(of, ZURICH, db1(asset_tag="A3", status="active"))
    device.refresh_from_db()
    assert (device.asset_tag, device.status) == ("A3", "failed")
    models.Precedence.objects.create(source=of, attribute="status", rank=1)
    take(of, ZURICH, db1(asset_tag="A3", status="active"))
    device.refresh_from_db()
    assert device.status == "active", "unless the source is believed more than people"


def test_what_is_not_named_any_more_is_stale_and_comes_back(api: Callable[..., Client]) -> None:
    of = source(least_percent=0)
    edge = (Related(RelationKind.DEPENDS_ON, "device/1"),)
    web = Described("devices", "device/2", "web", {}, relations=edge)
    take(of, ZURICH, db1(), web)
    made, done = take(of, ZURICH, db1())
    assert done.counts["close"] == 1
    item = models.Item.objects.get(name="web")
    assert item.stale_since is not None and not models.Relation.objects.filter(
        origin="source:netbox", valid_to=None
    )
    for path in ("items", "devices"):
        [stale] = api("read").get(f"/api/{path}/", {"stale_since__isnull": "false"}).json()["results"]
        assert (stale["name"], stale["stale_since"] is None) == ("web", False)
    assert plan(of, [ZURICH, db1()]).nothing
    made, done = take(of, ZURICH, db1(), web)
    assert "it is named again" in next(s for s in made.steps if s.key == "device/2").because
    item.refresh_from_db()
    assert item.stale_since is None
    assert models.Relation.objects.filter(origin="source:netbox").count() == 2, "the past stays"
    assert not plan(of, [ZURICH], whole=False).counts["close"], "a part says nothing about the rest"


def test_a_source_that_names_far_less_has_to_be_confirmed() -> None:
    of = source()
    take(of, *(Described("host", f"h{n}", f"h{n}") for n in range(30)))
    of.refresh_from_db()
    made = plan(of, [Described("host", f"h{n}", f"h{n}") for n in range(3)])
    assert "less than 50 %" in made.doubt
    with pytest.raises(Refused, match="Confirm"):
        apply(made, SYSTEM)
    assert apply(made, SYSTEM, confirmed=True).counts["close"] == 27


def test_two_keys_are_two_things_and_a_new_key_may_be_the_same() -> None:
    of = source(least_percent=0)
    made, _ = take(of, Described("devices", "1", "sw"), Described("devices", "2", "sw"))
    assert made.counts["create"] == 2
    assert any("perhaps the same" in r for s in made.steps for r in s.because)
    ids = dict(models.Statement.objects.values_list("key", "item_id"))
    made, _ = take(of, Described("devices", "9", "sw"), Described("devices", "2", "sw"))
    moved = next(s for s in made.steps if s.key == "9")
    assert moved.item == ids["1"] and made.counts["create"] == 0


def test_what_discovery_found_is_taken_over_with_its_id(send: Send) -> None:
    names = [{"scheme": "hostname", "value": "db1"}]
    host = send("POST", "/api/items/", {"kind": "host", "name": "db1", "identifiers": names})
    made, _ = take(source(), ZURICH, db1())
    assert models.Device.objects.get().pk == host["id"]
    assert "it is db1, known as hostname=db1" in next(s for s in made.steps if s.kind == "devices").because
    clash = Described("virtual-machines", "vm/1", "db1")
    made, _ = take(source("vsphere"), clash)
    assert made.counts["create"] == 1, "a machine of another kind is another thing"


def test_serial_numbers_tell_apart_what_has_one_name() -> None:
    take(source(), ZURICH, db1())
    made, _ = take(source("glpi"), Described("devices", "1", "db1", {"serial": "other"}))
    assert made.counts["create"] == 1
    assert load_topology().resolve([Identifier("serial", "other")]) is not None


def test_ports_and_addresses_belong_to_their_machine() -> None:
    take(
        source(), ZURICH, db1(),
        Described("interfaces", "if/1", "", {"label": "eth0", "mac_address": "0011.2233.AABB"}, {"owner": "device/1"}),
        Described("addresses", "ip/1", "", {"address": "10.0.0.5/24"}, {"assigned_to": "if/1"}),
        Described("prefixes", "p/1", "", {"prefix": "10.0.0.0/24"}),
    )  # fmt: skip
    graph = load_topology()
    for scheme, value, name in (
        ("mac", "00:11:22:33:aa:bb", "eth0 on db1"), ("address", "10.0.0.5", "db1"), ("hostname", "db1", "db1"),
    ):  # fmt: skip
        found = graph.resolve([Identifier(scheme, value)])
        assert found is not None and found.name == name, scheme
    assert models.Prefix.objects.get().addresses().count() == 1
    again = plan(source(), [Described("prefixes", "p/1", "", {"prefix": "10.0.0.0/24"})], whole=False)
    assert again.nothing


words = st.sampled_from(["a", "b", "c"])


@st.composite
def estates(draw: Any) -> list[Described]:
    """Hosts and devices with names, serial numbers and relations that may clash."""
    keys = draw(st.lists(st.sampled_from("123456"), max_size=5, unique=True))
    return [
        Described(
            draw(st.sampled_from(["host", "devices", "applications"])), key, draw(words),
            {"serial": "s" + draw(words)} if draw(st.booleans()) else {}, {},
            (Identifier("fqdn", f"{draw(words)}.example.org"),) if draw(st.booleans()) else (),
            tuple(Related(RelationKind.DEPENDS_ON, k) for k in draw(st.lists(st.sampled_from("123456"), max_size=2))),
        )
        for key in keys
    ]  # fmt: skip


@settings(
    max_examples=15,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(first=estates(), second=estates())
def test_taking_over_twice_changes_nothing_the_second_time(
    first: list[Described], second: list[Described]
) -> None:
    models.Item.objects.all().delete()
    of = source(least_percent=0)
    for described in (first, second):
        take(of, *described)
        of.refresh_from_db()
        again = plan(of, described)
        assert again.nothing, [s for s in again.steps if s.act not in ("same", "conflict")]


ROWS = """kind,key,name,serial,site@,identifier:fqdn,relation:depends_on
sites,s1,Zurich,,,,
devices,d1,db1,X1,s1,db1.example.org,
devices,d2,web1,X2,s1,,d1
"""


@pytest.mark.django_db(transaction=True)
def test_a_file_is_compared_and_taken_over_by_command(tmp_path: Path) -> None:
    file = tmp_path / "estate.csv"
    file.write_text(ROWS)
    run, call = CliRunner(), ["inventory", "import", "csv", str(file), "--source", "estate"]
    dry = run.invoke(build(), [*call, "--dry-run"])
    assert (
        dry.exit_code == 0 and "create: 3" in dry.output and not models.Source.objects.filter(name="estate")
    )
    assert run.invoke(build(), call).exit_code == 0
    again = run.invoke(build(), [*call, "--json"])
    assert json.loads(again.stdout)["done"] == {"same": 3}
    graph = load_topology()
    web = graph.resolve([Identifier("hostname", "web1")])
    assert web is not None and [graph.name(i) for i in graph.needs(web.id)] == ["db1", "Zurich"]
    assert "JSON list" in run.invoke(build(), ["inventory", "formats"]).output


def test_rest_has_a_dry_run_and_applies(send: Send) -> None:
    of = send("POST", "/api/sources/", {"name": "estate", "type": "file"})
    url, body = f"/api/sources/{of['id']}/import/", {"format": "csv", "content": ROWS}
    told = send("POST", url, body, 200)
    assert told["counts"]["create"] == 3 and not told["applied"] and not models.Device.objects.exists()
    told = send("POST", url, {**body, "dry_run": False}, 200)
    assert told["done"] == {"create": 3} and told["conflicts"] == []
    bad = send("POST", url, {**body, "content": "kind,key\nsites,\n"}, 400)
    assert "row 2: key is needed" in bad["detail"]
    assert "format" in send("POST", url, {**body, "format": "xls"}, 400)["detail"]
    said = send("GET", f"/api/statements/?source={of['id']}")
    assert said["count"] == 3


def test_every_identity_that_a_source_claims_resolves_signals() -> None:
    """What signals call it by, label by label, leads to the one device; also at once, in the graph that analysis has."""
    names = [("fqdn", "db1.example.org"), ("uuid", "4c4c4544-0042-3510-8051-b3c04f4e3132"), ("mac", "00:11:22:33:aa:bb"),
             ("address", "10.0.0.5"), ("cloud.id", "i-0abc"), ("service.name", "ledger")]  # fmt: skip
    device = db1()
    take(source(), ZURICH, Described("devices", "d", "db1", device.attributes, device.references,
                                     tuple(Identifier(*n) for n in names)))  # fmt: skip
    graph = load_topology()
    for labels in (
        {"host.name": "db1"}, {"host.name": "db1.example.org"}, {"hw.serial_number": "X1"},
        {"host.mac": "00:11:22:33:AA:BB"},
        {"host.uuid": "4C4C4544-0042-3510-8051-B3C04F4E3132"}, {"host.ip": "10.0.0.5"}, {"cloud.resource_id": "i-0abc"},
        {"service.name": "ledger"}, {"instance": "10.0.0.5:9100", "job": "node"},
    ):  # fmt: skip
        found = graph.resolve(identify(labels))
        assert found is not None and found.id == models.Device.objects.get().pk, labels


def test_what_has_no_source_left_is_kept_retired_or_removed_by_rule() -> None:
    now = timezone.now()
    for rule, left in (("ask", "active"), ("retire", "decommissioning"), ("remove", None)):
        models.Item.objects.all().delete()
        of = source(f"s-{rule}", least_percent=0, orphans=rule, orphan_after_days=7)
        take(of, ZURICH, Described("devices", "old", "old"), Described("devices", "mine", "mine"))
        models.Statement.objects.create(source=models.Source.people(), item=models.Item.objects.get(name="mine"), key="x",
                                        values={"asset_tag": "A"}, first_seen_at=now, last_seen_at=now)  # fmt: skip
        take(of, ZURICH)
        assert staleness.orphans(SYSTEM, now + dt.timedelta(days=3)) == {"retired": 0, "removed": 0}
        staleness.orphans(SYSTEM, now + dt.timedelta(days=8))
        kept = dict(models.Device.objects.values_list("name", "status"))
        assert kept.get("old") == left, rule
        assert "mine" in kept, "what people have said something about is not removed by rule"
    assert AuditEntry.objects.filter(act__in=("device.retire", "device.remove")).count() == 3
