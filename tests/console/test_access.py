"""Access as people see it: the page that answers, grants and policies in their forms, and what one may not do."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from tests.console.conftest import NAME, PASSWORD, keep, pick
from tests.platform import Platform


def test_access_is_granted_explained_and_taken_back(
    seeded: Platform, page: Page, browser: Browser, said: list[str]
) -> None:
    made = seeded.do("/api/users/", {"username": "nat", "name": "Nat Werk", "password": PASSWORD})
    assert made.status == 201, made.body
    role = seeded.get("/api/roles/?name=network%20administrator")["results"][0]["id"]
    assert seeded.do(f"/api/roles/{role}/", {"home_page": "/items/"}, "PATCH").status == 200
    page.goto(f"{seeded.url}/access/")
    page.get_by_role("link", name="Grants", exact=True).click()
    page.get_by_role("link", name="New grant").click()
    pick(page, "Role", "network administrator")
    pick(page, "User", "nat")
    page.get_by_label("Reason").fill("Looks after the switches of the shop.")
    keep(page, "grants-new")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("main")).to_contain_text("Looks after the switches of the shop.")
    expect(page.locator("main")).to_contain_text(NAME)
    keep(page, "grant")

    page.goto(f"{seeded.url}/access/")
    form = page.locator("form", has=page.get_by_role("heading", name="May somebody do something?"))
    form.get_by_label("Person").select_option("nat")
    form.get_by_label("May", exact=True).select_option("change")
    form.get_by_label("What", exact=True).select_option("items")
    form.get_by_role("button", name="Explain").click()
    answer = page.get_by_role("region", name="Answer")
    expect(answer).to_contain_text("Some: nat may change items, but not all of them.")
    expect(answer).to_contain_text("Network administrators keep what the network is made of.")
    expect(answer).to_contain_text("Looks after the switches of the shop.")
    keep(page, "access-explained")
    other = page.locator("form", has=page.get_by_role("heading", name="Who may do something?"))
    other.get_by_label("May", exact=True).select_option("read")
    other.get_by_label("What", exact=True).select_option("audit")
    other.get_by_role("button", name="Find out").click()
    expect(answer).to_contain_text("1 person may read audit")
    keep(page, "access-who")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

    theirs = browser.new_page()
    theirs.goto(f"{seeded.url}/sign-in/")
    theirs.get_by_label("User name").fill("nat")
    theirs.get_by_label("Password").fill(PASSWORD)
    theirs.get_by_role("button", name="Sign in").click()
    theirs.wait_for_url(f"{seeded.url}/items/")  # the page that the role begins with
    expect(theirs.get_by_role("link", name="Audit")).to_have_count(0)
    expect(theirs.get_by_role("link", name="Situations")).to_have_count(1)
    theirs.goto(f"{seeded.url}/audit/")
    expect(theirs.locator("main")).to_contain_text("You may not read audit")
    keep(theirs, "denied")
    theirs.close()
    assert not said, said


def test_a_policy_that_is_wrong_says_where(seeded: Platform, page: Page, said: list[str]) -> None:
    page.goto(f"{seeded.url}/policies/new/")
    page.get_by_label("Name", exact=True).fill("night shift")
    page.get_by_label("Text").fill("permit (principal, action, resource)\nwhen { resource.colour == 1 };")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".invalid-feedback")).to_contain_text("resource.colour")
    keep(page, "policy-refused")
    said.clear()  # the browser notes the 400
    page.goto(f"{seeded.url}/policies/")
    page.locator("#table").get_by_role("link", name="Built-in roles").click()
    expect(page.locator("main")).to_contain_text("Administrators may do everything.")
    keep(page, "policy")
