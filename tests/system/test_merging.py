"""Running analysis is told at once what people do to the graph: signals that come after a merge are about the item that
stays, after a split about their own, after a removal about a new one."""

from __future__ import annotations

import time
from typing import Any

from tests.platform import Platform
from tests.support import eventually


def event(platform: Platform, host: str, name: str) -> None:
    """An alert of Prometheus about this host."""
    answer = platform.alerts({"labels": {"alertname": name, "host": host, "severity": "critical"}})
    assert answer.status == 200, answer.body


def item_of(platform: Platform, name: str) -> str:
    """The id of the item that the alert of this name is about, once there is one."""

    def found() -> str:
        for a in platform.get(f"/api/alerts/?search={name}")["results"]:
            if a["name"] == name and a["item"]:
                return str(a["item"]["id"] if isinstance(a["item"], dict) else a["item"])
        return ""

    return eventually(found, 30, 0.1)


def act(platform: Platform, path: str, body: dict[str, Any]) -> Any:
    """What an action answers."""
    answer = platform.do(path, body)
    assert answer.status == 200, answer.body
    return answer.json()


def test_signals_find_the_item_that_stays(platform: Platform) -> None:
    event(platform, "twin-a", "TwinA1")
    event(platform, "twin-b", "TwinB1")
    a, b = item_of(platform, "TwinA1"), item_of(platform, "TwinB1")
    assert a != b
    done = act(platform, f"/api/items/{b}/merge/", {"into": a})
    eventually(lambda: item_of(platform, "TwinB1") == a, 20, 0.1)
    event(platform, "twin-b", "TwinB2")
    assert item_of(platform, "TwinB2") == a
    assert platform.get(f"/api/items/{b}/")["id"] == a, "the old address leads there"
    told = act(platform, f"/api/merges/{done['merge']}/undo/", {})
    assert told["item"] == b
    eventually(lambda: item_of(platform, "TwinB1") == b, 20, 0.1)
    event(platform, "twin-b", "TwinB3")
    event(platform, "twin-a", "TwinA2")
    assert (item_of(platform, "TwinB3"), item_of(platform, "TwinA2")) == (b, a)


def test_what_was_removed_is_found_anew(platform: Platform) -> None:
    event(platform, "short-lived", "ShortLived1")
    first = item_of(platform, "ShortLived1")
    answer = platform.do(f"/api/items/{first}/", method="DELETE")
    assert answer.status == 204, answer.body
    time.sleep(0.5)
    event(platform, "short-lived", "ShortLived2")
    again = item_of(platform, "ShortLived2")
    assert platform.get(f"/api/items/{again}/")["name"] == "short-lived", "and not lost with the record"
