"""What was acknowledged outlives the server's kill -9, and an append that it interrupts is stored once."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.contract.journal_rows import everything, letters, numbers, samples
from tests.support import eventually, free_port, require
from watchkeeper.journal import nats_link, open_journal
from watchkeeper.journal.jetstream import JetStreamJournal
from watchkeeper.model.errors import JournalFull


@contextmanager
def server(port: int, store: Path) -> Iterator[subprocess.Popen[bytes]]:
    program = shutil.which("nats-server")
    require(program, "nats-server is not installed")
    running = subprocess.Popen(
        [str(program), "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(store)],
        stderr=subprocess.DEVNULL,
    )
    try:
        yield running
    finally:
        running.kill()
        running.wait()


def opened(port: int, folder: Path) -> JetStreamJournal:
    def attempt() -> JetStreamJournal | None:
        try:
            journal = open_journal(f"nats://127.0.0.1:{port}", folder)
        except JournalFull:
            return None
        assert isinstance(journal, JetStreamJournal)
        return journal

    found = eventually(attempt)
    assert found is not None
    return found


def test_a_killed_server_keeps_what_it_acknowledged_once(tmp_path: Path) -> None:
    port = free_port()
    appended = threading.Event()
    stop = threading.Event()
    acknowledged: list[int] = []

    def append() -> None:
        number = 0
        while not stop.is_set():
            journal.append([samples(number), letters(number)])  # tries again while the server is away
            acknowledged.append(number)
            appended.set()
            number += 1

    with server(port, tmp_path) as first:
        journal = opened(port, tmp_path)
        thread = threading.Thread(target=append)
        thread.start()
        assert appended.wait(20)
        first.kill()
        first.wait()
    with server(port, tmp_path):
        before = len(acknowledged)
        eventually(lambda: len(acknowledged) > before + 10)
        stop.set()
        thread.join()
        assert numbers(everything(journal)) == [n for n in acknowledged for _ in range(2)]
        journal.close()


def test_it_parts_from_a_server_that_is_gone(tmp_path: Path) -> None:
    port = free_port()
    with server(port, tmp_path):
        journal = opened(port, tmp_path)
    with pytest.raises(JournalFull):
        journal.end()
    before = threading.active_count()
    journal.close()
    assert threading.active_count() == before - 1, "its own thread has ended"


def test_a_group_of_more_messages_than_one_read_holds_is_read(tmp_path: Path) -> None:
    port = free_port()
    with server(port, tmp_path), closing(opened(port, tmp_path)) as journal:
        last = journal.append([samples(n, rows=65_536) for n in range(180)])
        assert journal.size() > 96 * 2**20
        entries = everything(journal)
        assert numbers(entries) == list(range(180)) and entries[-1].offset == last


def test_no_server_is_said_clearly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nats_link, "CONNECT_FOR", 0.5)
    with pytest.raises(JournalFull) as refusal:
        open_journal(f"nats://127.0.0.1:{free_port()}", tmp_path)
    assert refusal.value.reason == "journal_unreachable"


@pytest.mark.parametrize(
    "url", ["redis://localhost", "nats://", "journal.db", "nats://localhost/name?replicas=many"]
)
def test_a_url_that_names_no_journal(url: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="names no journal"):
        open_journal(url, tmp_path)
