"""Rules of RFC 5545 are what dateutil says, and come to an end where dateutil's look has none."""

from __future__ import annotations

import datetime as dt
from itertools import islice

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from watchkeeper.model.recurrence import Steps, TooFar, followed, parse

TUESDAY = dt.datetime(2026, 6, 2)
PARTS = (
    st.sampled_from(["", ";INTERVAL=2", ";INTERVAL=3;WKST=SU", ";INTERVAL=14"]),
    st.sampled_from(["", ";BYDAY=MO", ";BYDAY=MO,TU,FR,SU"]),
    st.sampled_from(["", ";BYMONTH=2,12", ";BYMONTHDAY=29,-1", ";BYMONTHDAY=13"]),
    st.sampled_from(["", ";COUNT=7", ";UNTIL=20281231T000000", ";BYSETPOS=1"]),
)


@settings(deadline=None)
@given(st.sampled_from(["HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"]), st.tuples(*PARTS), st.datetimes(
    dt.datetime(1990, 1, 1), dt.datetime(2027, 1, 1)))  # fmt: skip
def test_what_is_followed_is_the_rule(frequency: str, parts: tuple[str, ...], first: dt.datetime) -> None:
    rule = f"FREQ={frequency}{''.join(parts)}"
    try:
        parse(rule, first)
        found = list(islice(followed(rule, first, Steps()), 30))
    except ValueError:
        return
    assert found == list(islice(rrulestr(rule, dtstart=first), len(found)))


@pytest.mark.parametrize(
    "rule",
    ["FREQ=DAILY;INTERVAL=7;BYDAY=MO", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=WEEKLY;BYMONTH=2;BYMONTHDAY=30",
     "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6", "FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=1", "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6",
     "FREQ=YEARLY;BYYEARDAY=366;BYMONTH=1", "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30"],
)  # fmt: skip
def test_a_rule_that_has_no_times_is_found_to_have_none(rule: str) -> None:
    with pytest.raises(TooFar, match="it has no times"):
        next(followed(rule, TUESDAY, Steps()))


@pytest.mark.parametrize(
    "frequency", ["SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"]
)
def test_all_that_is_followed_together_takes_from_the_same_steps(frequency: str) -> None:
    steps, found = Steps(2_000), 0
    with pytest.raises(TooFar, match="begin later"):
        while True:
            found += sum(1 for _ in islice(followed(f"FREQ={frequency}", TUESDAY, steps), 100))
    assert found < 2_000


@pytest.mark.parametrize(
    "rule",
    ["FREQ=DAILY;INTERVAL=0", "FREQ=YEARLY;INTERVAL=-1", "RRULE:FREQ=MONTHLY;INTERVAL=0", "FREQ=MONTHLY;BYDAY=1MO,10MO",
     "FREQ=YEARLY;BYMONTH=12;BYDAY=10MO", "FREQ=HOURLY;BYHOUR=24", "FREQ=DAILY\nFREQ=DAILY", "INTERVAL=1", "x"],
)  # fmt: skip
def test_a_rule_that_cannot_be_followed_is_refused(rule: str) -> None:
    with pytest.raises(ValueError):
        next(followed(rule, TUESDAY, Steps()))


def test_a_day_that_is_rare_is_found() -> None:
    rule = "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO"  # as in 2044, and then in 2072
    assert [at.year for at in islice(followed(rule, TUESDAY, Steps()), 2)] == [2044, 2072]
