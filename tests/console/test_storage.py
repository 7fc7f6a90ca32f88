"""Storage as people see and change it: on the page, over REST and by command, with the same refusals; and its audit."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from tests.console.conftest import keep
from tests.platform import Platform
from tests.support import eventually

PATH = "/api/telemetry/storage/"


def days(platform: Platform) -> dict[str, int]:
    return {t["table"]: t["days"] for t in platform.get(PATH)}


def test_retention_is_chosen_on_the_page(page: Page, seeded: Platform) -> None:
    eventually(lambda: any(t["rows"] for t in seeded.get(PATH)))
    page.goto(f"{seeded.url}/storage/")
    logs = page.get_by_label("Days to keep Log lines")
    expect(logs).to_have_value("30")
    expect(page.get_by_role("row").filter(has_text="Metrics as they came")).not_to_contain_text("nothing yet")
    keep(page, "storage")
    logs.fill("14")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("It is as you chose")).to_be_visible()
    expect(page.get_by_label("Days to keep Log lines")).to_have_value("14")
    assert days(seeded)["logs"] == 14


def test_what_cannot_be_is_refused_and_nothing_typed_is_lost(
    page: Page, seeded: Platform, said: list[str]
) -> None:
    before = days(seeded)
    page.goto(f"{seeded.url}/storage/")
    page.get_by_label("Days to keep Metrics by 5 minutes").fill("3")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text(
        "Metrics by 5 minutes: 3 days here and 30 days for Metrics as they came"
    )
    expect(page.get_by_label("Days to keep Metrics by 5 minutes")).to_have_value("3")
    keep(page, "storage-refused")
    assert days(seeded) == before
    said[:] = [s for s in said if "400" not in s]  # the browser tells of the status


def test_retention_over_rest_and_by_command_is_audited(seeded: Platform) -> None:
    made = seeded.do(PATH, {"spans": 21}, "PATCH")
    assert made.status == 200 and days(seeded)["spans"] == 21
    wrong: list[tuple[Any, str]] = [
        ({"spans": -1}, "spans"), ({"spans": "soon"}, "spans"), ({"journals": 3}, "journals"),
        ({"samples_1h": 1}, "samples_1h"),
    ]  # fmt: skip
    for body, field in wrong:
        refused = seeded.do(PATH, body, "PATCH")
        assert refused.status == 400 and field in refused.json()["errors"], refused.body
    shown = seeded.run("retention", "spans=30")
    assert "spans" in shown and "30 days" in shown and "MiB" in shown
    assert days(seeded)["spans"] == 30
    entries = seeded.get("/api/audit/?act=retention.change&ordering=-id")["results"]
    changed = [(e["before"]["spans"], e["after"]["spans"]) for e in entries if "spans" in e["after"]]
    assert changed[:2] == [(21, 30), (30, 21)]


def test_only_administrators_change_it(seeded: Platform) -> None:
    token = seeded.run("token", "create", "reads-storage", "--scope", "read").split()[-1]
    for method, status in (("GET", 200), ("PATCH", 403)):
        answer = seeded.call(
            method, PATH, b'{"logs": 1}' if method == "PATCH" else None, Authorization=f"Bearer {token}",
            Content_Type="application/json",
        )  # fmt: skip
        assert answer.status == status, answer.body
