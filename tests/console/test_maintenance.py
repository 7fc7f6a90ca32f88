"""Maintenance in the browser: planned from an item's page, seen where it holds, ended; and an alert silenced."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from tests.console import shop
from tests.console.axe import look
from tests.console.conftest import keep
from tests.platform import Platform
from tests.support import eventually


def test_maintenance_is_planned_from_a_page_and_ended(seeded: Platform, page: Page) -> None:
    assert seeded.alerts(shop.alert("FanTired", "attic-server", "warning", "300 rpm")).status == 200
    alert = eventually(lambda: seeded.get("/api/alerts/?name=FanTired")["results"])[0]
    page.goto(f"{seeded.url}/items/{alert['item']['id']}/")
    page.get_by_role("link", name="Maintenance…").click()
    keep(page, "maintenance-new")
    page.get_by_label("Name", exact=True).fill("New fans for the attic")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("New fans for the attic")
    expect(page.locator("main")).to_contain_text("running")
    keep(page, "maintenance-window")
    assert not (wrong := look(page)), wrong
    eventually(lambda: seeded.get(f"/api/alerts/{alert['id']}/")["suppressed_by"])
    alert = seeded.get(
        f"/api/alerts/{alert['id']}/"
    )  # its situation may have become part of another meanwhile
    for path in (f"items/{alert['item']['id']}", f"alerts/{alert['id']}", f"situations/{alert['situation']}"):
        page.goto(f"{seeded.url}/{path}/")
        expect(page.get_by_role("status").filter(has_text="In maintenance until")).to_contain_text("New fans")
        keep(page, f"maintenance-{path.partition('/')[0]}")
    page.goto(f"{seeded.url}/maintenance-windows/")
    expect(page.locator("#table")).to_contain_text("attic")
    keep(page, "maintenance")
    page.get_by_role("link", name="New fans for the attic").click()
    page.once("dialog", lambda d: d.accept())
    page.get_by_role("button", name="End it now").click()
    expect(page.get_by_role("button", name="End it now")).to_have_count(0)
    eventually(lambda: not seeded.get(f"/api/alerts/{alert['id']}/")["suppressed_by"])


def test_an_alert_is_silenced_from_its_page(seeded: Platform, page: Page) -> None:
    """By its labels, in rows; what it holds back is said before it is made."""
    sent = (shop.alert("DoorAjar", f"{room}-door", "info", "Again") for room in ("cellar", "attic"))
    assert seeded.alerts(*sent).status == 200
    alert = eventually(lambda: len(seeded.get("/api/alerts/?name=DoorAjar")["results"]) == 2 and
                       seeded.get("/api/alerts/?name=DoorAjar&search=cellar")["results"])[0]  # fmt: skip
    page.goto(f"{seeded.url}/alerts/{alert['id']}/")
    page.get_by_role("link", name="Silence…").click()
    holds = page.get_by_role("status").filter(has_text="It would hold back")
    expect(holds).to_contain_text("hold back 1 of")
    rows = page.get_by_role("group", name="Labels").get_by_role("group")
    door = rows.filter(has=page.locator("input[value=cellar-door]"))
    door.get_by_label("Labels: how").select_option("matches")
    door.get_by_label("Labels: value").fill(".*-door")
    expect(holds).to_contain_text("hold back 2 of")
    keep(page, "silence-new")
    assert not (wrong := look(page)), wrong
    door.get_by_label("Labels: value").fill("(")
    expect(page.get_by_role("status").filter(has_text="not an expression")).to_be_visible()
    door.get_by_role("button", name="Take this label away").click()
    expect(holds).to_contain_text("hold back 2 of")
    page.get_by_role("button", name="Add a label").click()
    rows.last.get_by_label("Labels: label").fill("service_name")
    rows.last.get_by_label("Labels: value").fill("cellar-door")
    expect(holds).to_contain_text("hold back 1 of")
    page.get_by_role("button", name="Save", exact=True).click()
    eventually(lambda: seeded.get(f"/api/alerts/{alert['id']}/")["suppressed_by"].startswith("silence:"))
    page.goto(f"{seeded.url}/alerts/{alert['id']}/")
    page.get_by_role("link", name="silence “Silence of DoorAjar”").click()
    keep(page, "silence")
    page.goto(f"{seeded.url}/silences/")
    keep(page, "silences")


def test_an_item_is_silenced_from_its_page_also_without_scripts(
    seeded: Platform, page: Page, browser: Browser
) -> None:
    assert seeded.alerts(shop.alert("LampDead", "porch-lamp", "info", "Dark")).status == 200
    alert = eventually(lambda: seeded.get("/api/alerts/?name=LampDead")["results"])[0]
    page.goto(f"{seeded.url}/items/{alert['item']['id']}/")
    href = page.get_by_role("link", name="Silence…").get_attribute("href")
    plain = browser.new_context(java_script_enabled=False, storage_state=page.context.storage_state())
    tab = plain.new_page()
    tab.goto(f"{seeded.url}{href}")
    expect(tab.locator("main")).to_contain_text("It would hold back 1 of")
    tab.get_by_label("Until").fill("2099-01-01T00:00")
    rows = tab.get_by_role("group", name="Labels").get_by_role("group")
    expect(rows).to_have_count(4)
    rows.nth(2).get_by_label("Labels: label").fill("alertname")
    rows.nth(2).get_by_label("Labels: how").select_option("is_not")
    rows.nth(2).get_by_label("Labels: value").fill("LampBright")
    tab.get_by_role("button", name="Save", exact=True).click()
    tab.wait_for_url("**/silences/**")
    plain.close()
    eventually(lambda: seeded.get(f"/api/alerts/{alert['id']}/")["suppressed_by"].startswith("silence:"))
    page.reload()
    keep(page, "item-silenced")
