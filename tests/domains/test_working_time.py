"""Working time against a clock that is read minute by minute."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeeper.domains.agreements.clock import Clock
from watchkeeper.domains.agreements.hours import DAY, Spans, Unreadable, exceptions, spans
from watchkeeper.domains.agreements.working import Calendar, NeverWorked, WorkingTime

MINUTE = 60_000
ZONES = (
    "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo",
    "Asia/Beirut", "Africa/Cairo", "Pacific/Chatham", "America/St_Johns",
)  # fmt: skip


def _spans(edges: list[int]) -> Spans:
    edges = sorted(set(edges))
    return tuple(zip(edges[::2], edges[1::2], strict=False))


HOURS = st.lists(st.integers(0, DAY), max_size=6).map(_spans)
# around a change of the clocks, of every zone in ZONES, or at any time
TIMES = st.one_of(
    st.datetimes(dt.datetime(2018, 1, 1), dt.datetime(2027, 1, 1)),
    *(
        st.datetimes(dt.datetime(*day) - dt.timedelta(days=2), dt.datetime(*day) + dt.timedelta(days=2))
        for day in ((2025, 3, 30), (2025, 10, 26), (2018, 11, 4), (2018, 2, 18), (2025, 4, 6), (2026, 3, 29))
    ),
)


def _ms(at: dt.datetime) -> int:
    return round(at.replace(tzinfo=dt.UTC, second=0, microsecond=0).timestamp() * 1000)


def _open(calendar: Calendar, at_ms: int) -> bool:
    wall = dt.datetime.fromtimestamp(at_ms / 1000, ZoneInfo(calendar.zone))
    minute = wall.hour * 60 + wall.minute
    return any(a <= minute < b for a, b in calendar.hours(wall.date()))


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    week = tuple(draw(HOURS) for _ in range(7))
    days = draw(st.dictionaries(st.dates(dt.date(2025, 3, 28), dt.date(2025, 4, 8)), HOURS, max_size=3))
    return Calendar(draw(st.sampled_from(ZONES)), week, days, {(10, 26): draw(HOURS)})


@settings(deadline=None)
@given(calendars(), st.lists(st.tuples(TIMES, st.integers(0, 4000)), min_size=1, max_size=4))
def test_it_is_what_a_clock_read_every_minute_says(
    calendar: Calendar, asked: list[tuple[dt.datetime, int]]
) -> None:
    time = WorkingTime(calendar)
    for when, minutes in asked:
        start = _ms(when)
        walked = [_open(calendar, start + m * MINUTE) for m in range(minutes)]
        assert time.worked(start, start + minutes * MINUTE) == sum(walked) * MINUTE
        assert time.open_at(start) == _open(calendar, start)
        if sum(walked):
            last = max(m for m, yes in enumerate(walked) if yes)
            assert time.due(start, sum(walked) * MINUTE) == start + (last + 1) * MINUTE


@settings(deadline=None)
@given(calendars(), TIMES)
def test_the_next_change_is_the_first(calendar: Calendar, when: dt.datetime) -> None:
    start, time = _ms(when), WorkingTime(calendar)
    found = time.next_change(start)
    now = _open(calendar, start)
    until = min(found or 2**60, start + 5000 * MINUTE)
    assert all(_open(calendar, at) == now for at in range(start, until, MINUTE))
    if found and found == until:
        assert _open(calendar, found) != now


def test_what_is_never_open_is_never_due() -> None:
    never = WorkingTime(Calendar("UTC", ((),) * 7))
    assert never.worked(0, 10**12) == 0
    assert never.next_change(0) is None
    with pytest.raises(NeverWorked):
        never.due(0, 1)
    always = WorkingTime(Calendar("Europe/Berlin", (((0, DAY),),) * 7))
    assert always.due(10**12, 10**10) == 10**12 + 10**10
    assert always.next_change(10**12) is None


@pytest.mark.parametrize(
    "text", ["9-17", "09:00-25:00", "10:00-09:00", "09:00-12:00, 11:00-13:00", "09:60-10:00", "22:00-06:00"]
)
def test_hours_that_are_none_are_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(Unreadable):
        spans(text)
    with pytest.raises(Unreadable, match="line 2"):
        list(exceptions(f"12-24 closed\n12-31 {text}"))


@pytest.mark.parametrize("line", ["13-01 closed", "2025-02-29 closed", "12-24", "tomorrow closed"])
def test_days_that_are_none_are_refused_with_their_line(line: str) -> None:
    with pytest.raises(Unreadable, match="line 1"):
        list(exceptions(line))


@st.composite
def histories(draw: st.DrawFn) -> tuple[int, list[tuple[int, int | None]]]:
    """When a promise began, and its pauses, in minutes after that."""
    began = _ms(draw(TIMES))
    edges = sorted(draw(st.lists(st.integers(0, 4000), max_size=7)))
    pairs = list(zip(edges[::2], edges[1::2], strict=False))
    pauses: list[tuple[int, int | None]] = [(began + a * MINUTE, began + b * MINUTE) for a, b in pairs]
    if len(edges) % 2:
        pauses.append((began + edges[-1] * MINUTE, None))
    return began, pauses


@settings(deadline=None)
@given(calendars(), histories(), st.integers(1, 1500), st.integers(0, 4500))
def test_the_clock_of_a_promise_is_what_was_open_and_not_paused_minute_by_minute(
    calendar: Calendar, history: tuple[int, list[tuple[int, int | None]]], promised: int, elapsed: int
) -> None:
    began, pauses = history

    def counts(at: int) -> bool:
        return _open(calendar, at) and not any(a <= at and (b is None or at < b) for a, b in pauses)

    clock = Clock(WorkingTime(calendar), promised * MINUTE, began, pauses)
    now = began + elapsed * MINUTE
    used = sum(counts(at) for at in range(began, now, MINUTE))
    assert clock.used(now) == used * MINUTE
    assert Clock(clock.time, clock.promised_ms, began, pauses, kept_ms=now).used(2**50) == used * MINUTE
    left, due = promised, None
    for at in range(began, began + 6000 * MINUTE, MINUTE):
        left -= counts(at)
        if not left:
            due = at + MINUTE
            break
    try:
        found = clock.due()
    except NeverWorked:
        found = None
    assert found == due if due else found is None or found > began + 6000 * MINUTE
    if due and due < now:
        assert clock.broken(now) == (used > promised)
