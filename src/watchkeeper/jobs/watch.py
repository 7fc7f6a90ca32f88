"""Whether those who carry out jobs are there, where several data folders share the records: each says so every half
minute. Whether what one has said is new is all that others look at: no clock is compared with another's.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable

from django.utils import timezone

from watchkeeper.jobs.models import Job, JobState

EVERY = 30.0  # seconds
SILENT = 600.0  # seconds, after which nobody comes back
_GAP = 3 * EVERY  # between two looks: perhaps nobody could say anything
_LOST = "The process that carried it out has been silent for %d minutes: its data folder may be lost."


class Watch:
    """Inert until `look`. `runner` is who looks; `clock` is in seconds, and nobody sets it."""

    def __init__(self, runner: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._runner, self._clock = runner, clock
        self._looked = float("-inf")
        #: job and attempt → what was said last, and since when that is so
        self._said: dict[tuple[str, int], tuple[dt.datetime | None, float]] = {}

    def look(self) -> int:
        """Say that we are there and give up what others do not carry out any more, at most every half minute; how many
        jobs others have."""
        now = self._clock()
        if now - self._looked < EVERY:
            return len(self._said)
        running = Job.objects.filter(state=JobState.RUNNING)
        running.filter(runner=self._runner).update(seen_at=timezone.now())
        found = running.exclude(runner=self._runner).values_list("pk", "attempt", "seen_at")
        before = self._said if now - self._looked < _GAP else {}
        self._said = {}
        for pk, attempt, said in found:
            was, since = before.get((pk, attempt), (said, now))
            if was == said and now - since >= SILENT:
                _give_up(pk, attempt, said)
            else:
                self._said[pk, attempt] = said, since if was == said else now
        self._looked = now
        return len(self._said)


def _give_up(pk: str, attempt: int, said: dt.datetime | None) -> None:
    """End it, unless something is said at this moment."""
    silent = Job.objects.filter(pk=pk, attempt=attempt, state=JobState.RUNNING, seen_at=said)
    over = {"finished_at": timezone.now(), "message": ""}
    silent.filter(cancel_asked=True).update(state=JobState.CANCELLED, cancel_asked=False, **over)
    silent.update(state=JobState.FAILED, error=_LOST % (SILENT / 60), **over)
