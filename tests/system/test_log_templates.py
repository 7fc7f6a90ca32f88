"""Templates of a running platform: what people say of them holds over a kill, ids stay, values can be asked for."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.platform import Platform
from tests.support import eventually

NAMES = ("ann", "bob", "carol", "dave", "erin", "frank")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """One that may be killed."""
    with Platform(tmp_path_factory.mktemp("templates") / "var").start() as started:
        yield started


def _send(platform: Platform, *bodies: str) -> None:
    at = time.time_ns()
    records = [{"timeUnixNano": str(at + k), "body": {"stringValue": b}} for k, b in enumerate(bodies)]
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "gate"}}]}
    told = {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": records}]}]}
    assert platform.send("/v1/logs", json.dumps(told).encode()).status == 200


def _patterns(platform: Platform, query: str = "") -> dict[str, tuple[str, int]]:
    return {p["text"]: (p["template"], p["count"]) for p in platform.get(f"/api/logs/patterns/?q={query}")}


def _door(platform: Platform) -> tuple[str, int]:
    """The template of doors; the test fails with the wordings that there are."""
    found = _patterns(platform, "door")
    assert found.keys() == {"door <*> opened for user <*> after <*> ms"}
    return found["door <*> opened for user <*> after <*> ms"]


def _ids(platform: Platform, query: str) -> dict[str, str]:
    found: list[dict[str, Any]] = platform.get(f"/api/logs/?q={query}")["results"]
    return {line["body"]: line["template"] for line in found}


def test_a_merge_holds_over_kills_and_is_taken_back(own: Platform) -> None:
    _send(own, *[f"door {k} opened for user {NAMES[k % 6]} after {k}.5 ms" for k in range(60)],
          "link 3 is up", "link 4 is down")  # fmt: skip
    found = eventually(lambda: (p := _patterns(own)) and len(p) >= 3 and p, 60)
    door = found["door <*> opened for user <*> after <*> ms"]
    (up, _), (down, _) = found["link <*> is up"], found["link <*> is down"]

    own.kill_all()  # nothing that was learned has been kept but the notes
    own.start()
    _send(own, "door 900 opened for user zoe after 2 ms", "link 9 is down")
    both = {"door 900 opened for user zoe after 2 ms", "link 9 is down"}
    new = eventually(lambda: (i := _ids(own, "zoe") | _ids(own, "link")).keys() >= both and i, 60)
    assert new["door 900 opened for user zoe after 2 ms"] == door[0] and new["link 9 is down"] == down

    made = own.do(
        "/api/template-corrections/", {"kind": "merge", "template": up, "other": down, "wording": "link"}
    )
    assert made.status == 201, made.body
    _send(own, "link 10 is down")
    eventually(lambda: sum(n for _, n in _patterns(own, "link").values()) >= 4, 60)
    eventually(lambda: len(_patterns(own, "link")) == 1, 60)
    assert _patterns(own, "link") == {"link <*> is <*>": (up, 4)}
    own.kill_all()
    own.start()
    _send(own, "link 11 is down")
    eventually(lambda: _ids(own, "link").get("link 11 is down") == up, 60)
    own.do(f"/api/template-corrections/{made.json()['id']}/", method="DELETE")

    def parted() -> bool:
        _send(own, "link 12 is down")
        return len(_patterns(own, "link")) == 2

    eventually(parted, 60)
    acts = [e["act"] for e in own.get("/api/audit/")["results"]]
    assert {"template-correction.create", "template-correction.remove"} <= set(acts), acts


def test_values_of_a_template_are_typed_and_counted(own: Platform) -> None:
    (template, _) = _door(own)
    found = own.get(f"/api/logs/values/?template={template}&top=3")
    assert [p["kind"] for p in found["places"]] == ["number", "user", "number"]
    assert len(found["places"][1]["top"]) == 3 and found["places"][2]["spread"]["p99"] > 50
    assert own.do("/api/logs/values/?template=99", method="GET").status == 404


@pytest.mark.parametrize("wrong", [
    {"kind": "merge", "template": "1"}, {"kind": "merge", "template": "7", "other": "7"}, {"kind": "split", "template": "7"},
    {"kind": "split", "template": "7", "place": 0}, {"kind": "split", "template": "x", "place": 1},
    {"kind": "split", "template": "99999999999999999999", "place": 1}, {"kind": "else", "template": "7", "place": 1},
])  # fmt: skip
def test_what_says_nothing_is_refused(own: Platform, wrong: dict[str, Any]) -> None:
    assert own.do("/api/template-corrections/", wrong).status == 400
