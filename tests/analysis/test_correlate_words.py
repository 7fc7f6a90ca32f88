"""Titles of situations tell which thing it is, also where the inventory does not know it."""

from __future__ import annotations

from tests.domains.analysis_structs import alert
from watchkeeper.analysis.stages.correlate_words import title
from watchkeeper.model.topology import Topology


def test_a_title_names_what_the_alert_is_about_though_no_item_is_known() -> None:
    probes = [
        alert(
            str(n),
            name="Probe failed",
            labels={"alertname": "Probe failed", "instance": f"https://shop-{n}/"},
        )
        for n in range(4)
    ]
    assert title(probes[:1], Topology()) == "Probe failed: https://shop-0/"
    assert title(probes, Topology()) == "Probe failed (4 alerts): https://shop-0/, https://shop-1/ and 2 more"


def test_what_only_some_of_the_alerts_say_is_not_the_title() -> None:
    some = [
        alert("a", name="Probe failed"),
        alert("b", name="Probe failed", labels={"alertname": "Probe failed"}),
    ]
    assert title(some, Topology()) == "Probe failed (2 alerts)"
