"""Calendars of others that repeat without end, bring a zone of their own, or say a day twice keep nobody waiting."""

from __future__ import annotations

import datetime as dt
import ipaddress
import threading
from contextlib import ExitStack
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from tests.domains.test_service_reports import carry_out_jobs
from tests.domains.test_timetables import NOW, YEAR, ics, person, serving
from watchkeeper.domains import identity
from watchkeeper.domains.timetables import bringing
from watchkeeper.domains.timetables.models import Absence, Import
from watchkeeper.domains.timetables.reading import Broken, read
from watchkeeper.jobs import port as jobs

EUROPE = "FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3"


def zoned(text: bytes, rule: str = EUROPE, summer: str = "+0200", more: str = "") -> bytes:
    """The calendar with a time zone "Ours" whose summer begins by this rule."""
    zone = f"""BEGIN:VTIMEZONE
TZID:Ours
BEGIN:STANDARD
DTSTART:16011028T030000
TZOFFSETFROM:{summer}
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010325T020000
TZOFFSETFROM:+0100
TZOFFSETTO:{summer}
RRULE:{rule}
{more}END:DAYLIGHT
END:VTIMEZONE
"""
    return text.replace(b"PRODID:test\n", b"PRODID:test\n" + zone.encode())


HERE = ics("SUMMARY:ann|DTSTART;TZID=Ours:20260401T090000|DURATION:PT1H")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (zoned(HERE, "FREQ=DAILY;INTERVAL=0"), "INTERVAL"),
        (zoned(HERE, "FREQ=SECONDLY"), "change too often"),
        (zoned(HERE, "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"), "it has no times"),
        (zoned(HERE, more="EXRULE:FREQ=DAILY;INTERVAL=0\n"), "EXRULE"),
        (zoned(HERE, more=f"RDATE:{','.join(['20260301T000000'] * 3000)}\n"), "change too often"),
        (ics(f"SUMMARY:ann|DTSTART:19700101T000000Z{'|RRULE:FREQ=DAILY' * 300}"), "let it begin later"),
        (ics(f"SUMMARY:ann|DTSTART:20260101T000000Z{'|RRULE:FREQ=YEARLY' * 20_000}"), "let it begin later"),
        (ics(f"SUMMARY:ann|DTSTART:19700101T000000Z|RRULE:FREQ=YEARLY;BYMONTHDAY={','.join(map(str, range(1, 32)))}"
             f"|RDATE:{','.join(['20260301T000000Z'] * 49_000)}"), "let it begin later"),
        *((ics(*[f"SUMMARY:ann|DTSTART:20260602T090000Z|RRULE:{rule}"] * 1000), "event 1, 'ann': it has no times")
          for rule in ("FREQ=DAILY;INTERVAL=7;BYDAY=MO", "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6")),
        (ics("SUMMARY:ann|DTSTART:20260602T090000Z|RRULE:FREQ=DAILY;INT\n ERVAL=0"), "INTERVAL"),
    ],
)  # fmt: skip
def test_what_would_be_looked_through_for_long_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(Broken, match=said):
        read(data, "UTC", NOW, NOW + YEAR)


def test_a_zone_of_a_calendar_is_that_calendars_own() -> None:
    at = [read(zoned(HERE, summer=s), "UTC", NOW, NOW + YEAR)[0].begins.astimezone(dt.UTC).hour
          for s in ("+0200", "+0300")]  # fmt: skip
    assert at == [7, 6]
    with pytest.raises(Broken, match="'Ours' is not known"):
        read(HERE, "UTC", NOW, NOW + YEAR)


def test_a_zone_of_its_own_is_read_until_the_end_of_days() -> None:
    far = ics("SUMMARY:ann|DTSTART;TZID=Ours:20200701T090000|DURATION:PT1H|RRULE:FREQ=YEARLY;UNTIL=99991231T235959Z",
              "SUMMARY:ann|DTSTART;TZID=Ours:99990701T090000|DURATION:PT1H")  # fmt: skip
    (found,) = read(zoned(far, EUROPE + ";UNTIL=99991231"), "UTC", NOW, NOW + YEAR)
    assert found.begins.astimezone(dt.UTC) == dt.datetime(2026, 7, 1, 7, tzinfo=dt.UTC)


@pytest.mark.django_db(transaction=True)
def test_others_write_while_a_file_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    root = Client(headers={"authorization": "Bearer " + identity.create_token("root")})
    person("ann")
    source, other = (Import.objects.create(name=name) for name in ("away", "other"))
    wrote: list[int] = []

    def write() -> None:
        try:
            wrote.append(Import.objects.filter(pk=other.pk).update(enabled=False))
        finally:
            connection.close()

    def reading(*given: Any) -> Any:
        writer = threading.Thread(target=write)
        writer.start()
        writer.join()
        return read(*given)

    monkeypatch.setattr(bringing, "read", reading)
    day = timezone.now().date() + dt.timedelta(days=5)
    text = ics(f"SUMMARY:ann|DTSTART;VALUE=DATE:{day:%Y%m%d}").decode()
    answer = root.post(f"/api/calendar-imports/{source.pk}/read-text/", {"text": text}, "application/json")
    assert (answer.status_code, answer.json()["outcome"], wrote) == (200, "1 made, 0 changed, 0 removed", [1])


@pytest.mark.django_db
def test_one_calendar_keeps_no_other_from_being_read(settings: Any) -> None:
    """Each does something else wrong; the last one is fine."""
    settings.OUTBOUND_ALLOW = [ipaddress.ip_network("127.0.0.0/8")]
    person("ann")
    day = timezone.now().date() + dt.timedelta(days=5)
    fine = f"SUMMARY:ann|DTSTART;VALUE=DATE:{day:%Y%m%d}"
    long = ics(*[f"{fine}|X:"] * 2).replace(b"UID:e", b"UID:" + b"e" * 500)  # alike for more than can be kept
    bodies = (ics(f"{fine}|RRULE:FREQ=DAILY;INTERVAL=0"), zoned(HERE, "FREQ=SECONDLY"),
              ics(fine, fine).replace(b"UID:e1", b"UID:e0"), long, ics(fine))  # fmt: skip
    with ExitStack() as stack:
        for n, body in enumerate(bodies):
            Import.objects.create(name=f"{n}", url=stack.enter_context(serving(body)))
        jobs.start("calendar-imports", {})
        carry_out_jobs()
    endless, of_a_zone, twice, alike, last = Import.objects.order_by("pk").values_list("outcome", flat=True)
    assert "INTERVAL" in endless and "change too often" in of_a_zone
    assert twice.startswith("1 made") and "it is there twice" in twice
    assert alike == "2 made, 0 changed, 0 removed"
    assert last == "1 made, 0 changed, 0 removed"
    assert Absence.objects.count() == 4
