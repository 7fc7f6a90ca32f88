"""Changes in the browser: planned from a situation with its risk, approved by a colleague, run, and offered as the cause of
what breaks after."""

from __future__ import annotations

import datetime as dt
from typing import Any

from playwright.sync_api import Page, expect

from tests.console import shop
from tests.console.axe import look
from tests.console.conftest import NAME, PASSWORD, keep
from tests.platform import Platform
from tests.support import eventually

HOUR = dt.timedelta(hours=1)


def made(platform: Platform, path: str, body: dict[str, Any] | None = None, status: int = 201) -> Any:
    """What a call with the platform's token answers."""
    answer = platform.do(f"/api/{path}/", body)
    assert answer.status == status, answer.body
    return answer.json()


def test_a_change_is_planned_from_a_situation_and_its_risk_is_said(seeded: Platform, page: Page) -> None:
    assert seeded.alerts(shop.alert("FanSlow", "change-server", "error", "300 rpm")).status == 200
    found = eventually(lambda: seeded.get("/api/alerts/?name=FanSlow&search=300")["results"])
    page.goto(f"{seeded.url}/situations/{found[0]['situation']}/")
    page.get_by_role("link", name="New change…").click()
    keep(page, "change-new")
    page.get_by_label("Title", exact=True).fill("Swap the fan")
    page.get_by_label("Implementation plan").fill("1. Swap it")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Swap the fan")
    page.get_by_role("button", name="Assess").click()
    expect(page.locator("main")).to_contain_text("nothing like it was done before")
    expect(page.locator("main")).to_contain_text("there is no back-out plan")
    keep(page, "change")
    assert not (wrong := look(page)), wrong
    page.goto(f"{seeded.url}/change-calendar/")
    expect(page.get_by_role("link", name="Swap the fan").first).to_be_visible()
    keep(page, "change-calendar")
    assert not (wrong := look(page)), wrong


def test_a_colleague_approves_it_and_what_breaks_after_it_began_names_it(
    seeded: Platform, page: Page
) -> None:
    made(seeded, "users", {"username": "bea", "password": PASSWORD})
    ada = seeded.get(f"/api/users/?username={NAME}")["results"][0]["id"]
    team = made(seeded, "teams", {"name": "lifts", "members": [ada]})["id"]
    names = [{"scheme": "service.name", "value": "lift"}]
    item = made(seeded, "items", {"kind": "service", "name": "lift", "identifiers": names})["id"]
    now = dt.datetime.now(dt.UTC)
    change = made(seeded, "changes", {
        "title": "Grease the lift", "items": [item], "implementation": "Grease it", "test": "Ride it", "team": team,
        "back_out": "Wipe it", "starts_at": now.isoformat(), "ends_at": (now + HOUR).isoformat(), "owner": "bea",
        "holds_back": False,
    })  # fmt: skip
    url = f"changes/{change['id']}"
    made(seeded, f"{url}/assess", status=200)
    made(seeded, f"{url}/ask", status=200)
    page.goto(f"{seeded.url}/to-approve/")
    expect(page.locator("main")).to_contain_text("Grease the lift")
    keep(page, "to-approve")
    assert not (wrong := look(page)), wrong
    page.get_by_role("button", name="Approve", exact=True).click()
    expect(page.locator("main")).to_contain_text("Nothing waits for your answer")
    eventually(lambda: seeded.get(f"/api/{url}/")["status"] == "approved")
    made(seeded, f"{url}/schedule", status=200)
    page.goto(f"{seeded.url}/{url}/")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator("main")).to_contain_text("in progress")
    keep(page, "change-in-progress")
    eventually(lambda: seeded.get("/api/alerts/")["count"])
    assert seeded.alerts(shop.alert("LiftStuck", "lift", "critical", "between the floors")).status == 200
    situation = eventually(lambda: shop.situation_of(seeded, "LiftStuck"), 30)
    cause = eventually(
        lambda: [c for c in seeded.get(f"/api/situations/{situation['id']}/")["causes"] if c["change"]], 30
    )
    assert cause[0]["change"].startswith(f"change:{change['id']}:")
    page.goto(f"{seeded.url}/situations/{situation['id']}/")
    expect(page.locator("main")).to_contain_text(f"change {change['number']} Grease the lift began")
    expect(page.get_by_role("link", name="change", exact=True)).to_have_attribute(
        "href", f"/changes/{change['id']}/"
    )
    keep(page, "change-as-cause")
    for path in ("reliability", "maintenance-plans/new", "work-orders", "freezes/new", "votes"):
        page.goto(f"{seeded.url}/{path}/")
        keep(page, path.replace("/", "-"))
        assert not (wrong := look(page)), (path, wrong)
