"""Debian's Prometheus writes to the front, set up as the documentation says."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.receivers.front_harness import SECRET, RunningFront, call
from tests.receivers.remote_write_messages import packed, request
from tests.support import eventually, free_port, require
from watchkeeper.model.series import series_id
from watchkeeper.model.signals import Stream
from watchkeeper.receivers.remote_write import RemoteWriteDoor

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "doors" / "prometheus.md"
HEADERS = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}
VERSION_3 = "application/x-protobuf;proto=io.prometheus.write.v3.Request"


class Front(RunningFront):
    """The front with the remote write door."""

    async def _serve(self) -> None:
        self._rows.append(RemoteWriteDoor(self.series).row())
        await super()._serve()


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    running = Front(tmp_path_factory.mktemp("remote_write"))
    yield running
    running.stop()


def documented(front: Front) -> str:
    """The YAML of the set-up page, with this front's address and key."""
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    block = re.sub(r"^   ", "", block, flags=re.MULTILINE)
    assert "127.0.0.1:8080" in block and "YOUR-INTAKE-KEY" in block
    return block.replace("127.0.0.1:8080", f"127.0.0.1:{front.port}").replace("YOUR-INTAKE-KEY", SECRET)


@pytest.fixture(scope="module")
def prometheus(front: Front, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus that scrapes itself; the address of its API."""
    program = shutil.which("prometheus")
    require(program, "prometheus is not installed")
    folder = tmp_path_factory.mktemp("prometheus")
    address = f"127.0.0.1:{free_port()}"
    (folder / "prometheus.yml").write_text(
        f"global: {{scrape_interval: 1s}}\n{documented(front)}\nscrape_configs:\n"
        f"- {{job_name: self, static_configs: [{{targets: ['{address}']}}]}}\n"
    )
    command = [
        str(program), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address={address}", "--log.level=warn",
    ]  # fmt: skip
    with (folder / "log").open("w") as log, subprocess.Popen(command, stderr=log) as process:
        yield address
        process.terminate()


def query(address: str, expression: str) -> list[dict[str, Any]]:
    where = f"http://{address}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
    with urllib.request.urlopen(where, timeout=10) as response:
        found: list[dict[str, Any]] = json.load(response)["data"]["result"]
        return found


def test_everything_prometheus_scrapes_is_in_the_journal_under_the_same_labels(
    front: Front, prometheus: str
) -> None:
    eventually(lambda: len({r["time_ms"] for r in front.rows(Stream.SAMPLES)}) >= 3, 60)
    scraped = query(prometheus, '{__name__=~"prometheus_build_info|process_start_time_seconds|up"}[10s]')
    assert len(scraped) == 3
    stored = {(r["series"], r["time_ms"]): r["value"] for r in front.rows(Stream.SAMPLES)}
    declared = {r["id"]: r for r in front.rows(Stream.SERIES)}
    for series in scraped:
        own = series_id(series["metric"])
        assert declared[own]["door"] == "remote_write"
        for at, value in series["values"][:2]:
            assert stored[own, round(at * 1000)] == float(value)
    everything = query(prometheus, 'count({__name__!=""})')
    assert len(declared) >= int(everything[0]["value"][1]) - 5
    assert {r["series"] for r in front.rows(Stream.SAMPLES)} <= set(declared)
    stats = front.stats("remote_write")
    assert stats["rejected"] == {} and stats["rows"] == len(front.rows(Stream.SAMPLES))


def test_an_answer_of_204_means_stored_and_400_tells_of_what_was_not(front: Front) -> None:
    now = time.time_ns() // 1_000_000
    good = [({"__name__": "answered", "i": str(i)}, [(float(i), now)]) for i in range(3)]
    reply = call(front.port, "POST", "/api/v1/write", packed(request(good)), HEADERS)
    assert (reply.status, reply.body) == (204, b"")
    mixed = [*good, ({"job": "nameless"}, [(1.0, now)])]
    reply = call(front.port, "POST", "/api/v1/write", packed(request(mixed)), HEADERS)
    assert reply.status == 400 and b"3 samples taken, 1 refused" in reply.body
    stored = [r["value"] for r in front.rows(Stream.SAMPLES) if r["series"] == series_id(good[2][0])]
    assert stored == [2.0, 2.0]
    letter = front.rows(Stream.DEAD_LETTERS)[-1]
    assert (letter["door"], letter["reason"]) == ("remote_write", "no_name")
    assert b"nameless" in letter["payload"]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"\xff\xff\xff\xff\x0f" + b"\xfe\x01\x00" * 100, HEADERS, 413),  # claims 4 GiB
        (b"\x0a\x05\x0a", HEADERS, 400),
        (packed(request([])), {**HEADERS, "Content-Type": "application/json"}, 415),
        (packed(request([])), {**HEADERS, "Content-Type": VERSION_3}, 415),
        (packed(request([])), {**HEADERS, "Content-Encoding": "gzip"}, 415),
        (packed(request([])), HEADERS, 204),
    ],
)  # fmt: skip
def test_other_answers(front: Front, body: bytes, headers: dict[str, str], status: int) -> None:
    assert call(front.port, "POST", "/api/v1/write", body, headers).status == status


def test_every_reason_of_the_decoder_is_documented() -> None:
    folder = Path(__file__).parents[2] / "src" / "watchkeeper" / "receivers"
    text = "".join(p.read_text() for p in sorted(folder.glob("remote_write*.py")))
    reasons = set(re.findall(r'reason="(\w+)"|refused\.add\(\s*"(\w+)"|reason = "(\w+)"', text))
    assert len(reasons) >= 8
    for reason in filter(None, (name for group in reasons for name in group)):
        assert f"`{reason}`" in PAGE.read_text(), reason
