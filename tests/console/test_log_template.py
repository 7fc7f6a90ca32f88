"""A message of the log: its values, and what people say of it, from its pattern to a correction that is taken back."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.console.axe import look
from tests.console.conftest import keep
from tests.console.test_logs import syslog
from tests.platform import Platform
from tests.support import eventually

NAMES = ("ann", "bob", "carol", "dave", "erin", "frank")
TEXT = "lift <*> brought user <*> to floor <*> in <*> ms"


def _template(platform: Platform) -> str:
    syslog(platform, *[f"lift {k} brought user {NAMES[k % 6]} to floor {k % 9} in {k}.5 ms" for k in range(60)],
           "lift parked", "lift stuck", host="lift-host")  # fmt: skip
    found = eventually(
        lambda: {p["text"]: p["template"] for p in platform.get("/api/logs/patterns/?q=lift")}.get(TEXT), 60
    )
    return str(found)


def test_a_message_shows_its_values_and_takes_what_people_say(seeded: Platform, page: Page) -> None:
    template = _template(seeded)
    page.goto(f"{seeded.url}/explore/logs/?q=lift")
    page.locator("summary", has_text="Patterns of messages").click()
    page.get_by_role("row", name=TEXT).get_by_role("link", name="Values").click()
    expect(page.get_by_role("heading", name="2. User")).to_be_visible()
    expect(page.locator("main, body").first).to_contain_text("99 % below")
    keep(page, "log-template")
    assert not (wrong := look(page)), wrong
    page.get_by_role("link", name="Make each of these a message of its own").click()
    expect(page.get_by_label("Told apart by value")).to_have_value("2")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/template-corrections/*/")
    page.goto(f"{seeded.url}/explore/logs/template/{template}/")
    expect(page.get_by_text("Several messages, told apart by value 2")).to_be_visible()
    keep(page, "log-template-said")
    page.get_by_role("link", name="Take back").click()
    expect(page.get_by_role("heading", name=TEXT[:20])).to_be_visible()
