"""Processes that append to a journal and may be killed at it. Every number is written to a ledger outside the
journal once its append has returned. Run as a program, so that the processes are forked where no thread is.

    python -m tests.contract.journal_appender URL DATA LEDGER family CHILDREN COUNT
    python -m tests.contract.journal_appender URL DATA LEDGER killed ROUNDS SEED
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import sys
import time
import traceback
from importlib import import_module
from pathlib import Path

from tests.contract.journal_rows import Batches, Place, letters, samples

APART = 100_000  # between the numbers of two processes
ENTRIES = 3  # of each group


def group(number: int) -> Batches:
    """A group of ENTRIES entries that all carry the number; some are larger than one message of a server."""
    rows = 65_536 if number % 10 == 3 else 50
    return [samples(number, rows), letters(number), samples(number)]


def append(place: Place, ledger: Path, first: int, count: int | None) -> None:
    """Append groups and note each that was acknowledged."""
    journal = place.open()
    with ledger.open("ab", buffering=0) as book:
        for number in itertools.count(first) if count is None else range(first, first + count):
            journal.append(group(number))
            book.write(b"%d\n" % number)
    journal.close()


def fork(place: Place, ledger: Path, first: int, count: int | None) -> int:
    """A process that does `append` and exits with 0; its id."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        append(place, ledger, first, count)
        code = 0
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        os._exit(code)


def family(place: Place, ledger: Path, children: int, count: int) -> None:
    """Several processes at once, to their end."""
    pids = [fork(place, ledger, n * APART, count) for n in range(children)]
    assert all(os.waitpid(pid, 0)[1] == 0 for pid in pids)


def killed(place: Place, ledger: Path, rounds: int, seed: int) -> None:
    """One process after the other, each killed at a random moment, beside one that stays."""
    moments = random.Random(seed)
    steady = fork(place, ledger, 0, None)
    for n in range(1, rounds + 1):
        pid = fork(place, ledger, n * APART, None)
        time.sleep(moments.uniform(0.02, 0.2))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    os.kill(steady, signal.SIGKILL)
    os.waitpid(steady, 0)


if __name__ == "__main__":
    url, data, ledger, what, *numbers = sys.argv[1:]
    group(0)  # pyarrow imports pandas for its first array: once, and not in every child
    if url:
        import_module("watchkeeper.journal.jetstream")
    {"family": family, "killed": killed}[what](Place(url, Path(data)), Path(ledger), *map(int, numbers))
