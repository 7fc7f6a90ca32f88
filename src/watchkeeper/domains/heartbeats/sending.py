"""Sends heartbeats from the web process, which needs all others to work: when it hangs or ends, nothing is sent, and
that is what a heartbeat says.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Iterable

from django.db import DatabaseError, close_old_connections, connection
from django.utils import timezone

from watchkeeper import __version__
from watchkeeper.domains.heartbeats import rules
from watchkeeper.domains.heartbeats.models import Heartbeat
from watchkeeper.domains.outgoing import outbound
from watchkeeper.domains.receiving import readable
from watchkeeper.kernel.ports import Metric
from watchkeeper.model.errors import WatchkeeperError

LOOK_EVERY = 1.0  # seconds
TIMEOUT = 10.0  # seconds that a call may take
_log = logging.getLogger(__name__)
State = Heartbeat.State


class Beats:
    """Inert until `run`. `look` tells how the platform is, with the front asked where somebody wants to know; that may take
    some seconds while something hangs."""

    def __init__(self, look: Callable[[bool], rules.Vitals]) -> None:
        self._look = look
        self._began = time.monotonic()
        self._known: list[Heartbeat] = []
        #: when next, monotonic, and whether all was well at the last
        self._due: dict[int, tuple[float, bool]] = {}
        self._calling: dict[int, threading.Thread] = {}

    def run(self, stop: threading.Event) -> None:
        """Look once a second, and call what is due, until `stop` is set."""
        while not stop.wait(LOOK_EVERY):
            self._read()
            vitals = self._look(bool(self._known))
            if vitals.ending:
                continue  # somebody stops all of it: that is silence, and no trouble
            for beat in self._known:
                self._tend(beat, rules.faults(vitals, beat.patience, beat.least_free))

    def _read(self) -> None:
        """What is declared; what was known stays while the records are away. One whose address was sealed with another
        key says so and sends nothing."""
        try:
            close_old_connections()
            found, unread = readable(Heartbeat.objects.filter(enabled=True), lambda beat: beat)
            self._known = list(found)
            for one in unread:
                held = Heartbeat.objects.filter(pk=one.id).exclude(state=State.HELD, reason=one.why)
                held.update(state=State.HELD, reason=one.why, failed_at=timezone.now())
        except (DatabaseError, WatchkeeperError) as error:
            _log.warning("heartbeats cannot be read, going on as before: %s", error)

    def _tend(self, beat: Heartbeat, faults: tuple[str, ...]) -> None:
        """Call it when its time has come, or when trouble has come or gone."""
        calling, now = self._calling.get(beat.pk), time.monotonic()
        if faults and beat.pk not in self._due and now < self._began + beat.patience:
            return  # the other processes are starting
        due, was_well = self._due.get(beat.pk, (0.0, not faults))
        if (now < due and was_well == (not faults)) or (calling is not None and calling.is_alive()):
            return
        self._due[beat.pk] = now + beat.interval, not faults
        calling = threading.Thread(
            target=_send, args=(beat, "; ".join(faults)), name=f"heartbeat {beat.pk}", daemon=True
        )  # of its own: an address that is slow delays no other, and no stop
        calling.start()
        self._calling[beat.pk] = calling

    def metrics(self) -> Iterable[Metric]:
        """How each heartbeat that is on stands."""
        known = list(Heartbeat.objects.filter(enabled=True).defer("url", "fail_url"))
        up = [({"heartbeat": b.name}, float(b.state == State.BEATING)) for b in known]
        last = [({"heartbeat": b.name}, b.succeeded_at.timestamp()) for b in known if b.succeeded_at]
        yield Metric("watchkeeper_heartbeat_up", "gauge", "1: the last one was sent and answered", up)
        yield Metric("watchkeeper_heartbeat_last_success_timestamp_seconds", "gauge",
                     "When a heartbeat was last answered", last)  # fmt: skip


def _send(beat: Heartbeat, fault: str) -> None:
    """One call, and a note of what came of it; written first, so that nothing says that all is well while nothing can
    be written."""
    now = timezone.now()
    try:
        fault = _begun(beat, fault, now)
        said = _call(beat, fault)
        if said or not fault:
            _told(beat, fault, said, now)
    except DatabaseError as error:
        _log.warning("heartbeat %s: what came of it cannot be written: %s", beat.name, error)
    finally:
        connection.close()


def _begun(beat: Heartbeat, fault: str, now: dt.datetime) -> str:
    """Note that it is tried; what keeps it back, that this cannot be noted among it."""
    try:
        _note(beat, tried_at=now)
        if fault:
            _note(beat, state=State.HELD, reason=fault, failed_at=now)
    except DatabaseError as error:
        return fault or f"the records cannot be written: {error}"
    return fault


def _told(beat: Heartbeat, fault: str, said: str, now: dt.datetime) -> None:
    if fault:
        _note(beat, state=State.HELD, reason=f"{fault}; and this could not be told: {said}", failed_at=now)
    elif said:
        _note(beat, state=State.UNANSWERED, reason=said, failed_at=now)
    else:
        _note(beat, state=State.BEATING, reason="", succeeded_at=timezone.now())


def _call(beat: Heartbeat, fault: str) -> str:
    """Call the address, or while there is a fault the one for trouble, if there is one; what went wrong with that."""
    url = beat.fail_url if fault else beat.url
    if not url:
        return ""
    headers = {"User-Agent": f"Watchkeeper/{__version__}"}
    try:
        if beat.method == Heartbeat.Method.POST:
            headers["Content-Type"] = "text/plain; charset=utf-8"
            answer = outbound.post(url, fault.encode(), headers, TIMEOUT)
        else:
            answer = outbound.get(url, headers, TIMEOUT)
    except WatchkeeperError as error:
        return error.detail
    return "" if answer.status < 300 else f"it answered {answer.status}"


def _note(beat: Heartbeat, **fields: dt.datetime | str) -> None:
    Heartbeat.objects.filter(pk=beat.pk).update(**fields)
