"""What Grafana's Prometheus data source asks, of a running platform that Prometheus' samples were written to."""

from __future__ import annotations

import base64
import json
import struct
import time
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest

from tests.platform import Answer, Platform
from tests.receivers.remote_write_messages import packed, request
from tests.support import eventually

NOW = int(time.time()) // 60 * 60
START = NOW - 1800
SERIES = [
    ({"__name__": "http_requests_total", "job": "web", "instance": f"web-{n}"},
     [(float(i * (n + 1)), (START + i * 15) * 1000) for i in range(120)])
    for n in range(2)
]  # fmt: skip
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
ENDED = ({"__name__": "batch_running"}, [(1.0, START * 1000), (STALE, (START + 15) * 1000)])


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """With half an hour of two counters."""
    with Platform(tmp_path_factory.mktemp("promql") / "var").start() as running:
        written = running.send(
            "/api/v1/write",
            packed(request([*SERIES, ENDED])),
            "application/x-protobuf",
            Content_Encoding="snappy",
        )
        assert written.status == 204, written.body
        eventually(lambda: get(running, "series", **{"match[]": "http_requests_total"}).json()["data"], 30)
        yield running
        running.stop()


def get(platform: Platform, path: str, **given: Any) -> Answer:
    """A question by GET with a token, as Grafana asks."""
    address = f"/api/v1/{path}?{urllib.parse.urlencode(given, doseq=True)}"
    return platform.call("GET", address, Authorization=f"Bearer {platform.token}")


def post(platform: Platform, path: str, **given: Any) -> Answer:
    """The same by POST, with the token as the password of Basic."""
    basic = base64.b64encode(f"grafana:{platform.token}".encode()).decode()
    body = urllib.parse.urlencode(given, doseq=True).encode()
    kind = "application/x-www-form-urlencoded"
    return platform.call("POST", f"/api/v1/{path}", body, Authorization=f"Basic {basic}", Content_Type=kind)


def test_ranges_come_as_grafana_reads_them(platform: Platform) -> None:
    given = {"query": "sum by (instance) (rate(http_requests_total[5m]))", "start": START + 600, "end": START + 720,
             "step": 60}  # fmt: skip
    expected = {"status": "success", "data": {"resultType": "matrix", "result": [
        {"metric": {"instance": f"web-{n}"}, "values": [[START + t, v] for t in (600, 660, 720)]}
        for n, v in enumerate(("0.06666666666666667", "0.13333333333333333"))
    ]}}  # fmt: skip
    assert get(platform, "query_range", **given).json() == expected
    assert post(platform, "query_range", **given | {"step": "1m"}).json() == expected


def test_instants_have_four_shapes(platform: Platform) -> None:
    def data(query: str) -> Any:
        return get(platform, "query", query=query, time=START + 60.5).json()["data"]

    one = {"__name__": "http_requests_total", "job": "web", "instance": "web-1"}
    assert data('http_requests_total{instance="web-1"}') == {
        "resultType": "vector", "result": [{"metric": one, "value": [START + 60.5, "8"]}],
    }  # fmt: skip
    values = [[START + t, v] for t, v in ((30, "4"), (45, "6"), (60, "8"))]
    assert data('http_requests_total{instance="web-1"}[31s]') == {
        "resultType": "matrix", "result": [{"metric": one, "values": values}],
    }  # fmt: skip
    assert data("1 / 0") == {"resultType": "scalar", "result": [START + 60.5, "+Inf"]}
    assert data('"text"') == {"resultType": "string", "result": [START + 60.5, "text"]}
    assert (
        get(platform, "query", query="time()").json()["data"]["result"][0] >= NOW
    )  # now, when no time is given
    at = "2024-02-29T12:00:00.123Z"
    assert (
        get(platform, "query", query="day_of_month()", time=at).json()["data"]["result"][0]["value"][1]
        == "29"
    )


def test_a_series_that_ended_is_gone_at_once(platform: Platform) -> None:
    found = [
        get(platform, "query", query="batch_running", time=START + t).json()["data"]["result"]
        for t in (14, 15, 20)
    ]
    assert [len(one) for one in found] == [1, 0, 0]
    over = get(platform, "query", query="count_over_time(batch_running[1m])", time=START + 20).json()
    assert over["data"]["result"][0]["value"][1] == "1"


def test_series_labels_and_values_fill_grafanas_pickers(platform: Platform) -> None:
    window = {"start": START, "end": NOW}
    match = {"match[]": '{job="web"}'}
    labels = [labels for labels, _ in SERIES]
    assert get(platform, "series", **match, **window).json()["data"] == labels
    assert get(platform, "series", **match, start=START - 7200, end=START - 3600).json()["data"] == []
    both = {"match[]": ['{instance="web-0"}', '{instance="web-1"}']}
    assert post(platform, "series", **both).json()["data"] == labels
    assert get(platform, "labels", **match, **window).json()["data"] == ["__name__", "instance", "job"]
    assert {"__name__", "instance", "job"} <= set(post(platform, "labels").json()["data"])
    assert get(platform, "label/instance/values", **match).json()["data"] == ["web-0", "web-1"]
    assert "http_requests_total" in get(platform, "label/__name__/values").json()["data"]
    kinds = get(platform, "metadata", metric="http_requests_total").json()["data"]
    assert list(kinds) == ["http_requests_total"] and kinds["http_requests_total"][0]["type"] == "counter"
    assert get(platform, "status/buildinfo").json()["data"]["version"] == "2.42.0"
    assert get(platform, "query_exemplars", query="up").json()["data"] == []


@pytest.mark.parametrize(
    ("path", "given", "status", "kind", "part"),
    [
        ("query", {"query": "up +"}, 400, "bad_data", "parse error"),
        ("query", {}, 400, "bad_data", "query"),
        ("query", {"query": "up[9999999y]"}, 400, "bad_data", "too large"),
        ("query", {"query": "up", "time": "yesterday"}, 400, "bad_data", "time"),
        ("query", {"query": "up", "time": "NaN"}, 400, "bad_data", "time"),
        ("query", {"query": "(" * 300 + "up" + ")" * 300}, 400, "bad_data", "nested"),
        ("query", {"query": "info(up)"}, 400, "bad_data", "info"),
        ("query", {"query": "limitk(2, up)"}, 400, "bad_data", "limitk"),
        ("query", {"query": 'up{a="1" or b="2"}'}, 400, "bad_data", '"or" between matchers'),
        ("query", {"query": 'up{a=~"[a&&b]("}'}, 400, "bad_data", "regex"),
        ("query", {"query": "up", "timeout": "soon"}, 400, "bad_data", "duration"),
        ("query_range", {"query": "up", "start": 0, "end": 10}, 400, "bad_data", "step"),
        ("query_range", {"query": "up", "start": 0, "end": 10, "step": 0}, 400, "bad_data", "zero or negative"),
        ("query_range", {"query": "up", "start": 10, "end": 0, "step": 1}, 400, "bad_data", "end timestamp"),
        ("query_range", {"query": "up", "start": 0, "end": 12_000, "step": 1}, 400, "bad_data", "11,000"),
        ("query_range", {"query": "up[5m]", "start": 0, "end": 10, "step": 1}, 400, "bad_data", "range vector"),
        ("query", {"query": "{job='web'} + on(job) {job='web'}", "time": START + 60}, 422, "execution", "many-to-many"),
        ("query", {"query": "max_over_time(vector(1)[1000d:1ms])"}, 422, "execution", "values"),
        ("query_range", {"query": "count_values('v', vector(time() / 7))", "start": NOW - 10_000, "end": NOW, "step": 1},
         422, "execution", "10001 series"),
        ("query", {"query": "up", "timeout": "0.000001"}, 503, "timeout", "longer"),
        ("series", {}, 400, "bad_data", "match[]"),
        ("series", {"match[]": "rate(up[5m])"}, 400, "bad_data", "rate"),
        ("labels", {"limit": "many"}, 400, "bad_data", "limit"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_says_why_as_prometheus_does(
    platform: Platform, path: str, given: dict[str, Any], status: int, kind: str, part: str
) -> None:
    answer = get(platform, path, **given)
    found = answer.json()
    assert (answer.status, found["status"], found["errorType"]) == (status, "error", kind), found
    assert part in found["error"]


def test_a_query_may_be_long_but_not_too_long(platform: Platform) -> None:
    assert post(platform, "query", query=" or ".join(["up"] * 150)).status == 200
    found = post(platform, "query", query="up" + " " * 20_000)
    assert found.status == 400 and "10000" in found.json()["error"]


def test_only_who_may_read_may_ask(platform: Platform) -> None:
    nobody = platform.call("GET", "/api/v1/query?query=1")
    assert nobody.status == 401 and nobody.headers["www-authenticate"].startswith("Basic")
    assert json.loads(nobody.body)["errorType"] == "unauthorized"
    wrong = platform.call("GET", "/api/v1/query?query=1", Authorization=f"Bearer {platform.key}")
    assert wrong.status == 401
    assert platform.call("PUT", "/api/v1/query", b"", Authorization=f"Bearer {platform.token}").status == 405
    reader = platform.run("token", "create", "grafana", "--scope", "read")
    assert platform.call("GET", "/api/v1/query?query=1", Authorization=f"Bearer {reader}").status == 200
