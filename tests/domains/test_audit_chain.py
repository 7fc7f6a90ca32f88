"""The audit trail's hash chain: every kind of tampering with SQL is found and named, on both databases."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from typer.testing import CliRunner

from tests.domains import audit_tampering as tamper
from tests.support import eventually
from watchkeeper import cli
from watchkeeper.domains.audit import Checkpoints, checkpoint, seal_all, seal_batch
from watchkeeper.domains.identity.models import User
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor, ActorKind
from watchkeeper.kernel.models import AuditEntry

ANN = Actor(ActorKind.PERSON, "ann", id="1", address="192.0.2.7", request_id="r-1")


@pytest.fixture
def file(settings: Any, tmp_path: Path) -> Checkpoints:
    """Checkpoints of this test's own."""
    settings.AUDIT_CHECKPOINTS = tmp_path / "checkpoints.jsonl"
    return Checkpoints(settings.AUDIT_CHECKPOINTS)


@pytest.fixture
def chain(db: None, file: Checkpoints) -> Checkpoints:  # noqa: ARG001
    """Twenty sealed entries; checkpoints at 10 and at 20."""
    for _ in range(2):
        act(10)
        seal_all()
        checkpoint(file)
    return file


def act(times: int = 1) -> None:
    """Write entries as any act does."""
    for n in range(times):
        audit.record(ANN, "item.change", before={"name": "α", "size": 1.5}, after={"name": "β", "size": n})


def run(*words: str) -> tuple[int, str]:
    """`watchkeeper audit …`: exit status and output."""
    done = CliRunner().invoke(cli.build(), ["audit", *words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def verdict() -> dict[str, Any]:
    """What `verify --json` says; its status goes with it."""
    status, output = run("verify", "--json")
    found: dict[str, Any] = json.loads(output)
    assert status == (0 if found["whole"] else 1)
    return found


def findings() -> list[tuple[str, int]]:
    return [(f["kind"], f["number"]) for f in verdict()["findings"]]


def test_a_whole_chain(chain: Checkpoints) -> None:
    """It is counted, it agrees with the checkpoints, and what waits is told."""
    act(2)
    found = verdict()
    assert (found["entries"], found["last"], found["unsealed"], found["checkpoints"]) == (20, 20, 2, 2)
    assert found["agreed"]["number"] == 20 and found["agreed"]["seal"] == found["seal"]
    status, said = run("verify")
    assert status == 0 and "whole: 20 entries" in said and "Not sealed yet, and so not proved: 2" in said
    assert str(chain.path) in said


CHANGES: dict[str, Callable[[], None]] = {
    "actor": lambda: tamper.change("actor", "bob"),
    "time": lambda: tamper.change("at", "2026-01-01 00:00:00+00"),
    "address": lambda: tamper.change("address", ""),
    "before": lambda: tamper.change("before", '{"name": "α", "size": 1.25}'),
    "after": lambda: tamper.change("after", None),
    "record": lambda: tamper.change("record", "7"),
    "seal": lambda: (tamper.change("seal", "0" * 64), tamper.seal_anew(8, 8))[0],
    "id": lambda: tamper.change("id", 4711),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_entry_is_named(chain: Checkpoints, what: str) -> None:  # noqa: ARG001
    """One change is one finding, at its entry, and not at all that follow."""
    CHANGES[what]()
    found = verdict()["findings"]
    if what == "seal":
        assert [f["number"] for f in found] == [7, 9], "neither follows what is before it"
        return
    assert [(f["kind"], f["number"]) for f in found] == [("altered", 7)]
    assert found[0]["entry"] == AuditEntry.objects.get(sealed_no=7).pk


def test_what_cannot_be_read_is_found_too(chain: Checkpoints) -> None:  # noqa: ARG001
    """SQLite holds anything; a time that is none stops nothing."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL takes no such value")
    tamper.change("at", "2026-99-99 00:00:00", 4)
    tamper.change("actor", b"\x00\x01", 9)
    assert findings() == [("altered", 4), ("altered", 9)]


@pytest.mark.parametrize(("first", "last"), [(1, 1), (7, 7), (7, 12)])
def test_a_deleted_entry_is_missed(chain: Checkpoints, first: int, last: int) -> None:  # noqa: ARG001
    """One finding a gap; what follows holds."""
    tamper.delete(first, last)
    found = verdict()
    assert [(f["kind"], f["number"], f["entry"]) for f in found["findings"]] == [("missing", first, None)]
    assert found["entries"] == 20 - (last - first + 1)


def test_a_gap_that_is_closed_is_found(chain: Checkpoints) -> None:  # noqa: ARG001
    """Numbers without a gap do not help: the next entry has another predecessor's seal."""
    tamper.delete(7, 7)
    tamper.renumber(8, -1)
    assert findings() == [("altered", 7), ("rewritten", 10), ("cut", 20)]


def test_an_inserted_entry_is_found(chain: Checkpoints) -> None:  # noqa: ARG001
    """With whatever seal, also one that fits."""
    tamper.renumber(7, 1)
    forged = tamper.insert(7, "f" * 64, actor="bob")
    assert findings() == [("inserted", 7), ("rewritten", 10)]
    tamper.seal_anew(7, 7)
    assert findings() == [("inserted", 7), ("rewritten", 10)]
    tamper.sql(f"UPDATE {tamper.TABLE} SET sealed_no = 0 WHERE id = %s", forged)
    tamper.renumber(8, -1)
    assert findings() == [("inserted", 0)]


def test_an_entry_that_pretends_to_be_old_is_found(chain: Checkpoints) -> None:  # noqa: ARG001
    """It is sealed as any new one is, after a checkpoint that knew of nothing that waited."""
    old = "2026-01-01 00:00:00+00:00" if connection.vendor == "postgresql" else "2026-01-01 00:00:00"
    made = tamper.insert(21, actor="bob", at=old)
    tamper.sql(f"UPDATE {tamper.TABLE} SET sealed_no = NULL WHERE id = %s", made)
    seal_all()
    assert findings() == [("backdated", 21)]


def test_entries_that_waited_for_long_are_not_called_backdated(chain: Checkpoints) -> None:
    """A trail that is older than its chain is sealed in pieces, with checkpoints between."""
    old = "2026-01-01 00:00:00+00:00" if connection.vendor == "postgresql" else "2026-01-01 00:00:00"
    tamper.sql(f"UPDATE {tamper.TABLE} SET sealed_no = NULL, seal = '', at = %s", old)
    chain.path.unlink()
    seal_batch(5)
    checkpoint(chain)
    seal_all()
    assert verdict()["whole"]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (("sealed_no",), {7, 8, 9}),
        (("sealed_no", "seal"), {7, 8}),
        (("actor", "act", "name", "at"), {7, 8}),
    ],
)
def test_reordering_is_found(chain: Checkpoints, columns: tuple[str, ...], expected: set[int]) -> None:
    """Entries in each other's place are told from entries that were changed, where the entry is whole."""
    tamper.change("actor", "eve", 8)  # so that the two differ in more than their ids
    tamper.seal_anew(8, 20)
    chain.path.unlink()
    assert verdict()["whole"]
    tamper.swap(7, 8, columns)
    kind = "altered" if "actor" in columns else "moved"
    assert {(k, n) for k, n in findings()} == {(kind, n) for n in expected}


def test_a_cut_tail_is_found(chain: Checkpoints) -> None:  # noqa: ARG001
    """The chain alone would be whole; the checkpoint outside knows better, also when acts follow."""
    tamper.delete(16, 20)
    assert findings() == [("cut", 20)]
    act(1)
    seal_all()
    assert findings() == [("cut", 20)]
    act(9)
    seal_all()
    assert findings() == [("rewritten", 20)]


def test_everything_gone_is_found(chain: Checkpoints) -> None:  # noqa: ARG001
    """An empty table is a chain too."""
    tamper.sql(f"DELETE FROM {tamper.TABLE}")
    assert findings() == [("cut", 20)]


def test_a_chain_made_anew_is_found(chain: Checkpoints) -> None:
    """A change, and every seal after it recomputed: only a checkpoint tells, the file's or its copy's."""
    tamper.change("actor", "bob", 13)
    tamper.seal_anew(13, 20)
    found = verdict()
    assert [(f["kind"], f["number"]) for f in found["findings"]] == [("rewritten", 20)]
    assert "from number 11 to here" in found["findings"][0]["detail"]
    copy = chain.path.with_name("copy")
    copy.write_bytes(chain.path.read_bytes())
    chain.path.unlink()
    assert run("verify")[0] == 0, "without any checkpoint nothing tells"
    assert "There is no checkpoint" in run("verify")[1]
    assert run("verify", "--checkpoints", str(copy))[0] == 1


def test_sealing_again_from_the_beginning_is_found(chain: Checkpoints) -> None:  # noqa: ARG001
    """Seals wiped off, so that our own sealer makes them anew."""
    tamper.change("actor", "bob", 3)
    tamper.sql(f"UPDATE {tamper.TABLE} SET sealed_no = NULL, seal = ''")
    seal_all()
    assert findings() == [("rewritten", 10)]


def test_many_findings_are_counted(chain: Checkpoints) -> None:  # noqa: ARG001
    """At most a hundred are explained."""
    act(200)
    seal_all()
    tamper.sql(f"UPDATE {tamper.TABLE} SET actor = 'bob'")
    found = verdict()
    assert found["wrong"] == 220 and len(found["findings"]) == 100
    assert "and 120 more" in run("verify")[1]


def test_checkpoints_are_only_added(chain: Checkpoints) -> None:
    """One line each, for this user alone; a line that was left unfinished spoils no other."""
    before = chain.path.read_bytes()
    assert chain.path.stat().st_mode & 0o077 == 0
    with chain.path.open("ab") as f:
        f.write(b'{"number": 20, "se')
    act(1)
    status, output = run("checkpoint", "--json")
    assert status == 0 and json.loads(output)["number"] == 21
    assert chain.path.read_bytes().startswith(before)
    found = verdict()
    assert (found["whole"], found["checkpoints"], found["unreadable"]) == (True, 3, [3])
    assert "Line 3" in run("verify")[1]


def test_a_checkpoint_that_cannot_be_written_says_so(chain: Checkpoints) -> None:
    """No folder, no checkpoint, no traceback."""
    chain.path.unlink()
    chain.path.mkdir()
    status, output = run("checkpoint")
    assert status == 1 and "cannot be written" in output
    status, output = run("verify")
    assert status == 1 and "cannot be verified" in output


@pytest.mark.django_db(transaction=True)
def test_a_forged_number_stops_nothing_but_the_seals(chain: Checkpoints) -> None:
    """The last number that a database can hold leaves none for the next entry; the sealer goes on trying."""
    forged = tamper.insert(2**63 - 1)
    assert findings() == [("missing", 21)]
    act(1)
    assert run("checkpoint")[0] == 1
    with sealer(chain) as process:
        tamper.sql(f"DELETE FROM {tamper.TABLE} WHERE id = %s", forged)
        eventually(lambda: waiting() == 0)
        stop(process)
    assert verdict()["last"] == 21


def test_nothing_to_checkpoint(db: None, file: Checkpoints) -> None:  # noqa: ARG001
    """Before the first act there is no chain."""
    assert run("checkpoint")[0] == 1 and not file.path.exists()
    assert verdict()["entries"] == 0


@pytest.mark.django_db(transaction=True)
def test_an_entry_that_commits_late_comes_later_in_the_chain(chain: Checkpoints) -> None:  # noqa: ARG001
    """Its id is lower than that of one that is sealed by then."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    written, go = threading.Event(), threading.Event()

    def late() -> None:
        with transaction.atomic():
            act(1)
            written.set()
            go.wait(30)
        connection.close()

    thread = threading.Thread(target=late)
    thread.start()
    assert written.wait(30)
    act(1)
    assert seal_all() == 1
    go.set()
    thread.join()
    assert seal_all() == 1
    ids = AuditEntry.objects.filter(sealed_no__gt=20).order_by("sealed_no").values_list("id", flat=True)
    assert ids[0] > ids[1]
    assert verdict()["whole"]


def test_rest_and_console_show_number_and_seal(chain: Checkpoints, api: Callable[..., Any]) -> None:  # noqa: ARG001
    """And a new entry has none yet."""
    shown = api("admin").get("/api/audit/?limit=30").json()["results"]
    by_number = {e["sealed_no"]: e["seal"] for e in shown}
    assert by_number[20] == verdict()["seal"] and by_number[None] == ""
    browser = Client()
    browser.force_login(User.objects.create_user("ada", is_administrator=True))
    page = browser.get(f"/audit/{AuditEntry.objects.get(sealed_no=20).pk}/").content.decode()
    assert "Number in the chain" in page and by_number[20] in page


@contextmanager
def sealer(file: Checkpoints) -> Iterator[subprocess.Popen[str]]:
    """A process that seals what this test writes."""
    given = connection.settings_dict
    url = f"sqlite:///{given['NAME']}"
    if connection.vendor == "postgresql":
        url = f"postgres://{given['USER']}@{given['HOST']}:{given['PORT']}/{given['NAME']}"
    env = {**os.environ, "DATABASE_URL": url, "WATCHKEEPER_AUDIT_CHECKPOINTS": str(file.path)}
    command = [sys.executable, "-m", "tests.domains.sealer_process"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == "sealing\n"
            yield process
        finally:
            process.kill()


def stop(process: subprocess.Popen[str]) -> None:
    """As the supervisor stops it."""
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


def waiting() -> int:
    return AuditEntry.objects.filter(sealed_no=None).count()


@pytest.mark.django_db(transaction=True)
def test_a_kill_between_sealing_and_checkpoint(chain: Checkpoints) -> None:
    """The chain is whole after it, and the next clean stop has a checkpoint of all."""
    kept = chain.path.read_bytes()
    chain.path.unlink()
    os.mkfifo(chain.path)  # who would read the last checkpoint, to write the next, waits here for ever
    act(700)
    with sealer(chain) as process:
        eventually(lambda: waiting() == 200 or waiting() == 0)
        process.kill()
    chain.path.unlink()
    chain.path.write_bytes(kept)
    found = verdict()
    assert (found["whole"], found["agreed"]["number"]) == (True, 20) and found["last"] >= 520
    with sealer(chain) as process:
        eventually(lambda: waiting() == 0)
        act(1)
        stop(process)
    found = verdict()
    assert (found["whole"], found["last"], found["agreed"]["number"]) == (True, 721, 721)


@pytest.mark.django_db(transaction=True)
def test_two_sealers_at_once_seal_each_entry_once(chain: Checkpoints) -> None:
    """While entries are being written."""
    with sealer(chain) as one, sealer(chain) as other:
        for _ in range(60):
            with transaction.atomic():
                act(50)
        eventually(lambda: waiting() == 0)
        stop(one)
        stop(other)
    found = verdict()
    assert (found["whole"], found["entries"], found["last"]) == (True, 3020, 3020)
    assert found["agreed"]["number"] == 3020
