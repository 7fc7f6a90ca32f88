"""Alertmanager's door against Alertmanager itself, and clients that send to it: Prometheus and amtool."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.receivers.front_harness import SECRET, RunningFront, call
from tests.support import eventually, free_port, require
from watchkeeper.model.errors import DiskFull, WatchkeeperError
from watchkeeper.model.signals import Stream
from watchkeeper.receivers.alertmanager import AlertmanagerDoor

JSON = {"Content-Type": "application/json"}
PATH = "/api/v2/alerts"
NOW = 1_795_385_321_000

#: bodies on which Alertmanager 0.25 and we agree: status and, for what is no parser's wording, text
SAME: list[Any] = [
    [],
    None,
    "",
    [{}],
    [{"labels": None}],
    [{"labels": {}}],
    [{"labels": {"a": ""}}],
    [{"labels": {"a-b": "c"}}],
    [{"labels": {"1a": "c"}}],
    [{"labels": {"": "c"}}],
    [{"labels": {"a": 1}}],
    {},
    "{",
    [{"labels": {"alertname": "a"}}, {"labels": {"a-b": "c"}}, {"labels": {}}],
    [{"labels": {"a": "b"}, "annotations": {"x-y": "1"}}],
    [{"labels": {"a": "b"}, "annotations": None}],
    [{"labels": {"a": "b"}, "annotations": {"x": ""}}],
    [{"labels": {"a": "b"}, "unknown": 5}],
    [{"labels": {"a": "b"}, "generatorURL": ""}],
    [{"labels": {"a": "b"}, "generatorURL": 5}],
    [{"labels": {"a": "b"}, "startsAt": "2030-01-01T00:00:00Z", "endsAt": "2029-01-01T00:00:00Z"}],
    [{"labels": {"a": "b"}, "startsAt": "2120-01-01T00:00:00Z"}],
    [{"labels": {"a": "b"}, "endsAt": "2020-01-01T00:00:00Z"}],
    [{"labels": {"a": "b"}, "startsAt": 0}],
    [{"labels": {"a": "b"}, "startsAt": "x"}],
    [{"labels": {"a": "b"}, "startsAt": "2020-01-01"}],
    [{"labels": {"a": "b"}, "startsAt": "2020-01-01T00:00:00"}],
    [{"labels": {"a": "b"}, "startsAt": "2020-01-01T00:00Z"}],
    [{"labels": {"a": "b"}, "startsAt": "2020-01-01T00:00:00.123456789+02:00"}],
    [{"labels": {"a": "b"}, "startsAt": "2020-01-01T00:00:00+0200"}],
    [{"labels": {"a": "b"}, "startsAt": "20200101T000000Z"}],
    [{"labels": {"a": "b"}, "startsAt": "0001-01-01T00:00:00Z", "endsAt": "0001-01-01T00:00:00Z"}],
]


@contextmanager
def running(command: list[str], port: int, ready: str) -> Iterator[int]:
    """A server until the block ends."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: answers(port, ready))
        yield port
    finally:
        process.terminate()
        process.wait(10)


def answers(port: int, path: str) -> bool:
    try:
        return call(port, "GET", path, key=None).status == 200
    except OSError:
        return False


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFront]:
    front = RunningFront(tmp_path_factory.mktemp("alertmanager"))
    yield front
    front.stop()


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    program = shutil.which("prometheus-alertmanager")
    require(program, "Debian's prometheus-alertmanager is not installed")
    assert program
    folder, port = tmp_path_factory.mktemp("theirs"), free_port()
    config = folder / "alertmanager.yml"
    config.write_text("route: {receiver: x}\nreceivers: [{name: x}]\n")
    command = [
        program, f"--config.file={config}", f"--storage.path={folder}", "--cluster.listen-address=",
        f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    with running(command, port, "/-/ready"):
        yield port


@pytest.mark.parametrize("body", SAME, ids=lambda b: json.dumps(b)[:60])
def test_we_answer_as_alertmanager_does(front: RunningFront, theirs: int, body: Any) -> None:
    sent = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    mine, reference = front.call("POST", PATH, sent, JSON), call(theirs, "POST", PATH, sent, JSON)
    assert mine.status == reference.status
    if b"parsing alerts body" in reference.body:
        assert mine.json()["code"] == 400
        assert mine.json()["message"].startswith('parsing alerts body from "" failed, because ')
    elif reference.body:
        assert mine.json() == reference.json()
    else:
        assert mine.body == b""
    assert mine.headers.get("Content-Type") == reference.headers.get("Content-Type")


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/json; charset=utf-8", "application/x+json"]
)
def test_content_types_as_alertmanager(front: RunningFront, theirs: int, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    mine, reference = front.call("POST", PATH, b"[]", headers), call(theirs, "POST", PATH, b"[]", headers)
    assert mine.status == reference.status
    if reference.body:
        assert mine.json()["code"] == reference.json()["code"]


def test_valid_alerts_of_a_mixed_body_are_taken_and_the_others_kept_as_dead_letters(
    front: RunningFront,
) -> None:
    mixed = [{"labels": {"alertname": "Mixed"}}, {"labels": {"bad-name": "x"}, "generatorURL": "http://x"}]
    reply = front.call("POST", PATH, json.dumps(mixed).encode(), JSON)
    assert (reply.status, reply.json()) == (400, 'invalid label set: invalid name "bad-name"')
    assert [r["status"] for r in front.rows(Stream.EVENTS) if r["name"] == "Mixed"] == ["firing"]
    letter = next(r for r in front.rows(Stream.DEAD_LETTERS) if b"bad-name" in r["payload"])
    assert letter["reason"] == "invalid_label_name" and letter["door"] == "alertmanager"
    assert letter["sender"] == "test (127.0.0.1)"
    assert json.loads(letter["payload"])[0]["labels"] == {"bad-name": "x"}, "it can be posted again as it is"
    assert front.stats("alertmanager")["rejected"]["invalid_label_name"] >= 1


def told(front: RunningFront) -> dict[tuple[str, str], dict[str, Any]]:
    """The last event of each name and status."""
    return {(r["name"], r["status"]): r for r in front.rows(Stream.EVENTS)}


def test_prometheus_fires_and_resolves_through_the_door(front: RunningFront, tmp_path: Path) -> None:
    program = shutil.which("prometheus")
    require(program, "Debian's prometheus is not installed")
    assert program
    port = free_port()
    (tmp_path / "flag.prom").write_text("")
    (tmp_path / "rules.yml").write_text("""
groups:
- name: g
  interval: 200ms
  rules:
  - alert: TestDown
    expr: up{job="gone"} == 0
    labels: {severity: critical}
    annotations: {summary: "{{ $labels.instance }} is down"}
  - alert: TestBrief
    expr: vector(time()) % 4 < 2
    labels: {severity: warning}
""")
    (tmp_path / "prometheus.yml").write_text(f"""
global:
  scrape_interval: 300ms
  scrape_timeout: 200ms
  evaluation_interval: 300ms
  external_labels: {{dc: eu-1}}
rule_files: [rules.yml]
alerting:
  alertmanagers:
  - static_configs: [{{targets: ["127.0.0.1:{front.port}"]}}]
    authorization: {{credentials: {SECRET}}}
scrape_configs:
- {{job_name: gone, static_configs: [{{targets: ["127.0.0.1:1"]}}]}}
""")
    command = [
        program, f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data",
        f"--web.listen-address=127.0.0.1:{port}", "--rules.alert.resend-delay=300ms",
    ]  # fmt: skip
    with running(command, port, "/-/ready"):
        eventually(lambda: {("TestDown", "firing"), ("TestBrief", "resolved")} <= set(told(front)))
    seen = told(front)
    down = seen["TestDown", "firing"]
    assert down["severity"] == "critical" and down["summary"] == "127.0.0.1:1 is down"
    assert json.loads(down["labels"]) == {
        "alertname": "TestDown", "dc": "eu-1", "instance": "127.0.0.1:1", "job": "gone",
        "severity": "critical",
    }  # fmt: skip
    assert down["ends_ms"] > down["received_ms"] and down["url"].startswith("http")
    assert seen["TestBrief", "resolved"]["ends_ms"] <= seen["TestBrief", "resolved"]["received_ms"]


def test_amtool_adds_an_alert(front: RunningFront) -> None:
    program = shutil.which("amtool")
    require(program, "Debian's amtool is not installed")
    url = f"http://user:{SECRET}@127.0.0.1:{front.port}"
    subprocess.run(
        [str(program), f"--alertmanager.url={url}", "alert", "add", "FromAmtool", "severity=page",
         "node=db-1",
         "--annotation=summary=Full disk"],
        check=True, capture_output=True, timeout=20,
    )  # fmt: skip
    row = next(r for r in front.rows(Stream.EVENTS) if r["name"] == "FromAmtool")
    assert (row["severity"], row["summary"], row["status"]) == ("critical", "Full disk", "firing")


words = st.text(st.characters(codec="utf-8"), max_size=20)
label_names = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,8}", fullmatch=True)
label_sets = st.dictionaries(label_names, words, min_size=1, max_size=5)


@settings(max_examples=200, deadline=None)
@given(st.lists(label_sets, max_size=8))
def test_every_alert_is_taken_once_or_counted_as_refused(sets: list[dict[str, str]]) -> None:
    body = json.dumps([{"labels": x, "annotations": x} for x in sets]).encode()
    taken = AlertmanagerDoor().take(body, "", NOW)
    assert taken.rows + sum(taken.rejected.values()) == len(sets)
    kept = [row for _, batch in taken.entries for row in batch.to_pylist()]
    wanted = [{k: v.replace("\0", "\ufffd") for k, v in x.items() if v} for x in sets if any(x.values())]
    assert [json.loads(row["labels"]) for row in kept] == wanted


@settings(max_examples=100, deadline=None)
@given(label_sets, st.randoms())
def test_an_alert_keeps_its_id_whatever_the_order_of_its_labels(labels: dict[str, str], random: Any) -> None:
    shuffled = list(labels.items())
    random.shuffle(shuffled)
    times = {"startsAt": "2026-11-22T10:00:00Z", "endsAt": "2026-11-22T11:00:00Z"}
    bodies = [json.dumps([{"labels": x, **times}]).encode() for x in (labels, dict(shuffled))]
    bodies.append(json.dumps([{"labels": labels, **times, "endsAt": "2026-11-23T00:00:00Z"}]).encode())
    ids = set()
    for body in bodies:
        for _, batch in AlertmanagerDoor().take(body, "", NOW).entries:
            ids |= {row["id"] for row in batch.to_pylist()}
    assert len(ids) == (1 if any(labels.values()) else 0)


fields = st.sampled_from(["labels", "annotations", "startsAt", "endsAt", "generatorURL", "a"])
anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner) | st.dictionaries(fields, inner),
    max_leaves=12,
)


def json_bytes(value: Any) -> bytes:
    return json.dumps([value]).encode()


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | st.builds(json_bytes, anything))
def test_anything_is_taken_or_refused_with_an_error_of_ours(body: bytes) -> None:
    try:
        AlertmanagerDoor().take(body, "", NOW)
    except WatchkeeperError as error:
        assert error.status in (400, 413, 422)


def test_utf8_label_names_where_they_are_wanted() -> None:
    body = json.dumps([{"labels": {"k8s.pod.name": "x"}}, {"labels": {"": "x"}}]).encode()
    assert AlertmanagerDoor().take(body, "", NOW).rows == 0
    taken = AlertmanagerDoor(utf8_names=True).take(body, "", NOW)
    assert (taken.rows, taken.rejected) == (1, {"invalid_label_name": 1})


def test_a_full_disk_has_its_own_status() -> None:
    answer = AlertmanagerDoor().row().refuse(DiskFull("the disk is full"), "application/json")
    assert (answer.status, answer.body) == (507, b'"the disk is full"\n')
