"""Dead letters: read from telemetry, and given to their door once more."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.test import Client

from tests.support import eventually
from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.kernel.models import AuditEntry
from watchkeeper.kernel.ports import ports
from watchkeeper.model.signals import Stream, batch
from watchkeeper.telemetry.consumer import TelemetryConsumer
from watchkeeper.telemetry.endpoint import Endpoint
from watchkeeper.telemetry.store import Store

LETTERS = {
    "alertmanager": b'[{"labels": {"alertname": "DiskFull"}}]',  # what an older version may have refused
    "syslog": b"\xff\xfe no syslog at all",
    "carrier-pigeon": b"coo",
}


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[SqliteJournal]:
    """A telemetry store with a letter of each; the journal they came by."""
    endpoint = Endpoint(tmp_path / "telemetry", "a secret")
    endpoint.start()
    store, journal, stop = Store(endpoint.dsn), SqliteJournal(tmp_path / "journal.db"), threading.Event()
    store.migrate()
    rows: list[dict[str, object]] = [
        {"time_ms": int(time.time() * 1000), "door": door, "sender": "10.0.0.1", "reason": "malformed",
         "detail": "because", "payload": payload}
        for door, payload in LETTERS.items()
    ]  # fmt: skip
    journal.append([(Stream.DEAD_LETTERS, batch(Stream.DEAD_LETTERS, rows))])
    consumer = threading.Thread(target=TelemetryConsumer(journal, store).run, args=(stop,))
    consumer.start()
    ports.telemetry, ports.journal = store, journal
    try:
        eventually(lambda: store.rows("SELECT count() AS n FROM dead_letters")[0]["n"] == len(LETTERS))
        yield journal
    finally:
        ports.telemetry = ports.journal = None
        stop.set()
        consumer.join()
        journal.close()
        store.close()
        endpoint.stop()


def test_letters_are_read_and_replayed(stored: SqliteJournal, api: Callable[..., Client]) -> None:
    """Listed and narrowed; what is now understood goes into the journal, what is not says why."""
    client, url = api("write"), "/api/dead-letters/"
    assert api("read").get(url).status_code == 403
    found = client.get(url, {"limit": 2}).json()
    assert (found["count"], len(found["results"])) == (3, 2)
    assert client.get(found["next"]).json()["next"] is None
    assert client.get(url, {"colour": "red"}).status_code == 400
    assert client.get(url, {"time__gte": "soon"}).status_code == 400
    assert client.get(url, {"time__lt": "2020-01-01T00:00:00Z"}).json()["count"] == 0
    ids = {row["door"]: row["id"] for row in client.get(url).json()["results"]}
    letter = client.get(f"{url}{ids['syslog']}/").json()
    assert base64.b64decode(letter["payload"]) == LETTERS["syslog"]
    assert letter["text"].endswith(" no syslog at all")
    assert client.get(f"{url}9999999/").status_code == 404

    end = stored.end()
    done = client.post(f"{url}{ids['alertmanager']}/replay/")
    assert (done.status_code, done.json()["rows"]) == (200, 1)
    [entry] = stored.read(end)
    assert (entry.stream, entry.batch.to_pylist()[0]["name"]) == (Stream.EVENTS, "DiskFull")
    assert AuditEntry.objects.get(act="dead-letter.replay").after["rows"] == 1
    refused = client.post(f"{url}{ids['syslog']}/replay/")
    assert refused.status_code == 400
    assert json.loads(refused.content)["type"].startswith("urn:watchkeeper:problem:")
    assert client.post(f"{url}{ids['carrier-pigeon']}/replay/").status_code == 409
