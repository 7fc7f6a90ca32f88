"""Any JSON through the mapping of its key: what it becomes, what is said of what is wrong, and that no expression runs for
ever."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.receivers.front_harness import MAPPING, SECRET, RunningFront
from tests.receivers.test_webhooks import documents
from watchkeeper.model.doors import IntakeKey, Mapping
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.model.expressions import LENGTH, Evaluation, Expression, WrongExpression
from watchkeeper.model.signals import Stream
from watchkeeper.receivers import webhooks
from watchkeeper.receivers.webhooks import custom
from watchkeeper.receivers.webhooks.mapping import read

JSON = {"Content-Type": "application/json"}
NOW = 1_795_385_321_000
PAYLOAD = {
    "site": "north",
    "events": [
        {"id": "7", "rule": {"title": "Disk full"}, "level": "critical", "state": "open", "owner": None, "value": 99.5,
         "server": {"name": "db-1"}, "since": "2026-11-22T21:58:41Z", "link": "https://monitor.example/7"},
        {"id": "8", "rule": {"title": "Load"}, "level": "page", "state": "OK", "owner": "web", "value": 1, "until": NOW},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFront]:
    running = RunningFront(tmp_path_factory.mktemp("custom"), doors=webhooks.doors())
    yield running
    running.stop()


def test_a_payload_goes_through_the_mapping_of_its_key(front: RunningFront) -> None:
    assert (
        front.call("POST", "/intake/custom/mapped", json.dumps(PAYLOAD).encode(), JSON, key=None).status
        == 204
    )
    first, second = (r for r in front.rows(Stream.EVENTS) if r["door"] == "custom")
    assert json.loads(first["labels"]) == {"dedup_key": "north/7", "host": "db-1", "site": "north"}
    assert (first["name"], first["severity"], first["status"]) == ("Disk full", "critical", "firing")
    assert (first["summary"], first["url"]) == ("it is 99.5", "https://monitor.example/7")
    assert (first["starts_ms"], json.loads(first["annotations"])) == (1_795_384_721_000, {"value": "99.5"})
    assert (second["status"], second["severity"], second["ends_ms"]) == ("resolved", "critical", NOW)


def test_a_key_without_a_mapping_is_told_so_and_its_payload_kept(front: RunningFront) -> None:
    answer = front.call("POST", "/intake/custom", b'{"a": 1}', JSON, key=SECRET)
    assert (answer.status, answer.json()["reason"]) == (400, "no_mapping")
    letter = front.rows(Stream.DEAD_LETTERS)[-1]
    assert (letter["door"], letter["reason"], letter["payload"]) == ("custom", "no_mapping", b'{"a": 1}')
    large = front.call("POST", "/intake/custom/mapped", b'"' + b"x" * 300_000 + b'"', JSON, key=None)
    assert (large.status, large.json()["reason"]) == (413, "too_large")


@pytest.mark.parametrize(("changed", "payload", "said"), [
    ({}, {"site": "north"}, "Alerts from (events[]): it gives no list"),
    ({}, {"events": [{"id": "1"}], "site": "n"}, "Name from (rule.title): it gives nothing for this payload"),
    ({"labels_from": "server"}, {"site": "n", "events": [{"id": "1", "rule": {"title": "x"}, "server": "db-1"}]},
     "Labels from (server): it gives no object"),
    ({}, {"site": "n", "events": [{"rule": {"title": "x"}}]},
     "Identity from (join('/', [payload().site, id])): join() wants array-string, and got null"),
    ({"identity_from": "id"}, {"events": [{"rule": {"title": "x"}}]}, "Identity from (id): it gives nothing"),
    ({"severity_from": "upper(level)"}, PAYLOAD, "Severity from (upper(level)): there is no function upper()"),
    ({"summary_from": "a["}, PAYLOAD, "Summary from (a[): it ends in the middle"),
    ({"summary_from": "a b"}, PAYLOAD, "Summary from (a b): Unexpected token: b at character 3"),
    ({"summary_from": "a # b"}, PAYLOAD, "at character 3"),
    ({"summary_from": "sum(payload().events[].value, `1`)"}, PAYLOAD, "Expected 1 argument for function sum(), received 2"),
    ({"alerts_from": "[events]", "name_from": "'x'", "identity_from": "", "summary_from": "[0::0]"}, PAYLOAD,
     "slice step cannot be zero"),
    ({"summary_from": "x" * (LENGTH + 1)}, PAYLOAD, f"it has {LENGTH + 1} characters; at most {LENGTH} are taken"),
    ({"alerts_from": "events[].[@,@,@,@][] | [].[@,@,@,@][] | [].[@,@,@,@][] | [].[@,@,@,@][] | [].[@,@,@,@][] | []"},
     PAYLOAD, "at most 1000 are taken"),
])  # fmt: skip
def test_what_is_wrong_is_said_with_its_expression(changed: dict[str, str], payload: Any, said: str) -> None:
    mapping = Mapping(**{name: getattr(MAPPING, name) for name in Mapping.__struct_fields__} | changed)
    with pytest.raises(WatchkeeperError) as raised:
        read(mapping, payload)
    assert said in raised.value.detail and raised.value.status in (400, 413)


@pytest.mark.parametrize("text", [
    "|".join(["[@,@]"] * 300),  # as large as 2 to the 300, with few objects in memory
    "|".join(["[@,@][]"] * 250),
    f"to_string({'|'.join(['[@,@]'] * 100)})",
    f"({'|'.join(['[@,@]'] * 100)}) == ({'|'.join(['[@,@]'] * 100)})",
    f"contains({'|'.join(['[@,@]'] * 100)}, {'|'.join(['[@,@]'] * 100)})",
    "|".join(["join('', [to_string(@), to_string(@), to_string(@)])"] * 30),
    "map(&map(&map(&map(&@, payload()), payload()), payload()), payload())",
    f"[*].join('', [{','.join(['to_string(payload())'] * 80)}])",
    "|".join(["{a: @, b: @, c: @}"] * 100),
])  # fmt: skip
def test_no_expression_runs_for_ever(text: str) -> None:
    payload = [{"n": n, "text": "x" * 100} for n in range(500)]
    with pytest.raises(WrongExpression) as raised:
        Evaluation(payload).of(Expression(text), payload)
    assert raised.value.reason == "too_much_work"


@pytest.mark.parametrize(
    "text", ["(" * 1900, "!" * 1900 + "a", "[" * 1900, "a." * 900 + "b", "&" * 1900, "{a:" * 600]
)
def test_deep_expressions_are_refused_or_work(text: str) -> None:
    try:
        Evaluation({}).of(Expression(text), {})
    except WrongExpression as error:
        assert error.detail


pieces = st.sampled_from(["a", "b", "*", "[*]", "[]", "[0]", "[?a]", ".", "|", "@", "&a", "{a: @}", "[@, @]", "'x'",
                          "==", "&&", "!", "(", ")", ",", "sort_by(", "map(", "to_number(", "join(", "payload()", "`1`",
                          "<"])  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(pieces, max_size=8).map("".join), documents)
def test_any_expression_gives_something_or_an_error_of_ours(text: str, payload: Any) -> None:
    try:
        Evaluation(payload).of(Expression(text), payload)
    except WrongExpression as error:
        assert error.status == 400


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=100) | documents.map(lambda d: json.dumps(d).encode("utf-8", "surrogatepass")))
def test_any_payload_is_taken_or_refused_with_an_error_of_ours(body: bytes) -> None:
    key = IntakeKey(
        id="1", name="x", mapping=Mapping(name_from="@", labels_from="@", identity_from="a", starts_from="a")
    )
    assert custom.DOOR.decode_for is not None
    try:
        taken = custom.DOOR.decode_for(key, body, "application/json", NOW)
    except WatchkeeperError as error:
        assert 400 <= error.status < 500
    else:
        assert taken.rows == 1
