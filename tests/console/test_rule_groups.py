"""Rules of Prometheus in the console: a file is pasted, what is wrong is said, and its groups show how they stand."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.console.conftest import keep
from tests.platform import Platform
from tests.support import eventually

FILE = """groups:
  - name: answers
    interval: 1s
    rules:
      - record: service:answers:max
        expr: max by (service_name) (http_request_seconds)
      - alert: NoSuchThing
        expr: absent(no_such_metric{host="db-1"})
        for: 1h
        annotations: {summary: "nothing of {{ $labels.host }}"}
      - alert: CannotBe
        expr: vector(1) + on () group_left () (vector(1) or label_replace(vector(1), "a", "b", "", ""))
"""


def test_a_file_is_pasted_and_its_groups_show_how_they_stand(
    seeded: Platform, page: Page, said: list[str]
) -> None:
    page.goto(f"{seeded.url}/rule-groups/")
    page.get_by_role("link", name="Import", exact=True).click()
    page.get_by_label("Name of the file").fill("answers.yml")
    page.get_by_label("Or paste it here").fill(FILE.replace("for: 1h", "for: long"))
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_role("alert")).to_contain_text("Line 9")
    keep(page, "rule-file-refused")
    said.clear()  # the browser notes the 400
    page.get_by_label("Or paste it here").fill(FILE)
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_role("link", name="answers", exact=True)).to_be_visible()
    expect(page.get_by_text("2 alerting, 1 recording")).to_be_visible()
    keep(page, "rule-groups")

    def stands() -> bool:
        groups = seeded.get("/api/v1/rules?rule_group[]=answers")["data"]["groups"]
        return bool(groups) and all(rule["health"] != "unknown" for rule in groups[0]["rules"])

    eventually(stands, 40)
    page.get_by_role("link", name="answers", exact=True).click()
    expect(page.get_by_text("nothing of db-1")).to_be_visible()
    expect(page.get_by_text("It cannot be evaluated")).to_be_visible()
    keep(page, "rule-group")
    [group] = seeded.get("/api/rule-groups/?name=answers")["results"]
    assert seeded.do(f"/api/rule-groups/{group['id']}/", method="DELETE").status == 204
