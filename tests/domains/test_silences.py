"""Silences by item, through HTTP, the journal and analysis: what they hold back, how Alertmanager's clients see them, and
that they follow an item that is merged, also over a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.api.platform_parts import alone, analysing
from tests.domains.test_maintenance import down, work
from tests.support import eventually
from watchkeeper.domains.inventory.merging import merge
from watchkeeper.domains.inventory.models import Item
from watchkeeper.domains.situations.models import Silence
from watchkeeper.kernel.acting import SYSTEM

UNTIL = "2099-01-01T00:00:00Z"


@pytest.mark.usefixtures("transactional_db")
def test_a_silence_by_item_follows_its_item(tmp_path: Path) -> None:
    with alone(tmp_path) as web:

        def held(instance: str, name: str = "Down") -> str:
            found = web.call("GET", "/api/alerts/").json["results"]
            by = (
                a["suppressed_by"]
                for a in found
                if a["labels"].get("instance") == instance and a["name"] == name
            )
            return str(next(by, "is not there yet"))

        def make(**about: Any) -> dict[str, Any]:
            answer = web.call("POST", "/api/silences/", {"ends_at": UNTIL, **about})
            assert answer.status in (201, 202), answer.body
            key = answer.json["id"]
            eventually(lambda: web.call("GET", f"/api/silences/{key}/").status == 200)
            made: dict[str, Any] = web.call("GET", f"/api/silences/{key}/").json
            return made

        with analysing(web.journal, tmp_path):
            web.tell(down("db-1"), down("web-1"))
            eventually(lambda: Item.objects.filter(name__in=["db-1", "web-1"]).count() == 2)
            eventually(lambda: web.call("GET", "/api/alerts/").json["count"] == 2)
            db, front = (Item.objects.get(name=n) for n in ("db-1", "web-1"))
            made = make(items=[db.pk], reach="items", comment="moving it")
            assert (made["items"], made["reach"], made["matchers"]) == ([db.pk], "items", [])
            eventually(lambda: held("db-1") == f"silence:{made['id']}")
            assert held("web-1") == ""
            shown = web.call("GET", "/api/v2/silences?filter=item%3Ddb-1", scope="read").json
            assert [s["matchers"] for s in shown] == [
                [{"name": "item", "value": "db-1", "isRegex": False, "isEqual": True}]
            ]
            changed = {**shown[0], "comment": "as amtool would"}
            assert web.call("POST", "/api/v2/silences", changed).status == 400
            narrow = make(
                items=[front.pk], matchers=[{"name": "alertname", "value": "Down", "isEqual": False}]
            )
            assert narrow["matchers"][0]["isEqual"] is False and held("web-1") == ""
            web.tell({"labels": {"alertname": "Slow", "instance": "web-1"}})
            eventually(lambda: held("web-1", "Slow") == f"silence:{narrow['id']}")
            merge(SYSTEM, front, db)
            work()
            eventually(lambda: held("web-1") == f"silence:{made['id']}")
        with analysing(web.journal, tmp_path):
            web.tell({"labels": {"alertname": "Hot", "instance": "web-1"}})
            eventually(lambda: web.call("GET", "/api/alerts/?name=Hot").json["count"] == 1)
            assert held("web-1", "Hot").startswith("silence:")
            assert [i.pk for i in Silence.objects.get(pk=made["id"]).items.all()] == [front.pk]


@pytest.mark.usefixtures("transactional_db")
def test_a_silence_about_nothing_is_refused(tmp_path: Path) -> None:
    with alone(tmp_path) as web:
        for about in ({}, {"items": [], "matchers": []}):
            answer = web.call("POST", "/api/silences/", {"ends_at": UNTIL, **about})
            assert answer.status == 400 and "matchers" in answer.json["errors"]
        assert web.call("POST", "/api/silences/", {"ends_at": UNTIL, "items": ["none"]}).status == 400
        wrong = {"ends_at": UNTIL, "matchers": [{"name": "a", "value": "b"}], "reach": "far"}
        assert "reach" in web.call("POST", "/api/silences/", wrong).json["errors"]
