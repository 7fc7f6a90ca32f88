"""The set-up pages of the HTTP doors are followed to the letter: their lines configure real clients, and every
reason, path and door they name exists."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.receivers.front_harness import SECRET, RunningFront
from tests.support import require
from watchkeeper.model.signals import Stream

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = ROOT / "docs/how-to/doors"
SENDER = """
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
traces, logs = TracerProvider(), LoggerProvider()
traces.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))
logs.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter()))
metrics = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter(), 3_600_000)])
traces.get_tracer("page").start_span("from the page").end()
logs.get_logger("page").emit(body="from the page")
metrics.get_meter("page").create_counter("page.count").add(1)
for provider in (traces, logs, metrics):
    provider.shutdown()
"""


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFront]:
    front = RunningFront(tmp_path_factory.mktemp("pages"))
    yield front
    front.stop()


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of a page in this language."""
    text = (PAGES / page).read_text()
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", text, re.M | re.S)
    return ["\n".join(line.removeprefix(indent) for line in body.splitlines()) for indent, body in found]


def for_front(text: str, front: RunningFront) -> str:
    """With the test's address and key in place of the page's."""
    assert "127.0.0.1:8080" in text and "YOUR-INTAKE-KEY" in text
    return text.replace("127.0.0.1:8080", f"127.0.0.1:{front.port}").replace("YOUR-INTAKE-KEY", SECRET)


@pytest.mark.parametrize("way", ["http", "grpc"])
def test_the_sdk_follows_the_page(tmp_path: Path, way: str) -> None:
    front = RunningFront(tmp_path)
    lines, over_grpc, _ = blocks("opentelemetry.md", "sh")
    text = for_front(lines, front)
    if way == "grpc":
        text += "\n" + over_grpc.replace(":4317", f":{front.grpc_port}").replace("YOUR-INTAKE-KEY", SECRET)
    environment = {**os.environ, **dict(shlex.split(line)[1].split("=", 1) for line in text.splitlines())}
    sender = SENDER.replace("proto.http", f"proto.{way}")
    done = subprocess.run([sys.executable, "-c", sender], env=environment, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    span = next(r for r in front.rows(Stream.SPANS) if r["name"] == "from the page")
    log = next(r for r in front.rows(Stream.LOGS) if r["body"] == "from the page")
    assert (span["service"], span["host"]) == (log["service"], log["host"]) == ("checkout", "web-1")
    series = next(r for r in front.rows(Stream.SERIES) if r["name"] == "page.count")
    assert series["kind"] == "counter" and '"service.instance.id":"checkout-1"' in series["labels"]
    front.stop()


def test_prometheus_and_amtool_follow_the_page(front: RunningFront, tmp_path: Path) -> None:
    promtool, amtool = shutil.which("promtool"), shutil.which("amtool")
    require(promtool and amtool, "Debian's prometheus and prometheus-alertmanager are not installed")
    (yaml,) = blocks("alertmanager.md", "yaml")
    config = tmp_path / "prometheus.yml"
    config.write_text(for_front(yaml, front))
    done = subprocess.run([str(promtool), "check", "config", str(config)], capture_output=True, timeout=20)
    assert done.returncode == 0, done.stderr.decode()
    (line,) = blocks("alertmanager.md", "sh")
    subprocess.run(shlex.split(for_front(line, front)), check=True, capture_output=True, timeout=20)
    assert any(r["name"] == "TestAlert" for r in front.rows(Stream.EVENTS))


def test_curl_and_alertmanager_follow_the_page_for_pagerduty(front: RunningFront, tmp_path: Path) -> None:
    curl, amtool = shutil.which("curl"), shutil.which("amtool")
    require(curl and amtool, "curl and Debian's prometheus-alertmanager are not installed")
    (yaml,) = blocks("pagerduty.md", "yaml")
    config = tmp_path / "alertmanager.yml"
    config.write_text(for_front(yaml, front))
    subprocess.run([str(amtool), "check-config", str(config)], check=True, capture_output=True, timeout=20)
    (line,) = blocks("pagerduty.md", "sh")
    done = subprocess.run(shlex.split(for_front(line, front)), check=True, capture_output=True, timeout=20)
    assert b'"dedup_key":"test"' in done.stdout
    assert any(r["summary"] == "A test" for r in front.rows(Stream.EVENTS))


@pytest.mark.parametrize(("page", "door", "paths"), [
    ("alertmanager.md", "alertmanager", {"/api/v2/alerts"}),
    ("opentelemetry.md", "otlp", {"/v1/metrics", "/v1/logs", "/v1/traces"}),
    ("pagerduty.md", "pagerduty", {"/v2/enqueue", "/v2/change/enqueue"}),
])  # fmt: skip
def test_a_page_names_what_exists(front: RunningFront, page: str, door: str, paths: set[str]) -> None:
    text = (PAGES / page).read_text()
    assert set(re.findall(r"`POST (/[^`]+)`", text)) == paths
    assert f"door `{door}`" in text and door in front.front.stats()
    for path in paths:
        assert front.call("POST", path, b"{", {"Content-Type": "application/json"}).status == 400
    folders = (ROOT / "src/watchkeeper/receivers", ROOT / "src/watchkeeper/model")
    source = "\n".join(p.read_text() for folder in folders for p in folder.glob("*.py"))
    rows = re.findall(r"^\| [\d, a-zA-Z_()]+ \| ([^|]*) \|", text, re.M)
    reasons = {reason for row in rows for reason in re.findall(r"`(\w+)`", row)}
    assert len(reasons) > 10
    assert not {reason for reason in reasons if f'"{reason}"' not in source}
