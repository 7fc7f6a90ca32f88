"""What real senders send: logger of util-linux, and Debian's rsyslogd set up as the documentation says."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.receivers.certificates import Authority
from tests.receivers.syslog_harness import RunningSyslog
from tests.support import eventually, require
from watchkeeper.receivers.tls import Certificate

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "doors" / "syslog.md"
SETUPS = re.findall(r"```rsyslog\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.fixture
def syslog(tmp_path: Path) -> Iterator[RunningSyslog]:
    running = RunningSyslog(tmp_path)
    running.start()
    yield running
    running.stop()
    running.close()


def logger(*arguments: str) -> None:
    program = shutil.which("logger")
    require(program, "logger (util-linux) is not installed")
    subprocess.run([str(program), *arguments], check=True, timeout=20)


def only(syslog: RunningSyslog) -> dict[str, Any]:
    (row,) = eventually(syslog.rows)
    assert abs(row["time_ns"] / 10**9 - time.time()) < 60
    assert "device_time" not in row["labels"] and syslog.counted["rejected"] == {}
    return row


@pytest.mark.parametrize("dialect", [[], ["--rfc3164"], ["--rfc5424=notq,notime,nohost"]])
@pytest.mark.parametrize("way", [["-d"], ["-T"], ["-T", "--octet-count"]])
def test_logger(syslog: RunningSyslog, way: list[str], dialect: list[str]) -> None:
    port = syslog.udp_port if way == ["-d"] else syslog.tcp_port
    where = ["-n", "127.0.0.1", "-P", str(port), *way, *dialect]
    logger(*where, "-p", "auth.err", "-t", "hello", "--id=77", "a message with an umlaut: ü")
    row = only(syslog)
    assert (row["severity"], row["source"], row["body"]) == (17, "hello", "a message with an umlaut: ü")
    assert json.loads(row["labels"])["facility"] == "auth"
    assert row["host"]


def test_the_documented_test_line(syslog: RunningSyslog) -> None:
    (command,) = re.findall(r"^    (logger .*)$", PAGE.read_text(), re.MULTILINE)
    assert "127.0.0.1" in command and "-P 5514" in command
    _, *arguments = shlex.split(command.replace("-P 5514", f"-P {syslog.tcp_port}"))
    logger(*arguments)
    row = only(syslog)
    assert (row["severity"], row["source"], row["body"]) == (13, "hello", "first message")


def send_by_rsyslog(syslog: RunningSyslog, setup: str, tmp_path: Path) -> None:
    """Twenty messages through Debian's rsyslogd with this set-up."""
    local = tmp_path / "dev-log"
    (tmp_path / "rsyslog.conf").write_text(
        f'global(workDirectory="{tmp_path}")\n'
        'module(load="imuxsock" SysSock.Use="off")\n'
        f'input(type="imuxsock" Socket="{local}" RateLimit.Interval="0")\n' + setup
    )
    command = [str(shutil.which("rsyslogd")), "-n", "-f", f"{tmp_path}/rsyslog.conf", "-i", f"{tmp_path}/pid"]
    with subprocess.Popen(command) as process:
        eventually(local.exists)
        for i in range(20):
            logger("-u", str(local), "-p", "local3.crit", "-t", "app", f"--id={1000 + i}", f"message {i}")
        eventually(lambda: sum(r["source"] == "app" for r in syslog.rows()) == 20)
        process.terminate()


@pytest.mark.parametrize("asked", [False, True], ids=["any sender", "senders with certificates"])
def test_rsyslog_over_tls_as_documented(tmp_path: Path, asked: bool) -> None:
    require(shutil.which("rsyslogd"), "rsyslogd is not installed")
    require(Path("/usr/share/doc/rsyslog-gnutls").exists(), "rsyslog-gnutls is not installed")
    (setup,) = re.findall(r"```rainerscript\n(.*?)```", PAGE.read_text(), re.DOTALL)
    authority = Authority(tmp_path / "tls")
    chain, key = authority.issue("watchkeeper.example.com")
    authority.issue("client")
    running = RunningSyslog(tmp_path, certificate=Certificate(chain, key, authority.ca if asked else None))
    running.start()
    try:
        assert 'port="6514"' in setup and "/etc/rsyslog.d/" in setup
        setup = setup.replace('port="6514"', f'port="{running.tls_port}"')
        setup = setup.replace("/etc/rsyslog.d", str(authority.folder))
        if not asked:
            setup = re.sub(r'\n +DefaultNetstreamDriver(Cert|Key)File="[^"]*"', "", setup)
        send_by_rsyslog(running, setup, tmp_path)
        sent = [r["body"].strip() for r in running.rows() if r["source"] == "app"]
        assert sent == [f"message {i}" for i in range(20)]
        assert running.counted["rejected"] == {}
    finally:
        running.stop()
        running.close()


@pytest.mark.parametrize("setup", SETUPS, ids=["counted", "lines", "datagrams"])
def test_rsyslog_as_documented(syslog: RunningSyslog, setup: str, tmp_path: Path) -> None:
    program = shutil.which("rsyslogd")
    require(program, "rsyslogd is not installed")
    port = syslog.udp_port if 'protocol="udp"' in setup else syslog.tcp_port
    assert 'target="127.0.0.1" port="5514"' in setup
    send_by_rsyslog(syslog, setup.replace('port="5514"', f'port="{port}"'), tmp_path)
    rows = [r for r in syslog.rows() if r["source"] == "app"]
    assert [r["body"].strip() for r in rows] == [f"message {i}" for i in range(20)]
    assert [json.loads(r["labels"])["pid"] for r in rows] == [str(1000 + i) for i in range(20)]
    assert {(r["severity"], json.loads(r["labels"])["facility"]) for r in rows} == {(18, "local3")}
    assert all(abs(r["time_ns"] / 10**9 - time.time()) < 60 for r in rows)
    assert syslog.counted["rejected"] == {}


def test_every_reason_is_documented() -> None:
    folder = Path(__file__).parents[2] / "src" / "watchkeeper" / "receivers"
    text = "".join(p.read_text() for p in sorted(folder.glob("syslog*.py")))
    named = set(re.findall(r'reason="(\w+)"|reject\(\s*"(\w+)"|Letter\("(\w+)"', text))
    reasons = {name for group in named for name in group if name}
    assert len(reasons) >= 10
    for reason in reasons | {"unauthorised", "journal_full", "disk_full", "too_large"}:
        assert f"`{reason}`" in PAGE.read_text(), reason
