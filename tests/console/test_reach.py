"""How people get about: the palette, single keys, settings, search, deep links; and that everybody can: axe-core over
every sort of page, in light and dark, at both widths."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.console import shop
from tests.console.axe import look
from tests.console.conftest import keep
from tests.platform import Platform
from tests.support import eventually

#: one of each sort of page
PAGES = [
    "/", "/situations/", "/alerts/", "/items/?search=nothing-like-it", "/devices/new/", "/items/import/", "/inventory/",
    "/silences/new/", "/maintenance-windows/new/?repeats=week", "/threshold-rules/new/", "/scrape-jobs/new/",
    "/probes/new/", "/heartbeats/",
    "/map/", "/explore/metrics/", "/explore/metrics/?query=vector(1)", "/explore/metrics/?query=sum(",
    "/explore/logs/", "/doors/", "/doors/dead-letters/", "/storage/", "/policies/1/edit/", "/audit/1/",
    "/access/", "/search/?q=orders", "/search/?q=nothing-like-it", "/settings/", "/shortcuts/", "/no/such/page/",
]  # fmt: skip


@pytest.mark.timeout(300)
def test_everybody_can_use_every_page(seeded: Platform, page: Page, said: list[str]) -> None:
    found = shop.situation_of(seeded, "DatabaseDown")
    assert found
    alert = seeded.get(f"/api/alerts/?situation={found['id']}")["results"][0]["id"]
    item = seeded.get("/api/items/?name=checkout")["results"][0]["id"]
    more = [f"/situations/{found['id']}/", f"/alerts/{alert}/", f"/items/{item}/", f"/items/{item}/impact/"]
    wrong = []
    for path in (*PAGES, *more):
        page.goto(seeded.url + path)
        wrong += look(page)
    page.goto(seeded.url + "/")
    page.keyboard.press("Control+k")
    page.keyboard.type("orders")
    expect(page.get_by_role("option", name="orders-db").first).to_be_visible()
    wrong += look(page)
    said[:] = [s for s in said if "404" not in s]  # the page that is not there
    assert not wrong, "\n".join(wrong[:40])


def test_the_palette_goes_anywhere(page: Page) -> None:
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="Go to, do, or find")
    expect(box).to_be_focused()
    page.keyboard.type("new device")
    expect(page.get_by_role("option").first).to_contain_text("New device")
    assert page.evaluate("document.activeElement.getAttribute('aria-activedescendant')") == "palette-0"
    keep(page, "palette")
    page.keyboard.press("Enter")
    page.wait_for_url("**/devices/new/")
    page.get_by_role("link", name="Cancel").focus()
    page.keyboard.press("Control+k")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("link", name="Cancel")).to_be_focused()
    page.get_by_role("button", name="Go anywhere").click()
    page.keyboard.type("orders-d")
    option = page.get_by_role("option", name="orders-db Item")
    expect(option).to_be_visible()
    while option.get_attribute("aria-selected") != "true":
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("orders-db")
    page.keyboard.press("Meta+k")
    page.keyboard.type("change")
    expect(page.get_by_role("option", name="Change On this page")).to_be_visible()


def test_the_palette_on_a_telephone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("button", name="Go anywhere").click()
    page.keyboard.type("silences")
    page.get_by_role("option", name="Silences").first.click()
    page.wait_for_url("**/silences/")


def test_single_keys(seeded: Platform, page: Page) -> None:
    page.goto(f"{seeded.url}/alerts/")
    rows = page.locator("#table tbody tr")
    page.keyboard.press("j")
    expect(rows.nth(0).get_by_role("link").first).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("j")
    expect(rows.nth(1).get_by_role("link").first).to_be_focused()
    name = rows.nth(1).get_by_role("link").first.inner_text()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.wait_for_url("**/items/")
    page.keyboard.press("c")
    page.wait_for_url("**/items/new/")
    page.get_by_label("Name", exact=True).fill("scjg?")
    assert page.url.endswith("/items/new/")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard")
    expect(dialog).to_contain_text("to the next row")
    keep(page, "shortcuts-dialog")
    page.keyboard.press("j")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_list_that_is_fetched_anew_keeps_the_focus_at_every_moment(seeded: Platform, page: Page) -> None:
    """The next key finds the row that the last one went to, also when it comes before the list has settled."""
    page.goto(f"{seeded.url}/alerts/")
    page.keyboard.press("j")
    page.keyboard.press("j")
    here = page.locator("#table tbody tr").nth(1).get_by_role("link").first.get_attribute("href")
    focused = page.evaluate("""() => new Promise(done => {
        document.addEventListener("htmx:afterSwap", () => queueMicrotask(
            () => done(document.activeElement.getAttribute("href"))), {once: true});
        window.htmx.trigger(document.body, "live:situations");
    })""")
    assert focused == here


def test_people_choose_their_zone_theme_and_keys(seeded: Platform, page: Page, said: list[str]) -> None:
    page.goto(f"{seeded.url}/settings/")
    page.get_by_label("Time zone").fill("Asia/Kathmandu")
    page.get_by_label("Colours").select_option("dark")
    page.get_by_label("Single keys are shortcuts").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("It is as you chose.")).to_be_visible()
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
    expect(page.locator("#zone")).to_have_text("Asia/Kathmandu")
    page.goto(f"{seeded.url}/audit/1/")
    shown = page.locator("main time").first
    at = shown.get_attribute("datetime")
    expect(shown).to_contain_text("GMT+5:45")
    assert "UTC" in (shown.get_attribute("title") or "")
    local = page.evaluate("at => new Date(at).toLocaleTimeString('en-GB', {timeZone: 'Asia/Kathmandu'})", at)
    expect(shown).to_contain_text(local)
    page.keyboard.press("j")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog", name="Go anywhere")).to_be_visible()
    page.keyboard.press("Escape")
    page.goto(f"{seeded.url}/settings/")
    page.get_by_label("Time zone").fill("Mars/Olympus")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("there is no time zone 'Mars/Olympus'")
    said[:] = [s for s in said if "400" not in s]
    page.get_by_label("Time zone").fill("")
    page.get_by_label("Colours").select_option("")
    page.get_by_label("Single keys are shortcuts").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("It is as you chose.")).to_be_visible()


def test_search_says_where_it_matched(seeded: Platform, page: Page) -> None:
    eventually(lambda: seeded.get("/api/search/?q=does+not+accept")["results"], 20)
    page.locator("#search").fill("not accept")
    page.keyboard.press("Enter")
    hit = page.locator("main li", has_text="DatabaseDown")
    expect(hit).to_contain_text("Summary: orders-db does not accept connections")
    expect(hit.locator("mark").first).to_have_text("not")
    keep(page, "search")
    page.get_by_role("link", name="Alerts 1").click()
    expect(page.get_by_role("link", name="Alerts 1")).to_have_attribute("aria-current", "page")
    page.locator("main .card-footer").get_by_role("link", name="Alerts").click()
    expect(page.locator("#table")).to_contain_text("DatabaseDown")


def test_skip_link_and_landmarks(seeded: Platform, page: Page) -> None:
    page.goto(f"{seeded.url}/items/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
