"""What a query of the log language selects: SQL and a plain reading of the same conditions choose the same lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import eventually
from tests.telemetry.signals import consuming, log, now_ms
from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.model.signals import Stream, batch
from watchkeeper.telemetry.queries import log_groups, logs
from watchkeeper.telemetry.queries.log_language import (
    BadLogQuery,
    Condition,
    Either,
    Every,
    How,
    Level,
    Without,
    parse,
)
from watchkeeper.telemetry.store import Store

NOW = now_ms()
TIME = {"from_ms": NOW - 60_000, "to_ms": NOW + 60_000}
WORDS = (
    "disk",
    "full",
    "disk_full",
    "100%",
    "Ünix",
    "a-b",
    "a",
    "b\\c",
    "x'y",
    "line\nbreak",
    "/var/log",
    'say "hi"',
)
HOSTS = ("web-1", "WEB-2", "db_1", "", "ünix")
LABELS = ({}, {"region": "eu"}, {"region": "EU-west", "odd name": "x"}, {"region": "u%"})


def lines() -> list[dict[str, object]]:
    """Sixty lines of all sorts."""
    return [
        log(
            NOW - i * 100,
            f"{WORDS[i % 12]} {WORDS[(i * 5 + 1) % 12]} {i}",
            severity=(0, 1, 5, 9, 13, 16, 17, 21)[i % 8],
            host=HOSTS[i % 5], service=("shop", "")[i % 2], source=("nginx", "sshd", "x'y")[i % 3],
            labels=json.dumps(LABELS[i % 4]), trace_id=("", "4bf92f")[i % 2], span_id="",
        ) for i in range(60)
    ]  # fmt: skip


def templater(rows: pa.RecordBatch) -> tuple[np.ndarray, list[tuple[int, str, int]]]:
    return np.arange(rows.num_rows, dtype=np.uint64) % 3 + 1, [(1, "one", 0), (2, "two", 0), (3, "three", 0)]


@pytest.fixture(scope="module")
def world(endpoint: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with these lines in it."""
    store = Store(f"{endpoint.dsn.rpartition('/')[0]}/log_language")  # type: ignore[attr-defined]
    store.migrate()
    journal = SqliteJournal(tmp_path_factory.mktemp("log-language") / "journal.db")
    with consuming(journal, store, templater):
        journal.append([(Stream.LOGS, batch(Stream.LOGS, lines()))])
        eventually(lambda: len(logs.search(store, **TIME)[0]) == 60)
    yield store
    journal.close()
    store.close()


def low(text: str) -> str:
    return re.sub("[A-Z]+", lambda m: m[0].lower(), text)


def holds(condition: Condition, line: logs.Line) -> bool:
    """The same, said in Python."""
    match condition:
        case Every(parts):
            return all(holds(p, line) for p in parts)
        case Either(parts):
            return any(holds(p, line) for p in parts)
        case Without(part):
            return not holds(part, line)
        case Level(least, most):
            return least <= line.severity <= most
    names = {"": "body", "trace": "trace_id", "span": "span_id", "template": "template_id"}
    field = condition.field
    found = (
        line.labels.get(field[6:], "")
        if field.startswith("label.")
        else str(getattr(line, names.get(field, field)))
    )
    text, given = low(condition.text), low(found)
    if condition.how is How.REGEX:
        options = re2.Options()
        options.dot_nl = True
        return bool(re2.search(condition.text, found, options))
    if condition.how is How.IS:
        return text == given
    if condition.how is How.WILD:
        if field and not text.strip("*"):
            return given != ""
        pattern = ".*".join(map(re.escape, text.split("*")))
        return bool((re.fullmatch if field else re.search)(pattern, given, re.S))
    tokens = {t.encode() for t in re.findall(r"[0-9a-z\x80-\U0010ffff]+", given)}
    needed = list(re.finditer(rb"[0-9a-z\x80-\xff]+", text.encode()))
    if condition.how is How.WORD:
        needed = [m for m in needed if m.start() > 0 and m.end() < len(text.encode())]
    return text in given and all(m[0] in tokens for m in needed)


quoted = st.sampled_from(WORDS + HOSTS).map(lambda w: '"' + w.replace("\\", "\\\\").replace('"', '\\"') + '"')
plain = st.sampled_from(
    ["disk", "DISK", "full", "isk", "100%", "_", "a-b", "b\\c", "x'y", "ünix", "d*k", "*", "/var/log", "9"]
)
regex = st.sampled_from(["/disk.full/", "/^DISK/i", "/line.break/", "/[0-9]{2}$/", "/\\/var/", "/'/"])
value = st.one_of(
    quoted,
    st.sampled_from(["web-*", "WEB-1", "*", "eu", "EU*", "x'y", "u%", "db_1", "sshd", "4bf92f"]),
    regex,
)
fields = st.sampled_from(
    ["host", "service", "source", "trace", "span", "door", "label.region", 'label."odd name"']
)
level = st.builds(
    "severity{}{}".format,
    st.sampled_from([":", ">=", "<=", ">", "<"]),
    st.sampled_from(["warn", "unknown", "err", "13"]),
)
atom = st.one_of(
    quoted,
    plain,
    regex,
    st.builds("{}:{}".format, fields, value),
    level,
    st.sampled_from(["template:2", "template:9"]),
)
query = st.recursive(
    atom,
    lambda inner: st.one_of(
        st.builds("({} OR {})".format, inner, inner), st.builds("{} {}".format, inner, inner),
        st.builds("-({})".format, inner), st.builds("NOT {} AND {}".format, inner, inner),
    ),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(text=query)
def test_sql_selects_what_the_conditions_say(world: Store, text: str) -> None:
    every = logs.search(world, **TIME)[0]
    expected = [line.place for line in every if holds(parse(text), line)]
    assert [line.place for line in logs.search(world, text, **TIME)[0]] == expected


@settings(max_examples=80, deadline=None)
@given(text=st.text(st.characters(codec="utf-8")) | st.text("\"'/\\-()*%_:{}; ORhost:\n", max_size=40))
def test_any_text_is_a_question_or_refused_with_its_place(world: Store, text: str) -> None:
    """Nobody's text becomes a part of the statement."""
    try:
        logs.search(world, text, limit=1, **TIME)
    except BadLogQuery as error:
        assert 0 <= error.more["place"] <= len(text)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("text", "said", "place"),
    [
        ('disk "full', "quotes are not closed", 5), ("(disk", "missing at the end", 5), ("disk) full", "nothing that", 4),
        ("hots:web", "no field 'hots'", 0), ("severity>=bad", "a severity is one of", 10), ("x OR", "missing at the end", 4),
        ("host:", "missing at the end", 5), ("a /(/", "regular expression", 2), ("template:x", "by its number", 9),
        ("a\0", "zero", 1), ("(" * 30 + "-a OR b" + ")" * 30, "", -1), ("-" * 50 + "a", "deep", 0),
        ("a " * 61, "at most 60 conditions", 120), ("a" * 2001, "at most 2000", 2000),
    ],
)  # fmt: skip
def test_what_is_no_question_is_told_with_its_place(text: str, said: str, place: int) -> None:
    if place < 0:
        parse(text)  # brackets that group nothing cost nothing
        return
    with pytest.raises(BadLogQuery, match=said) as caught:
        parse(text)
    assert caught.value.more["place"] == place


def test_values_of_fields_are_counted(world: Store) -> None:
    found = log_groups.facets(world, "-severity:unknown", **TIME)
    assert found["service"] == [log_groups.Value("shop", 22)]
    assert sum(v.count for v in found["severity"]) == 52 and found["severity"][0].value == "warn"
    assert {v.value for v in found["host"]} == {h for h in HOSTS if h}


def test_what_surrounds_a_line_is_of_its_host(world: Store) -> None:
    line = logs.search(world, "host:web-1", **TIME)[0][5]
    around = logs.surrounding(world, line.place, "web-1", each=3)
    assert [x.place for x in around] == [x.place for x in logs.search(world, "host:web-1", **TIME)[0][2:9]]


def test_who_follows_hears_each_line_once_and_how_many_were_left_out(world: Store) -> None:
    every = sorted(logs.search(world, **TIME)[0], key=lambda line: line.position)
    assert logs.newest_position(world, NOW) == every[-1].position
    assert logs.arrived(world, "", every[-1].position, NOW) == ([], 0)
    assert logs.arrived(world, "", every[49].position, NOW) == (every[50:], 0)
    assert logs.arrived(world, "", every[9].position, NOW, limit=20) == (every[40:], 30)
