"""What people do: live lists, acts on situations through the page, filters, forms, secrets shown once."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.console import shop
from tests.console.conftest import NAME, keep
from tests.platform import Platform
from tests.support import eventually


def test_a_new_situation_appears_by_itself(seeded: Platform, page: Page) -> None:
    page.goto(f"{seeded.url}/situations/")
    expect(page.locator("#live-lamp")).to_have_attribute("title", "Live: changes appear at once")
    rows = page.locator("#table tbody tr", has_text="HeatingOff")
    expect(rows).to_have_count(0)
    assert seeded.alerts(shop.alert("HeatingOff", "greenhouse", "warning", "It is 4 °C")).status == 200
    expect(rows).to_have_count(1)


def test_many_alerts_are_acknowledged_in_their_list(seeded: Platform, page: Page) -> None:
    names = ("LampOut-1", "LampOut-2")
    assert (
        seeded.alerts(*(shop.alert(n, f"corridor-{n}", "warning", "It is dark") for n in names)).status == 200
    )
    page.goto(f"{seeded.url}/alerts/?search=LampOut")
    expect(page.locator("#table tbody tr")).to_have_count(2)
    page.get_by_role("checkbox", name="Tick all on this page").check()
    page.get_by_role("button", name="Acknowledge", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Acknowledge: 2 alerts")
    keep(page, "acknowledge-many")
    page.get_by_role("button", name="Acknowledge", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="on its way")).to_have_text(
        "Acknowledge: on its way for 2 alerts."
    )
    eventually(lambda: seeded.get(f"/api/alerts/?acknowledged_by={NAME}&search=LampOut")["count"] == 2)
    page.goto(f"{seeded.url}/situations/?search=LampOut")
    expect(page.locator("#table")).to_contain_text("Probable cause")
    expect(
        page.get_by_role("button", name="Save as a view").or_(page.get_by_text("Save as a view"))
    ).to_be_visible()


def test_acknowledge_assign_note_resolve(seeded: Platform, page: Page) -> None:
    seeded.alerts(shop.alert("QueueStuck", "parcel-labels", "error", "200 labels wait"))
    found = eventually(lambda: shop.situation_of(seeded, "QueueStuck"), 20)
    page.goto(f"{seeded.url}/situations/{found['id']}/")
    press(page, "Acknowledge")
    expect(page.locator("#state")).to_contain_text("acknowledged")
    press(page, "Assign")
    page.get_by_label("To", exact=True).select_option(NAME)
    press(page, "Assign", again=True)
    expect(page.locator("main")).to_contain_text(f"assigned to {NAME}")
    press(page, "Add a note")
    page.get_by_label("Text").fill("Turned it off\nand on <again>")
    press(page, "Add a note", again=True)
    expect(page.locator("#timeline")).to_contain_text("and on <again>")
    page.once("dialog", lambda dialog: dialog.dismiss())
    press(page, "Resolve")
    expect(page.locator("#state")).to_contain_text("acknowledged")
    page.once("dialog", lambda dialog: dialog.accept())
    press(page, "Resolve")
    expect(page.locator("#state")).to_contain_text("resolved")
    acts = [x["act"] for x in seeded.get("/api/audit/?kind=situation")["results"]]
    assert {"situation.acknowledge", "situation.assign", "situation.note", "situation.resolve"} <= set(acts)


def test_merge_and_split_by_choosing(seeded: Platform, page: Page) -> None:
    for name, service in (("DoorOpen", "north-gate"), ("LightsOut", "car-park")):
        seeded.alerts(shop.alert(name, service, "warning", f"{name} at {service}"))
    gate = eventually(lambda: shop.situation_of(seeded, "DoorOpen"), 20)
    park = eventually(lambda: shop.situation_of(seeded, "LightsOut"), 20)
    assert gate["id"] != park["id"]
    page.goto(f"{seeded.url}/situations/{gate['id']}/")
    expect(page.get_by_text("Split alerts off")).to_have_count(0)
    press(page, "Merge others into it")
    page.get_by_label(park["title"]).check()
    press(page, "Merge others into it", again=True)
    expect(page.locator("main")).to_contain_text("LightsOut at car-park")
    press(page, "Split alerts off")
    page.get_by_label("LightsOut at car-park").check()
    keep(page, "situation-split")
    press(page, "Split alerts off", again=True)
    expect(page.get_by_role("link", name="LightsOut", exact=True)).to_have_count(0)
    expect(page.locator("#timeline")).to_contain_text(NAME)


def test_tables_filter_and_page_on_the_server(seeded: Platform, page: Page) -> None:
    many = [shop.alert("DiskOld", "archive", "info", f"disk {i} is old", disk=f"d{i:03}") for i in range(120)]
    assert seeded.alerts(*many).status == 200
    eventually(lambda: seeded.get("/api/alerts/?name=DiskOld&limit=1")["count"] == 120, 30)
    page.goto(f"{seeded.url}/alerts/")
    page.get_by_label("Severity").select_option("info")
    expect(page.locator("#table")).to_contain_text("1–50 of 120")
    page.get_by_role("link", name="Next").click()
    expect(page.locator("#table")).to_contain_text("51–100 of 120")
    page.get_by_label("Search alerts").fill("DatabaseDown")
    expect(page.locator("#table")).to_contain_text("No alerts match")
    page.get_by_label("Severity").select_option("")
    expect(page.locator("#table tbody tr")).to_have_count(1)
    assert "search=DatabaseDown" in page.url


@pytest.mark.parametrize(("path", "prefix"), [("intake-keys", "wki_"), ("tokens", "wkt_")])
def test_secrets_are_shown_once(seeded: Platform, page: Page, path: str, prefix: str) -> None:
    page.goto(f"{seeded.url}/{path}/new/")
    page.get_by_role("button", name="Save").click()
    assert page.url.endswith("/new/")  # the browser asks for a name
    page.get_by_label("Name", exact=True).fill("by hand")
    page.get_by_role("button", name="Save").click()
    secret = page.get_by_label("Secret").input_value()
    assert secret.startswith(prefix)
    keep(page, f"{path}-once")
    page.get_by_role("link", name="Done").click()
    page.locator("#table").get_by_role("link", name="by hand").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("by hand")
    assert secret not in page.content()
    page.once("dialog", lambda dialog: dialog.accept())
    press(page, "Revoke")
    expect(page.locator("main dt", has_text="Revoked")).to_be_visible()


def test_what_can_be_changed_is_changed_in_a_form(seeded: Platform, page: Page, said: list[str]) -> None:
    page.goto(f"{seeded.url}/notification-rules/new/")
    expect(page.get_by_label("Enabled")).to_be_checked()
    page.get_by_label("Name", exact=True).fill("to the hook")
    page.get_by_label("Address").fill("ftp://example.org/")
    labels = page.get_by_role("group", name="Labels")
    labels.get_by_label("Labels: name").fill("team")
    labels.get_by_label("Labels: value").fill("shop")
    labels.get_by_role("button", name="Add a name and value").click()
    labels.get_by_label("Labels: name").nth(1).fill("stage")
    labels.get_by_label("Labels: value").nth(1).fill("live")
    page.get_by_label("opened").check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".invalid-feedback")).to_contain_text("write https://host/path")
    said[:] = []  # the browser notes the refusal
    page.get_by_label("Address").fill("https://example.org/hook")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="Done").click()
    page.locator("#table").get_by_role("link", name="to the hook").click()
    expect(page.locator("main")).to_contain_text("team=shop")
    page.get_by_role("link", name="Change", exact=True).click()
    expect(labels.get_by_label("Labels: value")).to_have_count(2)
    expect(labels.get_by_label("Labels: value").nth(1)).to_have_value("live")
    expect(page.get_by_label("opened")).to_be_checked()
    for _ in range(2):
        labels.get_by_role("button", name="Take this name and value away").first.click()
    page.get_by_label("Enabled").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("to the hook")
    rule = seeded.get("/api/notification-rules/")["results"][0]
    assert rule["labels"] == {} and rule["enabled"] is False and rule["events"] == ["opened"]


def test_the_menu_of_a_narrow_screen(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.get_by_role("link", name="Logs", exact=True)).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    keep(page, "menu")
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("link", name="Logs", exact=True).click()
    page.wait_for_url("**/explore/logs/")


def press(page: Page, label: str, *, again: bool = False) -> None:
    """Press what does it or opens its form; `again` sends the form that is open."""
    actions = page.locator(".wk-actions")
    if again:
        actions.locator("details[open]").get_by_role("button", name=label).click()
        return
    opener = actions.locator("summary").get_by_text(label, exact=True)
    button = actions.locator("> form").get_by_role("button", name=label, exact=True)
    opener.or_(button).click()
