"""Major incidents: who is told what and how often, what status pages show and to whom, and uptime against a plain count."""

from __future__ import annotations

import datetime as dt
import html
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from tests.domains.test_desk import call, root, ticket, work
from tests.kernel.receivers import mail_receiver
from watchkeeper.domains.health.models import ServiceHealth
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.inbox.models import Notice
from watchkeeper.domains.majors import rules
from watchkeeper.domains.majors.models import ComponentSpell, MajorIncident, StatusComponent
from watchkeeper.kernel.models import OutboxRow

__all__ = ["root"]
HOUR = 3_600_000


def shop(root: Client, **page: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A public page with one component."""
    made = call(root, "post", "status-pages", {"name": "Shop", "slug": "shop", "public": True, **page}, 201)
    return made, call(root, "post", "status-components", {"page": made["id"], "name": "Checkout"}, 201)


def declare(root: Client, component: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Nobody can pay."""
    body = {
        "title": "Nobody can pay",
        "ticket": ticket(root)["id"],
        "components": [component["id"]],
        **fields,
    }
    made: dict[str, Any] = call(root, "post", "major-incidents", body, 201)
    return made


def update(root: Client, major: dict[str, Any], state: str, text: str, **more: Any) -> None:
    call(root, "post", "status-updates", {"major": major["id"], "state": state, "text": text, **more}, 201)


def seen(slug: str = "shop") -> str:
    """What somebody without an account sees."""
    answer = Client().get(f"/status/{slug}/")
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def test_each_stakeholder_is_told_of_each_update_once(root: Client, settings: Any) -> None:
    _, component = shop(root)
    with mail_receiver() as got:
        settings.SMTP_URL = f"smtp://127.0.0.1:{got.port}?from=watch@example.org"
        major = declare(
            root, component, stakeholders=["board@example.org", "shop@example.org"], impact="No orders."
        )
        update(root, major, "identified", "The payment provider is down.")
        work()
        work()
        update(root, major, "resolved", "It answers again.")
        OutboxRow.objects.filter(kind="major-update").update(
            state="due"
        )  # as after a kill before it was noted
        work()
    subjects = sorted(m.partition("Subject: ")[2].partition("\r\n")[0] for m in got.mails[:6])
    assert subjects == sorted(
        [f"[{s}] Nobody can pay" for s in ("investigating", "identified", "resolved")] * 2
    )
    ids = {m.partition("Message-ID: ")[2].partition("\r\n")[0] for m in got.mails}
    assert len(ids) == 6, "what is sent again has the same id"
    assert "No orders." in got.mails[0]
    assert call(root, "get", f"major-incidents/{major['id']}")["state"] == "resolved"


def test_a_page_shows_it_to_everybody_and_only_what_is_public(root: Client) -> None:
    page, component = shop(root)
    assert "All systems operational" in seen()
    major = declare(root, component, component_state="major_outage")
    assert "A major outage" in seen() and "Nobody can pay" in seen()
    update(root, major, "identified", "It is the vault of the provider", public=False)
    update(root, major, "monitoring", "Payments work again")
    assert "Payments work again" in seen() and "the vault" not in seen()
    update(root, major, "resolved", "All is well")
    assert "All systems operational" in seen() and "Past incidents" in seen()
    feed = Client().get("/status/shop/feed/").content.decode()
    assert "Payments work again" in feed and "the vault" not in feed
    call(root, "patch", f"status-pages/{page['id']}", {"public": False})
    assert Client().get("/status/shop/").status_code == 404
    assert Client().get("/status/shop/feed/").status_code == 404


def test_whoever_communicates_is_reminded_unless_there_was_an_update(root: Client) -> None:
    ann = User.objects.create_user("ann", email="ann@example.org")
    _, component = shop(root)
    major = declare(root, component, communications="ann", every=5)

    def later() -> int:
        OutboxRow.objects.filter(kind="major-reminder", state="due").update(due_at=timezone.now())
        work()
        return Notice.objects.filter(user=ann, text__contains="an update is due").count()

    assert later() == 1
    update(root, major, "identified", "We know")
    update(root, major, "monitoring", "We look")
    assert later() == 2, "of two reminders the one before the last update says nothing"
    update(root, major, "resolved", "Over")
    assert later() == 2


def test_an_incident_is_declared_once_and_becomes_the_most_urgent(root: Client) -> None:
    _, component = shop(root)
    major = declare(root, component)
    assert call(root, "get", f"tickets/{major['ticket']}")["priority"] == 1
    again = call(root, "post", "major-incidents", {"title": "again", "ticket": major["ticket"]}, 400)
    assert "ticket" in str(again)
    wish = ticket(root, type="request")
    assert "only an incident" in str(
        call(root, "post", "major-incidents", {"title": "x", "ticket": wish["id"]}, 400)
    )


def test_a_component_is_what_the_worst_of_its_incidents_says(root: Client) -> None:
    _, component = shop(root)
    first = declare(root, component, component_state="degraded")
    second = declare(root, component, component_state="major_outage")
    assert StatusComponent.objects.get().state == "major_outage"
    refused = call(
        root, "post", f"status-components/{component['id']}/set-state", {"state": "operational"}, 409
    )
    assert "a major incident speaks for it" in str(refused)
    update(root, first, "identified", "It is the database")
    call(root, "patch", f"major-incidents/{first['id']}", {"impact": "Few can pay."})
    third = declare(root, component, component_state="degraded")
    assert StatusComponent.objects.get().state == "major_outage", "what is said of less hides nothing"
    update(root, third, "resolved", "It is the same")
    update(root, second, "resolved", "Over")
    assert StatusComponent.objects.get().state == "degraded"
    update(root, first, "resolved", "Over")
    assert StatusComponent.objects.get().state == "operational"
    assert ComponentSpell.objects.filter(ends_at=None).count() == 0
    call(
        root,
        "post",
        f"status-components/{component['id']}/set-state",
        {"state": "partial_outage", "reason": "slow"},
    )
    assert "Some systems are out of order" in seen()
    assert MajorIncident.objects.exclude(state="resolved").count() == 0


def test_a_component_whose_service_is_down_is_not_said_to_work(root: Client) -> None:
    """When what spoke for it ends, goes, or speaks of another, it is as healthy as its service."""
    service = call(root, "post", "items", {"name": "shop", "kind": "service"}, 201)["id"]
    now = timezone.now()
    ServiceHealth.objects.create(item_id=service, state="critical", at=now, since=now)
    _, component = shop(root)
    call(root, "patch", f"status-components/{component['id']}", {"item": service})

    def state() -> str:
        return StatusComponent.objects.get().state

    first = declare(root, component, component_state="degraded")
    second = declare(root, component, component_state="degraded")
    call(root, "patch", f"major-incidents/{first['id']}", {"components": []})
    assert state() == "degraded", "the other one speaks for it"
    update(root, second, "resolved", "Over")
    assert state() == "major_outage", "its service is still down"
    call(root, "post", f"status-components/{component['id']}/set-state", {"state": "partial_outage"})
    call(root, "patch", f"major-incidents/{second['id']}", {"impact": "Nobody could pay."})
    update(root, second, "resolved", "What we learned")
    assert state() == "partial_outage", "what is written afterwards changes nothing"
    third = declare(root, component, component_state="degraded")
    call(root, "delete", f"major-incidents/{third['id']}", status=204)
    assert state() == "major_outage"


@pytest.mark.usefixtures("db")
def test_planned_maintenance_is_left_out_and_announced(root: Client) -> None:
    item = call(root, "post", "items", {"name": "payments", "kind": "service"}, 201)
    _, component = shop(root, days=1)
    call(root, "patch", f"status-components/{component['id']}", {"item": item["id"]})
    now = timezone.now()
    row = StatusComponent.objects.get()
    ComponentSpell.objects.create(component=row, state="major_outage", begins_at=now - dt.timedelta(days=2))
    assert "up 0.00 %" in seen()
    window = {"name": "Secret switch work", "items": [item["id"]], "starts_at": (now - dt.timedelta(days=3)).isoformat(),
              "ends_at": (now + dt.timedelta(hours=2)).isoformat()}  # fmt: skip
    call(root, "post", "maintenance-windows", window, 201)
    text = seen()
    assert "in maintenance" in text and "up no data" in text
    assert "Planned maintenance" in text and "Secret switch" not in text


_STATES = st.sampled_from(list(rules.COMPONENT_STATES))
_SPELLS = st.lists(st.tuples(_STATES, st.integers(0, 60), st.integers(1, 30)), max_size=8)
_PLANNED = st.lists(st.tuples(st.integers(0, 90), st.integers(1, 30)), max_size=4)


@given(_SPELLS, _PLANNED, st.integers(0, 50), st.integers(1, 60))
def test_uptime_is_what_a_count_of_minutes_says(
    parts: list[tuple[str, int, int]], planned: list[tuple[int, int]], begin: int, length: int
) -> None:
    spells, at = [], 0
    for state, pause, lasts in parts:
        spells.append(rules.Spell(state, (at + pause) * 60_000, (at + pause + lasts) * 60_000))
        at += pause + lasts
    windows = [(b, b + n) for b, n in planned]
    minutes = [m for m in range(begin, begin + length) if not any(b <= m < e for b, e in windows)]
    lost = 0.0
    for m in minutes:
        now = next(
            (s.state for s in spells if s.begins_ms <= m * 60_000 < (s.ends_ms or 0)), rules.OPERATIONAL
        )
        lost += rules.WEIGHTS[now]
    found = rules.uptime(
        spells, [(b * 60_000, e * 60_000) for b, e in windows], begin * 60_000, (begin + length) * 60_000
    )
    assert found is None if not minutes else found == pytest.approx(1 - lost / len(minutes))


def test_the_page_of_a_status_page_leads_to_what_people_see(root: Client) -> None:
    """And from a major incident to an update and back."""
    page = call(root, "post", "status-pages", {"name": "Shop", "slug": "shop", "public": True}, 201)
    ticket = call(root, "post", "tickets", {"title": "It is down"}, 201)
    major = call(root, "post", "major-incidents", {"ticket": ticket["id"], "title": "It is down"}, 201)
    browser = Client()
    browser.force_login(User.objects.create_user("ada", is_administrator=True))
    shown = browser.get(f"/status-pages/{page['id']}/").content.decode()
    assert 'href="/status/shop/">Open it' in shown and "http://testserver/status/shop/" in shown
    here = f"/major-incidents/{major['id']}/"
    [new] = re.findall(r'href="(/status-updates/new/[^"]*)"', browser.get(here).content.decode())
    told = browser.post(html.unescape(new), {"major": major["id"], "state": "identified", "text": "a switch"})
    assert (told.status_code, told.headers["Location"]) == (302, here)
