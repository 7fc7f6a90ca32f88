"""What must hold whatever comes: no resolve is lost, replays change nothing, batches may be cut anywhere, and a
restart with nothing but the records loses nothing."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analysis.alerts_told import NOW, Stages, event
from watchkeeper.analysis.pipeline import Event
from watchkeeper.model.act import Act, ActKind

ITEMS = ("front", "cart", "checkout", "postgres", "mail", "queue", "nowhere")
NAMES = ("Down", "Slow", "Full")
steps = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(ITEMS), st.booleans(), st.integers(1, 40_000)),
    min_size=1,
    max_size=40,
)


def told(found: list[tuple[str, str, bool, int]]) -> list[Event]:
    """Events in the order of their times."""
    at, out = NOW, []
    for name, item, firing, pause in found:
        at += pause
        out.append(event(name, item, at, firing=firing, severity="info" if name == "Full" else "critical"))
    return out


def last_words(events: list[Event]) -> dict[tuple[str, str], str]:
    return {(e.name, e.item): e.status for e in events}


@settings(max_examples=40, deadline=None)
@given(steps, st.sets(st.sampled_from(ITEMS)), st.data())
def test_every_resolve_counts_also_of_a_silenced_alert(
    found: list[tuple[str, str, bool, int]], silenced: set[str], data: st.DataObject
) -> None:
    stages, events = Stages(), told(found)
    acts = [
        Act(id=f"s-{x}", kind=ActKind.SILENCE, target=f"s-{x}", actor="a", time_ms=NOW,
            data={"matchers": [{"name": "service", "value": x}], "starts_ms": NOW, "ends_ms": NOW + 10**9})
        for x in sorted(silenced)
    ]  # fmt: skip
    stages.read(at_ms=NOW, acts=acts)
    while events:
        size = data.draw(st.integers(1, 5))
        part, events = events[:size], events[size:]
        stages.read(part, at_ms=part[-1].received_ms)
    now = {(a.name, a.item): a.status.value for a in stages.alerts.values()}
    assert now == last_words(told(found))
    for alert in stages.alerts.values():
        assert bool(alert.suppressed_by) == (alert.item in silenced)
        assert not (alert.suppressed_by and alert.situation)


@settings(max_examples=40, deadline=None)
@given(steps, st.data())
def test_where_batches_are_cut_does_not_matter(
    found: list[tuple[str, str, bool, int]], data: st.DataObject
) -> None:
    events = told(found)
    end = events[-1].received_ms
    whole, cut = Stages(), Stages()
    whole.read(events, at_ms=end)
    rest = events
    while rest:
        size = data.draw(st.integers(1, 6))
        cut.read(rest[:size], at_ms=end)
        rest = rest[size:]
    assert cut.partition() == whole.partition()
    assert {s.id for s in cut.situations.values() if s.members} == {
        s.id for s in whole.situations.values() if s.members
    }
    for f, alert in whole.alerts.items():
        other = cut.alerts[f]
        assert (other.status, other.firings, other.starts_ms) == (
            alert.status,
            alert.firings,
            alert.starts_ms,
        )


@settings(max_examples=30, deadline=None)
@given(steps)
def test_the_same_again_changes_nothing(found: list[tuple[str, str, bool, int]]) -> None:
    stages, events = Stages(), told(found)
    at = events[-1].received_ms
    stages.read(events, at_ms=at)
    alerts = {f: (a.status, a.firings, a.situation) for f, a in stages.alerts.items()}
    partition, ids = stages.partition(), set(stages.situations)
    stages.read(events, at_ms=at)
    assert {f: (a.status, a.firings, a.situation) for f, a in stages.alerts.items()} == alerts
    assert (stages.partition(), set(stages.situations)) == (partition, ids)


@settings(max_examples=30, deadline=None)
@given(steps, st.integers(0, 40))
def test_a_restart_anywhere_loses_and_doubles_nothing(
    found: list[tuple[str, str, bool, int]], at: int
) -> None:
    stages, events = Stages(), told(found)
    for i, e in enumerate(events):
        if i == at:
            stages.restart()
        stages.read([e], at_ms=e.received_ms)
    now = {(a.name, a.item): a.status.value for a in stages.alerts.values()}
    assert now == last_words(events)
    homes: dict[str, int] = {}
    for s in stages.open():
        for m in s.members:
            homes[m.fingerprint] = homes.get(m.fingerprint, 0) + 1
    assert all(n == 1 for n in homes.values())
    for f, alert in stages.alerts.items():
        if alert.status == "firing" and alert.severity != "info":
            assert homes.get(f) == 1, f"{alert.name} on {alert.item} fires and is in no open situation"
