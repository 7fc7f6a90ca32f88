"""When work is due, and how often things fail. Pure; times are Unix seconds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

OPEN, STARTED, DEFERRED, DONE, CANCELLED = "open", "in_progress", "deferred", "done", "cancelled"
STATES = {OPEN: "open", STARTED: "in progress", DEFERRED: "put off", DONE: "done", CANCELLED: "cancelled"}
LIVING = (OPEN, STARTED, DEFERRED)
_UNDONE, _DONE = "[ ]", ("[x]", "[X]")
_BOX = re.compile(r"^\[[ xX]\]")


def passed(value: float, every: float) -> int:
    """How many times a meter has passed a distance: the number of the occurrence that it has reached.

    >>> passed(1499.0, 500.0), passed(1500.0, 500.0)
    (2, 3)
    """
    return int(value // every) if every > 0 else 0


def undone(checklist: str) -> list[str]:
    """The lines of a checklist that nobody has ticked.

    >>> undone("[x] oil\\n[ ] filter")
    ['filter']
    """
    return [text for done, text in steps(checklist) if not done]


def steps(checklist: str) -> list[tuple[bool, str]]:
    """Its steps, one a line: whether each is done, and what it says.

    >>> steps("[x] oil\\n\\nfilter")
    [(True, 'oil'), (False, 'filter')]
    """
    lines = (line.strip().removeprefix("- ") for line in checklist.splitlines())
    return [(line[:3] in _DONE, _BOX.sub("", line).strip()) for line in lines if line]


def to_tick(lines: str) -> str:
    """What is to be done, one a line, as a checklist: what has no box yet gets one.

    >>> to_tick("oil\\n\\n[x] filter")
    '[ ] oil\\n[x] filter'
    """
    return "\n".join(f"{'[x]' if done else _UNDONE} {text}" for done, text in steps(lines))


def ticked(checklist: str, number: int, done: bool) -> str:
    """The checklist with this step done, or not done after all; numbers begin with 1.

    >>> ticked("[ ] oil\\n[ ] filter", 2, True)
    '[ ] oil\\n[x] filter'
    """
    found = steps(checklist)
    if 1 <= number <= len(found):
        found[number - 1] = (done, found[number - 1][1])
    return to_tick("\n".join(f"{'[x]' if d else _UNDONE} {text}" for d, text in found))


@dataclass(frozen=True, slots=True)
class Reliability:
    """Of one thing over a time: `failures`, the mean time between two of them (MTBF: the time in which it worked, by the
    failures) and to mend one (MTTR: the time in which it did not, by those that are over); None where there are none."""

    failures: int
    mtbf_s: float | None
    mttr_s: float | None
    down_s: float
    watched_s: float

    @property
    def available(self) -> float | None:
        """The share of the time in which it worked, also of a failure that goes on; None where it was not watched."""
        return 1 - self.down_s / self.watched_s if self.watched_s > 0 else None


def reliability(
    stretches: Sequence[tuple[float, float | None]], begin: float, end: float, things: int = 1
) -> Reliability:
    """Of `things` things together that were watched from `begin` to `end`, from the stretches of trouble with them (None:
    it goes on). Those of one thing are joined where they meet: see `joined`.

    >>> r = reliability([(100, 160), (500, 540)], 0, 1000)
    >>> r.failures, r.mtbf_s, r.mttr_s
    (2, 450.0, 50.0)
    >>> round(reliability([(0, 10), (900, None)], 0, 1000).available, 2)
    0.89
    """
    held = [(max(a, begin), end if b is None else min(b, end), b is None) for a, b in stretches]
    held = [h for h in held if h[1] > begin and h[0] < end]
    down = sum(b - a for a, b, _ in held)
    over = [b - a for a, b, still in held if not still]
    watched = things * (end - begin)
    return Reliability(
        len(held), (watched - down) / len(held) if held else None, sum(over) / len(over) if over else None,
        down, watched,
    )  # fmt: skip


def joined(stretches: Iterable[tuple[float, float | None]]) -> list[tuple[float, float | None]]:
    """Stretches that overlap as one: two alerts at a time are one failure.

    >>> joined([(5, 9), (0, 6), (20, None)])
    [(0, 9), (20, None)]
    """
    out: list[tuple[float, float | None]] = []
    for begin, end in sorted(stretches, key=lambda s: s[0]):
        last = out[-1] if out else None
        if last is not None and (last[1] is None or begin <= last[1]):
            out[-1] = (last[0], None if last[1] is None or end is None else max(last[1], end))
        else:
            out.append((begin, end))
    return out


def planned_share(planned: int, reactive: int) -> float | None:
    """The share of work that was planned; None without any work.

    >>> planned_share(8, 2), planned_share(0, 0)
    (0.8, None)
    """
    return planned / (planned + reactive) if planned + reactive else None
