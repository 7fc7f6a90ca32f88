"""The series table: one id a label set, declared once, offered again when lost, bounded, and forgetful."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.model.errors import Malformed, RateLimited
from watchkeeper.model.series import series_id
from watchkeeper.model.signals import SCHEMAS, Stream
from watchkeeper.receivers.series import SeriesTable, kind_and_unit

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def declare(table: SeriesTable, name: str, **labels: str) -> int:
    return table.lookup(name, labels, "gauge", "", "test")


@given(st.dictionaries(WORDS.filter(bool), WORDS, max_size=6), st.randoms())
def test_an_id_depends_on_the_labels_alone(labels: dict[str, str], random: object) -> None:
    one, other = SeriesTable(), SeriesTable()
    shuffled = list(labels.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    found = one.lookup("cpu", labels, "gauge", "", "remote_write")
    assert found == other.lookup("cpu", dict(shuffled), "counter", "s", "otlp")
    assert found == series_id({**labels, "__name__": "cpu"})


def test_an_id_is_the_same_in_another_process() -> None:
    code = (
        "from watchkeeper.receivers.series import SeriesTable;"
        "print(SeriesTable().lookup('up', {'job': 'ü'}, 'gauge', '', 'x'))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(out.stdout) == SeriesTable().lookup("up", {"job": "ü"}, "gauge", "", "y")


def test_a_series_is_declared_once_until_its_kind_or_unit_changes() -> None:
    table = SeriesTable()
    first = table.lookup("up", {"job": "a", "empty": "", "__name__": "other"}, "unknown", "", "remote_write")
    assert table.lookup("up", {"job": "a"}, "unknown", "", "otlp") == first
    batch = table.take_new()
    assert batch is not None and batch.schema.equals(SCHEMAS[Stream.SERIES])
    assert batch.to_pylist() == [
        {"id": first, "name": "up", "labels": '{"job":"a"}', "kind": "unknown", "unit": "",
         "door": "remote_write"}
    ]  # fmt: skip
    assert table.take_new() is None
    table.lookup("up", {"job": "a"}, "gauge", "", "otlp")
    again = table.take_new()
    assert again is not None and again.column("kind").to_pylist() == ["gauge"]
    assert len(table) == 1


def test_rows_that_did_not_reach_the_journal_are_offered_again_and_first() -> None:
    table = SeriesTable()
    one = declare(table, "one")
    with pytest.raises(KeyboardInterrupt), table.declaring() as entries:
        assert [stream for stream, _ in entries] == [Stream.SERIES]
        two = declare(table, "two")
        raise KeyboardInterrupt
    with table.declaring() as entries:
        assert entries[0][1].column("id").to_pylist() == [one, two]
    with table.declaring() as entries:
        assert entries == []


def test_a_label_explosion_is_refused_and_others_still_find_room() -> None:
    table = SeriesTable(max_series=100, max_per_name=20)
    for i in range(20):
        declare(table, "requests", user=str(i))
    with pytest.raises(RateLimited, match="named requests"):
        declare(table, "requests", user="20")
    assert declare(table, "requests", user="3") == SeriesTable().lookup("requests", {"user": "3"}, "", "", "")
    for i in range(80):
        declare(table, f"other_{i}")
    with pytest.raises(RateLimited, match="more than 100 series") as refusal:
        declare(table, "one_more")
    assert refusal.value.retry_after > 0
    assert declare(table, "other_7")
    assert (len(table), table.refused) == (100, 2)


def test_what_is_not_seen_for_two_periods_makes_room_and_is_declared_again() -> None:
    table = SeriesTable(max_series=2, max_per_name=2, period_ms=1000)
    table.age(0)
    gone, kept = declare(table, "m", i="gone"), declare(table, "m", i="kept")
    table.remember_raw(b"gone", gone)
    table.take_new()
    for now in (1000, 1999, 2000):
        table.age(now)
        assert table.touch([kept]) == []
    assert table.touch([gone]) == [gone]
    assert table.lookup_raw(b"gone") is None
    assert declare(table, "m", i="gone") == gone
    again = table.take_new()
    assert again is not None and again.column("id").to_pylist() == [gone]
    with pytest.raises(RateLimited):
        declare(table, "m", i="third")


def test_generations_go_on_when_the_clock_is_set_back() -> None:
    table = SeriesTable(max_series=1, max_per_name=1, period_ms=1000)
    table.age(50_000)
    declare(table, "m", i="gone")
    for now in (10_000, 11_000):
        table.age(now)
    assert declare(table, "m", i="new")


def test_raw_bytes_lead_to_the_series_they_were_remembered_for() -> None:
    table = SeriesTable()
    series = declare(table, "up")
    assert table.lookup_raw(b"wire") is None
    table.remember_raw(b"wire", series)
    assert table.lookup_raw(b"wire") == series


def test_text_that_is_not_unicode_is_the_senders_fault() -> None:
    with pytest.raises(Malformed):
        declare(SeriesTable(), "up", job="\ud800")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("http_requests_total", ("counter", "")),
        ("process_cpu_seconds_total", ("counter", "seconds")),
        ("request_duration_seconds_bucket", ("counter", "")),
        ("request_duration_seconds_count", ("counter", "")),
        ("request_duration_seconds_sum", ("counter", "seconds")),
        ("node_memory_free_bytes", ("unknown", "bytes")),
        ("build_info", ("gauge", "")),
        ("up", ("unknown", "")),
    ],
)
def test_what_a_name_says(name: str, expected: tuple[str, str]) -> None:
    assert kind_and_unit(name) == expected


def test_labels_are_one_json_object_with_sorted_keys() -> None:
    table = SeriesTable()
    declare(table, "up", z='quote " and \\', a="é\n")
    batch = table.take_new()
    assert batch is not None
    text = batch.column("labels")[0].as_py()
    assert list(json.loads(text)) == ["a", "z"] and json.loads(text)["z"] == 'quote " and \\'
