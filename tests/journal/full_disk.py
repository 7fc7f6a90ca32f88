"""A journal on a disk that gets full in mid-write and then has space again; prints what was seen as JSON.

python -m tests.journal.full_disk FOLDER ballast     FOLDER is a small file system, which a file fills up
python -m tests.journal.full_disk FOLDER limit       files may not grow, by RLIMIT_FSIZE
python -m tests.journal.full_disk FOLDER spare       a small file system, which the journal fills itself
"""

from __future__ import annotations

import json
import resource
import sqlite3
import sys
from pathlib import Path

from tests.contract.journal_rows import everything, numbers, samples
from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.model.errors import DiskFull

ROWS = 20_000  # some 340 kB an entry


class Ballast:
    """Fills the file system that the folder is on."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "ballast"

    def fill(self) -> None:
        """Take all space there is."""
        with self._file.open("wb", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while True:
                        file.write(b"\0" * size)
                except OSError:
                    continue

    def free(self) -> None:
        """Give it back."""
        self._file.unlink()


class Limit:
    """Keeps this process's files from growing past the largest there is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(self) -> None:
        """No file may grow any more."""
        largest = max(p.stat().st_size for p in self._folder.iterdir())
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, self._limits[1]))

    def free(self) -> None:
        """They may again."""
        resource.setrlimit(resource.RLIMIT_FSIZE, self._limits)


class Spare:
    """Fills nothing: the journal has to stop by itself."""

    def __init__(self, folder: Path) -> None: ...

    def fill(self) -> None:
        """Nothing to do."""

    free = fill


def append_until_full(journal: SqliteJournal, first: int, acknowledged: list[int]) -> DiskFull:
    """Append entries until the disk refuses one."""
    for number in range(first, first + 1000):
        try:
            journal.append([samples(number, ROWS), samples(number)])
        except DiskFull as error:
            return error
        acknowledged.append(number)
    raise AssertionError("the disk never got full")


def pass_all(journal: SqliteJournal) -> bool:
    """Have the consumers pass everything; False when the disk is too full for that."""
    try:
        for consumer in ("telemetry", "analysis"):
            journal.commit(consumer, journal.end())
    except DiskFull:
        return False
    return journal.size() == 0 and journal.read(0) == []


def main(folder: Path, how: str) -> dict[str, object]:
    """Fill, look, free, look again."""
    disk = {"ballast": Ballast, "limit": Limit, "spare": Spare}[how](folder)
    journal = SqliteJournal(folder / "journal.db", spare=24 * 1024**2 if how == "spare" else 0)
    acknowledged: list[int] = []
    for number in range(5):
        journal.append([samples(number, ROWS), samples(number)])
        acknowledged.append(number)
    disk.fill()
    errors = [append_until_full(journal, 5 + 1000 * n, acknowledged) for n in range(3)]
    seen: dict[str, object] = {
        "errors": [[e.status, e.reason] for e in errors],
        "kept": numbers(everything(journal))[::2] == acknowledged,
        "whole": numbers(everything(journal))[1::2] == acknowledged,
        "passed_while_full": pass_all(journal),
    }
    disk.free()
    seen["passed"] = pass_all(journal)
    end = journal.end()
    for number in range(9000, 9030):
        journal.append([samples(number, ROWS), samples(number)])
    journal.close()
    journal = SqliteJournal(folder / "journal.db")
    seen["after"] = numbers(everything(journal))[::2] == list(range(9000, 9030))
    seen["offsets"] = everything(journal)[0].offset == end + 1
    journal.close()
    db = sqlite3.connect(folder / "journal.db")
    seen["integrity"] = db.execute("PRAGMA integrity_check").fetchone()[0]
    db.close()
    return seen


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), sys.argv[2])))
