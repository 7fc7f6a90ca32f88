"""The set-up pages of SNMP, mail and MQTT are followed to the letter, with the tools they name; every reason in their
tables exists."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.receivers.mqtt_harness import Broker, Running
from tests.receivers.smtp_harness import KEY, RunningSmtp
from tests.receivers.snmp_harness import RunningSnmp, tool
from tests.receivers.test_http_setup_pages import PAGES, blocks
from tests.support import eventually
from watchkeeper.domains.receiving import rules
from watchkeeper.model.declared import MqttSubscription, SnmpUser
from watchkeeper.model.signals import Stream

SOURCE = "\n".join(
    p.read_text()
    for folder in ("receivers", "model", "journal")
    for p in (Path(__file__).parents[2] / "src/watchkeeper" / folder).glob("*.py")
)


def given(page: str, command: str) -> dict[str, Any]:
    """The fields of a `watchkeeper create` line of a page."""
    (line,) = re.findall(
        rf"^    (watchkeeper create {command} .*)$", (PAGES / page).read_text(), re.MULTILINE
    )
    return dict(pair.split("=", 1) for pair in shlex.split(line)[3:])


def test_snmp(tmp_path: Path) -> None:
    user = given("snmp.md", "snmp-users")
    assert not rules.wrong_with_user(*(user[k] for k in ("auth", "auth_secret", "privacy", "privacy_secret")))
    snmp = RunningSnmp(tmp_path, SnmpUser(**user))
    snmp.start()
    try:
        for lines in blocks("snmp.md", "sh"):
            for line in lines.splitlines():
                name, *words = shlex.split(line.replace("127.0.0.1:1162", f"127.0.0.1:{snmp.port}"))
                assert tool(name, *words).returncode == 0
        eventually(lambda: len(snmp.rows()) == 4)
        told = [(r["name"], r["status"]) for r in snmp.rows()]
        assert told == [
            ("linkDown", "firing"),
            ("linkDown", "resolved"),
            ("coldStart", "firing"),
            ("coldStart", "firing"),
        ]
    finally:
        snmp.stop()
        snmp.close()


def test_mail(tmp_path: Path) -> None:
    (program,) = blocks("mail.md", "python")
    assert "YOUR-INTAKE-KEY" in program and "2525" in program
    smtp = RunningSmtp(tmp_path)
    try:
        exec(program.replace("YOUR-INTAKE-KEY", KEY).replace("2525", str(smtp.port)), {})
        assert [r["name"] for r in smtp.rows()] == ["Backup failed on web1"]
    finally:
        smtp.stop()


def test_mqtt(tmp_path: Path) -> None:
    fields = given("mqtt.md", "mqtt-subscriptions")
    broker = Broker(tmp_path / "broker")
    topics = tuple(json.loads(fields.pop("topics")))
    assert not rules.wrong_topic(topics) and not rules.wrong_metric(fields["metric"], topics)
    one = MqttSubscription("1", client_id="page", topics=topics, **{**fields, "port": broker.port})
    running = Running(tmp_path / "receive", one)
    try:
        running.connected()
        (line,) = blocks("mqtt.md", "sh")
        tool(*shlex.split(line.replace("-p 1883", f"-p {broker.port}")))
        eventually(lambda: running.values() == [21.5])
        (series,) = running.rows(Stream.SERIES)
        assert (series["name"], series["labels"]) == ("plant_temperature", '{"line":"7"}')
        (mapping,) = blocks("mqtt.md", "json")
        assert not rules.wrong_mapping(json.loads(mapping))
    finally:
        running.close()
        broker.stop()


@pytest.mark.parametrize("page", ["snmp", "mail", "mqtt", "netflow"])
def test_a_page_names_what_exists(page: str) -> None:
    text = (PAGES / f"{page}.md").read_text()
    assert f"door `{page}`" in text
    table = text[text.index("## What is refused") :]
    reasons = {
        reason
        for row in re.findall(r"^\| .*$", table, re.MULTILINE)
        for reason in re.findall(r"`([a-z_]+)`", row)
    }
    assert len(reasons) > 4
    assert not {reason for reason in reasons if f'"{reason}"' not in SOURCE}
