"""The pages of scrape jobs and probes: made in the browser, and how their targets stand."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.console.axe import look
from tests.console.conftest import keep
from tests.platform import Platform
from tests.pollers import polled_servers
from tests.pollers.polled_servers import text
from tests.support import eventually

RULES = "- {source_labels: [__address__], regex: '.*:1', action: drop}"


def until(page: Page, words: str) -> None:
    """Reload until the page says so."""
    eventually(lambda: page.reload() and page.get_by_text(words, exact=words == "up").count(), 60, 0.5)


def test_a_scrape_job_with_rules_shows_its_targets(seeded: Platform, page: Page, said: list[str]) -> None:
    metrics = polled_servers.Page(text(b"answers_total 7\n"))
    page.goto(f"{seeded.url}/scrape-jobs/new/")
    page.get_by_label("Name", exact=True).fill("browser")
    page.get_by_label("Targets", exact=True).fill(f"{metrics.address}\n127.0.0.1:1")
    page.get_by_label("Every (seconds)").fill("2")
    page.get_by_label("Time limit (seconds)").fill("1")
    expect(page.get_by_label("Rules for targets")).to_be_hidden()
    page.get_by_text("Labels and relabelling").click()
    page.get_by_label("Rules for targets").fill("- {regex: '(', action: drop}")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("rule 1: regex: no regular expression").first).to_be_visible()
    expect(
        page.get_by_label("Rules for targets")
    ).to_be_visible()  # its section is open, because something is wrong in it
    said.clear()  # the browser notes the 400
    keep(page, "scrape-job-form")
    page.get_by_label("Rules for targets").fill(RULES)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="browser", exact=True)).to_be_visible()
    until(page, "1 more is left out by the rules for targets")
    until(page, "up")
    keep(page, "scrape-job")
    page.emulate_media(reduced_motion="reduce")
    assert look(page) == []
    for job in seeded.get("/api/scrape-jobs/?name=browser")["results"]:
        assert seeded.do(f"/api/scrape-jobs/{job['id']}/", method="DELETE").status == 204
    metrics.stop()


def test_a_form_shows_the_sections_that_matter(seeded: Platform, page: Page, said: list[str]) -> None:
    page.goto(f"{seeded.url}/probes/new/")
    expect(page.get_by_label("HTTP: expected statuses")).to_be_visible()
    expect(page.get_by_label("DNS: record")).to_be_hidden()
    page.get_by_label("Kind", exact=True).select_option("dns")
    expect(page.get_by_label("HTTP: expected statuses")).to_be_hidden()
    expect(page.get_by_label("DNS: record")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("names")
    page.get_by_label("Targets", exact=True).fill("watch.example.org")
    page.get_by_label("On", exact=True).uncheck()
    summary = page.locator("summary", has_text="When it is told")
    summary.focus()
    page.keyboard.press("Enter")
    page.get_by_label("Told after (failures in a row)").fill(
        "1.5"
    )  # a browser takes it, the platform does not
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Told after (failures in a row)")).to_be_visible()
    said.clear()  # the browser notes the 400
    page.get_by_label("Told after (failures in a row)").fill("4")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="names", exact=True)).to_be_visible()
    page.get_by_role("link", name="Change", exact=True).click()
    expect(page.get_by_label("Told after (failures in a row)")).to_have_value("4")
    expect(page.get_by_label("Told after (failures in a row)")).to_be_visible()
    for probe in seeded.get("/api/probes/?name=names")["results"]:
        assert seeded.do(f"/api/probes/{probe['id']}/", method="DELETE").status == 204


def test_a_probe_says_what_is_wrong(seeded: Platform, page: Page) -> None:
    answer = polled_servers.Page(text(b"no", status=503))
    made = seeded.do("/api/probes/", {"name": "browser", "kind": "http", "targets": [f"http://{answer.address}/"],
                                      "interval": 2, "timeout": 1, "failures": 100})  # fmt: skip
    page.goto(f"{seeded.url}/probes/{made.json()['id']}/")
    until(page, "answers 503 instead of 200")
    keep(page, "probe")
    page.emulate_media(reduced_motion="reduce")
    assert look(page) == []
    assert seeded.do(f"/api/probes/{made.json()['id']}/", method="DELETE").status == 204
    answer.stop()
