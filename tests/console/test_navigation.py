"""The navigation: every page is under a heading, and the headings open and close by the keyboard."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.platform import Platform
from watchkeeper.console.navigation import ENTRIES, GROUPS, grouped


def test_every_entry_is_in_one_group() -> None:
    shown = [entry for group in grouped(ENTRIES) for entry in group.entries]
    assert sorted(map(str, shown)) == sorted(map(str, ENTRIES))
    assert {e.group for e in ENTRIES} == set(GROUPS)
    keys = [e.key for e in ENTRIES if e.key]
    assert len(keys) == len(set(keys))


def test_a_group_opens_by_the_keyboard_and_stays_so(seeded: Platform, page: Page) -> None:
    menu = page.get_by_role("navigation", name="Main")
    expect(menu.get_by_role("link", name="Situations")).to_be_visible()
    expect(menu.get_by_role("link", name="Scrape jobs")).to_be_hidden()
    menu.locator("summary", has_text="Collect").focus()
    page.keyboard.press("Enter")
    expect(menu.get_by_role("link", name="Scrape jobs")).to_be_visible()
    page.goto(f"{seeded.url}/alerts/")
    expect(menu.get_by_role("link", name="Scrape jobs")).to_be_visible()
    expect(menu.get_by_role("link", name="Alerts")).to_have_attribute("aria-current", "page")
