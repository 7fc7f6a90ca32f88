"""“Not an anomaly” in the browser: said on an alert that a detector found, seen where it holds, taken back."""

from __future__ import annotations

import math
import time
from typing import Any

from playwright.sync_api import Page, expect

from tests.console import shop
from tests.console.axe import look
from tests.console.conftest import keep
from tests.platform import Platform
from tests.support import eventually


def _points(platform: Platform, values: list[tuple[float, float]]) -> None:
    """Seconds and values of one gauge of the service `reports`."""
    points = [{"timeUnixNano": str(int(at * 1e9)), "asDouble": value} for at, value in values]
    gauge = {"name": "report.render.duration", "unit": "s", "gauge": {"dataPoints": points}}
    attributes = [{"key": "service.name", "value": {"stringValue": "reports"}}]
    told: dict[str, Any] = {"resource": {"attributes": attributes}, "scopeMetrics": [{"metrics": [gauge]}]}
    shop.post(platform, "/v1/metrics", {"resourceMetrics": [told]})


def test_an_alert_of_a_detector_is_called_usual_and_that_is_taken_back(seeded: Platform, page: Page) -> None:
    end = time.time()
    calm = [(end - 600 - 30 * k, 0.2 + 0.01 * math.sin(7 * k)) for k in range(400, 0, -1)]
    _points(seeded, calm)
    for k in range(18):
        time.sleep(0.6)  # each is a read of its own
        _points(seeded, [(end - 600 + 30 * k, 3.0)])
    found = eventually(lambda: seeded.get("/api/alerts/?source=level&search=reports")["results"], 40)
    page.goto(f"{seeded.url}/alerts/{found[0]['id']}/")
    page.get_by_text("Not an anomaly").first.click()
    page.get_by_label("Why").fill("The yearly report takes that long")
    page.get_by_label("Usual").select_option("at this time of day")
    keep(page, "usual-form")
    assert not (wrong := look(page)), wrong
    page.get_by_role("button", name="Not an anomaly").click()
    card = page.locator(".card", has_text="What people called usual")
    expect(card).to_contain_text("at this time of day")
    expect(card).to_contain_text("has held nothing back yet")
    eventually(lambda: seeded.get(f"/api/alerts/{found[0]['id']}/")["status"] == "resolved")
    page.reload()
    keep(page, "usual-alert")
    page.get_by_role("link", name="Report render duration of reports up to").click()
    expect(page.locator("main")).to_contain_text("The yearly report takes that long")
    keep(page, "judgement")
    assert not (wrong := look(page)), wrong
    page.goto(f"{seeded.url}/judgements/")
    expect(page.locator("#table")).to_contain_text("Report render duration of reports up to 3 s")
    keep(page, "judgements")
    page.get_by_role("link", name="Report render duration of reports up to").click()
    page.once("dialog", lambda d: d.accept())
    page.get_by_role("button", name="Take back").click()
    expect(page.locator("main")).to_contain_text("took it back")
