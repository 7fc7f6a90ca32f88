"""Grouping rules in the browser: tried on the last alerts, kept, and applied to what comes; a correlation setting is
previewed on history, used, and taken back."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.console import shop
from tests.console.axe import look
from tests.console.conftest import keep
from tests.platform import Platform
from tests.support import eventually


def test_a_rule_is_tried_kept_and_groups_what_comes(seeded: Platform, page: Page) -> None:
    page.goto(f"{seeded.url}/grouping-rules/new/")
    page.get_by_label("Name").fill("badge readers")
    page.get_by_label("Condition").fill("record.name = 'x'")
    page.get_by_role("button", name="Try it on the last alerts").click()
    expect(page.get_by_text("line 1, column")).to_be_visible()
    page.get_by_label("Condition").fill("record.name == 'HighErrorRate'")
    page.get_by_role("button", name="Try it on the last alerts").click()
    expect(page.get_by_text("It would have taken 2 of the last")).to_be_visible()
    expect(page.locator("#tried").get_by_role("link", name="HighErrorRate on").first).to_be_visible()
    keep(page, "grouping-rule-form")
    wrong = look(page)
    page.get_by_label("Condition").fill("record.name == 'BadgeReaderLost'")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="badge readers")).to_be_visible()
    keep(page, "grouping-rule")
    assert not (wrong := wrong + look(page)), wrong
    told = [shop.alert("BadgeReaderLost", f"reader-{n}", "warning", "It does not answer") for n in (1, 2)]

    def grouped() -> bool:
        """Analysis hears of the rule a moment after it was kept; what it groups are alerts that begin after that."""
        assert seeded.alerts(*told).status == 200
        found = shop.situation_of(seeded, "BadgeReaderLost")
        return found is not None and found["alert_count"] == 2

    eventually(grouped, 40)
    found = shop.situation_of(seeded, "BadgeReaderLost")
    assert found is not None
    assert any("“badge readers”" in r["text"] and r["weight"] > 0.5 for r in found["reasons"])
    page.goto(f"{seeded.url}/situations/{found['id']}/")
    expect(page.get_by_text("The rule “badge readers” puts these alerts together.").first).to_be_visible()
    keep(page, "situation-by-rule")
    assert not (wrong := look(page)), wrong


ROUND = {
    "name": "round trip",
    "enabled": True,
    "description": "Two lines,\nwith a comma",
    "position": 7,
    "condition": "record.name.matches('^Link(Up|Down)$')\n  && \"rack\" in record.labels\n  && record.labels.rack != 'a, b'",
    "group_by": ["site", "k8s.namespace.name", "app.kubernetes.io/name", "item"],
    "window_seconds": 900,
    "at_least": 3,
    "parent_alert": "RouterDown",
}


def test_a_rule_comes_back_from_its_form_as_it_was_written(seeded: Platform, page: Page) -> None:
    page.goto(f"{seeded.url}/grouping-rules/new/")
    written = {n: "\n".join(v) if isinstance(v, list) else str(v) for n, v in ROUND.items() if n != "enabled"}
    for name, text in written.items():
        page.locator(f"[name={name}]").fill(text)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="round trip")).to_be_visible()
    [made] = seeded.get("/api/grouping-rules/?name=round+trip")["results"]
    assert made == {**made, **ROUND}
    address = f"{seeded.url}/grouping-rules/{made['id']}/edit/"
    page.goto(address)
    for name, text in written.items():
        expect(page.locator(f"[name={name}]")).to_have_value(text)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="round trip")).to_be_visible()
    assert _kept(seeded, made) == made, "saved as it is shown it says the same"
    page.goto(address)
    for name in ("group_by", "parent_alert", "description"):
        page.locator(f"[name={name}]").fill("")
    page.locator("[name=condition]").fill("record.severity == 'critical'")
    page.locator("[name=enabled]").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="round trip")).to_be_visible()
    emptied = {"group_by": [], "parent_alert": "", "description": "", "enabled": False}
    assert _kept(seeded, made) == {**made, **emptied, "condition": "record.severity == 'critical'"}
    refused = seeded.do(f"/api/grouping-rules/{made['id']}/", {"group_by": ["a,b"]}, method="PATCH")
    assert refused.status == 400 and b"comma" in refused.body


def _kept(platform: Platform, made: dict[str, object]) -> dict[str, object]:
    found: dict[str, object] = platform.get(f"/api/grouping-rules/{made['id']}/")
    return found


def test_a_setting_is_previewed_used_and_taken_back(seeded: Platform, page: Page) -> None:
    page.goto(f"{seeded.url}/correlation-settings/new/")
    page.get_by_label("Name").fill("for the nights")
    page.get_by_label("Evidence needed").fill("100")
    keep(page, "correlation-setting-form")
    wrong = look(page)
    page.get_by_role("button", name="Save").click()
    address = page.url
    page.locator("summary", has_text="Preview on history").click()
    page.get_by_role("button", name="Preview on history").click()
    expect(page.get_by_role("heading", name="for the nights")).to_be_visible()
    made = seeded.get("/api/correlation-settings/?name=for+the+nights")["results"][0]
    job = eventually(lambda: _done(seeded), 60)
    assert "alerts of these 7 days would have given" in job["result"]["summary"], job
    page.goto(f"{seeded.url}/jobs/{job['id']}/")
    expect(page.get_by_text("would have given")).to_be_visible()
    keep(page, "correlation-preview")
    assert not (wrong := wrong + look(page)), wrong
    for n in range(3):  # the situation, its first alert, and the item of that
        one = page.get_by_role("listitem").filter(has_text="situations would come of one").first
        link = one.get_by_role("link").nth(n)
        called = link.inner_text()
        link.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(called)
        page.go_back()
    page.goto(f"{seeded.url}/jobs/{job['id']}/")
    page.get_by_role("link", name="Back to the setting").click()
    expect(page.get_by_role("heading", name="for the nights")).to_be_visible()
    for act in ("use", "undo"):
        assert seeded.do(f"/api/correlation-settings/{made['id']}/{act}/", {}).status == 200
    page.goto(address)
    keep(page, "correlation-setting")


def _done(platform: Platform) -> dict[str, object] | None:
    found = platform.get("/api/jobs/?kind=preview-correlation")["results"]
    return next((j for j in found if j["state"] == "done"), None)
