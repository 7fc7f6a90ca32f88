"""Asking for access, answering, reviews, emergencies and drafts of policies, as people see them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.console.conftest import NAME, PASSWORD, keep, watch
from tests.platform import Platform


def make(platform: Platform, path: str, **body: Any) -> int:
    """A record through the API, and its id."""
    made = platform.do(f"/api/{path}/", body)
    assert made.status == 201, made.body
    return int(made.json()["id"])


def one(platform: Platform, path: str, **query: str) -> int:
    """The id of the record that this query finds."""
    words = "&".join(f"{k}={v}" for k, v in query.items())
    return int(platform.get(f"/api/{path}/?{words}")["results"][0]["id"])


@pytest.fixture
def page(platform: Platform, signed_in: BrowserContext, said: list[str]) -> Iterator[Page]:
    """The administrator's browser; nothing here needs the shop's signals."""
    tab = signed_in.new_page()
    watch(tab, said)
    tab.goto(platform.url + "/")
    yield tab
    tab.close()
    assert not said, said


@pytest.fixture(scope="module")
def engineer(platform: Platform) -> int:
    """Eve, an operations engineer, on a platform whose administrators can be stood in for."""
    eve = make(platform, "users", username="eve", name="Eve Holder", password=PASSWORD)
    role = one(platform, "roles", name="operations%20engineer")
    make(
        platform,
        "grants",
        role=role,
        user=eve,
        reason="Runs the shop's platform.",
        expires_at="2027-12-01T00:00:00Z",
    )
    admin = one(platform, "roles", name="administrator")
    assert platform.do(f"/api/roles/{admin}/", {"emergency_minutes": 30}, "PATCH").status == 200
    return eve


@pytest.fixture
def eve(platform: Platform, engineer: int, browser: Browser) -> Iterator[Page]:  # noqa: ARG001
    """Her browser."""
    theirs = browser.new_page()
    theirs.goto(f"{platform.url}/sign-in/?next=/my-access/")
    theirs.get_by_label("User name").fill("eve")
    theirs.get_by_label("Password").fill(PASSWORD)
    theirs.get_by_role("button", name="Sign in").click()
    theirs.wait_for_url(f"{platform.url}/my-access/")
    yield theirs
    theirs.close()


def test_access_is_asked_for_and_approved(platform: Platform, page: Page, eve: Page) -> None:
    eve.get_by_role("link", name="Ask for access").click()
    eve.get_by_label("Role").select_option(label="external auditor: Reads everything and changes nothing.")
    eve.get_by_label("For how many days").fill("14")
    eve.get_by_label("Reason").fill("The yearly audit of the shop.")
    keep(eve, "ask-access")
    eve.get_by_role("button", name="Ask").click()
    eve.wait_for_url(f"{platform.url}/my-access/")
    expect(eve.get_by_role("region", name="What I asked for")).to_contain_text("requested")
    keep(eve, "my-access")

    page.goto(f"{platform.url}/my-access/")
    waiting = page.get_by_role("region", name="Waiting for you")
    expect(waiting).to_contain_text("Eve Holder asks for the role external auditor, for 14 days")
    keep(page, "my-access-approver")
    waiting.get_by_text("Refuse…").click()
    waiting.get_by_label("Why").fill("The audit is next month.")
    waiting.locator("details[open]").get_by_role("button", name="Refuse").click()
    expect(page.get_by_role("region", name="Waiting for you")).to_have_count(0)
    eve.reload()
    expect(eve.get_by_role("region", name="What I asked for")).to_contain_text("The audit is next month.")


def test_an_emergency_is_seen_on_every_page_while_it_lasts(platform: Platform, page: Page, eve: Page) -> None:
    eve.get_by_role("link", name="Act as administrator for 30 minutes").click()
    eve.get_by_label("Reason").fill("The payment gateway is down and nobody else answers.")
    keep(eve, "emergency-new")
    eve.get_by_role("button", name="Save").click()
    expect(eve.get_by_role("alert")).to_contain_text("You act as administrator in an emergency")
    page.goto(f"{platform.url}/items/")
    expect(page.get_by_role("alert")).to_contain_text("Eve Holder acts as administrator in an emergency")
    keep(page, "emergency-banner")
    page.get_by_role("link", name="Open it").click()
    keep(page, "emergency")
    eve.goto(f"{platform.url}/my-access/")
    keep(eve, "my-access-emergency")
    eve.get_by_role("button", name="Give it back now").click()
    expect(eve.get_by_role("alert")).to_have_count(0)
    page.reload()
    page.locator("summary", has_text="Review").click()
    page.get_by_label("What was done, and was it right?").fill("Restarted the gateway. It was.")
    page.get_by_role("button", name="Review").click()
    expect(page.locator("main")).to_contain_text("Restarted the gateway.")


def test_a_review_is_begun_and_answered(platform: Platform, page: Page, engineer: int) -> None:  # noqa: ARG001
    owner = one(platform, "users", username=NAME)
    role = one(platform, "roles", name="operations%20engineer")
    campaign = make(platform, "review-campaigns", name="Every quarter", owner=owner, roles=[role], interval_days=90,
                    next_at="2028-01-01T00:00:00Z")  # fmt: skip
    page.goto(f"{platform.url}/review-campaigns/{campaign}/")
    keep(page, "campaign")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Begin a review now").click()
    page.get_by_role("link", name="Every quarter").last.click()
    expect(page.get_by_role("region", name="Progress")).to_contain_text("0 of 1 answered")
    keep(page, "review")
    page.get_by_role("button", name="Keep").click()
    page.go_back() if "/reviews/" not in page.url else None
    expect(page.get_by_role("region", name="Progress")).to_contain_text("1 of 1 answered")
    keep(page, "review-answered")


def test_a_draft_shows_its_effect_before_it_counts(platform: Platform, page: Page, engineer: int) -> None:  # noqa: ARG001
    builtin = one(platform, "policies", name="Built-in%20roles")
    text = platform.get(f"/api/policies/{builtin}/")["text"]
    changed = text.replace("Operations engineers decide who is notified.", "Engineers decide who is notified.").replace(
        'resource == Kind::"notification-rules");', 'resource in [Kind::"notification-rules"]);', 1
    ).replace('permit (principal in Role::"operations engineer", action, resource in Area::"operations")',
              'permit (principal in Role::"operations engineer", action, resource in Area::"situations")', 1).replace(
        'resource in [Kind::"notification-rules"]);', 'resource == Kind::"tokens");', 1)  # fmt: skip
    make(platform, "policy-tests", policy=builtin, role=one(platform, "roles", name="operations%20engineer"),
         action="change", kind="items", may=True)  # fmt: skip
    draft = make(platform, "policy-drafts", policy=builtin, text=changed, note="Engineers look after tokens.")
    page.goto(f"{platform.url}/policy-drafts/{draft}/")
    expect(page.get_by_role("alert")).to_contain_text("1 test would fail")
    effect = page.get_by_role("region", name="Whose rights change")
    expect(effect).to_contain_text("eve")
    expect(effect).to_contain_text("change")
    expect(effect).to_contain_text("all → none")
    keep(page, "policy-draft")
    page.goto(f"{platform.url}/access/")
    keep(page, "access")
    assert platform.do(f"/api/policy-drafts/{draft}/", method="DELETE").status == 204
