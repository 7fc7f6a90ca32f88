"""Alertmanager's readers: Debian's amtool, with a token or an intake key."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.api.platform_parts import Web
from tests.api.test_acts import an_alert, situation_of
from tests.support import eventually, require
from watchkeeper.domains import identity

Amtool = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def amtool(web: Web, tmp_path: Path) -> Amtool:
    """Run it against the server with this secret, as bearer or as a password."""

    def run(*arguments: str, secret: str = "", basic: bool = False) -> subprocess.CompletedProcess[str]:
        require(shutil.which("amtool"), "amtool is not installed (prometheus-alertmanager)")
        config = tmp_path / "http.yml"
        how = (
            f"basic_auth: {{username: x, password: {secret}}}"
            if basic
            else f"authorization: {{credentials: {secret}}}"
        )
        config.write_text(how + "\n")
        command = ["amtool", f"--alertmanager.url={web.url}", f"--http.config.file={config}", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)

    return run


def test_amtool_reads_alerts(web: Web, amtool: Amtool) -> None:
    """All, by matchers, and none with a wrong secret."""
    situation_of(web, "DiskFull", "DiskSlow")
    secret = web.tokens["read"]

    def query(*arguments: str) -> list[str]:
        done = amtool("alert", "query", "-o", "json", *arguments, secret=secret)
        assert done.returncode == 0, done.stderr
        return sorted(a["labels"]["alertname"] for a in json.loads(done.stdout))

    assert query() == ["DiskFull", "DiskSlow"]
    assert query("alertname=DiskFull") == ["DiskFull"]
    assert query('alertname=~"Disk.*"', 'instance="db-1:9100"') == ["DiskFull", "DiskSlow"]
    assert query('severity!="critical"') == []
    assert query('alertname!~".*Full"') == ["DiskSlow"]
    assert "DiskFull" in amtool("alert", "query", secret=secret).stdout
    wrong = amtool("alert", "query", secret="wkt_wrong")
    assert wrong.returncode != 0
    assert amtool("config", "show", secret=secret).returncode == 0


@pytest.mark.parametrize("basic", [False, True], ids=["bearer", "basic"])
def test_amtool_silences(web: Web, amtool: Amtool, basic: bool) -> None:
    """Add, see what it holds back, query, expire: with an intake key, as with Alertmanager."""
    situation_of(web, "DiskFull", "DiskSlow")
    key = identity.create_intake_key("prometheus", doors=["alertmanager"])

    def run(*arguments: str) -> str:
        done = amtool(*arguments, secret=key, basic=basic)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    silence = run("silence", "add", "alertname=DiskFull", "-c", "moving it", "-a", "ann", "-d", "1h")
    shown = json.loads(run("silence", "query", "-o", "json"))
    assert [(s["id"], s["status"]["state"], s["comment"]) for s in shown] == [
        (silence, "active", "moving it")
    ]
    eventually(lambda: "DiskFull" not in run("alert", "query", "--active"))
    suppressed = json.loads(run("alert", "query", "-o", "json", "--silenced"))
    assert [a["status"]["silencedBy"] for a in suppressed if a["status"]["state"] == "suppressed"] == [
        [silence]
    ]
    run("silence", "update", silence, "-c", "moved", "-d", "2h")
    assert json.loads(run("silence", "query", "-o", "json", "alertname=DiskFull"))[0]["comment"] == "moved"
    run("silence", "expire", silence)
    assert json.loads(run("silence", "query", "-o", "json")) == []
    eventually(lambda: "DiskFull" in run("alert", "query", "--active"))
    assert amtool("silence", "add", "alertname=~.*", "-c", "all", secret=key, basic=basic).returncode != 0


def test_scopes_and_sessions(web: Web) -> None:
    """Reading and silencing are two things; a key for another door is none here."""
    body = {
        "matchers": [{"name": "a", "value": "b", "isRegex": False}],
        "endsAt": "2099-01-01T00:00:00Z",
        "comment": "c",
        "createdBy": "d",
    }
    assert web.call("POST", "/api/v2/silences", body, scope="read").status == 403
    assert web.call("POST", "/api/v2/silences", body, scope="").status == 401
    assert web.call("POST", "/api/v2/silences", {**body, "id": "nothing"}).status == 404
    assert web.call("POST", "/api/v2/silences", {}).status == 400
    other = identity.create_intake_key("logs", doors=["syslog"])
    assert web.call("GET", "/api/v2/alerts", scope="", Authorization=f"Bearer {other}").status == 401
    assert web.call("GET", "/api/v2/alerts?active=perhaps").status == 400
    assert web.call("GET", "/api/v2/alerts?filter=nonsense").status == 400
    assert web.call("DELETE", "/api/v2/silence/nothing").status == 404
    assert web.call("DELETE", "/api/v2/alerts").status == 405
    assert web.call("GET", "/api/v2/receivers").json == [{"name": "watchkeeper"}]


def test_groups_are_situations(web: Web) -> None:
    """Alertmanager's groups, as its clients draw them."""
    found = situation_of(web, "DiskFull", "DiskSlow")
    web.tell(an_alert("Other", instance="elsewhere:1"))
    groups = web.call("GET", "/api/v2/alerts/groups").json
    mine = next(g for g in groups if g["labels"].get("situation") == found["id"])
    assert len(mine["alerts"]) >= 2
    assert mine["receiver"] == {"name": "watchkeeper"}
