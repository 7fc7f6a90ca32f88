"""Objectives, agreements and reports in the browser: an objective is made by form and one is imported, what stands beneath
an agreement is seen, and the report of a month is made and read."""

from __future__ import annotations

import datetime as dt
import time

from playwright.sync_api import Page, expect

from tests.console.axe import look
from tests.console.conftest import keep
from tests.platform import Platform
from tests.support import eventually

SLO = """
apiVersion: openslo/v1
kind: SLO
metadata: {name: imported, displayName: Imported}
spec:
  service: nothing-of-this-name
  indicator:
    metadata: {name: up}
    spec:
      thresholdMetric:
        metricSource: {type: Prometheus, spec: {query: vector(1)}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Timeslices
  objectives: [{op: gte, value: 1, target: 0.99, timeSliceTarget: 0.9, timeSliceWindow: 1m}]
"""


def test_an_objective_is_made_and_one_imported_and_its_budget_is_seen(
    seeded: Platform, page: Page, said: list[str]
) -> None:
    url = seeded.url
    page.goto(f"{url}/service-level-objectives/new/")
    page.get_by_label("Name", exact=True).fill("answers")
    page.get_by_label("Title", exact=True).fill("The platform answers")
    page.get_by_label("Query", exact=True).fill("vector(99)")
    page.get_by_label("Query of all events", exact=True).fill("vector(100)")
    keep(page, "objective-new")
    assert not (wrong := look(page)), wrong
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("The platform answers")
    page.goto(f"{url}/service-level-objectives/import-openslo/")
    page.get_by_label("Or paste it here").fill(SLO.replace("target: 0.99", "target: 99"))
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("from 0 to 1")
    said[:] = []  # the browser notes the refusal
    page.get_by_label("Or paste it here").fill(SLO)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator("main")).to_contain_text("no item 'nothing-of-this-name'")
    keep(page, "openslo-import")
    found = eventually(
        lambda: seeded.get("/api/service-level-objectives/?name=answers&standing__state=broken")["results"]
    )
    assert found[0]["attained"] == 99.0
    page.goto(f"{url}/service-level-objectives/{found[0]['id']}/")
    expect(page.locator(".wk-chart[data-state=drawn]")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Error budget")
    for width, name in ((1280, "objective"), (390, "objective-narrow")):
        page.set_viewport_size({"width": width, "height": 900})
        keep(page, name)
    page.set_viewport_size({"width": 1280, "height": 900})
    assert not (wrong := look(page)), wrong
    page.goto(f"{url}/service-level-objectives/")
    expect(page.locator("main")).to_contain_text("imported")
    keep(page, "objectives")


def test_what_keeps_an_agreement_and_the_report_of_a_month(seeded: Platform, page: Page) -> None:
    url = seeded.url

    def made(path: str, **fields: object) -> int:
        answer = seeded.do(f"/api/{path}/", fields)
        assert answer.status == 201, answer
        return int(answer.json()["id"])

    calendar = made("calendars", name=f"levels {time.time()}")
    lower = made("service-level-agreements", name="Network team", kind="ola", calendar=calendar)
    upper = made("service-level-agreements", name="Shop SLA", calendar=calendar, kept_by=[lower])
    for agreement, minutes in ((lower, 300), (upper, 240)):
        made("agreement-targets", agreement=agreement, priority=1, resolution_minutes=minutes)
    page.goto(f"{url}/service-level-agreements/{upper}/")
    expect(page.locator("main")).to_contain_text("Network team may take 300")
    keep(page, "agreement-kept-by")
    page.goto(f"{url}/service-reports/new/?month={dt.date.today()}&agreement={upper}")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Shop SLA")
    report = seeded.get(f"/api/service-reports/?agreement={upper}")["results"][0]["id"]
    eventually(lambda: seeded.get(f"/api/service-reports/{report}/")["state"] == "done")
    page.reload()
    expect(page.locator("main")).to_contain_text("tickets were opened")
    expect(page.get_by_role("link", name=".pdf")).to_be_visible()
    keep(page, "service-report")
    assert not (wrong := look(page)), wrong
