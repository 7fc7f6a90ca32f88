"""Who is on call, against a clock that is read minute by minute and against what people would say."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domains.test_working_time import MINUTE, TIMES, ZONES, _ms, _open, calendars
from watchkeeper.domains.agreements.working import Calendar, WorkingTime
from watchkeeper.domains.oncall.rotations import Layer, Override, Shift, shifts

PEOPLE = st.lists(st.sampled_from(["ann", "bob", "cid", ""]), min_size=1, max_size=3).map(
    tuple
)  # "": nobody's turn


@st.composite
def layers(draw: st.DrawFn) -> Layer:
    hours = draw(st.none() | calendars())
    return Layer(
        draw(PEOPLE),
        draw(st.dates(dt.date(2017, 6, 1), dt.date(2025, 12, 31))),
        draw(st.times().map(lambda t: t.replace(second=0, microsecond=0))),
        draw(st.integers(1, 9)),
        draw(st.sampled_from(ZONES)),
        WorkingTime(hours) if hours else None,
    )


def _person(layer: Layer, at_ms: int) -> str:
    """By asking for each handover up to now whether its zone's clocks have reached it."""
    if layer.hours and not _open(layer.hours.calendar, at_ms):
        return ""
    zone, person = ZoneInfo(layer.zone), ""
    now = dt.datetime.fromtimestamp(at_ms / 1000, dt.UTC)
    day, turn = layer.first, 0
    while dt.datetime.combine(day, layer.handover, zone).astimezone(dt.UTC) <= now:
        person = layer.people[turn % len(layer.people)]
        day, turn = day + dt.timedelta(days=layer.days), turn + 1
    return person


@settings(deadline=None, max_examples=60)
@given(st.lists(layers(), max_size=3), TIMES, st.data())
def test_it_is_what_every_minute_says(stack: list[Layer], when: dt.datetime, data: st.DataObject) -> None:
    begins = _ms(when)
    ends = begins + data.draw(st.integers(1, 3000)) * MINUTE
    overrides = [
        Override(person, begins + a * MINUTE, begins + (a + length) * MINUTE)
        for person, a, length in data.draw(
            st.lists(st.tuples(st.just("eve"), st.integers(-100, 3000), st.integers(1, 600)), max_size=2)
        )
    ]
    found = shifts(stack, overrides, begins, ends)
    assert [s.begins_ms for s in found[1:]] == [s.ends_ms for s in found[:-1]]
    assert (found[0].begins_ms, found[-1].ends_ms) == (begins, ends)
    for at in range(begins, ends, 7 * MINUTE):
        said = next(s.person for s in found if s.begins_ms <= at < s.ends_ms)
        over = [o.person for o in overrides if o.begins_ms <= at < o.ends_ms]
        expected = over[-1] if over else next(filter(None, (_person(x, at) for x in reversed(stack))), "")
        assert said == expected


def test_a_week_hands_over_at_nine_on_local_clocks_over_the_change_of_clocks() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    layer = Layer(("ann", "bob"), dt.date(2026, 3, 23), dt.time(9), 7, "Europe/Berlin")
    begins = _ms(dt.datetime(2026, 3, 23))
    found = shifts([layer], (), begins, begins + 15 * 1440 * MINUTE)
    assert [s.person for s in found] == ["", "ann", "bob", "ann"]
    handed = [dt.datetime.fromtimestamp(s.begins_ms / 1000, berlin) for s in found[1:]]
    assert [f"{at:%a %H:%M}" for at in handed] == ["Mon 09:00"] * 3
    assert found[1].ends_ms - found[1].begins_ms == (7 * 24 - 1) * 60 * MINUTE


def test_what_nobody_covers_is_a_gap() -> None:
    office = WorkingTime(Calendar("UTC", (((540, 1020),),) * 7))
    layer = Layer(("ann",), dt.date(2026, 1, 1), dt.time(0), 1, "UTC", office)
    begins = _ms(dt.datetime(2026, 1, 5))
    hour = 60 * MINUTE
    assert shifts([layer], (), begins, begins + 24 * hour) == [
        Shift(begins, begins + 9 * hour, ""),
        Shift(begins + 9 * hour, begins + 17 * hour, "ann", 0),
        Shift(begins + 17 * hour, begins + 24 * hour, ""),
    ]
