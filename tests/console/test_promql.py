"""A query in PromQL on the page of metrics."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.console.axe import look
from tests.console.conftest import keep, unfold
from tests.console.test_pages import drawn
from tests.platform import Platform


def test_a_query_is_drawn_and_its_series_are_named(seeded: Platform, page: Page) -> None:
    page.goto(f"{seeded.url}/explore/metrics/")
    page.get_by_label("Query in PromQL").fill(
        'max by ("host.name") (avg_over_time({"db.cache.hit_ratio"}[5m]))'
    )
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_role("heading", name="1 series")).to_be_visible()
    drawn(page, ".wk-chart", 1)
    keep(page, "promql")
    page.get_by_role("link", name="6 h").click()
    expect(page.get_by_label("Query in PromQL")).to_have_value(
        'max by ("host.name") (avg_over_time({"db.cache.hit_ratio"}[5m]))'
    )
    drawn(page, ".wk-chart", 1)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("sum(", "parse error"),
        ("limitk(2, up)", "the aggregation limitk is not supported"),
        ("no_such_metric", "No series has a value"),
    ],
)
def test_what_is_wrong_stands_under_the_query(seeded: Platform, page: Page, query: str, says: str) -> None:
    page.goto(f"{seeded.url}/explore/metrics/")
    page.get_by_label("Query in PromQL").fill(query)
    page.get_by_label("Query in PromQL").press("Enter")
    expect(page.locator("main")).to_contain_text(says)
    expect(page.get_by_label("Query in PromQL")).to_have_value(query)


def test_a_metric_is_chosen_as_evidence_of_a_cause_and_its_day_is_seen(seeded: Platform, page: Page) -> None:
    def made(path: str, **fields: object) -> int:
        answer = seeded.do(f"/api/{path}/", fields)
        assert answer.status == 201, answer
        return int(answer.json()["id"])

    cause = made("problem-causes", problem=made("problems", title="The cache misses"), what="It is too small")
    page.goto(f"{seeded.url}/problem-evidence/new/?cause={cause}")
    unfold(page)
    box = page.get_by_role("combobox", name="Metric", exact=True)
    box.press_sequentially("cache.hit")
    found = page.get_by_role("listbox", name="Metric").get_by_role("option")
    expect(found).to_have_count(1)
    found.click()
    page.get_by_role("button", name="Add a condition").click()
    page.get_by_label("Condition 1: label").select_option("service.name")
    page.get_by_label("Condition 1: value").select_option("orders-db")
    query = page.get_by_label("Metric, as PromQL")
    expect(query).to_have_value('{"db.cache.hit_ratio", "service.name"="orders-db"}')
    expect(page.locator(".wk-chart[data-state=drawn]")).to_be_visible()
    keep(page, "evidence-metric-new")
    assert not (wrong := look(page)), wrong
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="The metric, around when it was seen")).to_be_visible()
    expect(page.locator(".wk-chart[data-state=drawn]")).to_be_visible()
    keep(page, "evidence-metric")
    assert not (wrong := look(page)), wrong


def test_a_query_that_cannot_be_read_is_no_evidence(seeded: Platform) -> None:
    problem = seeded.do("/api/problems/", {"title": "x"}).json()["id"]
    cause = seeded.do("/api/problem-causes/", {"problem": problem, "what": "y"}).json()["id"]
    answer = seeded.do("/api/problem-evidence/", {"cause": cause, "query": "rate(up"})
    assert answer.status == 400 and "query" in answer.json()["errors"], answer
