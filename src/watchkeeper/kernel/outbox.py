"""The transactional outbox: effects on the outside world, written with their cause and carried out after.

An effect's id is derived from its cause, so that it is there once however often the cause is replayed. The
worker carries each out until it succeeds or is given up. Between doing it and writing that it is done lies a
moment in which a kill makes the worker do it again: with the same id, by which the receiver can tell.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import random
import socket
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import psutil
from django.db import OperationalError, close_old_connections, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.module_loading import autodiscover_modules

from watchkeeper.kernel.fields import document, milliseconds, storable
from watchkeeper.kernel.models import Delivery, OutboxRow, OutboxState
from watchkeeper.kernel.secrets import fingerprint
from watchkeeper.kernel.upserts import upsert, when
from watchkeeper.model.errors import WatchkeeperError

_log = logging.getLogger(__name__)
LEASE = dt.timedelta(minutes=5)  # longer than any effect may take; then another worker tries
ATTEMPTS = 14  # the last one about a day after the first
LANE = 2  # threads of each lane, which nothing but its effects may keep busy
_CHUNK = 500


class GiveUp(WatchkeeperError):
    """An effect that no repetition will bring about."""

    reason = "given_up"


class TryAgain(WatchkeeperError):
    """An effect that did not come about this time."""

    reason = "try_again"


@dataclass(frozen=True, slots=True)
class Effect:
    """Something to be done once. `kind` names its handler, `subject` the record that it is about; `due` is when,
    if not at once."""

    id: str
    kind: str
    subject: str
    payload: dict[str, Any]
    due: dt.datetime | None = None


Handler = Callable[[OutboxRow], str]
_handlers: dict[str, Handler] = {}
_lanes: dict[str, set[str]] = defaultdict(set)  # kinds of effects by lane; "" has none of its own


def handler(kind: str, *, lane: str = "") -> Callable[[Handler], Handler]:
    """Register what carries out effects of this kind: it returns what came back, or raises OSError or a
    WatchkeeperError, of which GiveUp is final. What people wait for has a lane: it waits for nothing in no lane."""

    def register(function: Handler) -> Handler:
        _handlers[kind] = function
        _lanes[lane].add(kind)
        return function

    return register


@lru_cache(maxsize=1)
def _every_handler() -> dict[str, Handler]:
    """Handlers register themselves in the `jobs` modules of the installed apps."""
    autodiscover_modules("jobs")
    return _handlers


def add(effects: Iterable[Effect]) -> None:
    """Add effects in the caller's transaction; those that are there already stay as they are."""
    now = when(milliseconds(timezone.now()))
    rows = [
        (e.id, e.kind, e.subject, document(e.payload), "due", now, when(milliseconds(e.due)) if e.due else now,
         0, "", None, "")
        for e in effects
    ]  # fmt: skip
    upsert(OutboxRow, rows, keep=True)


def again(rows: QuerySet[OutboxRow]) -> int:
    """Make effects due once more, whatever became of them; those under way stay. Returns how many."""
    return rows.exclude(state=OutboxState.DUE).update(
        state=OutboxState.DUE, due_at=timezone.now(), attempts=0, finished_at=None, claimed_by=""
    )


def ids_about(subjects: Iterable[str]) -> dict[str, list[str]]:
    """Ids of all effects about each of these subjects."""
    found: dict[str, list[str]] = defaultdict(list)
    wanted = list(dict.fromkeys(subjects))
    for start in range(0, len(wanted), _CHUNK):
        rows = OutboxRow.objects.filter(subject__in=wanted[start : start + _CHUNK])
        for subject, row in rows.values_list("subject", "id"):
            found[subject].append(row)
    return found


def back_off(attempt: int) -> dt.timedelta:
    """How long to wait after this attempt: 5 s, doubling, at most 4 hours, and up to a fifth more.

    >>> back_off(1) < back_off(4) < dt.timedelta(minutes=1)
    True
    """
    return dt.timedelta(seconds=min(4 * 3600.0, 5.0 * 2 ** (attempt - 1)) * random.uniform(1.0, 1.2))


def patiently(step: Callable[[], object], stop: threading.Event | None = None) -> bool:
    """Do it until the database lets us: so what has left is noted, or it would be sent once more."""
    stop = stop or threading.Event()
    while not stop.is_set():
        try:
            return bool(step())
        except OperationalError as error:
            _log.warning("the outbox cannot be read or written, trying again: %s", error)
            stop.wait(2.0)
            close_old_connections()
    return False


class OutboxWorker:
    """Carries effects out, several at a time. Inert until `run`."""

    def __init__(self, threads: int = 4, poll: float = 0.5) -> None:
        self.threads, self.poll = threads, poll
        self.name = f"{_machine()}:{os.getpid()}:{uuid.uuid4().hex[:16]}"

    def run(self, stop: threading.Event) -> None:
        """Carry out what is due until `stop` is set; then finish what has begun. An effect whose handler has an error
        ends its thread, which the log tells; another takes its place."""
        patiently(self._take_over, stop)
        connection.close()  # the threads have their own
        _every_handler()
        lanes = [""] * self.threads + LANE * [lane for lane in _lanes if lane]
        workers: dict[int, threading.Thread] = {}
        while not stop.is_set():
            for n, lane in enumerate(lanes):
                if n not in workers or not workers[n].is_alive():
                    workers[n] = threading.Thread(None, self._work, f"outbox-{n}", (stop, lane), daemon=True)
                    workers[n].start()
            stop.wait(1.0)
        for w in workers.values():
            w.join()

    def _work(self, stop: threading.Event, lane: str) -> None:
        try:
            while not stop.is_set():
                close_old_connections()
                if not patiently(partial(self.step, lane), stop):
                    stop.wait(self.poll)
        finally:
            connection.close()

    def _take_over(self) -> bool:
        """What a worker of this machine had begun when it was killed is due at once."""
        begun = OutboxRow.objects.filter(state=OutboxState.DUE, claimed_by__startswith=f"{_machine()}:")
        claims = begun.values_list("pk", "claimed_by", "due_at")
        dead = [pk for pk, name, due in claims if not _lives(int(name.split(":")[1]), due - LEASE)]
        for start in range(0, len(dead), _CHUNK):
            theirs = OutboxRow.objects.filter(pk__in=dead[start : start + _CHUNK])
            theirs.update(due_at=timezone.now(), claimed_by="")
        return bool(dead)

    def step(self, lane: str = "") -> bool:
        """Claim one effect that is due, of this lane if one is named, and carry it out; False when there was none."""
        row = self._claim(lane)
        if row is None:
            return False
        began = time.monotonic()
        carry_out = _every_handler().get(row.kind)
        if carry_out is None:
            self._failed(row, f"nothing here carries out {row.kind!r}", began, final=True)
            return True
        said = ("an error of ours, which the log tells", row.attempts >= ATTEMPTS)
        answer = None
        try:
            answer = carry_out(row)
        except GiveUp as error:
            said = (error.detail, True)
        except (WatchkeeperError, OSError) as error:
            said = (str(error) or repr(error), row.attempts >= ATTEMPTS)
        finally:
            if answer is None:
                note = partial(self._failed, row, said[0], began, final=said[1])
            else:
                note = partial(self._done, row, answer, began)
            patiently(note)
        return True

    def _claim(self, lane: str) -> OutboxRow | None:
        now = timezone.now()
        due = OutboxRow.objects.filter(state=OutboxState.DUE, due_at__lte=now).order_by("due_at")
        if lane:
            due = due.filter(kind__in=_lanes[lane])
        if not due.values("pk")[:1].exists():
            return None
        with transaction.atomic():
            locks = connection.features.has_select_for_update_skip_locked
            row = (due.select_for_update(skip_locked=True) if locks else due).first()
            if row is None:
                return None
            # Written before the effect: whoever comes after a kill finds it due again when the lease ends.
            row.attempts += 1
            row.claimed_by = self.name
            row.due_at = now + LEASE
            row.save(update_fields=["attempts", "claimed_by", "due_at"])
        return row

    def _done(self, row: OutboxRow, answer: str, began: float) -> None:
        with transaction.atomic():
            self._log(row, True, answer, began)
            OutboxRow.objects.filter(pk=row.pk).update(
                state=OutboxState.DONE, finished_at=timezone.now(), error=""
            )

    def _failed(self, row: OutboxRow, error: str, began: float, *, final: bool) -> None:
        _log.warning("%s did not come about (attempt %d): %s", row.pk, row.attempts, error)
        now = timezone.now()
        with transaction.atomic():
            self._log(row, False, error, began)
            OutboxRow.objects.filter(pk=row.pk).update(
                claimed_by="", state=OutboxState.FAILED if final else OutboxState.DUE, error=error[:2000],
                due_at=now + back_off(row.attempts), finished_at=now if final else None,
            )  # fmt: skip

    def _log(self, row: OutboxRow, done: bool, answer: str, began: float) -> None:
        took = int((time.monotonic() - began) * 1000)
        said = storable(answer)[:2000]
        Delivery.objects.create(
            row=row, at=timezone.now(), attempt=row.attempts, done=done, milliseconds=took, answer=said
        )


def _machine() -> str:
    """This machine among others, whose names may begin alike or be the same."""
    number = ""
    for path in ("/proc/sys/kernel/random/boot_id", "/etc/machine-id"):  # the second outlives a boot
        with suppress(OSError):
            number = Path(path).read_text() or number
    return fingerprint(f"{socket.gethostname()} {number}")[:24]


def _lives(pid: int, then: dt.datetime) -> bool:
    """Whether the process that had this id then still runs, and is not this one."""
    try:
        began = psutil.Process(pid).create_time() - 2  # seconds: it is known no better
        return pid != os.getpid() and began <= then.timestamp()
    except psutil.Error:
        return False
