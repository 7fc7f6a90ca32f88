"""What is counted of one intake key at one door: rows by stream, and about how many series."""

from __future__ import annotations

import pytest

from watchkeeper.model.series import series_id
from watchkeeper.model.signals import Stream, batch
from watchkeeper.receivers.door_stats import DoorStats
from watchkeeper.receivers.senders import Sender


@pytest.mark.parametrize("many", [1, 40, 412, 5000])
def test_series_are_counted_within_some_percent_however_often_they_come(many: int) -> None:
    sender = Sender()
    rows: list[dict[str, object]] = [
        {"series": series_id({"__name__": "m", "host": f"web-{i}"}), "time_ms": 1, "value": 1.0}
        for i in range(many)
    ]
    for now in (1000, 2000):
        sender.accept([(Stream.SAMPLES, batch(Stream.SAMPLES, rows))], "10.0.0.7", now)
    told = sender.as_dict()
    assert told["rows"] == {"samples": 2 * many} and (told["address"], told["last_seen_ms"]) == (
        "10.0.0.7",
        2000,
    )
    assert told["series"] == pytest.approx(many, rel=0.05)


def test_each_key_is_told_apart_by_door() -> None:
    stats = DoorStats()
    stats.door("syslog").sender("1").accept_logs(3, "10.0.0.7", 1000)
    stats.door("otlp").sender("1").refuse("unauthorised", "it is not for this door", 2000)
    stats.door("otlp").sender("2").accept_logs(1, "10.0.0.8", 3000)
    found = stats.of_key("1")
    assert found.keys() == {"syslog", "otlp"}
    assert found["syslog"]["rows"] == {"logs": 3}
    assert (found["otlp"]["refused"], found["otlp"]["trouble"]) == (
        {"unauthorised": 1},
        "it is not for this door",
    )
    assert stats.of_key("3") == {}
