"""The arithmetic of health scores."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.domains.health.rules import Judged, State, judge, score, state_of

WORSE = [State.NORMAL, State.LOW, State.MEDIUM, State.HIGH, State.CRITICAL]
STATES = st.sampled_from(list(State))
JUDGED = st.lists(st.builds(Judged, st.text(max_size=3), STATES, st.integers(0, 11)), max_size=8)


def test_the_example_that_is_documented() -> None:
    """Splunk, "How service health scores work in ITSI": importances 10, 7, 5 in normal, low, high."""
    found = score([Judged("a", State.NORMAL, 10), Judged("b", State.LOW, 7), Judged("c", State.HIGH, 5)])
    assert found.value is not None and round(found.value, 1) == 74.5
    assert found.state is State.LOW
    assert [(p.name, round(p.lost, 2)) for p in found.parts] == [("c", 15.91), ("b", 9.55), ("a", 0.0)]


def test_one_that_decides_alone() -> None:
    others = [Judged("a", State.NORMAL, 10), Judged("b", State.NORMAL, 10)]
    assert score([*others, Judged("c", State.CRITICAL, 11)]).state is State.CRITICAL
    assert score([*others, Judged("c", State.CRITICAL, 10)]).value == 200 / 3
    assert score([*others, Judged("c", State.HIGH, 11)]).state is State.LOW


def test_what_is_not_known_is_not_counted() -> None:
    known = [Judged("a", State.MEDIUM, 5)]
    assert score([*known, Judged("b", State.UNKNOWN, 10), Judged("c", State.CRITICAL, 0)]).value == 50
    nothing = score([Judged("b", State.UNKNOWN, 10)])
    assert (nothing.value, nothing.state) == (None, State.UNKNOWN)
    assert score([]).value is None


@given(JUDGED)
def test_a_score_is_within_bounds_and_its_parts_add_up(judged: list[Judged]) -> None:
    found = score(judged)
    assert len(found.parts) == len(judged)
    if found.value is None:
        assert all(j.importance == 0 or j.state is State.UNKNOWN for j in judged)
        return
    assert 0 <= found.value <= 100
    assert found.state is state_of(found.value)
    if not any(j.importance == 11 and j.state is State.CRITICAL for j in judged):
        assert abs(100 - sum(p.lost for p in found.parts) - found.value) < 1e-9


@given(JUDGED, st.integers(0, 10), st.integers(0, 11), st.data())
def test_a_worse_indicator_is_no_better_score(
    others: list[Judged], better: int, importance: int, data: st.DataObject
) -> None:
    a = WORSE[better % len(WORSE)]
    b = data.draw(st.sampled_from(WORSE[WORSE.index(a) :]))
    before = score([*others, Judged("x", a, importance)]).value
    after = score([*others, Judged("x", b, importance)]).value
    assert (before is None) is (after is None)
    if before is not None and after is not None:
        assert after <= before + 1e-9


@given(st.lists(st.floats(-100, 100), min_size=1), st.floats(-100, 100))
def test_a_worse_value_is_no_better_state(values: list[float], more: float) -> None:
    for above, sign in ((True, 1), (False, -1)):
        thresholds = [sign * -50.0, sign * 0.0, None, sign * 50.0]
        before = judge(values, thresholds, above=above)
        assert WORSE.index(judge([*values, more], thresholds, above=above)) >= WORSE.index(before)
    assert judge([float("nan")], [1, 2, 3, 4], above=True) is State.UNKNOWN
