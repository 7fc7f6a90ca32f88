"""A recurring ticket whose rule never comes is refused, rather than looked for until the year 9999, or for ever."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client

from tests.domains.test_desk_work import call, root
from watchkeeper.domains.desk.recurring.rules import next_after

__all__ = ["root"]  # a fixture

NEVER = ["FREQ=DAILY;INTERVAL=0", "FREQ=HOURLY;INTERVAL=0", "FREQ=DAILY;INTERVAL=7;BYDAY=MO", "FREQ=HOURLY;BYHOUR=24",
         "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;UNTIL=20260101T000000"]  # fmt: skip


@pytest.mark.parametrize("rule", NEVER)
def test_a_ticket_that_would_never_come_is_refused(root: Client, rule: str) -> None:
    template = call(root, "post", "ticket-templates/", {"name": "rounds", "title": "Do the rounds"}, 201)
    body = {
        "name": "rounds",
        "template": template["id"],
        "rule": rule,
        "starts_on": "2026-06-02",
    }  # a Tuesday
    assert "rule" in call(root, "post", "recurring-tickets/", body, 400)["errors"]
    made = call(root, "post", "recurring-tickets/", {**body, "rule": "FREQ=DAILY"}, 201)
    assert "rule" in call(root, "patch", f"recurring-tickets/{made['id']}/", {"rule": rule}, 400)["errors"]
    # One that was kept before it was refused comes no more.
    assert next_after(rule, dt.datetime(2026, 6, 2), "UTC", dt.datetime(2026, 7, 1, tzinfo=dt.UTC)) is None
    call(root, "patch", f"recurring-tickets/{made['id']}/", {"rule": "FREQ=DAILY", "starts_on": "2020-01-01"})
