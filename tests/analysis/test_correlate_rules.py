"""The operator's grouping rules mean what they say: held against a plain reading of them, over restarts, and beside what
the learned method does with all other alerts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analysis.alerts_told import NOW, Stages, event, topology
from watchkeeper.analysis.pipeline import Event, Pipeline
from watchkeeper.analysis.stages.correlate import Correlate
from watchkeeper.analysis.stages.deduplicate import Deduplicate
from watchkeeper.analysis.stages.determine_cause import DetermineCause
from watchkeeper.domains.automation.conditions import evaluator
from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.correlation import GroupingRule
from watchkeeper.model.verdicts import Alert

WINDOW = 60_000


class Ruled(Stages):
    """The alert stages with the program that evaluates conditions."""

    def _fresh(self) -> None:
        self.deduplicate = Deduplicate()
        self.correlate = Correlate(self.deduplicate.living, conditions=evaluator)
        self.causes = DetermineCause(self.deduplicate.living, self.correlate.situations)
        self.pipeline = Pipeline([self.deduplicate, self.correlate, self.causes])

    def restart(self) -> None:
        """New stages with the records and what was learned."""
        state = msgspec.msgpack.decode(msgspec.msgpack.encode(self.pipeline.snapshot()))
        self._fresh()
        self.pipeline.restore(state, list(self.alerts.values()), list(self.situations.values()))


def told(rule: GroupingRule, restored: str = "") -> Act:
    data = {"rule": msgspec.to_builtins(rule)}
    return Act(
        id=f"{restored}{rule.id}", kind=ActKind.GROUPING, target=rule.id, actor="ann", time_ms=NOW, data=data
    )


def rule(**given: Any) -> GroupingRule:
    plain = {"id": "1", "name": "by site", "position": 1, "condition": "record.name == 'Link'", "group_by": ("site",),
             "window_ms": WINDOW}  # fmt: skip
    return GroupingRule(**{**plain, **given})


def link(n: int, at_ms: int, site: str, name: str = "Link", item: str = "") -> Event:
    return event(name, item, at_ms, port=str(n), site=site)


def by_port(alerts: Mapping[str, Alert]) -> dict[str, str]:
    return {f: a.labels["port"] for f, a in alerts.items()}


def oracle(told: Sequence[tuple[int, int, str]], count: int) -> set[frozenset[str]]:
    """Groups of (number, time, site), by the words of the how-to: an alert joins when it begins within the window of the
    first; a group begins when so many have begun within one window."""
    found: set[frozenset[str]] = set()
    by_site: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for n, at, site in told:
        by_site[site].append((at, str(n)))
    for alerts in by_site.values():
        waiting: list[tuple[int, str]] = []
        group: list[tuple[int, str]] = []
        for at, n in alerts:
            if group and at - group[0][0] <= WINDOW:
                group.append((at, n))
                continue
            if group:
                found.add(frozenset(x for _, x in group))
                group = []
            waiting = [(t, x) for t, x in waiting if at - t <= WINDOW] + [(at, n)]
            if len(waiting) >= count:
                group, waiting = waiting, []
        if group:
            found.add(frozenset(x for _, x in group))
    return found


storms = st.lists(
    st.tuples(st.integers(1, 40_000), st.sampled_from(("north", "south", ""))), min_size=1, max_size=25
)


@settings(max_examples=60, deadline=None)
@given(storms, st.integers(1, 4), st.data())
def test_a_rule_groups_as_a_plain_reading_of_it_does(
    found: list[tuple[int, str]], count: int, data: st.DataObject
) -> None:
    stages, at, alerts = Ruled(), NOW, []
    stages.read(at_ms=NOW, acts=[told(rule(count=count))])
    for n, (pause, site) in enumerate(found):
        at += pause
        alerts.append((n, at, site))
    rest = list(alerts)
    while rest:
        size = data.draw(st.integers(1, 6))
        stages.read([link(*a) for a in rest[:size]], at_ms=rest[:size][-1][1])
        rest = rest[size:]
        if data.draw(st.booleans()):
            stages.restart()
            stages.read(at_ms=at, acts=[told(rule(count=count), "restored-")])
    ports = by_port(stages.alerts)
    by_rule = {
        frozenset(ports[m.fingerprint] for m in s.members)
        for s in stages.situations.values()
        if s.members and s.members[0].because[0].data.get("rule")
    }
    assert by_rule == oracle(alerts, count)


def test_what_no_rule_takes_stays_with_the_learned_method_and_joins_no_group_of_a_rule() -> None:
    stages = Ruled()
    stages.read(at_ms=NOW, acts=[told(rule())])
    stages.read([link(1, NOW, "north", item="cart"), link(2, NOW + 10, "north", item="disk")], at_ms=NOW + 10)
    stages.read([link(3, NOW + 20, "north", "Slow", "cart"), link(4, NOW + 30, "north", "Slow", "front")],
                at_ms=NOW + 30)  # fmt: skip
    ports = by_port(stages.alerts)
    assert {frozenset(ports[f] for f in g) for g in stages.partition()} == {frozenset("12"), frozenset("34")}
    grouped = next(s for s in stages.open() if ports[s.members[0].fingerprint] == "1")
    assert (
        grouped.members[0].because[0].text
        == "The rule “by site” puts alerts with the same site north together."
    )
    assert any("“by site”" in r.text for r in grouped.because)


def test_of_two_rules_the_one_with_the_lower_position_decides() -> None:
    stages = Ruled()
    all_ = rule(id="2", name="all", position=0, group_by=())
    stages.read(at_ms=NOW, acts=[told(rule()), told(all_)])
    stages.read([link(1, NOW, "north"), link(2, NOW + 5, "south")], at_ms=NOW + 5)
    assert len(stages.open()) == 1


def test_a_rule_that_is_switched_off_takes_nothing_more() -> None:
    stages = Ruled()
    stages.read(at_ms=NOW, acts=[told(rule())])
    stages.read([link(1, NOW, "north")], at_ms=NOW)
    off = Act(id="off", kind=ActKind.GROUPING, target="1", actor="ann", time_ms=NOW)
    stages.read([link(2, NOW + 5, "north")], at_ms=NOW + 5, acts=[off])
    assert len(stages.open()) == 2


def test_below_its_count_the_learned_method_decides_and_then_the_rule_takes_them_over() -> None:
    stages = Ruled()
    stages.read(at_ms=NOW, acts=[told(rule(count=2, group_by=()))])
    stages.read([link(1, NOW, "a", item="front"), event("Slow", "cart", NOW, port="9")], at_ms=NOW)
    assert len(stages.open()) == 1
    stages.read([link(2, NOW + 1000, "b", item="disk")], at_ms=NOW + 1000)
    ports = by_port(stages.alerts)
    assert {frozenset(ports[f] for f in g) for g in stages.partition()} == {frozenset("12"), frozenset("9")}


def test_a_rule_holds_back_what_a_parents_alert_explains_until_that_is_over() -> None:
    stages = Ruled(topology())
    held = rule(condition="record.name != 'Down'", parent="Down", group_by=())
    stages.read(at_ms=NOW, acts=[told(held)])
    down = event("Down", "postgres", NOW, port="0")
    stages.read([down], at_ms=NOW)
    slow = [event("Slow", x, NOW + 1000, port=x) for x in ("front", "mail")]
    stages.read(slow, at_ms=NOW + 1000)
    by_item = {a.item: a for a in stages.alerts.values()}
    assert by_item["front"].suppressed_by == f"alert:{by_item['postgres'].fingerprint}"
    assert not by_item["front"].situation and by_item["mail"].situation and not by_item["mail"].suppressed_by
    assert by_item["front"].because[-1].text == (
        "The rule “by site” holds it back: postgres, which it needs, has Down."
    )
    stages.restart()
    stages.read(at_ms=NOW + 2000, acts=[told(held, "restored-")])
    over = event("Down", "postgres", NOW + 60_000, firing=False, starts_ms=NOW, port="0")
    stages.read([over], at_ms=NOW + 60_000)
    by_item = {a.item: a for a in stages.alerts.values()}
    assert not by_item["front"].suppressed_by and by_item["front"].situation
    assert all("holds it back" not in r.text for r in by_item["front"].because)


def test_what_a_condition_cannot_tell_of_is_left_to_the_learned_method() -> None:
    stages = Ruled()
    stages.read(at_ms=NOW, acts=[told(rule(condition="record.labels.rack == '1'"))])
    stages.read([link(1, NOW, "north")], at_ms=NOW)
    assert len(stages.open()) == 1 and not stages.open()[0].members[0].because[0].data
