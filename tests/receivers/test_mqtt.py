"""Messages of MQTT as samples and events, and subscriptions to a real Mosquitto that goes away and comes back."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.receivers.mqtt_harness import Broker, Cable, Running
from tests.receivers.smtp_harness import certificate, files
from tests.support import eventually, require
from watchkeeper.model.declared import MqttSubscription
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.model.signals import Stream
from watchkeeper.receivers.mqtt import MOST, Messages
from watchkeeper.receivers.series import SeriesTable

CAPTURES = Path(__file__).resolve().parent.parent / "captures" / "mqtt"
Listen = Callable[..., Running]
NOW_MS = 1_795_385_321_000


def subscription(port: int, pk: str = "1", **more: Any) -> MqttSubscription:
    given = {"topics": ("plant/{line}/t",), "payload": "number", "metric": "temperature", **more}
    return MqttSubscription(pk, f"plant {pk}", "127.0.0.1", port, f"watchkeeper-test-{pk}", **given)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    made = Broker(tmp_path / "broker")
    yield made
    made.stop()


@pytest.fixture
def listen(tmp_path: Path) -> Iterator[Listen]:
    """Makes what listens, in a folder under this name; all of it ends with the test."""
    made: list[Running] = []

    def make(folder: str, *subscriptions: MqttSubscription, **settings: Any) -> Running:
        made.append(Running(tmp_path / folder, *subscriptions, **settings))
        return made[-1]

    yield make
    for running in made:
        running.close()


def became(given: dict[str, Any]) -> Any:
    """What a captured message becomes: rows by stream with the labels of their series, or the error."""
    declared = {
        "id": "1",
        "name": "test",
        "host": "h",
        "port": 1883,
        "client_id": "c",
        **given["subscription"],
    }
    series = SeriesTable()
    try:
        entries = Messages(msgspec.convert(declared, MqttSubscription), series).read(
            given["topic"], given["payload"].encode(), NOW_MS
        )
    except WatchkeeperError as error:
        return {"reason": error.reason, "detail": error.detail}
    out: dict[str, Any] = {stream.value: batch.to_pylist() for stream, batch in entries}
    new = series.take_new()
    known = {row["id"]: row for row in (new.to_pylist() if new else [])}
    for row in out.get(Stream.SAMPLES, ()):
        one = known[row.pop("series")]
        row |= {"name": one["name"], "labels": one["labels"]}
    for row in (row for rows in out.values() for row in rows):
        row |= {name: json.loads(row[name]) for name in ("labels", "annotations") if name in row}
    return out


@pytest.mark.parametrize(
    "path", sorted(p for p in CAPTURES.glob("*.json") if ".expected." not in p.name), ids=lambda p: p.stem
)
def test_a_captured_message_becomes_what_is_expected(path: Path) -> None:
    expected = json.loads(path.with_suffix(".expected.json").read_text())
    assert json.loads(json.dumps(became(json.loads(path.read_text())))) == expected


@pytest.mark.parametrize("kind", ["number", "numbers", "events"])
def test_any_bytes_are_a_message_or_refused(kind: str) -> None:
    messages = Messages(
        subscription(
            1, payload=kind, mapping={"key": "a.b", "time": "t", "label.x": "x", "summary": "sort(@)"}
        ),
        SeriesTable(),
    )
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda x: st.lists(x, max_size=3) | st.dictionaries(st.sampled_from("abtx") | st.text(max_size=3), x, max_size=4),
    )  # fmt: skip

    @given(st.binary(max_size=200) | values.map(lambda v: json.dumps(v).encode()))
    def refused_or_read(payload: bytes) -> None:
        try:
            messages.read("plant/7/t", payload, NOW_MS)
        except WatchkeeperError:
            return

    refused_or_read()


@pytest.mark.parametrize("payload", [
    b"[" * 100_000, b'{"a":' * 50_000, b"[" + b"{}," * 340_000 + b"{}]", b"1" * (MOST + 1),
    json.dumps({str(n): n for n in range(2000)}).encode(),
])  # fmt: skip
def test_bombs_are_refused(payload: bytes) -> None:
    for kind in ("numbers", "events"):
        messages = Messages(subscription(1, payload=kind), SeriesTable())
        if kind == "events" and payload.startswith(b'{"0"'):
            continue  # one event, whatever else it holds
        with pytest.raises(WatchkeeperError):
            messages.read("plant/7/t", payload, NOW_MS)


def test_nothing_is_lost_while_we_are_away(listen: Listen, broker: Broker) -> None:
    for begin in (0, 100, 200):
        running = listen("receive", subscription(broker.port))
        running.connected()
        broker.publish("plant/7/t", *map(str, range(begin, begin + 50)))
        eventually(lambda r=running, n=begin + 50: len(set(r.values())) == n)  # type: ignore[misc]
        running.stop()
        running.close()
        broker.publish("plant/7/t", *map(str, range(begin + 50, begin + 100)))
    running = listen("receive", subscription(broker.port))
    eventually(lambda: len(set(running.values())) == 300)
    running.stop()
    (series,) = {(r["name"], r["labels"]) for r in running.rows(Stream.SERIES)}
    assert series == ("temperature", '{"line":"7"}') and sorted(running.values()) == list(range(300))


def test_a_cut_connection_and_a_broker_that_restarts(listen: Listen, broker: Broker) -> None:
    cable = Cable(broker.port)
    running = listen("receive", subscription(cable.port))
    running.connected()
    for begin in range(0, 400, 100):
        broker.publish("plant/7/t", *map(str, range(begin, begin + 100)))
        cable.cut()
    eventually(lambda: set(running.values()) == set(range(400)), 60)
    assert cable.connections > 1
    broker.stop()
    eventually(lambda: running.troubles)
    assert len(running.counted["away"]) == 1
    broker.start()
    eventually(lambda: not running.troubles, 60)
    assert running.counted["away"] == {} and running.counted["away_seconds"] > 0
    broker.publish("plant/7/t", "1000")
    eventually(lambda: 1000 in running.values())
    running.stop()
    cable.close()


def test_a_full_journal_leaves_messages_with_the_broker(listen: Listen, broker: Broker) -> None:
    events = subscription(broker.port, payload="events", topics=("alarms",))
    full = listen("full", events, max_bytes=60_000)
    full.connected()
    alarms = [json.dumps({"name": f"alarm {n}", "message": secrets.token_hex(250)}) for n in range(400)]
    broker.publish("alarms", *alarms)
    eventually(lambda: "wait for consumers" in full.troubles.get("plant 1", ""))
    full.stop()
    kept = {r["name"] for r in full.rows(Stream.EVENTS)}
    full.close()
    assert 0 < len(kept) < 400
    roomy = listen("roomy", events)
    eventually(
        lambda: kept | {r["name"] for r in roomy.rows(Stream.EVENTS)} == {f"alarm {n}" for n in range(400)}
    )


def test_what_is_wanted_no_more_is_kept_no_more(listen: Listen, broker: Broker) -> None:
    both = subscription(broker.port, topics=("a/{x}", "b/{x}"))
    running = listen("receive", both)
    running.connected()
    broker.publish("b/1", "1")
    eventually(lambda: running.values() == [1])
    running.subscriptions = (msgspec.structs.replace(both, topics=("a/{x}",)),)
    marks = count(100)

    def turned() -> bool:
        """Whether of two messages, one after the other, only that comes which is still wanted."""
        mark = next(marks)
        broker.publish("b/1", str(mark))
        broker.publish("a/1", f"{mark}.5")
        eventually(lambda: mark + 0.5 in running.values())
        return mark not in running.values()

    eventually(turned, every=0.2)
    broker.publish("b/1", "3")
    running.subscriptions = ()
    eventually(lambda: not running.subscriber._connections)
    broker.publish("a/1", "4")
    running.subscriptions = (both,)
    eventually(lambda: [broker.publish("a/1", "5"), 5 in running.values()][1], every=0.5)
    running.stop()
    assert {3, 4}.isdisjoint(running.values()) and running.counted["rejected"] == {}


def test_an_address_that_may_not_be_asked_is_not(listen: Listen, broker: Broker) -> None:
    cable = Cable(broker.port)

    def check(host: str, _: int) -> list[str]:
        raise WatchkeeperError(f"{host} is at an internal address")

    running = listen("receive", subscription(cable.port), check=check)
    eventually(lambda: "internal address" in running.troubles.get("plant 1", ""))
    running.stop()
    assert cable.connections == 0
    cable.close()


def test_tls_and_a_password(tmp_path: Path, listen: Listen) -> None:
    crt, key = files(tmp_path)
    passwords = tmp_path / "passwords"
    require(Path("/usr/bin/mosquitto_passwd").exists(), "Debian's mosquitto is not installed")
    subprocess.run(
        ["mosquitto_passwd", "-b", "-c", passwords, "plant", "secret"], check=True, capture_output=True
    )
    passwords.chmod(0o644)
    broker = Broker(tmp_path / "broker", f"certfile {crt}", f"keyfile {key}", f"password_file {passwords}", "user root",
                    "allow_anonymous false")  # fmt: skip
    good = msgspec.structs.replace(
        subscription(broker.port), host="localhost", tls=True, certificate=certificate()[0].decode(), user="plant",
        password="secret",
    )  # fmt: skip
    running = listen("receive", good, check=lambda *_: ["127.0.0.1"])
    try:
        running.connected()
        words = ("--cafile", str(crt), "-u", "plant", "-P", "secret", "--insecure")
        broker.publish("plant/7/t", "on", words=words)
        eventually(lambda: running.values() == [1.0])
        running.subscriptions = (msgspec.structs.replace(good, password="wrong"),)
        eventually(lambda: "ot authori" in running.troubles.get("plant 1", ""))
        running.subscriptions = (msgspec.structs.replace(good, certificate=""),)
        eventually(lambda: "certificate" in running.troubles.get("plant 1", "").lower())
        running.subscriptions = (msgspec.structs.replace(good, host="elsewhere.example"),)
        eventually(lambda: "elsewhere.example" in running.troubles.get("plant 1", ""))
        running.subscriptions = (msgspec.structs.replace(good, host=f"{'x' * 70}.example"),)
        eventually(lambda: "no name of a host" in running.troubles.get("plant 1", ""))
        running.subscriptions = (msgspec.structs.replace(good, certificate="nonsense"),)
        eventually(
            lambda: "PEM" in running.troubles.get("plant 1", "") or "no start line" in str(running.troubles)
        )
    finally:
        broker.stop()


def test_what_is_no_message_is_acknowledged_counted_and_kept(listen: Listen, broker: Broker) -> None:
    running = listen("receive", subscription(broker.port))
    running.connected()
    broker.publish("plant/7/t", "warm", "21.5")
    eventually(lambda: running.values() == [21.5])
    running.stop()
    (letter,) = running.rows(Stream.DEAD_LETTERS)
    assert (letter["reason"], letter["sender"], letter["payload"]) == ("no_number", "plant 1", b"warm")
    assert running.counted["rejected"] == {"no_number": 1}
