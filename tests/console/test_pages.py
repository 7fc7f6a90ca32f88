"""What people see: every page with real signals on it, drawn, without an error in the browser's console."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console import shop
from tests.console.conftest import NAME, PASSWORD, keep
from tests.platform import Platform
from tests.support import PATIENCE


def test_strangers_are_asked_to_sign_in(seeded: Platform, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(seeded.url + "/alerts/?severity=critical")
    expect(page).to_have_title("Sign in · Watchkeeper")
    keep(page, "sign-in")
    page.get_by_label("User name").fill(NAME)
    page.get_by_label("Password").fill("a wrong password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert").filter(has_text="do not belong together")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/alerts/?severity=critical")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in/")
    page.goto(seeded.url + "/")
    expect(page).to_have_title("Sign in · Watchkeeper")
    page.context.close()


def test_overview(seeded: Platform, page: Page) -> None:
    expect(page.locator("#now")).to_contain_text("orders-db")
    expect(page.get_by_role("heading", name="Begin here")).to_have_count(0)
    drawn(page, ".wk-chart", 4)
    keep(page, "overview")
    page.goto(f"{seeded.url}/situations/")
    expect(page.locator("#table")).to_contain_text("Probable cause: orders-db")
    keep(page, "situations")


def test_a_situation_explains_itself(seeded: Platform, page: Page) -> None:
    found = shop.situation_of(seeded, "DatabaseDown")
    assert found
    page.goto(f"{seeded.url}/situations/{found['id']}/")
    expect(page.get_by_role("heading", level=1)).to_have_text(found["title"])
    cause = page.get_by_role("region", name="Probable cause")
    expect(cause.get_by_role("link", name="orders-db").first).to_be_visible()
    for sentence in found["causes"][0]["because"]:
        expect(cause).to_contain_text(sentence)
    for sentence in found["because"]:
        expect(page.locator("main")).to_contain_text(sentence)
    expect(page.locator("main")).to_contain_text("could not reach orders-db: connection 4124 refused")
    expect(page.locator("#timeline")).to_contain_text("Opened")
    drawn(page, ".wk-graph", 1)
    drawn(page, ".wk-chart")
    keep(page, "situation")
    page.get_by_role("link", name="DatabaseDown").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("DatabaseDown")
    expect(page.locator("main")).to_contain_text("orders-db does not accept connections")
    expect(page.locator("main")).to_contain_text("severity=critical")
    keep(page, "alert")


def test_an_item_in_words(seeded: Platform, page: Page) -> None:
    page.goto(f"{seeded.url}/items/?kind=service&search=checkout")
    page.locator("#table").get_by_role("link", name="checkout", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("checkout")
    belongs = page.locator(".card", has=page.get_by_role("heading", name="What it belongs to"))
    for words in ("Depends on", "Needed by"):
        expect(belongs.locator("dt", has_text=words)).to_be_visible()
    expect(belongs.locator("dl").get_by_role("link", name="storefront")).to_be_visible()
    expect(page.locator("main")).to_contain_text("HighErrorRate")
    drawn(page, ".wk-graph", 1)
    drawn(page, ".wk-chart")
    keep(page, "item")


def test_metrics_and_logs(seeded: Platform, page: Page) -> None:
    page.goto(f"{seeded.url}/explore/metrics/")
    page.get_by_label("Find a metric").type("hit_ratio")
    page.get_by_role("link", name="db.cache.hit_ratio").click()
    expect(page.get_by_role("heading", name="db.cache.hit_ratio")).to_be_visible()
    drawn(page, ".wk-chart", 1)
    keep(page, "metrics")
    page.goto(f"{seeded.url}/explore/logs/")
    expect(page.locator("#lines")).to_contain_text("order 7000 was placed")
    page.get_by_label("Query").type("PANIC")
    expect(page.locator("#lines")).not_to_contain_text("order 7000 was placed")
    expect(page.locator("#lines")).to_contain_text("No space left on device")
    assert "q=PANIC" in page.url
    page.goto(f"{seeded.url}/explore/logs/?q=severity%3E%3Derror")
    expect(page.locator("#lines")).not_to_contain_text("order 7000 was placed")
    keep(page, "logs")


def test_the_service_map(seeded: Platform, page: Page) -> None:
    page.goto(f"{seeded.url}/map/")
    drawn(page, ".wk-graph", 1)
    keep(page, "map")
    picture = page.request.get(f"{seeded.url}/map/data.json").json()
    names = {n["id"]: n["name"] for n in picture["nodes"]}
    edges = {(names[e["source"]], names[e["target"]]) for e in picture["edges"] if e["kind"] == "depends_on"}
    assert {("checkout", "orders-db"), ("storefront", "checkout")} <= edges
    worst = {n["name"]: n["state"] for n in picture["nodes"]}
    assert worst["orders-db"] == "critical" and worst["mailer"] == ""


def test_doors_and_dead_letters(seeded: Platform, page: Page) -> None:
    page.goto(f"{seeded.url}/doors/")
    row = page.locator("#doors tr", has_text="Alertmanager API")
    expect(row).to_contain_text("/api/v2/alerts")
    keep(page, "doors")
    page.get_by_role("link", name="Dead letters").click()
    page.goto(f"{seeded.url}/doors/dead-letters/?door=alertmanager")
    page.get_by_text("9 B", exact=True).click()
    expect(page.locator("main")).to_contain_text("{not json")
    keep(page, "dead-letters")


@pytest.mark.parametrize(
    "path",
    ["alerts", "items", "silences", "relations", "audit", "notification-rules", "notification-rules/new",
     "intake-keys", "tokens", "items/new", "items/import", "audit/1", "password", "search/?q=orders", "access", "grants",
     "roles", "teams", "teams/new", "organisations", "policies", "policies/1/edit", "users", "inventory", "devices",
     "devices/new", "maintenance-windows", "maintenance-windows/new"],
)  # fmt: skip
def test_every_other_page(seeded: Platform, page: Page, path: str) -> None:
    answer = page.goto(f"{seeded.url}/{path}{'' if '?' in path else '/'}")
    assert answer and answer.status == 200
    expect(page.locator("h1")).to_have_count(1)
    keep(page, path.replace("/", "-").replace("?q=", ""))
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator("main :is(input, select, textarea):not([type=hidden])").evaluate_all(
        "found => found.every(e => e.labels.length || e.ariaLabel)"
    )


def drawn(page: Page, what: str, count: int | None = None) -> None:
    """Wait until all of these charts or graphs are drawn, each as it is scrolled to."""
    found = page.locator(what)
    expect(found.first).to_be_attached()
    assert count is None or found.count() == count
    for i in range(found.count()):
        found.nth(i).scroll_into_view_if_needed()
        expect(found.nth(i)).to_have_attribute("data-state", "drawn", timeout=20_000 * PATIENCE)
