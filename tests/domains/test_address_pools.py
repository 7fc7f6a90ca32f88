"""How full the inventory's networks are, as samples that a rule foresees, and which network they are about."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from tests.domains.paging_setup import call, root
from watchkeeper.domains.capacity import pools
from watchkeeper.domains.capacity.models import CapacityRule
from watchkeeper.domains.capacity.naming import Names

pytestmark = pytest.mark.django_db
NOW = 1_800_000_000_000


@pytest.fixture
def client(db: None) -> Client:  # noqa: ARG001
    return root()


def shares() -> dict[tuple[str, str], float]:
    """By network and routing table."""
    noted = pools.samples(NOW)
    if not noted:
        return {}
    (_, series), (_, samples) = noted
    values = {row["series"]: row["value"] for row in samples.to_pylist()}
    assert {row["time_ms"] for row in samples.to_pylist()} == {NOW}
    out = {}
    for row in series.to_pylist():
        labels = json.loads(row["labels"])
        out[labels["subnet"], labels.get("vrf", "")] = values[row["id"]]
    return out


def test_networks_with_addresses_and_none_inside_tell_their_share(client: Client) -> None:
    assert shares() == {}
    vrf = call(client, "post", "vrfs", {"name": "blue"}, 201)["id"]
    for prefix, more in (
        ("10.0.0.0/8", {"status": "container"}), ("10.1.0.0/24", {}), ("10.1.0.0/25", {}), ("10.1.1.0/31", {}),
        ("10.2.0.0/24", {"vrf": vrf}), ("10.3.0.0/24", {"status": "reserved"}), ("10.4.0.0/24", {}), ("fd00::/64", {}),
    ):  # fmt: skip
        call(client, "post", "prefixes", {"prefix": prefix, **more}, 201)
    for address, more in (
        ("10.1.0.5/24", {}), ("10.1.0.6/24", {}), ("10.1.1.0/31", {}), ("10.1.1.1/31", {}), ("10.3.0.1/24", {}),
        ("10.2.0.9/24", {"vrf": vrf}), ("fd00::1/64", {}),
    ):  # fmt: skip
        call(client, "post", "addresses", {"address": address, **more}, 201)
    assert shares() == {
        ("10.1.0.0/25", ""): pytest.approx(2 / 126), ("10.1.1.0/31", ""): 1.0,
        ("10.2.0.0/24", "blue"): pytest.approx(1 / 254),
    }  # fmt: skip


def test_what_is_measured_of_a_network_is_about_the_networks_record(client: Client) -> None:
    vrf = call(client, "post", "vrfs", {"name": "blue"}, 201)["id"]
    one = call(client, "post", "prefixes", {"prefix": "10.2.0.0/24"}, 201)["id"]
    other = call(client, "post", "prefixes", {"prefix": "10.2.0.0/24", "vrf": vrf}, 201)["id"]
    labels = [
        {"subnet": "10.2.0.0/24"},
        {"subnet": "10.2.0.0/24", "vrf": "blue"},
        {"subnet": "10.9.0.0/24"},
        {},
    ]
    names = Names(labels)
    assert [names.item(one_of_them) for one_of_them in labels] == [one, other, None, None]


def test_a_rule_foresees_them_from_the_start() -> None:
    rule = CapacityRule.objects.get(name="Address pools")
    assert (rule.measure, rule.metric, rule.enabled) == ("share", pools.METRIC, True)
