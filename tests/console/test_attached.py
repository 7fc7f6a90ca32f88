"""What people attach to a record on its page: tags, custom fields, notes, links, files, a bookmark; in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.console.conftest import keep, watch
from tests.platform import Platform


def post(platform: Platform, path: str, body: dict[str, Any]) -> Any:
    """What the API makes of it."""
    answer = platform.do(f"/api/{path}/", body)
    assert answer.status == 201, answer
    return answer.json()


@pytest.fixture
def page(platform: Platform, signed_in: BrowserContext, said: list[str]) -> Iterator[Page]:
    """A new tab; the shop's signals are not needed here."""
    tab = signed_in.new_page()
    watch(tab, said)
    tab.goto(platform.url + "/")
    yield tab
    tab.close()
    assert not said, said


def test_everything_on_one_page(platform: Platform, page: Page, said: list[str], tmp_path: Path) -> None:
    for field in (
        {"name": "cost_centre", "type": "text", "pattern": "[0-9]{4}", "in_lists": True, "position": 1},
        {"name": "support", "type": "choice", "choices": ["office hours", "day and night"], "in_lists": True},
        {"name": "reviewed_at", "label": "Reviewed", "type": "moment"},
        {"name": "handbook", "type": "url"},
    ):
        post(platform, "custom-fields", {"kind": "devices", **field})
    post(platform, "tags", {"name": "gold", "color": "#f2b705"})
    other = post(platform, "devices", {"name": "core-switch-2", "role": "switch"})
    made = post(platform, "devices", {"name": "core-switch-1", "role": "switch"})
    here = f"{platform.url}/devices/{made['id']}/"
    page.goto(here)
    tag_it(page)
    fill_in(page, here)
    assert all("400" in words for words in said), said  # the form that was refused
    said.clear()
    write_notes(page)
    link_it(page, f"{platform.url}/devices/{other['id']}/")
    upload(page, tmp_path)
    page.goto(f"{platform.url}/devices/{other['id']}/")
    expect(page.locator(".card", has_text="Links")).to_contain_text("is replaced by core-switch-1")
    page.goto(f"{platform.url}/bookmarks/")
    expect(page.locator("main")).to_contain_text("core-switch-1")
    page.goto(f"{platform.url}/devices/?tag=gold")
    expect(page.locator("#table tbody tr")).to_have_count(1)
    expect(page.locator("#table")).to_contain_text("4711")
    keep(page, "attached-list")
    for path, name in (
        ("tags/1/", "tag"),
        ("custom-fields/1/", "custom-field"),
        ("custom-fields/new/", "custom-field-new"),
    ):
        page.goto(f"{platform.url}/{path}")
        keep(page, name)


def tag_it(page: Page) -> None:
    page.get_by_role("button", name="Bookmark").click()
    expect(page.get_by_role("button", name="Bookmark")).to_have_attribute("aria-pressed", "true")
    page.locator("summary", has_text="Add tags").click()
    page.get_by_role("button", name="gold").click()
    page.get_by_label("Tags").fill(page.get_by_label("Tags").input_value() + ", to be replaced")
    page.locator("form[action$='/tags/']").get_by_role("button", name="Save").click()
    expect(page.locator(".wk-tag")).to_have_count(2)


def fill_in(page: Page, here: str) -> None:
    page.locator(".card", has_text="More about it").get_by_role("link", name="Change", exact=True).click()
    page.get_by_label("Cost centre").fill("47")
    page.get_by_label("Support").select_option("day and night")
    page.get_by_label("Reviewed").fill("2026-03-04T05:06")
    page.get_by_label("Handbook").fill("https://wiki.example.org/core-switch-1")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".invalid-feedback")).to_contain_text("does not have the form")
    page.get_by_label("Cost centre").fill("4711")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("main")).to_contain_text("4711")
    page.locator(".card", has_text="More about it").get_by_role("link", name="Change", exact=True).click()
    expect(page.get_by_label("Reviewed")).to_have_value("2026-03-04T05:06")
    page.goto(here)


def write_notes(page: Page) -> None:
    note(page, "Fan 2 is **loud**.\n\n- ordered a new one\n- <script>alert(1)</script>", "Warning")
    note(page, "The new fan is in.", "Success")
    expect(page.locator("#notes strong", has_text="loud")).to_be_visible()
    expect(page.locator("#notes")).to_contain_text("<script>alert(1)</script>")


def link_it(page: Page, other: str) -> None:
    page.locator("summary", has_text="Add a link").click()
    page.get_by_label("It", exact=True).select_option("replaces")
    page.get_by_label("What: an address").fill(other)
    page.get_by_role("button", name="Add the link").click()
    page.locator("summary", has_text="Add a link").click()
    page.get_by_label("What: an address").fill("https://vendor.example.org/manual")
    page.get_by_label("Called").fill("the vendor's manual")
    page.get_by_role("button", name="Add the link").click()


def upload(page: Page, folder: Path) -> None:
    plan = folder / "rack plan.txt"
    plan.write_text("U1: core-switch-1")
    page.locator("summary", has_text="Add a file").click()
    page.get_by_label("File", exact=True).set_input_files(plan)
    page.get_by_label("About it").fill("where it stands")
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("link", name="rack plan.txt")).to_be_visible()
    keep(page, "attached")
    with page.expect_download() as download:
        page.get_by_role("link", name="rack plan.txt").click()
    assert download.value.suggested_filename == "rack plan.txt"
    assert Path(download.value.path()).read_text() == "U1: core-switch-1"


def note(page: Page, text: str, mark: str) -> None:
    page.locator("summary", has_text="Write a note").click()
    page.get_by_label("Note", exact=True).fill(text)
    page.get_by_label("Mark", exact=True).select_option(label=mark)
    page.get_by_role("button", name="Add the note").click()
