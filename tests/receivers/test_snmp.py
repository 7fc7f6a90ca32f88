"""SNMP notifications as events: captured datagrams, bytes that are none, and the listener with Debian's own tools as
senders."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.receivers.snmp_harness import LOCAL, RunningSnmp, Users
from tests.support import eventually
from watchkeeper.model.declared import SnmpUser
from watchkeeper.model.doors import IntakeKey
from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.model.signals import Stream
from watchkeeper.model.verdicts import fingerprint
from watchkeeper.receivers import snmp_messages
from watchkeeper.receivers.events import batch, rows
from watchkeeper.receivers.snmp import NAME, reported
from watchkeeper.receivers.snmp_engine import Engine

CAPTURES = Path(__file__).resolve().parent.parent / "captures" / "snmp"
NOW_MS = 1_795_385_321_000
USER = SnmpUser("switch", "sha256", "signing phrase", "aes", "hiding phrase")
SAFE = (
    "-u",
    "switch",
    "-l",
    "authPriv",
    "-a",
    "SHA-256",
    "-A",
    "signing phrase",
    "-x",
    "AES",
    "-X",
    "hiding phrase",
)
COLD_START, LINK_DOWN, LINK_UP = (f"1.3.6.1.6.3.1.1.5.{n}" for n in (1, 3, 4))


def interface(index: int, state: int = 2) -> tuple[str, ...]:
    entry = "1.3.6.1.2.1.2.2.1"
    return (f"{entry}.1.{index}", "i", str(index), f"{entry}.2.{index}", "s", f"eth{index}", f"{entry}.8.{index}", "i",
            str(state))  # fmt: skip


@pytest.fixture
def snmp(tmp_path: Path) -> Iterator[RunningSnmp]:
    running = RunningSnmp(tmp_path, USER)
    running.start()
    yield running
    running.stop()
    running.close()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine(tmp_path_factory.mktemp("engine") / "state.json", Users(USER), lambda: NOW_MS / 1000)


def became(data: bytes, engine: Engine) -> dict[str, Any]:
    """What a datagram is: an event, a report, or the error; and whether an answer waits for the journal."""
    try:
        spoken = snmp_messages.version(data)
        read = engine.receive if spoken == "3" else partial(snmp_messages.receive, spoken=spoken)
        received = read(data, sender="192.0.2.7")
    except WatchkeeperError as error:
        return {"status": error.status, "reason": error.reason}
    if received.told is None:
        return {"report": bool(received.answer)}
    (row,) = batch(NAME, rows([reported(received.told, NOW_MS)], NOW_MS), NOW_MS).to_pylist()
    row |= {name: json.loads(row[name]) for name in ("labels", "annotations")}
    return {"event": row, "answered": bool(received.answer)}


@pytest.mark.parametrize("path", sorted(CAPTURES.glob("*.bin")), ids=lambda p: p.stem)
def test_a_captured_datagram_becomes_what_is_expected(path: Path, engine: Engine) -> None:
    assert became(path.read_bytes(), engine) == json.loads(path.with_suffix(".expected.json").read_text())


def test_any_bytes_are_a_message_or_refused(engine: Engine) -> None:
    captured = [p.read_bytes() for p in sorted(CAPTURES.glob("*.bin"))]

    @given(st.one_of(
        st.binary(max_size=300),
        st.tuples(st.sampled_from(captured), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6)).map(
            lambda x: bytes(dict(x[1]).get(i, b) for i, b in enumerate(x[0]))
        ),
    ))  # fmt: skip
    def refused_or_read(data: bytes) -> None:
        became(data, engine)

    refused_or_read()


def test_a_link_that_comes_up_ends_the_alert_of_its_going_down(snmp: RunningSnmp) -> None:
    snmp.tool(
        "snmptrap", "-v1", "-c", "x", "TARGET", "1.3.6.1.4.1.9", "127.0.0.1", "2", "0", "1", *interface(3)
    )
    snmp.tool("snmptrap", "-v2c", "-c", "x", "TARGET", "1", LINK_DOWN, *interface(4))
    snmp.tool("snmptrap", "-v2c", "-c", "x", "TARGET", "1", LINK_UP, *interface(3, 1))
    eventually(lambda: len(snmp.rows()) == 3)
    third, fourth, over = snmp.rows()
    meant = [fingerprint(r["name"], json.loads(r["labels"]), r["door"]) for r in (third, fourth, over)]
    assert meant[0] == meant[2] != meant[1]
    assert [r["status"] for r in (third, fourth, over)] == ["firing", "firing", "resolved"]
    assert (third["name"], third["severity"]) == ("linkDown", "error")
    assert third["summary"] == "Interface eth3 of 127.0.0.1 is down"
    assert json.loads(third["labels"])["interface"] == "eth3" and snmp.counted["requests"] == 3


@pytest.mark.parametrize(("user", "words"), [
    (SnmpUser("open"), "-u open -l noAuthNoPriv"),
    (SnmpUser("md5", "md5", "signing1"), "-u md5 -l authNoPriv -a MD5 -A signing1"),
    (SnmpUser("sha", "sha", "signing1", "des", "hiding12"), "-u sha -l authPriv -a SHA -A signing1 -x DES -X hiding12"),
    (SnmpUser("s256", "sha256", "signing1", "aes", "hiding12"),
     "-u s256 -l authPriv -a SHA-256 -A signing1 -x AES -X hiding12"),
    (SnmpUser("s384", "sha384", "signing1", "aes192", "hiding12"),
     "-u s384 -l authPriv -a SHA-384 -A signing1 -x AES-192 -X hiding12"),
    (SnmpUser("s512", "sha512", "signing1", "aes256", "hiding12"),
     "-u s512 -l authPriv -a SHA-512 -A signing1 -x AES-256 -X hiding12"),
], ids=lambda x: x.name if isinstance(x, SnmpUser) else "")  # fmt: skip
def test_a_user_sends_traps_and_informs(tmp_path: Path, user: SnmpUser, words: str) -> None:
    snmp = RunningSnmp(tmp_path, user)
    snmp.start()
    try:
        trap = ("-v3", "-e", "0x8000000001020304", *words.split(), "TARGET", "55", COLD_START)
        assert snmp.tool("snmptrap", *trap).returncode == 0
        done = snmp.tool("snmpinform", "-v3", *words.split(), "TARGET", "55", LINK_DOWN, *interface(1))
        assert done.returncode == 0, done.stderr
        eventually(lambda: len(snmp.rows()) == 2)
        assert [json.loads(r["annotations"])["snmp.user"] for r in snmp.rows()] == [user.name] * 2
        assert {r["name"] for r in snmp.rows()} == {"coldStart", "linkDown"}
    finally:
        snmp.stop()
        snmp.close()


@pytest.mark.parametrize(("words", "reason"), [
    ("-u switch -l noAuthNoPriv", "security_level"),
    ("-u switch -l authNoPriv -a SHA-256 -A signing-phrase", "wrong_digest"),
    ("-u nobody -l authNoPriv -a SHA -A whatever1", "unknown_user"),
    ("-u nobody -l noAuthNoPriv", "unknown_user"),
])  # fmt: skip
def test_who_is_not_who_they_say_is_refused(snmp: RunningSnmp, words: str, reason: str) -> None:
    inform = snmp.tool("snmpinform", "-r0", "-t2", "-v3", *words.split(), "TARGET", "55", COLD_START)
    assert inform.returncode != 0
    snmp.tool("snmptrap", "-v3", "-e", "0x8000000001020304", *words.split(), "TARGET", "55", COLD_START)
    eventually(lambda: reason in snmp.counted["rejected"])
    assert snmp.rows() == []


def test_a_changed_pass_phrase_holds_at_once(snmp: RunningSnmp) -> None:
    inform = ("-r1", "-t2", "-v3", *SAFE, "TARGET", "55", COLD_START)
    assert snmp.tool("snmpinform", *inform).returncode == 0
    snmp.users.users = (SnmpUser("switch", "sha256", "quite another", "aes", "hiding phrase"),)
    assert snmp.tool("snmpinform", *inform).returncode != 0
    snmp.users.users = (USER,)
    assert snmp.tool("snmpinform", *inform).returncode == 0


def test_addresses_that_no_key_admits(tmp_path: Path) -> None:
    """A community is no password here: the address counts. Who signs needs no address."""
    snmp = RunningSnmp(
        tmp_path, USER, SnmpUser("open"), keys=(IntakeKey("k", "k", addresses=("10.0.0.0/8",)),)
    )
    snmp.start()
    try:
        inform = ("TARGET", "55", COLD_START)
        assert snmp.tool("snmpinform", "-r0", "-t2", "-v2c", "-c", "x", *inform).returncode != 0
        assert (
            snmp.tool(
                "snmpinform", "-r0", "-t2", "-v3", "-u", "open", "-l", "noAuthNoPriv", *inform
            ).returncode
            != 0
        )
        assert snmp.counted["rejected"] == {"unauthorised": 2} and snmp.rows() == []
        assert snmp.tool("snmpinform", "-v3", *SAFE, *inform).returncode == 0
        assert snmp.listener.admission.refused() == {"127.0.0.1": 2}
    finally:
        snmp.stop()
        snmp.close()


def test_an_inform_is_answered_only_when_it_is_safe(tmp_path: Path) -> None:
    snmp = RunningSnmp(tmp_path, USER, max_bytes=150_000)
    snmp.start()
    big = [w for n in range(40) for w in (f"1.3.6.1.4.1.99999.1.{n}", "s", f"{n} " + "text " * 150)]
    answered = 0
    try:
        for spoken in (("-v2c", "-c", "x"), ("-v3", *SAFE)):
            while True:
                done = snmp.tool(
                    "snmpinform", "-r0", "-t2", *spoken, "TARGET", "55", "1.3.6.1.4.1.99999.0.1", *big
                )
                if done.returncode != 0:
                    break
                answered += 1
                assert len(snmp.rows()) == answered
    finally:
        snmp.stop()
    assert answered > 0 and len(snmp.rows()) == answered
    assert snmp.counted["rejected"]["journal_full"] >= 1
    snmp.close()


def test_the_engine_stays_the_same_and_counts_its_starts(tmp_path: Path) -> None:
    seen = []
    for _ in range(3):
        snmp = RunningSnmp(tmp_path, USER)
        snmp.start()
        done = snmp.tool("snmpinform", "-v3", *SAFE, "TARGET", "55", COLD_START)
        snmp.stop()
        snmp.close()
        assert done.returncode == 0, done.stderr
        seen.append(json.loads((tmp_path / "snmp-engine.json").read_text()))
    assert len({s["engine_id"] for s in seen}) == 1 and [s["boots"] for s in seen] == [1, 2, 3]


def test_what_is_no_notification_is_kept(snmp: RunningSnmp) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"hello", ("127.0.0.1", snmp.port))
    snmp.tool("snmpget", "-r0", "-t1", "-v2c", "-c", "x", "TARGET", "1.3.6.1.2.1.1.1.0")
    eventually(lambda: len(snmp.rows(Stream.DEAD_LETTERS)) == 2)
    assert snmp.counted["rejected"] == {"malformed": 2}
    assert snmp.rows(Stream.DEAD_LETTERS)[0]["payload"] == b"hello"


def test_a_key_with_a_rate_bounds_a_flood(tmp_path: Path) -> None:
    snmp = RunningSnmp(tmp_path, keys=(IntakeKey("k", "k", addresses=("127.0.0.1",), rate=2.0),))
    snmp.start()
    data = (CAPTURES / "v2c-linkup.bin").read_bytes()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for _ in range(200):
            s.sendto(data, ("127.0.0.1", snmp.port))
    eventually(lambda: snmp.counted["requests"] + snmp.counted["rejected"].get("rate_limited", 0) == 200)
    snmp.stop()
    assert snmp.counted["rejected"]["rate_limited"] > 0 and len(snmp.rows()) == snmp.counted["requests"]
    snmp.close()


def test_what_the_kernel_drops_is_counted(tmp_path: Path) -> None:
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    bound.bind(("127.0.0.1", 0))
    data = (CAPTURES / "v2c-linkup.bin").read_bytes()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for _ in range(500):  # nobody reads yet
            s.sendto(data, bound.getsockname())
    snmp = RunningSnmp(tmp_path, keys=(LOCAL,), bound=bound)
    snmp.start()
    eventually(lambda: snmp.counted["requests"] + snmp.counted["rejected"].get("kernel_drop", 0) == 500)
    snmp.stop()
    assert snmp.counted["rejected"]["kernel_drop"] > 0 and len(snmp.rows()) == snmp.counted["requests"] > 0
    snmp.close()
