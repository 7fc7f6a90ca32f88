"""Lists as people work with them: columns, views, filters, many at once; forms and what they tell; export as a template
says. In a browser, on the running platform."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console.conftest import NAME, PASSWORD, keep, pick
from tests.platform import Platform

RACKS, DEVICES = 40, 60


@pytest.fixture(scope="module")
def room(seeded: Platform) -> Iterator[dict[str, Any]]:
    """A room with more racks than a page brings along, and devices in them."""
    site = seeded.do("/api/sites/", {"name": "the room"}).json()["id"]
    made = seeded.do(
        "/api/racks/", [{"name": f"rack {n:02}", "u_height": 42, "site": site} for n in range(RACKS)]
    )
    assert made.status == 201, made.body
    racks = [r["id"] for r in made.json()]
    rows = [
        {
            "name": f"dev-{n:03}",
            "rack": racks[n % RACKS],
            "serial": f"S{n:03}",
            "role": ("server", "switch")[n % 2],
        }
        for n in range(DEVICES)
    ]
    made = seeded.do("/api/devices/", rows)
    assert made.status == 201, made.body
    yield {"racks": racks, "devices": [d["id"] for d in made.json()]}


def headings(page: Page) -> list[str]:
    """Of the columns with values, as they are written."""
    found = page.locator("#table thead th:not(.w-1)").all_inner_texts()
    return [h.strip(" ↑↓") for h in found if h.strip()]


def test_columns_are_chosen_ordered_and_sorted_by(seeded: Platform, page: Page, room: dict[str, Any]) -> None:  # noqa: ARG001
    page.goto(f"{seeded.url}/devices/?search=dev-0")
    page.get_by_role("link", name="Columns").click()
    page.get_by_role("checkbox", name="Device type", exact=True).uncheck()
    page.get_by_role("group", name="Rack", exact=True).get_by_label("Height in rack units").check()
    page.get_by_role("button", name="Serial to the left").click()
    keep(page, "columns")
    page.get_by_role("button", name="Save").last.click()
    page.wait_for_url("**/devices/?search=dev-0")
    shown = ["NAME", "ROLE", "STATUS", "SITE", "RACK", "SERIAL", "RACK: HEIGHT IN RACK UNITS"]
    expect(page.locator("#table tbody tr").first).to_contain_text("42")
    own = {"COST CENTRE", "SUPPORT"}  # custom fields that other tests define
    assert [h.upper() for h in headings(page) if h.upper() not in own] == shown
    page.get_by_role("link", name="Serial").focus()
    page.keyboard.press("Enter")
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Serial ↑")
    page.get_by_role("link", name="Serial").click()
    expect(page.locator("#table tbody tr").first).to_contain_text("S059")
    assert "search=dev-0" in page.url
    page.get_by_role("link", name="Columns").click()
    page.get_by_role("button", name="As usual").click()
    expect(page.locator("#table thead")).to_contain_text("Device type")


def test_many_columns_keep_their_words_whole(seeded: Platform, page: Page, room: dict[str, Any]) -> None:  # noqa: ARG001
    """The table is scrolled, and not the page; a name is never broken."""
    more = "role,status,site,rack,device_type,serial,asset_tag,face,source,rack__serial,rack__status,site__region"
    page.goto(f"{seeded.url}/devices/?search=dev-0&columns=name,{more},last_seen_at,first_seen_at")
    row = page.locator("#table tbody tr").first
    for shown in (row.get_by_role("link", name="dev-000"), row.locator("time").first):
        assert shown.evaluate("e => e.getClientRects().length") == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    assert page.evaluate(
        "(e => e.scrollWidth > e.clientWidth)(document.querySelector('#table .table-responsive-md'))"
    )
    keep(page, "many-columns")


def test_filters_are_built_shared_and_taken_away(seeded: Platform, page: Page, room: dict[str, Any]) -> None:
    page.goto(f"{seeded.url}/devices/?role=switch")
    page.get_by_text("Add a filter").click()
    page.get_by_label("Field").select_option("Serial")
    page.get_by_label("Comparison").select_option("contains")
    page.get_by_label("Value").fill("S0")
    page.get_by_role("button", name="Add", exact=True).click()
    page.wait_for_url("**serial__icontains=S0*")
    page.get_by_text("Add a filter").click()
    page.get_by_label("Field").select_option("Rack")
    expect(page.get_by_label("Comparison")).to_have_value("rack")
    page.get_by_label("Comparison").select_option("is not")
    expect(page.locator(".htmx-request")).to_have_count(0)  # the box for the value is made anew
    pick(page, "Value", "rack 39")
    keep(page, "filter")
    page.get_by_role("button", name="Add", exact=True).click()
    page.wait_for_url(f"**rack__not={room['racks'][39]}*")
    chips = page.get_by_role("list", name="Filters")
    expect(chips).to_contain_text("Rack is not rack 39")
    expect(chips).to_contain_text("Serial contains S0")
    expect(page.locator("#table")).to_contain_text("1–29 of 29")
    found = seeded.get(f"/api/devices/?{page.url.partition('?')[2]}")
    assert found["count"] == 29
    chips.get_by_role("link", name="Serial contains S0").click()
    expect(page.get_by_role("list", name="Filters")).not_to_contain_text("Serial")
    assert "rack__not=" in page.url


def test_a_view_is_saved_used_by_name_and_begun_with(
    seeded: Platform,
    page: Page,
    room: dict[str, Any],  # noqa: ARG001
) -> None:
    page.goto(f"{seeded.url}/devices/?role=server&ordering=-serial&columns=name,serial")
    page.get_by_text("Save as a view").click()
    page.get_by_label("Name", exact=True).fill("All servers")
    page.get_by_label("Shared with").select_option("Everyone")
    page.get_by_label("Begin with it").check()
    keep(page, "view-saving")
    page.get_by_role("button", name="Save view").click()
    expect(page.get_by_role("navigation", name="Views").locator("[aria-current]")).to_contain_text(
        "All servers"
    )
    assert headings(page) == ["NAME", "SERIAL"]
    found = seeded.get(
        "/api/devices/?view=All servers&serial__icontains=S05&fields=serial".replace(" ", "%20")
    )
    assert [r["serial"] for r in found["results"]] == ["S058", "S056", "S054", "S052", "S050"]
    page.goto(f"{seeded.url}/devices/")
    assert "view=" in page.url
    keep(page, "view")
    page.get_by_role("button", name="Not my default").click()
    expect(page.get_by_role("link", name="All", exact=True)).to_have_attribute("aria-current", "page")
    page.goto(f"{seeded.url}/devices/")
    assert "view=" not in page.url


def test_private_views_are_private(
    seeded: Platform,
    page: Page,
    browser: Browser,
    room: dict[str, Any],  # noqa: ARG001
) -> None:
    assert seeded.do("/api/users/", {"username": "vera", "password": PASSWORD}).status == 201
    page.goto(f"{seeded.url}/racks/?search=rack")
    page.get_by_text("Save as a view").click()
    page.get_by_label("Name", exact=True).fill("mine alone")
    page.get_by_role("button", name="Save view").click()
    expect(page.get_by_role("link", name="mine alone")).to_be_visible()
    address = page.url
    theirs = browser.new_page()
    theirs.goto(f"{seeded.url}/sign-in/?next=/racks/")
    theirs.get_by_label("User name").fill("vera")
    theirs.get_by_label("Password").fill(PASSWORD)
    theirs.get_by_role("button", name="Sign in").click()
    theirs.goto(f"{seeded.url}/racks/")
    expect(theirs.locator("main")).to_contain_text("rack 00")
    expect(theirs.get_by_role("link", name="mine alone")).to_have_count(0)
    theirs.goto(address)
    expect(theirs.locator("main")).to_contain_text("There is no view")
    theirs.goto(
        f"{seeded.url}/racks/?search=rack%200"
    )  # an IT operator keeps views, but shares none with everyone
    theirs.get_by_text("Save as a view").click()
    theirs.get_by_label("Name", exact=True).fill("vera's")
    theirs.get_by_label("Shared with").select_option("Everyone")
    theirs.get_by_role("button", name="Save view").click()
    expect(theirs.locator("main")).to_contain_text("may not create saved views")
    theirs.close()


def test_many_are_changed_or_none(
    seeded: Platform, page: Page, said: list[str], room: dict[str, Any]
) -> None:
    page.goto(f"{seeded.url}/devices/?search=dev-0")
    expect(page.locator(".wk-many")).to_be_hidden()
    page.get_by_label("Tick all on this page").check()
    keep(page, "ticked")
    page.get_by_label("All 60 that match").check()
    page.get_by_role("button", name="Change", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Change 60 devices")
    page.get_by_label("Asset tag", exact=True).fill("x" * 200)
    page.get_by_role("button", name="Change 60").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was changed")
    expect(page.get_by_role("alert").get_by_role("link", name="dev-000")).to_be_visible()
    keep(page, "many-refused")
    said[:] = []  # the browser notes the 400
    page.get_by_label("Asset tag", exact=True).fill("room 7")
    pick(page, "Rack", "rack 11")
    page.get_by_role("button", name="Change 60").click()
    expect(page.get_by_role("status").filter(has_text="Changed 60 devices.")).to_be_visible()
    found = seeded.get(f"/api/devices/?asset_tag=room%207&rack={room['racks'][11]}&limit=1")
    assert found["count"] == 60
    page.goto(f"{seeded.url}/devices/?search=dev-05")
    for name in ("dev-058", "dev-059"):
        page.get_by_label(f"Tick {name}").check()
    page.get_by_role("button", name="Remove", exact=True).click()
    page.get_by_role("button", name="Remove 2").click()
    expect(page.get_by_role("status").filter(has_text="Removed 2 devices.")).to_be_visible()
    expect(page.locator("#table")).to_contain_text("1–8 of 8")
    page.get_by_label("Tick dev-050").check()
    page.get_by_role("button", name="Mark as failed").click()
    page.get_by_role("button", name="Mark as failed").click()
    expect(page.locator("#table tr", has_text="dev-050")).to_contain_text("Failed")


def test_what_changed_meanwhile_is_told(
    seeded: Platform, page: Page, said: list[str], room: dict[str, Any]
) -> None:
    one = f"/api/devices/{room['devices'][3]}/"
    page.goto(f"{seeded.url}/devices/{room['devices'][3]}/edit/")
    page.get_by_label("Serial", exact=True).fill("mine")
    theirs = {"serial": "theirs", "rack": room["racks"][20]}
    assert seeded.do(one, theirs, method="PATCH").status == 200
    page.get_by_role("button", name="Save", exact=True).click()
    told = page.get_by_role("alert")
    expect(told).to_contain_text("while you were at it")
    expect(told).to_contain_text("S003 → theirs")
    keep(page, "stale")
    said[:] = []  # the browser notes the 412
    assert seeded.get(one)["serial"] == "theirs"
    expect(page.get_by_label("Serial", exact=True)).to_have_value("mine")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("dev-003")
    now = seeded.get(one)
    assert (now["serial"], now["rack"]) == ("mine", room["racks"][20])  # what was not touched stays theirs
    history = page.locator(".card", has=page.get_by_role("heading", name="What people did"))
    expect(history).to_contain_text(NAME)
    expect(history.locator("dd", has_text="mine")).to_contain_text("theirs")
    expect(history).to_contain_text("rack 20")
    keep(page, "history")


def test_forms_copy_go_on_and_ask_before_they_are_left(
    seeded: Platform, page: Page, said: list[str], room: dict[str, Any]
) -> None:
    page.goto(f"{seeded.url}/devices/{room['devices'][4]}/")
    page.get_by_role("link", name="Clone").click()
    expect(page.get_by_label("Serial", exact=True)).to_have_value("S004")
    page.get_by_label("Name", exact=True).fill("a copy")
    page.get_by_label("Asset tag", exact=True).fill("y" * 200)
    page.get_by_role("button", name="Keep and add another").click()
    page.get_by_role("alert").get_by_role("link", name="Asset tag").click()
    expect(page.get_by_label("Asset tag", exact=True)).to_have_attribute("aria-invalid", "true")
    said[:] = []  # the browser notes the 400
    page.get_by_label("Asset tag", exact=True).fill("A-4")
    page.get_by_label("Serial", exact=True).fill("S4-copy")
    page.get_by_role("button", name="Keep and add another").click()
    expect(page.get_by_role("status").filter(has_text="a copy is made")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("not saved")
    asked: list[str] = []
    page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.get_by_role("link", name="Overview").click()
    page.wait_for_url(f"{seeded.url}/")
    assert asked == ["beforeunload"]
    assert seeded.get("/api/devices/?name=not%20saved")["count"] == 0


def test_related_records_are_tabs_that_lead_to_lists(
    seeded: Platform, page: Page, room: dict[str, Any]
) -> None:
    rack = room["racks"][11]
    count = seeded.get(f"/api/devices/?rack={rack}")["count"]
    page.goto(f"{seeded.url}/racks/{rack}/")
    tab = page.locator("#related").get_by_role("link", name="Devices")
    expect(tab).to_contain_text(str(count))
    if count > 20:
        page.locator("#related").get_by_role("link", name="Next").click()
        expect(page.locator("#related")).to_contain_text(f"21–40 of {count}")
    page.locator("#related").get_by_role("link", name="Power feeds").click()
    expect(page.locator("#related")).to_contain_text("No power feeds")
    page.locator("#related").get_by_role("link", name="Devices").click()
    page.get_by_role("link", name="Open as a list").click()
    page.wait_for_url(f"**/devices/?rack={rack}")
    expect(page.locator("#table")).to_contain_text(f"of {count}")
    expect(page.get_by_role("list", name="Filters")).to_contain_text("Rack is rack 11")


def test_a_template_is_previewed_saved_and_offered(
    seeded: Platform,
    page: Page,
    room: dict[str, Any],  # noqa: ARG001
) -> None:
    page.goto(f"{seeded.url}/export-templates/new/")
    page.get_by_label("List").select_option("Devices")
    page.get_by_label("Name", exact=True).fill("hosts file")
    page.get_by_label("File name").fill("hosts.cfg")
    page.get_by_label("Template").fill("{% for r in records %}\n{{ r.name }} {{ r.colour }}\n{% endfor %}\n")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("region", name="Preview")).to_contain_text("Line 2")
    expect(page.get_by_role("region", name="Preview")).to_contain_text("colour")
    page.get_by_label("Template").fill(
        "{% for r in records %}\n{{ r.name }} in {{ r.rack_name }}\n{% endfor %}\n"
    )
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("region", name="Preview").locator("pre")).to_contain_text(" in rack ")
    keep(page, "template")
    page.get_by_role("button", name="Save", exact=True).click()
    page.goto(f"{seeded.url}/devices/?search=dev-00&ordering=name")
    with page.expect_download() as download:
        page.get_by_role("link", name="hosts file").click()
    assert download.value.suggested_filename == "hosts.cfg"
    text = download.value.path().read_text()
    assert text.splitlines()[0].startswith("dev-000 in rack ")
    assert len(text.splitlines()) == 10


def test_without_scripts_records_are_named(seeded: Platform, browser: Browser, room: dict[str, Any]) -> None:
    plain = browser.new_context(java_script_enabled=False)
    page = plain.new_page()
    page.goto(f"{seeded.url}/sign-in/?next=/devices/")
    page.get_by_label("User name").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{seeded.url}/devices/new/")
    page.get_by_label("Name", exact=True).fill("by hand")
    page.get_by_label("Rack by name").fill("rack 38")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("by hand")
    found = seeded.get("/api/devices/?name=by%20hand")["results"]
    assert [d["rack"] for d in found] == [room["racks"][38]]
    page.goto(f"{seeded.url}/devices/?add=rack")
    page.get_by_label("Value by name").fill("rack 38")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#table")).to_contain_text("by hand")
    plain.close()


@pytest.mark.parametrize(
    "path", ["devices/?rack__isnull=false&role=switch&add=rack", "devices/columns/", "saved-views/", "saved-views/new/",
             "export-templates/", "export-templates/new/", "teams/new/"]
)  # fmt: skip
def test_they_fit_a_narrow_screen(seeded: Platform, page: Page, room: dict[str, Any], path: str) -> None:  # noqa: ARG001
    page.goto(f"{seeded.url}/{path}")
    expect(page.locator("h1")).to_have_count(1)
    keep(page, "".join(c if c.isalnum() else "-" for c in path))
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator(
        "main :is(input, select, textarea):not([type=hidden]):not(.tomselected)"
    ).evaluate_all("found => found.every(e => e.labels.length || e.ariaLabel)")
