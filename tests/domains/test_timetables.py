"""Shifts go out as calendars and are read again as they are; absences, overrides and holidays come in from files and from
an address; what is not covered is told once."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar as Ics

from watchkeeper.domains import identity
from watchkeeper.domains.access.models import Team
from watchkeeper.domains.agreements.models import Calendar
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.inbox.models import Notice
from watchkeeper.domains.oncall.models import Layer, Override, Schedule, Turn
from watchkeeper.domains.oncall.rotations import Layer as Rotation
from watchkeeper.domains.oncall.rotations import Override as Instead
from watchkeeper.domains.oncall.rotations import shifts
from watchkeeper.domains.timetables import bringing, covering, feeds
from watchkeeper.domains.timetables.fetching import fetch
from watchkeeper.domains.timetables.models import Absence, Import
from watchkeeper.domains.timetables.reading import Broken, read
from watchkeeper.domains.timetables.writing import Duty, calendar, window
from watchkeeper.kernel.acting import SYSTEM
from watchkeeper.kernel.models import AuditEntry
from watchkeeper.kernel.problems import Invalid

NOW = dt.datetime(2026, 3, 20, 10, tzinfo=dt.UTC)
YEAR = dt.timedelta(days=366)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia")
HOUR = 3_600_000


def ics(*lines: str) -> bytes:
    """A file with one event for each line, which has its properties separated by |."""
    events = (f"BEGIN:VEVENT\nUID:e{n}\nDTSTAMP:20260101T000000Z\n" + line.replace("|", "\n") + "\nEND:VEVENT\n"
              for n, line in enumerate(lines))  # fmt: skip
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:test\n{''.join(events)}END:VCALENDAR\n".encode()


@given(
    zone=st.sampled_from(ZONES), days=st.integers(1, 14), hour=st.integers(0, 23), minute=st.integers(0, 59),
    people=st.lists(st.sampled_from(["ann", "bob", "çem"]), min_size=1, max_size=4),
    overrides=st.lists(st.tuples(st.sampled_from(["ann", "dora"]), st.integers(0, 4000), st.integers(1, 200)), max_size=4),
)  # fmt: skip
def test_shifts_that_went_out_are_the_shifts(
    zone: str, days: int, hour: int, minute: int, people: list[str], overrides: list[tuple[str, int, int]]
) -> None:
    first, last = (round(t.timestamp() * 1000) for t in window(NOW))
    layer = Rotation(tuple(people), dt.date(2025, 12, 29), dt.time(hour, minute), days, zone)
    given_ = [Instead(p, first + b * HOUR, first + (b + n) * HOUR) for p, b, n in overrides]
    found = [s for s in shifts([layer], given_, first, last) if s.person]
    duties = [Duty("db", "7", s.person, s.person, s.begins_ms, s.ends_ms) for s in found]
    text = calendar("db", duties, NOW, "example.org")
    events = Ics.from_ical(text).walk("VEVENT")
    again = [(str(e["SUMMARY"]).partition(" on call")[0], *(round(e[n].dt.timestamp() * 1000) for n in ("DTSTART", "DTEND")))
             for e in events]  # fmt: skip
    assert again == [(s.person, s.begins_ms, s.ends_ms) for s in found]
    uids = [str(e["UID"]) for e in events]
    assert len(set(uids)) == len(uids)
    later = Ics.from_ical(calendar("db", duties, NOW + dt.timedelta(hours=1), "example.org")).walk("VEVENT")
    assert [str(e["UID"]) for e in later] == uids
    # And as this platform reads it itself.
    own = read(text, "UTC", *window(NOW))
    assert sorted((o.begins, o.ends) for o in own) == sorted(
        (
            dt.datetime.fromtimestamp(s.begins_ms / 1000, dt.UTC),
            dt.datetime.fromtimestamp(s.ends_ms / 1000, dt.UTC),
        )
        for s in found
    )


@given(data=st.binary(max_size=300) | st.text(max_size=300).map(lambda t: ics(t)))
def test_whatever_is_no_calendar_is_refused_in_words(data: bytes) -> None:
    try:
        read(data, "Europe/Berlin", NOW, NOW + YEAR)
    except Broken as error:
        assert str(error)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("DTSTART:2026-13-01|SUMMARY:ann", "line 7: event 1, 'ann': DTSTART"),
        ("nothing at all", "line 7: event 1"),
        ("SUMMARY:ann", "event 1, 'ann': it has no DTSTART"),
        ("DTSTART:20260401T090000Z|DTEND:20260331T090000Z", "event 1: it ends before it begins"),
        ("DTSTART:20260401T090000Z|RRULE:FREQ=SECONDLY", "event 1: it repeats secondly"),
        ("DTSTART:20260401T090000Z|RRULE:FREQ=DAILY;BYMONTHDAY=31;BYMONTH=2", "event 1: it has no times"),
        (
            "DTSTART;TZID=Nowhere/There:20260401T090000|DURATION:PT1H",
            "time zone 'Nowhere/There' is not known",
        ),
        ("DTSTART;VALUE=DATE:19600101|RRULE:FREQ=DAILY", "begins before 1970"),
        ("DTSTART:20260401T090000Z|RRULE:FREQ=NEVER", "RRULE"),
    ],
)
def test_a_broken_event_is_named(line: str, said: str) -> None:
    with pytest.raises(Broken) as caught:
        read(ics(line), "Europe/Berlin", NOW, NOW + YEAR)
    assert said in str(caught.value)


def test_a_file_that_is_cut_off_or_none_at_all_is_named() -> None:
    for data, said in ((b"<html>", "line 1"), (ics("DTSTART:20260401T090000Z")[:-40], "never ends"), (b"\xff\xfe", "byte 0"),
                       (ics("SUMMARY:x") + b"x" * 1024 * 1024, "larger")):  # fmt: skip
        with pytest.raises(Broken, match=said):
            read(data, "UTC", NOW, NOW + YEAR)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL"),
        ("FREQ=YEARLY;INTERVAL=0", "INTERVAL"),
        ("FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=1,2", "within a day"),
        ("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30", "it has no times"),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=MO", "it has no times"),  # from a Thursday on
        ("FREQ=MONTHLY;BYDAY=60MO", "at most 5"),
    ],
)
def test_a_rule_without_an_end_of_its_own_is_refused(rule: str, said: str) -> None:
    with pytest.raises(Broken, match=said):
        read(ics(f"SUMMARY:x|DTSTART:20260101T000000Z|RRULE:{rule}"), "UTC", NOW, NOW + YEAR)


def test_what_repeats_since_long_ago_is_looked_at_so_far_and_no_further() -> None:
    many = [f"SUMMARY:{n}|DTSTART:19700101T000000Z|RRULE:FREQ=DAILY" for n in range(200)]
    with pytest.raises(Broken, match="let it begin later"):
        read(ics(*many), "UTC", NOW, NOW + YEAR)


def test_what_repeats_is_spelled_out_by_the_clocks_of_its_zone() -> None:
    found = read(
        ics("SUMMARY:ann|DTSTART;TZID=Europe/Berlin:20260327T090000|DTEND;TZID=Europe/Berlin:20260327T170000|"
            "RRULE:FREQ=DAILY;COUNT=4|EXDATE;TZID=Europe/Berlin:20260328T090000",
            "SUMMARY:away|DTSTART;VALUE=DATE:20260328|DTEND;VALUE=DATE:20260330"),
        "Europe/Berlin", NOW, NOW + YEAR,
    )  # fmt: skip
    times = [o.begins.astimezone(dt.UTC).isoformat() for o in found if o.title == "ann"]
    assert times == ["2026-03-27T08:00:00+00:00", "2026-03-29T07:00:00+00:00", "2026-03-30T07:00:00+00:00"]
    [away] = [o for o in found if o.all_day]
    assert (
        away.ends.timestamp() - away.begins.timestamp() == 47 * 3600
    )  # the night in which clocks go forward


def test_one_time_of_a_series_that_was_moved_or_cancelled_is_not_there_twice() -> None:
    series = "SUMMARY:ann|DTSTART:20260401T090000Z|DURATION:PT1H|RRULE:FREQ=DAILY;COUNT=3"
    moved = "SUMMARY:ann|DTSTART:20260402T150000Z|DURATION:PT1H|RECURRENCE-ID:20260402T090000Z"
    gone = (
        "SUMMARY:ann|DTSTART:20260403T090000Z|DURATION:PT1H|RECURRENCE-ID:20260403T090000Z|STATUS:CANCELLED"
    )
    text = ics(series, moved, gone).replace(b"UID:e1", b"UID:e0").replace(b"UID:e2", b"UID:e0")
    found = read(text, "UTC", NOW, NOW + YEAR)
    assert [o.begins.strftime("%d %H") for o in found] == ["01 09", "02 15"]


def person(username: str, **more: Any) -> User:
    return User.objects.create_user(username, email=f"{username}@example.org", **more)


def rota(*people: User, days: int = 7, zone: str = "Europe/Berlin", team: Team | None = None) -> Schedule:
    made = Schedule.objects.create(name="Databases", zone=zone, team=team)
    layer = Layer.objects.create(schedule=made, days=days, starts_on=dt.date(2026, 1, 5))
    for n, one in enumerate(people):
        Turn.objects.create(layer=layer, person=one, position=n)
    return made


@pytest.mark.django_db
class TestFeeds:
    def test_somebodys_own_shifts_on_every_schedule(self) -> None:
        ann, bob = person("ann", name="Ann Lee"), person("bob")
        rota(ann, bob)
        made: Any = feeds.make(SYSTEM, {"person": ann})
        secret = made.shown_once["address"].rpartition("/")[2].removesuffix(".ics")
        assert secret not in str(made.__dict__ | {"shown_once": ""})
        events = Ics.from_ical(feeds.text_of(secret, NOW)).walk("VEVENT")
        assert len(events) > 10
        assert {str(e["SUMMARY"]) for e in events} == {"On call: Databases"}
        ann.is_active = False
        ann.save()
        with pytest.raises(Exception, match="no calendar"):
            feeds.text_of(secret, NOW)

    def test_a_schedule_is_read_by_http_without_signing_in(self) -> None:
        made: Any = feeds.make(SYSTEM, {"schedule": rota(person("ann"), person("bob"))})
        path = "/calendar/" + made.shown_once["address"].rpartition("/")[2]
        answer = Client().get(path)
        assert "ann on call: Databases" in answer.content.decode()
        assert Client().post(path).status_code == 405
        made.refresh_from_db()
        assert made.last_read_at is not None

    def test_neither_or_both_is_refused(self) -> None:
        for data in ({}, {"schedule": rota(person("ann")), "person": User.objects.first()}):
            with pytest.raises(Invalid):
                feeds.make(SYSTEM, data)


@pytest.mark.django_db
class TestBringing:
    def test_absences_are_made_changed_and_removed_and_what_is_unclear_is_told(self) -> None:
        ann, _ = person("ann", name="Ann Lee"), person("bob")
        source = Import.objects.create(name="away", what="absences")
        first = ics(
            "SUMMARY:Skiing|ATTENDEE:mailto:ANN@example.org|DTSTART;VALUE=DATE:20260401|DTEND;VALUE=DATE:20260405",
            "SUMMARY:bob and ann at a course|DTSTART;VALUE=DATE:20260410",
            "SUMMARY:Zoe away|DTSTART;VALUE=DATE:20260411",
            "SUMMARY:Ann Lee moves|DTSTART;VALUE=DATE:20260412",
        )
        done = bringing.bring(SYSTEM, source, first, NOW)
        assert (done.made, len(done.left_out)) == (2, 2)
        assert (
            "bob and ann at a course (2026-04-10): it is about" in done.words and "nobody here" in done.words
        )
        assert [a.person for a in Absence.objects.all()] == [ann, ann]
        source.refresh_from_db()
        assert (source.fine, source.read_at) == (False, NOW)
        second = ics(
            "SUMMARY:Skiing|ATTENDEE:mailto:ann@example.org|DTSTART;VALUE=DATE:20260401|DTEND;VALUE=DATE:20260407"
        )
        done = bringing.bring(SYSTEM, source, second, NOW)
        assert (done.made, done.changed, done.removed) == (0, 1, 1)
        assert bringing.bring(SYSTEM, source, second, NOW).words == "0 made, 0 changed, 0 removed"
        acts = AuditEntry.objects.filter(kind="absence").order_by("id").values_list("act", flat=True)
        assert list(acts) == ["absence.create"] * 2 + ["absence.change", "absence.remove"]
        with pytest.raises(Invalid):
            bringing.bring(SYSTEM, source, b"BEGIN:VCALENDAR", NOW)
        assert Absence.objects.count() == 1
        bringing.forget(SYSTEM, source, NOW)
        assert not Absence.objects.exists()

    def test_overrides_put_somebody_on_call_and_leave_those_of_people_alone(self) -> None:
        ann, bob = person("ann"), person("bob")
        schedule = rota(ann)
        Override.objects.create(
            schedule=schedule, person=bob, begins_at=NOW, ends_at=NOW + dt.timedelta(hours=1)
        )
        source = Import.objects.create(name="swaps", what="overrides", schedule=schedule)
        bringing.bring(SYSTEM, source, ics("SUMMARY:bob|DTSTART:20260401T000000|DTEND:20260402T000000"), NOW)
        at = round(dt.datetime(2026, 4, 1, 0, 30, tzinfo=ZoneInfo("Europe/Berlin")).timestamp() * 1000)
        assert schedule.shifts(at, at + 1)[0].person == "bob"
        bringing.bring(SYSTEM, source, ics(), NOW)
        assert Override.objects.count() == 1

    def test_of_two_overrides_the_last_one_made_counts_and_who_has_left_is_a_gap(self) -> None:
        ann, bob, cid = person("ann"), person("bob"), person("cid")
        schedule = rota(ann)
        for one, begins, ends in ((bob, 2, 7), (cid, 1, 10)):
            Override.objects.create(schedule=schedule, person=one, begins_at=NOW + begins * dt.timedelta(hours=1),
                                    ends_at=NOW + ends * dt.timedelta(hours=1))  # fmt: skip

        def on_call() -> str:
            at = round((NOW + dt.timedelta(hours=3)).timestamp() * 1000)
            return Schedule.objects.get().shifts(at, at + 1)[0].person

        found = []
        for gone in (None, cid, bob, ann):
            if gone:
                User.objects.filter(pk=gone.pk).update(is_active=False)
            found.append(on_call())
        assert found == ["cid", "bob", "ann", ""]
        assert covering.uncovered(Schedule.objects.get(), NOW, NOW + dt.timedelta(days=1))

    def test_a_day_of_a_series_that_moved_onto_another_is_kept_beside_it(self) -> None:
        person("ann")
        source = Import.objects.create(name="away", what="absences")
        text = ics("SUMMARY:ann|DTSTART:20260401T090000Z|DURATION:PT1H|RRULE:FREQ=DAILY;COUNT=3",
                   "SUMMARY:ann|DTSTART:20260403T090000Z|DURATION:PT1H|RECURRENCE-ID:20260402T090000Z",
                   "SUMMARY:ann|DTSTART:20260403T090000Z|DURATION:PT1H|RECURRENCE-ID:20260402T090000Z")  # fmt: skip
        text = text.replace(b"UID:e1", b"UID:e0").replace(b"UID:e2", b"UID:e0")
        done = bringing.bring(SYSTEM, source, text, NOW)
        assert (done.made, done.left_out) == (3, ("ann (2026-04-03): it is there twice",))
        assert bringing.bring(SYSTEM, source, text, NOW).words.startswith("0 made, 0 changed, 0 removed")

    def test_holidays_become_days_that_differ_and_go_again(self) -> None:
        hours = Calendar.objects.create(
            name="office", zone="UTC", exceptions="2026-12-24 09:00-12:00 Christmas Eve"
        )
        source = Import.objects.create(name="company", what="holidays", calendar=hours)
        text = ics("SUMMARY:Founders' day|DTSTART;VALUE=DATE:20260602", "SUMMARY:Eve|DTSTART;VALUE=DATE:20261224",
                   "SUMMARY:party|DTSTART:20260603T120000Z|DURATION:PT2H")  # fmt: skip
        done = bringing.bring(SYSTEM, source, text, NOW)
        assert (done.made, len(done.left_out)) == (1, 1)
        hours.refresh_from_db()
        assert hours.exceptions.splitlines() == ["2026-12-24 09:00-12:00 Christmas Eve",
                                                 "2026-06-02 closed Founders' day (company)"]  # fmt: skip
        tuesday = round(dt.datetime(2026, 6, 2, 12, tzinfo=dt.UTC).timestamp() * 1000)
        assert not hours.working_time.open_at(tuesday)
        bringing.forget(SYSTEM, source, NOW)
        hours.refresh_from_db()
        assert hours.exceptions == "2026-12-24 09:00-12:00 Christmas Eve"

    def test_a_file_is_sent_over_rest_and_what_is_broken_is_named(self) -> None:
        root = Client(headers={"authorization": "Bearer " + identity.create_token("root")})
        person("ann")
        source = Import.objects.create(name="away")
        url = f"/api/calendar-imports/{source.pk}/read-text/"
        day = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=5)
        text = ics(f"SUMMARY:ann|DTSTART;VALUE=DATE:{day:%Y%m%d}").decode()
        answer = root.post(url, {"text": text}, content_type="application/json")
        assert answer.status_code == 200 and answer.json()["outcome"] == "1 made, 0 changed, 0 removed"
        answer = root.post(url, {"text": text.replace("DTSTART", "DTSTERT")}, content_type="application/json")
        assert answer.status_code == 400 and "no DTSTART" in answer.json()["detail"]

    def test_an_address_is_read_past_the_guard(self, settings: Any) -> None:
        person("ann")
        with serving(ics("SUMMARY:ann|DTSTART;VALUE=DATE:20260401")) as url:
            source = Import.objects.create(name="away", url=url)
            assert "address" in fetch(SYSTEM, source, NOW)  # it is on this machine
            assert not Absence.objects.exists()
            settings.OUTBOUND_ALLOW = [__import__("ipaddress").ip_network("127.0.0.0/8")]
            assert fetch(SYSTEM, source, NOW) == "1 made, 0 changed, 0 removed"
            source.url = url + "gone"
            assert "404" in fetch(SYSTEM, source, NOW)
        source.refresh_from_db()
        assert (source.fine, Absence.objects.count()) == (False, 1)


@contextmanager
def serving(body: bytes) -> Iterator[str]:
    """A server on this machine that has a calendar."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path.endswith(".ics")
            self.send_response(200 if found else 404)
            self.end_headers()
            self.wfile.write(body if found else b"")

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/away.ics"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.django_db
class TestCovering:
    def told(self) -> list[str]:
        return list(Notice.objects.order_by("id").values_list("text", flat=True))

    def test_a_gap_is_told_to_the_team_once(self) -> None:
        ann = person("ann")
        team = Team.objects.create(name="dba")
        team.members.add(ann)
        schedule = rota(ann, team=team)
        assert covering.tell(NOW) == 0
        Layer.objects.update(ends_at=NOW + dt.timedelta(days=9))
        assert covering.tell(NOW) == 0  # nine days are more than seven
        assert covering.tell(NOW + dt.timedelta(days=3)) == 1
        assert covering.tell(NOW + dt.timedelta(days=4)) == 0
        assert covering.tell(NOW + dt.timedelta(days=10)) == 0  # it goes on, and is the same gap
        assert self.told()[0].startswith("Databases: nobody is on call from Sun 29 Mar 12:00")
        schedule.team = None
        schedule.save()

    def test_somebody_who_is_away_has_the_turn(self) -> None:
        ann = person("ann")
        team = Team.objects.create(name="dba")
        team.members.add(ann)
        rota(ann, team=team)
        Absence.objects.create(
            person=ann, begins_at=NOW + dt.timedelta(days=1), ends_at=NOW + dt.timedelta(days=2)
        )
        assert (covering.tell(NOW), covering.tell(NOW)) == (1, 0)
        assert "ann, who is away, has the turn" in self.told()[0]

    def test_time_outside_the_hours_of_every_layer_is_meant_to_be_free(self) -> None:
        ann = person("ann")
        team = Team.objects.create(name="dba")
        team.members.add(ann)
        schedule = rota(ann, team=team)
        office = Calendar.objects.create(name="office", zone="Europe/Berlin")
        schedule.layers.update(calendar=office)
        assert covering.tell(NOW) == 0
        schedule.layers.update(ends_at=NOW + dt.timedelta(days=4))
        assert covering.tell(NOW) > 0
