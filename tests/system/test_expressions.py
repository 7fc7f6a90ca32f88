"""Regular expressions that people give: ones that would take other engines years are answered at once on every public
surface, and ones that are none are refused by the name of their field. One platform, which is as quick at the end."""

from __future__ import annotations

import json
import time
import urllib.parse
from collections.abc import Callable, Iterator

import pytest

from tests.platform import Answer, Platform
from tests.pollers.polled_servers import Page, text
from tests.support import eventually

EVIL = ("(a+)+$", "(a|aa)+$", "(.*a){20}x", "(x+x+)+y", "^(([a-z])+.)+[A-Z]([a-z])+$", "([a-zA-Z]+)*x")
LONG = "a" * 3000 + "!"
BAD = ("(", "[z-a]", "(?=x)", "(?P<n")
Surface = Callable[[Platform, str], Answer]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with Platform(tmp_path_factory.mktemp("expressions") / "var").start(120) as started:
        yield started
        assert started.stop() == 0


def _name() -> str:
    return f"x{time.time_ns()}"


def _get(platform: Platform, path: str, **parameters: str) -> Answer:
    token = f"Bearer {platform.token}"
    return platform.call(
        "GET", f"{path}?{urllib.parse.urlencode(parameters)}", timeout=60, Authorization=token
    )


def silence(platform: Platform, pattern: str) -> Answer:
    body = {"matchers": [{"name": "long", "value": pattern, "isRegex": True, "isEqual": True}], "comment": "c",
            "createdBy": "t", "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z"}  # fmt: skip
    return platform.do("/api/v2/silences", body)


def threshold(platform: Platform, pattern: str) -> Answer:
    labels = f"long=~{json.dumps(pattern)}"
    return platform.do(
        "/api/threshold-rules/", {"name": _name(), "metric": "kept", "labels": labels, "level": 1}
    )


def custom_field(platform: Platform, pattern: str) -> Answer:
    return platform.do("/api/custom-fields/", {"kind": "sites", "name": _name(), "pattern": pattern})


def probe(platform: Platform, pattern: str) -> Answer:
    body = {
        "name": _name(),
        "kind": "http",
        "targets": ["http://127.0.0.1:1/"],
        "body": pattern,
        "enabled": False,
    }
    return platform.do("/api/probes/", body)


def tcp_probe(platform: Platform, pattern: str) -> Answer:
    body = {"name": _name(), "kind": "tcp", "targets": ["127.0.0.1:1"], "expect": pattern, "enabled": False}
    return platform.do("/api/probes/", body)


def rule(platform: Platform, pattern: str) -> Answer:
    rules = json.dumps([{"source_labels": ["long"], "regex": pattern, "action": "drop"}])
    body = {"name": _name(), "targets": ["127.0.0.1:1"], "enabled": False, "metric_relabel_configs": rules}
    return platform.do("/api/scrape-jobs/", body)


def selector(platform: Platform, pattern: str) -> Answer:
    return _get(platform, "/api/v1/query", query=f"kept{{long=~{json.dumps(pattern)}}}")


def replacing(platform: Platform, pattern: str) -> Answer:
    made = f'label_replace(vector(1), "a", "{LONG}", "", "")'
    return _get(
        platform, "/api/v1/query", query=f'label_replace({made}, "b", "$1", "a", {json.dumps(pattern)})'
    )


def log_query(platform: Platform, pattern: str) -> Answer:
    return _get(platform, "/api/logs/", q=f"/{pattern}/")


def condition(platform: Platform, pattern: str) -> Answer:
    said = f"'{'a' * 1500}!'.matches({json.dumps(pattern)})"
    return platform.do("/api/event-rules/try/", {"kinds": ["sites"], "acts": ["create"], "condition": said})


#: surface → the field that an expression which is none is refused by
SURFACES: dict[Surface, str] = {
    silence: "matcher long", threshold: "labels", custom_field: "pattern", probe: "body", tcp_probe: "expect",
    rule: "metric_relabel_configs", selector: "regex", replacing: "regular expression", log_query: "q",
}  # fmt: skip


@pytest.mark.parametrize("surface", SURFACES, ids=lambda s: s.__name__)
def test_what_is_no_expression_is_refused_by_its_field(platform: Platform, surface: Surface) -> None:
    for pattern in BAD:
        answer = surface(platform, pattern)
        assert answer.status in (400, 422), (pattern, answer.status, answer.body)
        assert SURFACES[surface] in answer.body.decode(), (pattern, answer.body)


@pytest.mark.parametrize("surface", [*SURFACES, condition], ids=lambda s: s.__name__)
def test_an_expression_that_others_choke_on_is_answered(platform: Platform, surface: Surface) -> None:
    for pattern in EVIL:
        answer = surface(platform, pattern)
        assert answer.status in (200, 201), (pattern, answer.status, answer.body[:500])


def test_lists_have_no_filter_by_expression(platform: Platform) -> None:
    for lookup in ("regex", "iregex"):
        assert _get(platform, "/api/items/", **{f"name__{lookup}": "(a+)+$"}).status == 400


def test_values_are_compared_at_once(platform: Platform) -> None:
    """With the silences, rules and fields that are there by now, a long value comes through every engine."""
    fields = {
        f["name"]: ""
        for f in platform.get("/api/custom-fields/?limit=100")["results"]
        if f["pattern"] in EVIL
    }
    for name in fields:
        answer = platform.do(
            "/api/sites/", {"name": _name(), "slug": _name(), "custom_fields": {name: "a" * 200 + "!"}}
        )
        assert answer.status == 400 and name in answer.body.decode()
    assert platform.alerts({"labels": {"alertname": "long", "long": LONG}}).status == 200
    page = Page(text(f'kept{{long="{LONG}"}} 5\n'.encode()))
    job = {"name": "long", "targets": [page.address], "interval": 1, "timeout": 1, "metric_relabel_configs": json.dumps(
        [{"source_labels": ["long"], "regex": p, "action": "drop"} for p in EVIL])}  # fmt: skip
    assert platform.do("/api/scrape-jobs/", job).status == 201
    assert eventually(lambda: platform.get("/api/alerts/?search=long")["results"], 60)
    query = {"query": 'kept{job="long"}'}
    assert eventually(lambda: _get(platform, "/api/v1/query", **query).json()["data"]["result"], 90)
    page.stop()
