"""The clock of a promise: working time since it began, without its pauses, and when it will be used up. Pure.

What was paused stays paused when the promise or its calendar is another: all follows from when it began, when it was
paused and the calendar that holds now.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from watchkeeper.domains.agreements.working import WorkingTime

Pause = tuple[int, int | None]
"""From and until, Unix milliseconds; None: it goes on."""
_OPEN = 2**62


@dataclass(frozen=True, slots=True)
class Clock:
    """A promise: so many milliseconds of working time from `began_ms` on. `pauses` are in order and do not overlap; only
    the last may go on. `kept_ms` is when what was promised was done; then the clock stands.

    >>> from watchkeeper.domains.agreements.working import Calendar
    >>> always = WorkingTime(Calendar("UTC", (((0, 1440),),) * 7))
    >>> clock = Clock(always, 60_000, began_ms=0, pauses=((10_000, 15_000),))
    >>> clock.used(20_000), clock.due(), Clock(always, 60_000, 0, ((10_000, None),)).due()
    (15000, 65000, None)
    """

    time: WorkingTime
    promised_ms: int
    began_ms: int
    pauses: Sequence[Pause] = ()
    kept_ms: int | None = None

    def used(self, now_ms: int) -> int:
        """Milliseconds of working time that have counted by now."""
        until = now_ms if self.kept_ms is None else min(now_ms, self.kept_ms)
        return sum(self.time.worked(begins, min(ends, until)) for begins, ends in self._running())

    def due(self, percent: int = 100) -> int | None:
        """When so much of the promise is, or was, used up if nothing more happens; None while a pause goes on before that.
        Raises NeverWorked."""
        left = self.promised_ms * percent // 100
        for begins, ends in self._running():
            if ends == _OPEN:
                return self.time.due(begins, left)
            worked = self.time.worked(begins, ends)
            if worked >= left:
                return self.time.due(begins, left)
            left -= worked
        return None

    def broken(self, now_ms: int) -> bool:
        """Whether more than what was promised has been used by now."""
        return self.used(now_ms) > self.promised_ms

    def _running(self) -> Iterator[tuple[int, int]]:
        """The stretches between pauses; the last one is open."""
        begins = self.began_ms
        for paused, again in self.pauses:
            if paused > begins:
                yield begins, paused
            if again is None:
                return
            begins = max(begins, again)
        yield begins, _OPEN
