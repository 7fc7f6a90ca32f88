"""The catalogue and onboarding in the browser: a form built in rows, an order with its errors and its progress; somebody
who joins, moves and leaves, with the proof that nothing is left."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.console.axe import look
from tests.console.conftest import NAME, keep, pick, unfold
from tests.platform import Platform
from tests.support import eventually


@pytest.fixture
def seeded(platform: Platform, signed_in: BrowserContext) -> Platform:  # noqa: ARG001
    """The platform without anybody's signals, of which nothing here is about."""
    return platform


def _save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()


def _question(page: Page, n: int, label: str, answer: str, choices: str = "", needed: str = "") -> None:
    """Fill in the nth row of the form builder."""
    rows = page.locator("[data-field=form]")
    if n:
        rows.get_by_role("button", name="Add a question").click()
    row = rows.get_by_role("group", name="Question", exact=True).nth(n)
    row.get_by_label("Questions: question").fill(label)
    row.get_by_label("Questions: answer").select_option(label=answer)
    row.get_by_label("Questions: choices").fill(choices)
    if needed:
        row.get_by_label("Questions: needed").select_option(label=needed)


def test_an_item_is_built_in_rows_ordered_with_errors_told_and_fulfilled(
    seeded: Platform, page: Page, said: list[str]
) -> None:
    url, main = seeded.url, page.locator("main")
    page.goto(f"{url}/catalog-items/new/")
    page.get_by_label("Name", exact=True).fill("Laptop")
    page.get_by_label("Category", exact=True).fill("Computers")
    page.get_by_label("Description", exact=True).fill("A *light* one for the road.")
    _question(page, 0, "Which size", "one of", "13, 15", "has to be answered")
    _question(page, 1, "How many", "a whole number", needed="has to be answered")
    _question(page, 2, "Anything else", "a longer text")
    unfold(page)
    page.get_by_label("Cost", exact=True).fill("1200")
    page.get_by_label("Lent for how many days", exact=True).fill("365")
    keep(page, "catalog-item-new")
    _save(page)
    expect(main.get_by_role("heading", level=1)).to_have_text("Laptop")
    [item] = seeded.get("/api/catalog-items/?name=Laptop")["results"]
    assert list(item["form"]["properties"]) == ["which_size", "how_many", "anything_else"], item["form"]
    page.goto(f"{url}/catalog-items/{item['id']}/edit/")
    expect(page.locator("[data-field=form]").get_by_role("group", name="Question", exact=True)).to_have_count(
        3
    )
    page.goto(f"{url}/catalog-tasks/new/?item={item['id']}&title=Hand+it+out")
    _save(page)
    page.goto(f"{url}/catalog/?q=lap")
    expect(main).to_contain_text("A light one for the road.")
    keep(page, "catalog")
    assert not (wrong := look(page)), wrong
    page.get_by_role("link", name="Laptop").click()
    page.get_by_label("How many", exact=True).fill("1.5")
    page.get_by_role("button", name="Order", exact=True).click()
    expect(page.locator("[data-field=how_many]")).to_contain_text("it has to be a whole number")
    expect(page.locator("[data-field=which_size]")).to_contain_text("it has to be answered")
    keep(page, "order-wrong")
    assert all(
        "400 (Bad Request)" in text for text in said
    )  # that is how the browser tells of a refused form
    said.clear()
    page.get_by_label("How many", exact=True).fill("1")
    page.get_by_label("Which size", exact=True).select_option("15")
    page.get_by_role("button", name="Order", exact=True).click()
    expect(main).to_contain_text("0 of 1 tasks done")
    keep(page, "order")
    assert not (wrong := look(page)), wrong
    page.goto(f"{url}/my-requests/")
    expect(main).to_contain_text("0 of 1 tasks done")
    keep(page, "my-requests")
    assert not (wrong := look(page)), wrong
    page.goto(f"{url}/request-tasks/")
    page.get_by_role("link", name="Hand it out").click()
    page.locator("summary", has_text="Done…").click()
    page.get_by_role("button", name="Done…", exact=True).click()
    page.goto(f"{url}/my-requests/")
    expect(page.get_by_role("region", name="What I have")).to_contain_text("Laptop")
    [order] = seeded.get(f"/api/orders/?item={item['id']}")["results"]
    assert (order["state"], order["person"]) == ("delivered", NAME)


def _onboard(page: Page, url: str, fields: dict[str, Any], position: str, shown: str) -> None:
    """Plan it, look at what changes, start it."""
    page.goto(f"{url}/onboardings/new/")
    page.get_by_label("Joins, moves or leaves", exact=True).select_option(fields.pop("sort"))
    for label, value in fields.items():
        page.get_by_label(label, exact=True).fill(value)
    if position:
        pick(page, "Position", position)
    _save(page)
    changes = page.get_by_role("region", name="What changes")
    expect(changes).to_contain_text(shown)


def _start(page: Page) -> None:
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Start", exact=True).click()


def _position(seeded: Platform, name: str, **bundle: Any) -> None:
    answer = seeded.do("/api/positions/", {"name": name, **bundle})
    assert answer.status == 201, answer


def test_somebody_joins_moves_and_leaves_with_the_proof(seeded: Platform, page: Page) -> None:
    url, main, today = seeded.url, page.locator("main"), dt.datetime.now(dt.UTC).date()
    staff, dba = (seeded.do("/api/teams/", {"name": n}).json()["id"] for n in ("All staff", "Databases"))
    server = seeded.do("/api/items/", {"kind": "host", "name": "vault7"}).json()["id"]
    _position(seeded, "Database keeper", teams=[staff, dba], servers=[server])
    _position(seeded, "Page maker", teams=[staff])
    _onboard(page, url, {"sort": "joiner", "New user name": "ina", "Full name": "Ina New", "Day": str(today)},
             "Database keeper", "Team: Databases")  # fmt: skip
    keep(page, "onboarding-planned")
    _start(page)
    expect(main).to_contain_text("of 3 ready")
    for team in (staff, dba):
        eventually(lambda t=team: seeded.get(f"/api/teams/{t}/")["members"])  # type: ignore[misc]
    page.reload()
    expect(main).to_contain_text("2 of 3 ready")
    keep(page, "onboarding-readiness")
    assert not (wrong := look(page)), wrong
    page.get_by_role("link", name="Access to vault7 for Ina New").first.click()
    page.locator("summary", has_text="Done…").click()
    page.get_by_role("button", name="Done…", exact=True).click()
    _onboard(page, url, {"sort": "mover", "Person": "ina", "Day": str(today)}, "Page maker", "Gives back")
    expect(main).to_contain_text("Access to: vault7")
    keep(page, "onboarding-move")
    _start(page)
    move = seeded.get("/api/onboardings/?sort=mover")["results"][0]["id"]
    task = seeded.get("/api/request-tasks/?state=open&search=vault7")["results"][0]["id"]
    seeded.do(f"/api/request-tasks/{task}/done/", {"note": "closed"})
    eventually(lambda: seeded.get(f"/api/onboardings/{move}/")["state"] == "done")
    yesterday = str(today - dt.timedelta(days=1))
    _onboard(page, url, {"sort": "leaver", "Person": "ina", "Day": yesterday}, "", "Team: All staff")
    _start(page)
    leave = seeded.get("/api/onboardings/?sort=leaver")["results"][0]["id"]
    eventually(lambda: seeded.get(f"/api/onboardings/{leave}/")["state"] == "done")
    page.goto(f"{url}/onboardings/{leave}/")
    page.get_by_role("button", name="Prove that nothing is left").click()
    proof = page.get_by_role("region", name="Proof")
    expect(proof).to_contain_text("Nothing is left")
    expect(proof).to_contain_text("Out of all teams")
    keep(page, "proof")
    assert not (wrong := look(page)), wrong
