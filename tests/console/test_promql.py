"""A query in PromQL on the page of metrics."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import keep
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
