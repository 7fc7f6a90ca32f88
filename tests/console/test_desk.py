"""From a situation to a ticket that is resolved, in the browser, without typing an id; what is promised is seen."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Page, expect

from tests.console import shop
from tests.console.axe import look
from tests.console.conftest import keep, pick
from tests.platform import Platform
from tests.support import eventually

WEEK = dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), "24h")


REFERENCES = {"Calendar", "Agreement"}


def _make(page: Page, url: str, path: str, fields: dict[str, Any]) -> None:
    """Fill in the form of a kind and save it."""
    page.goto(f"{url}/{path}/new/")
    for label, value in fields.items():
        if label in REFERENCES:
            pick(page, label, value)
        else:
            page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_a_situation_becomes_a_ticket_with_promises_and_is_resolved(seeded: Platform, page: Page) -> None:
    url = seeded.url
    _make(page, url, "calendars", {"Name": "Day and night", **{d.capitalize(): h for d, h in WEEK.items()}})
    keep(page, "calendar")
    _make(page, url, "service-level-agreements", {"Name": "Gold", "Calendar": "Day and night"})
    agreement = seeded.get("/api/service-level-agreements/?search=Gold")["results"][0]["id"]
    keep(page, "agreement")
    page.goto(f"{url}/agreement-targets/new/?agreement={agreement}&priority=4")
    page.get_by_label("First answer within (minutes)", exact=True).fill("30")
    page.get_by_label("Resolved within (minutes)", exact=True).fill("480")
    page.get_by_role("button", name="Save", exact=True).click()
    _make(page, url, "queues", {"Name": "First line", "Agreement": "Gold"})
    assert seeded.alerts(shop.alert("LampFlickers", "hall-lamp", "warning", "50 Hz")).status == 200
    alert = eventually(lambda: seeded.get("/api/alerts/?name=LampFlickers")["results"])[0]
    situation = eventually(lambda: seeded.get(f"/api/alerts/{alert['id']}/")["situation"])
    page.goto(f"{url}/situations/{situation}/")
    page.get_by_role("link", name="New ticket…").click()
    pick(page, "Queue", "First line")
    keep(page, "ticket-new")
    page.get_by_role("button", name="Save", exact=True).click()
    main = page.locator("main")
    expect(main).to_contain_text("INC-")
    expect(main).to_contain_text("of 30 min")
    expect(main).to_contain_text("left")
    keep(page, "ticket")
    assert not (wrong := look(page)), wrong
    page.get_by_role("button", name="Start work").click()
    expect(main).to_contain_text("in time")
    page.get_by_role("button", name="Wait for the requester").click()
    expect(main).to_contain_text("the clock stands")
    page.locator("summary", has_text="Resolve…").click()
    page.get_by_label("What was done", exact=True).fill("Screwed the lamp in.")
    page.get_by_role("button", name="Resolve…", exact=True).click()
    expect(main).to_contain_text("Screwed the lamp in.")
    keep(page, "ticket-resolved")
    page.goto(f"{url}/situations/{situation}/")
    expect(page.locator("main")).to_contain_text("INC-")
    expect(page.get_by_role("link", name="New ticket…")).to_have_count(0)
    keep(page, "situation-with-ticket")
    page.goto(f"{url}/tickets/")
    keep(page, "tickets")
    assert not (wrong := look(page)), wrong
    made = seeded.get(f"/api/tickets/?situation={situation}&status__in=resolved")["results"]
    assert [t["resolution"] for t in made] == ["Screwed the lamp in."], json.dumps(made)
