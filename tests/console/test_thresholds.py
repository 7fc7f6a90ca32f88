"""The page of a threshold rule: what it looks at, how that stands, and what it would have said."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.console.axe import look
from tests.console.conftest import keep
from tests.platform import Platform


def test_a_rule_is_made_from_a_chart_and_shows_how_its_series_stand(seeded: Platform, page: Page) -> None:
    page.goto(f"{seeded.url}/explore/metrics/?name=http.server.request.duration")
    page.get_by_role("link", name="Make a rule").click()
    expect(page.get_by_label("Metric")).to_have_value("http.server.request.duration")
    page.get_by_label("Name").fill("slow answers")
    page.get_by_label("Level", exact=True).fill("1")
    page.get_by_label("For, in seconds", exact=True).fill("60")
    page.get_by_label("On", exact=True).uncheck()  # others share this platform
    keep(page, "threshold-rule-form")
    wrong = look(page)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="slow answers")).to_be_visible()
    expect(page.get_by_text("The rule is off")).to_be_visible()
    expect(page.get_by_text("it would have fired")).to_be_visible()
    expect(page.get_by_text("firing", exact=True).first).to_be_visible()
    keep(page, "threshold-rule")
    assert not (wrong := wrong + look(page)), wrong
    page.get_by_role("link", name="Make an exception").click()
    page.get_by_label("Labels").fill('service.name=~".*"')
    page.get_by_label("Level", exact=True).fill("1000000")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name="slow answers").first.click()
    expect(page.get_by_text("would not have fired")).to_be_visible()
    keep(page, "threshold-rule-exception")
    for rule in seeded.get("/api/threshold-rules/?name=slow+answers")["results"]:
        assert seeded.do(f"/api/threshold-rules/{rule['id']}/", method="DELETE").status == 204
