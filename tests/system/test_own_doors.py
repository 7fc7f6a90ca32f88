"""SNMP, mail and MQTT on a running platform: what is declared in records counts within seconds, and kill -9 of the
receiving process loses nothing that was acknowledged."""

from __future__ import annotations

import contextlib
import smtplib
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.platform import Platform
from tests.receivers.mqtt_harness import Broker
from tests.receivers.smtp_harness import certificate, files
from tests.receivers.snmp_harness import tool
from tests.support import eventually, free_port
from watchkeeper.app import process

ALARM = "1.3.6.1.4.1.99999.0"
SAFE = ("-v3", "-u", "switch", "-l", "authPriv", "-a", "SHA-256", "-A", "signing phrase", "-x", "AES", "-X",
        "hiding phrase")  # fmt: skip
USER = {"name": "switch", "auth": "sha256", "auth_secret": "signing phrase", "privacy": "aes",
        "privacy_secret": "hiding phrase"}  # fmt: skip


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    made = Broker(tmp_path_factory.mktemp("mosquitto") / "broker")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    return {"snmp": free_port(), "smtp": free_port()}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, ports: dict[str, int]) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("own")
    crt, key = files(folder)
    env = {
        "WATCHKEEPER_SNMP": f"127.0.0.1:{ports['snmp']}", "WATCHKEEPER_SMTP_LISTEN": f"127.0.0.1:{ports['smtp']}",
        "WATCHKEEPER_OUTBOUND_ALLOW": "127.0.0.0/8", "WATCHKEEPER_TLS_CERT": str(crt), "WATCHKEEPER_TLS_KEY": str(key),
    }  # fmt: skip
    with Platform(folder / "var", env).start() as started:
        yield started
        assert started.stop() == 0


def named(platform: Platform, door: str) -> list[str]:
    """The names of events in telemetry that came through this door."""
    store = platform.telemetry()
    try:
        return [
            row["name"]
            for row in store.rows("SELECT name FROM events WHERE door = {door:String}", {"door": door})
        ]
    finally:
        store.close()


def troubles(platform: Platform) -> dict[str, str] | None:
    """What keeps MQTT subscriptions from working; None while there is none."""
    secret = platform.processes()["web"].environ()[process.SECRET]
    doors = platform.call("GET", "/-/receive/stats", X_Watchkeeper_Inner=secret).json()
    return doors["mqtt"]["troubles"] if "mqtt" in doors else None


def inform(*words: str) -> bool:
    return tool("snmpinform", "-r", "0", "-t", "3", *words, timeout=20).returncode == 0


def kill(platform: Platform, stop: threading.Event) -> None:
    while not stop.wait(1.5):
        victim = platform.processes().get("receive")
        if victim is not None:
            victim.kill()
            victim.wait(10)


def test_kill_9_loses_nothing_that_was_acknowledged(
    own: Platform, ports: dict[str, int], broker: Broker
) -> None:
    key = own.key
    assert own.do("/api/snmp-users/", USER).status == 201
    made = own.do("/api/mqtt-subscriptions/", {
        "name": "plant", "host": "127.0.0.1", "port": broker.port, "topics": ["alarms/{line}"], "payload": "events",
    })  # fmt: skip
    assert made.status == 201, made.body
    target = f"127.0.0.1:{ports['snmp']}"
    eventually(lambda: inform(*SAFE, target, "1", f"{ALARM}.0"))
    eventually(lambda: troubles(own) == {})
    stop = threading.Event()
    killer = threading.Thread(target=kill, args=(own, stop))
    killer.start()
    sent: dict[str, set[str]] = {"mqtt": set(), "mail": set(), "snmp": set()}
    try:
        end = time.monotonic() + 12
        number = 0
        while time.monotonic() < end:
            number += 1
            broker.publish("alarms/7", *(f'{{"name": "mqtt {number}-{n}"}}' for n in range(20)))
            sent["mqtt"] |= {f"mqtt {number}-{n}" for n in range(20)}
            name = f"mail {'x' * number}"
            with (
                contextlib.suppress(OSError, smtplib.SMTPException),
                smtplib.SMTP("127.0.0.1", ports["smtp"], timeout=5) as s,
            ):
                s.sendmail("a@b", f"{key}@here", f"Subject: {name}\n\ntext")
                sent["mail"].add(name)
            if inform(*SAFE, target, "1", f"{ALARM}.{number}"):
                sent["snmp"].add(f"{ALARM}.{number}")
    finally:
        stop.set()
        killer.join()
    assert all(sent.values()), sent
    for door, names in sent.items():
        eventually(lambda d=door, n=names: n <= set(named(own, d)), 60, 0.5)  # type: ignore[misc]


@pytest.mark.usefixtures("own")
def test_tls_begins_with_the_certificate_of_the_settings(ports: dict[str, int]) -> None:
    context = ssl.create_default_context(cadata=certificate()[0].decode())

    def greeted() -> bool:
        try:
            with smtplib.SMTP("localhost", ports["smtp"], timeout=5) as s:
                return s.starttls(context=context)[0] == 220
        except OSError:
            return False

    assert eventually(greeted)


def test_a_broker_inside_is_not_asked_unless_it_is_allowed(tmp_path: Path, broker: Broker) -> None:
    with Platform(tmp_path / "var").start() as platform:
        made = platform.do("/api/mqtt-subscriptions/", {
            "name": "inside", "host": "127.0.0.1", "port": broker.port, "topics": ["a"],
        })  # fmt: skip
        assert made.status == 201
        said = eventually(
            lambda: (troubles(platform) or {}).get("inside", "").replace("not connected yet", "")
        )
        assert "WATCHKEEPER_OUTBOUND_ALLOW" in said
        assert "internal address 127.0.0.1" in said
        assert platform.stop() == 0
