"""The set-up pages of webhooks are followed to the letter: Alertmanager is configured by its page, the scripts of the
pages are run as Zabbix, Icinga and Checkmk would, and every door, address and reason that they name exists."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.receivers.front_harness import SECRET, RunningFront
from tests.receivers.test_alertmanager import running
from tests.receivers.test_http_setup_pages import PAGES, ROOT, blocks, for_front
from tests.support import eventually, free_port, require
from watchkeeper.model.doors import Mapping
from watchkeeper.model.signals import Stream
from watchkeeper.receivers import webhooks
from watchkeeper.receivers.webhooks import custom, mapping
from watchkeeper.receivers.webhooks.payload import OVER

DOORS = {d.name: d for d in webhooks.doors() if d.decode_for is None}
JSON = {"Content-Type": "application/json"}
#: what Zabbix gives its scripts to make requests with, and nothing more
ZABBIX = """
const { execFileSync } = require('child_process');
class HttpRequest {
  constructor() { this.headers = []; }
  addHeader(header) { this.headers.push('-H', header); }
  post(url, body) {
    const out = execFileSync('curl', ['-s', '-w', '\\n%{http_code}', ...this.headers, '-d', body, url]).toString();
    this.status = Number(out.slice(out.lastIndexOf('\\n') + 1));
    return out.slice(0, out.lastIndexOf('\\n'));
  }
  getStatus() { return this.status; }
}
const [script, value] = JSON.parse(require('fs').readFileSync(0));
try { console.log(new Function('value', 'HttpRequest', script)(value, HttpRequest)); }
catch (error) { console.log('ERROR ' + error); }
"""


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFront]:
    running = RunningFront(tmp_path_factory.mktemp("webhook-pages"), doors=webhooks.doors())
    yield running
    running.stop()


def told(front: RunningFront, door: str) -> list[dict[str, Any]]:
    rows = [r for r in front.rows(Stream.EVENTS) if r["door"] == door]
    return [
        r | {"labels": json.loads(r["labels"]), "annotations": json.loads(r["annotations"])} for r in rows
    ]


def test_alertmanager_follows_its_page(front: RunningFront, tmp_path: Path) -> None:
    program, amtool = shutil.which("prometheus-alertmanager"), shutil.which("amtool")
    require(program and amtool, "Debian's prometheus-alertmanager is not installed")
    config = yaml.safe_load(for_front(blocks("alertmanager_webhook.md", "yaml")[0], front))
    config["route"] |= {"group_wait": "0s", "group_interval": "1s"}  # the test does not wait for minutes
    (tmp_path / "alertmanager.yml").write_text(yaml.safe_dump(config))
    port = free_port()
    command = [str(program), f"--config.file={tmp_path / 'alertmanager.yml'}", f"--storage.path={tmp_path}",
               "--cluster.listen-address=", f"--web.listen-address=127.0.0.1:{port}"]  # fmt: skip
    add = [str(amtool), f"--alertmanager.url=http://127.0.0.1:{port}", "alert", "add", "DiskFull", "severity=page",
           "instance=db-1", "--annotation=summary=Disk is full", "--start=2026-01-01T10:00:00Z"]  # fmt: skip

    def last() -> dict[str, Any]:
        return next(reversed(told(front, "alertmanager_webhook")), {"status": "nothing"})

    with running(command, port, "/-/ready"):
        subprocess.run(add, check=True, capture_output=True, timeout=20)
        eventually(lambda: last()["status"] == "firing")
        subprocess.run([*add, "--end=2026-01-01T11:00:00Z"], check=True, capture_output=True, timeout=20)
        eventually(lambda: last()["status"] == "resolved")
    began, over = told(front, "alertmanager_webhook")[0], last()
    assert (began["name"], began["severity"], began["summary"]) == ("DiskFull", "critical", "Disk is full")
    assert (began["labels"], began["name"], began["ends_ms"]) == (over["labels"], over["name"], 0)
    assert over["starts_ms"] < over["ends_ms"]


def zabbix(front: RunningFront, **macros: str) -> str:
    """What the script of the page answers when its parameters have these values."""
    node = shutil.which("node")
    require(node, "node is not installed")
    (table,), (script,) = blocks("zabbix.md", "text"), blocks("zabbix.md", "javascript")
    assert not re.search(r"=>|`|\b(let|const|class)\b", script), "Zabbix's engine knows ECMAScript 5"
    params = dict(line.split(maxsplit=1) for line in for_front(table, front).splitlines())
    for macro, text in macros.items():
        params = {k: v.replace("{" + macro.replace("_", ".") + "}", text) for k, v in params.items()}
    done = subprocess.run([str(node), "-e", ZABBIX], input=json.dumps([script, json.dumps(params)]), text=True,
                          capture_output=True, timeout=30)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_zabbix_follows_its_page(front: RunningFront) -> None:
    problem = {
        "EVENT_ID": "4711", "EVENT_NAME": 'Disk "full"', "EVENT_NSEVERITY": "5", "HOST_HOST": "db-1", "HOST_IP": "192.0.2.9",
        "EVENT_OPDATA": "99 %", "TRIGGER_ID": "23", "EVENT_TAGSJSON": '[{"tag":"scope","value":"capacity"}]',
        "EVENT_TIMESTAMP": "1795384721",
    }  # fmt: skip
    assert zabbix(front, EVENT_VALUE="1", **problem) == "OK"
    assert zabbix(front, EVENT_VALUE="0", EVENT_RECOVERY_TIMESTAMP="1795385021", **problem) == "OK"
    assert "missing required field `event_id`" in zabbix(front)
    began, over = told(front, "zabbix")
    assert (began["name"], began["severity"], began["summary"]) == ('Disk "full"', "critical", "99 %")
    assert (began["status"], over["status"]) == ("firing", "resolved")
    assert (began["starts_ms"], over["ends_ms"]) == (1_795_384_721_000, 1_795_385_021_000)
    assert began["labels"] == over["labels"] == {
        "dedup_key": "4711", "host": "db-1", "host_ip": "192.0.2.9", "scope": "capacity", "trigger_id": "23",
    }  # fmt: skip


def run(front: RunningFront, page: str, folder: Path, **environment: str) -> int:
    """The script of a page with these variables, from a file as the page says."""
    script = folder / "script.sh"
    script.write_text(for_front(blocks(page, "bash")[0], front))
    script.chmod(0o700)
    done = subprocess.run(
        [script], env={"PATH": os.environ["PATH"], **environment}, capture_output=True, timeout=30
    )
    return done.returncode


def test_icinga_follows_its_page(front: RunningFront, tmp_path: Path) -> None:
    require(shutil.which("curl"), "curl is not installed")
    given = {"WK_TYPE": "PROBLEM", "WK_HOST": "db-1", "WK_SERVICE": "disk /", "WK_STATE": "CRITICAL",
             "WK_OUTPUT": "full & 'quoted' = \"ü\"\nsecond line", "WK_TIME": "1795384721", "WK_COMMENT": "a+b"}  # fmt: skip
    assert run(front, "icinga.md", tmp_path, **given) == 0
    assert run(front, "icinga.md", tmp_path, **given | {"WK_STATE": "OK", "WK_TYPE": "RECOVERY"}) == 0
    assert run(front, "icinga.md", tmp_path, **given | {"WK_STATE": "$service.state$"}) == 22, (
        "curl says so to Icinga"
    )
    began, over = told(front, "icinga")
    assert (began["summary"], began["annotations"]["comment"]) == (given["WK_OUTPUT"], "a+b")
    assert (began["status"], over["status"]) == ("firing", "resolved")
    assert (
        began["labels"] == over["labels"] == {"check": "disk /", "dedup_key": "db-1!disk /", "host": "db-1"}
    )
    text = (PAGES / "icinga.md").read_text()
    names = set(re.findall(r"\$(WK_\w+)", text))
    assert names == set(re.findall(r"\b(WK_\w+) = ", text)), "the commands set what the script reads"


def test_checkmk_follows_its_page(front: RunningFront, tmp_path: Path) -> None:
    require(shutil.which("curl"), "curl is not installed")
    given = {"NOTIFY_WHAT": "SERVICE", "NOTIFY_HOSTNAME": "db-1", "NOTIFY_SERVICEDESC": "CPU load",
             "NOTIFY_OMD_SITE": "main",
             "NOTIFY_SERVICESTATE": "WARNING", "NOTIFY_SERVICEOUTPUT": "15 min load: 9.1 (!)", "NOTIFY_HOSTSTATE": "UP",
             "NOTIFY_NOTIFICATIONTYPE": "PROBLEM", "NOTIFY_MICROTIME": "1795384721123456"}  # fmt: skip
    assert run(front, "checkmk.md", tmp_path, **given) == 0
    assert run(front, "checkmk.md", tmp_path, **given | {"NOTIFY_SERVICESTATE": "OK"}) == 0
    assert run(front, "checkmk.md", tmp_path, NOTIFY_WHAT="HOST") == 22
    began, over = told(front, "checkmk")
    assert (began["name"], began["severity"], began["starts_ms"]) == (
        "CPU load",
        "warning",
        1_795_384_721_123,
    )
    assert (began["labels"], over["status"]) == (over["labels"], "resolved")


def test_grafana_and_uptime_kuma_follow_their_pages(front: RunningFront) -> None:
    contact = yaml.safe_load(for_front(blocks("grafana.md", "yaml")[0], front))["contactPoints"][0][
        "receivers"
    ][0]
    s = contact["settings"]
    headers = {"Authorization": f"{s['authorization_scheme']} {s['authorization_credentials']}", **JSON}
    (extra,) = blocks("uptime_kuma.md", "json")
    for door, path, given in (
        ("grafana", s["url"].partition(str(front.port))[2], headers),
        ("uptime_kuma", "/intake/uptime_kuma", JSON | json.loads(extra.replace("YOUR-INTAKE-KEY", SECRET))),
    ):
        capture = next((ROOT / "tests/captures" / door).glob("*-firing.json"))
        assert front.call("POST", path, capture.read_bytes(), given, key=None).status == 204
        assert told(front, door)


def test_datadogs_payload_is_the_one_of_its_page(front: RunningFront) -> None:
    (template,) = blocks("datadog.md", "json")
    capture = json.loads((ROOT / "tests/captures/datadog/host-firing.json").read_text())
    assert json.loads(template).keys() == capture.keys()
    unfilled = front.call("POST", "/intake/datadog", template.encode(), JSON)
    assert (unfilled.status, unfilled.json()["reason"]) == (400, "malformed")


def test_new_relics_template_is_the_one_of_its_page(front: RunningFront) -> None:
    (template,) = blocks("new_relic.md", "handlebars")
    values = {"issueId": "1", "state": "CREATED", "createdAt": 1_795_384_721_000, "entitiesData.names": ["web-1"],
              "entitiesData.types": ["HOST"], "priority": "HIGH", "annotations.title.[0]": "Slow"}  # fmt: skip
    filled = re.sub(r"\{\{ (?:json )?([\w.\[\]]+) \}\}", lambda m: json.dumps(values.get(m[1])), template)
    assert front.call("POST", "/intake/new_relic", filled.encode(), JSON).status == 204
    (row,) = told(front, "new_relic")
    assert (row["name"], row["severity"], row["labels"]["host"]) == ("Slow", "error", "web-1")


@pytest.mark.parametrize("page", ["webhooks.md", "cloudevents.md"])
def test_a_page_can_be_tried(front: RunningFront, page: str) -> None:
    require(shutil.which("curl"), "curl is not installed")
    (line,) = blocks(page, "sh")
    before = len(front.rows(Stream.EVENTS))
    subprocess.run(shlex.split(for_front(line, front)), check=True, capture_output=True, timeout=20)
    assert len(front.rows(Stream.EVENTS)) == before + 1


@pytest.mark.parametrize("door", DOORS)
def test_a_vendors_page_names_its_door(door: str) -> None:
    text, common = (PAGES / f"{door}.md").read_text(), (PAGES / "webhooks.md").read_text()
    assert f"Door `{door}`: `POST {DOORS[door].path}`" in text and "(webhooks.md)" in text
    assert f"--door {door}`" in text, "the key it makes is for this door"
    assert f"| `{DOORS[door].path}` | [" in common and f"({door}.md)" in common


def test_every_reason_that_a_page_names_can_be_given() -> None:
    text = "\n".join((PAGES / page).read_text() for page in ("webhooks.md", "custom.md"))
    rows = re.findall(r"^\| [\d, ]+ \| ([^|]*) \|", text, re.M)
    reasons = {reason for row in rows for reason in re.findall(r"`(\w+)`", row)}
    folders = (ROOT / "src/watchkeeper/receivers", ROOT / "src/watchkeeper/model")
    source = "\n".join(p.read_text() for folder in folders for p in folder.rglob("*.py"))
    assert len(reasons) > 15
    assert not {reason for reason in reasons if f'"{reason}"' not in source}
    own = "\n".join(p.read_text() for p in (ROOT / "src/watchkeeper/receivers/webhooks").glob("*.py"))
    assert set(re.findall(r'reason="(\w+)"', own)) <= reasons


def test_any_json_follows_its_page() -> None:
    (line,), (payload,) = blocks("custom.md", "sh"), blocks("custom.md", "json")
    given = dict(pair.split("=", 1) for pair in shlex.split(line)[3:])
    del given["intake_key"]
    first, second = mapping.read(Mapping(**given), custom.parse(payload.encode()))
    assert (first.name, first.firing, first.severity, second.firing) == ("Disk full", True, "critical", False)
    assert first.labels == {"host": "db-1", "site": "north", "dedup_key": "north/7"}
    text = (PAGES / "custom.md").read_text()
    rows = re.findall(r"^\| ([A-Z][\w ,]+ from(?:, \w+ from)?) \|", text, re.M)
    fields = {
        label.lower().replace(" ", "_").replace("link", "url") for row in rows for label in row.split(", ")
    }
    assert fields == set(Mapping.__struct_fields__)
    words = re.search(r"\| Status from \| ([\w, ]+) end", text)
    assert words and set(re.findall(r"\w+", words[1])) - {"or"} == OVER
