"""An agent's day in the browser: the queue, a ticket with its checklist and timer, who else is there, two reports that
are one."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect

from tests.console.axe import look
from tests.console.conftest import keep
from tests.platform import Platform


def _ticket(platform: Platform, title: str, **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = platform.do("/api/tickets/", {"title": title, **fields}).json()
    return made


def test_an_agent_works_on_tickets(seeded: Platform, page: Page) -> None:
    queue = seeded.do("/api/queues/", {"name": "Printers"}).json()["id"]
    one = _ticket(seeded, "The printer prints stars", queue=queue, description="Since **this morning**.")
    two = _ticket(seeded, "Stars instead of letters", queue=queue, urgency=1)
    page.goto(f"{seeded.url}/tickets/?queue={queue}")
    ready = page.get_by_role("navigation", name="Ready views")
    expect(ready.get_by_role("link", name=re.compile("Open"))).to_contain_text("2")
    ready.get_by_role("link", name=re.compile("Unassigned")).click()
    expect(page.locator("tbody tr")).to_have_count(2)
    keep(page, "queue")
    assert not (wrong := look(page)), wrong
    page.goto(f"{seeded.url}/tickets/{one['id']}/")
    expect(page.locator("main")).to_contain_text("At a glance")
    page.get_by_label("New step").fill("Clean the drum")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("button", name="Tick: Clean the drum").click()
    expect(page.locator("#checklist")).to_contain_text("1 of 1 done")
    page.get_by_role("button", name="Start the timer").click()
    expect(page.locator("#time")).to_contain_text("your timer runs")
    page.get_by_role("button", name="Take it").click()
    expect(page.locator("main")).to_contain_text("ada")
    keep(page, "ticket-work")
    assert not (wrong := look(page)), wrong
    page.locator("summary", has_text="More to do with it").click()
    keep(page, "ticket-more")
    page.goto(f"{seeded.url}/tickets/?queue={queue}&status__in=new,in_progress")
    page.get_by_label(f"Tick {two['number']} {two['title']}").check()
    page.get_by_role("button", name="Merge into…").click()
    keep(page, "merge-many")
    box = page.locator("input").and_(page.get_by_role("combobox", name="Into the ticket", exact=True))
    box.press_sequentially("prints stars")
    expect(
        page.get_by_role("listbox", name="Into the ticket", exact=True).get_by_role("option")
    ).to_have_count(1)
    box.press("Enter")
    with page.expect_navigation():
        page.get_by_role("button", name=re.compile("Merge into")).last.click()
    page.goto(f"{seeded.url}/tickets/{two['id']}/")
    expect(page.locator("main")).to_contain_text("It was merged into")
    page.goto(f"{seeded.url}/time/")
    keep(page, "time-spent")
    assert not (wrong := look(page)), wrong
    entry = seeded.get(f"/api/time-entries/?ticket={one['id']}")["results"][0]["id"]
    page.goto(f"{seeded.url}/time-entries/{entry}/")
    expect(page.locator("main")).to_contain_text(one["number"])
    page.goto(f"{seeded.url}/macros/new/")
    keep(page, "macro-new")


def test_people_are_offered_while_somebody_types(seeded: Platform, page: Page) -> None:
    for name, called in (("quentin", "Quentin Marsh"), ("quilla", "Quilla Reyes")):
        seeded.do("/api/users/", {"username": name, "name": called, "password": "correct horse battery"})
    page.goto(f"{seeded.url}/absences/new/")
    box = page.get_by_label("Person", exact=True)
    box.press_sequentially("reyes")
    offered = page.locator("#people option")
    expect(offered).to_have_count(1)
    expect(offered.first).to_have_attribute("value", "quilla")
    box.fill("qui")
    expect(offered).to_have_count(1)
    box.fill("qu")
    expect(offered).to_have_count(2)
    assert not (wrong := look(page)), wrong
