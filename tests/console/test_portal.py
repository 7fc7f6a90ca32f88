"""A customer in the browser: signs in, asks for something, is answered, and says how it was; and calendars on the page of a
schedule."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.console.axe import look
from tests.console.conftest import keep, watch
from tests.platform import Platform
from tests.support import eventually

PASSWORD = "a long enough password"


def _send(platform: Platform, path: str, body: dict[str, object]) -> dict[str, object]:
    answer = platform.do(path, body)
    assert answer.status in (200, 201), answer
    return answer.json()


def _cleo(platform: Platform, browser: Browser, said: list[str]) -> Page:
    """A customer who has signed in, in a window of her own."""
    body = {"username": "cleo", "name": "Cleo Vance", "email": "cleo@acme.example", "password": PASSWORD}
    user = _send(platform, "/api/users/", body)
    role = platform.get("/api/roles/?name=customer")["results"][0]["id"]
    _send(platform, "/api/grants/", {"role": role, "user": user["id"], "reason": "our contact at Acme"})
    cleo = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    watch(cleo, said)
    cleo.goto(f"{platform.url}/")
    cleo.get_by_label("User name").fill("cleo")
    cleo.get_by_label("Password").fill(PASSWORD)
    cleo.get_by_role("button", name="Sign in", exact=True).click()
    cleo.wait_for_url(f"{platform.url}/portal/")
    return cleo


def _asks(cleo: Page, folder: Path) -> str:
    """She opens a ticket with a file; its number."""
    keep(cleo, "portal-empty")
    cleo.locator("main").get_by_role("link", name="New ticket").first.click()
    cleo.get_by_label("In a few words").fill("The order page shows an error")
    cleo.get_by_label("What happened, since when").fill("Since nine this morning.\nReloading does not help.")
    picture = folder / "screen.txt"
    picture.write_text("500 Internal Server Error")
    cleo.get_by_label("Files").set_input_files(str(picture))
    keep(cleo, "portal-new")
    assert not (wrong := look(cleo)), wrong
    cleo.get_by_role("button", name="Send").click()
    expect(cleo.locator("main")).to_contain_text("screen.txt")
    return cleo.url.rstrip("/").rpartition("/")[2]


def _rates(platform: Platform, cleo: Page) -> None:
    """She says how it was, and closes it."""
    cleo.goto(f"{platform.url}/portal/")
    cleo.get_by_role("link", name="Tell us").click()
    keep(cleo, "portal-resolved")
    cleo.get_by_label("5 very good").check()
    cleo.get_by_label("Why?").fill("Quick.")
    cleo.get_by_role("button", name="Tell us").click()
    expect(cleo.locator("main")).to_contain_text("Thank you for telling us")
    cleo.get_by_role("button", name="It is solved").click()
    expect(cleo.locator("main")).to_contain_text("closed")


def test_a_customer_asks_and_is_answered(
    seeded: Platform, page: Page, browser: Browser, tmp_path: Path
) -> None:
    said: list[str] = []
    cleo = _cleo(seeded, browser, said)
    number = _asks(cleo, tmp_path)
    [ticket] = seeded.get(f"/api/tickets/?search={number}")["results"]
    reply = {"ticket": ticket["id"], "sort": "reply", "body": "We are on it."}
    _send(seeded, "/api/ticket-messages/", reply)
    _send(seeded, "/api/ticket-messages/", reply | {"sort": "note", "body": "disk full again"})
    cleo.reload()
    main = cleo.locator("main")
    expect(main).to_contain_text("We are on it.")
    expect(main).not_to_contain_text("disk full")
    cleo.locator("textarea[name=text]").fill("Thank you!")
    cleo.get_by_role("button", name="Send").click()
    expect(main).to_contain_text("Thank you!")
    keep(cleo, "portal-ticket")
    assert not (wrong := look(cleo)), wrong
    _send(seeded, f"/api/tickets/{ticket['id']}/resolve/", {"resolution": "More disk."})
    eventually(lambda: seeded.get(f"/api/surveys/?ticket={ticket['id']}")["results"])
    _rates(seeded, cleo)
    cleo.goto(f"{seeded.url}/portal/?state=")
    keep(cleo, "portal-tickets")
    assert not (wrong := look(cleo)), wrong
    cleo.goto(f"{seeded.url}/account/")
    expect(cleo.get_by_role("heading", level=1)).to_be_visible()
    expect(cleo.locator("#search")).to_have_count(0)
    assert not said, said
    assert cleo.goto(f"{seeded.url}/tickets/").status == 404  # type: ignore[union-attr]
    keep(cleo, "portal-nothing-here")
    cleo.context.close()
    page.goto(f"{seeded.url}/surveys/")
    expect(page.locator("main")).to_contain_text("Quick.")
    keep(page, "surveys")


def test_a_schedule_goes_out_to_calendars_and_is_read_from_them(
    seeded: Platform, page: Page, tmp_path: Path, said: list[str]
) -> None:
    user = _send(seeded, "/api/users/", {"username": "dora", "password": PASSWORD})
    team = _send(seeded, "/api/teams/", {"name": "Night watch", "members": [user["id"]]})
    schedule = _send(
        seeded, "/api/schedules/", {"name": "Nights", "zone": "Europe/Berlin", "team": team["id"]}
    )
    _send(
        seeded,
        "/api/schedule-layers/",
        {"schedule": schedule["id"], "people": ["dora"], "starts_on": "2026-01-05"},
    )
    page.goto(f"{seeded.url}/schedules/{schedule['id']}/")
    expect(page.get_by_role("region", name="The next weeks")).to_contain_text("covered")
    page.get_by_role("link", name="Subscribe to it…").click()
    keep(page, "calendar-feed-new")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_label("Address")).to_have_value(re.compile("/calendar/wkc_"))
    keep(page, "calendar-feed-once")
    page.goto(f"{seeded.url}/calendar-imports/new/")
    page.get_by_label("Name", exact=True).fill("Away")
    keep(page, "calendar-import-new")
    page.get_by_role("button", name="Save", exact=True).click()
    broken = tmp_path / "away.ics"
    broken.write_text("BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:dora\n")
    page.get_by_label("An .ics file").set_input_files(str(broken))
    page.get_by_role("region", name="Send a file").get_by_role("button", name="Send").click()
    expect(page.locator("main")).to_contain_text("line 2: BEGIN:VEVENT never ends")
    said[:] = []  # the browser notes the refusal
    page.go_back()
    whole = (
        "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:1\nSUMMARY:dora skis\nDTSTART;VALUE=DATE:20260101\n"
    )
    whole += "RRULE:FREQ=WEEKLY;BYDAY=SA\nEND:VEVENT\nBEGIN:VEVENT\nUID:2\nSUMMARY:Zoe\nDTSTART;VALUE=DATE:20260101\n"
    broken.write_text(whole + "RRULE:FREQ=MONTHLY\nEND:VEVENT\nEND:VCALENDAR\n")
    page.get_by_label("An .ics file").set_input_files(str(broken))
    page.get_by_role("region", name="Send a file").get_by_role("button", name="Send").click()
    expect(page.locator("main")).to_contain_text("nobody here")
    keep(page, "calendar-import")
    assert not (wrong := look(page)), wrong
    page.goto(f"{seeded.url}/schedules/{schedule['id']}/")
    expect(page.get_by_role("region", name="The next weeks")).to_contain_text(
        "has the turn and is away (dora skis)"
    )
    keep(page, "schedule-coverage")
    assert not (wrong := look(page)), wrong
