"""What a seal is made of, and how an unbroken chain is told from one that was tampered with. Pure: entries in
order go in, findings come out; the database is read elsewhere.

    seal(n) = SHA-256(seal(n-1) ‖ content(n)), seals as 64 hexadecimal digits, seal(0) the empty text
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

MOST = 100  # findings that are explained; of more, only the number is told
NEAR = 100  # seals before a broken entry among which its true predecessor is looked for
LATE = dt.timedelta(
    hours=1
)  # the longest between an act and the end of its transaction, clocks' errors included

Kind = Literal["missing", "altered", "moved", "inserted", "backdated", "rewritten", "cut"]


class Entry(msgspec.Struct, frozen=True):
    """A sealed entry: its number, its id, when the act was (None when that cannot be read), content and seal."""

    number: int
    id: int
    at: dt.datetime | None
    content: bytes
    seal: str


class Checkpoint(msgspec.Struct, frozen=True):
    """How far the chain was at a time: the last number and its seal, and how many entries there were in all,
    those that waited for their seal included."""

    number: int
    seal: str
    time: dt.datetime
    count: int


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong, at which number; `entry` is the id of the entry there, None when there is none."""

    kind: Kind
    number: int
    entry: int | None
    detail: str


class Verdict(msgspec.Struct, frozen=True):
    """What a walk found. `first` and `last` are the numbers it went from and to, `agreed` the last checkpoint
    that the chain agrees with; `wrong` counts all findings, of which at most MOST are explained."""

    whole: bool
    entries: int
    first: int
    last: int
    seal: str
    unsealed: int
    checkpoints: int
    agreed: Checkpoint | None
    wrong: int
    findings: tuple[Finding, ...]
    unreadable: tuple[int, ...] = ()  # lines of the checkpoint file


def seal_of(before: str, content: bytes) -> str:
    """The seal of an entry that follows the one with the seal `before`."""
    return hashlib.sha256(before.encode("utf-8", "replace") + content).hexdigest()


def content_of(fields: Mapping[str, Any]) -> bytes:
    """An entry's fields as the bytes that are sealed: JSON in ASCII with sorted keys and no blanks. Empty values
    are left out, so that a column which is added later changes no seal.

    >>> content_of({"id": 7, "actor": "ann", "address": "", "before": None})
    b'{"actor":"ann","id":7}'
    """
    kept = {k: v for k, v in fields.items() if v not in (None, "")}
    return json.dumps(kept, sort_keys=True, separators=(",", ":"), default=repr).encode()


class Walk:
    """Goes along the chain, entry by entry in the order of their numbers, and then says what is wrong.

    Each entry is held against the seal that the one before it *has*, so that one tampering is found once and
    not at every entry after it.
    """

    def __init__(self, known: Iterable[Checkpoint], after: int = 0, seal: str = "") -> None:
        """Begin after the number `after`, which has this seal."""
        self.first, self.number, self.seal, self.entries = after + 1, after, seal, 0
        self._known = deque(sorted((c for c in known if c.number > after), key=lambda c: c.number))
        self._checkpoints = len(self._known)
        self._agreed: Checkpoint | None = None
        self._disagrees = False
        self._sealed_until: dt.datetime | None = None
        self._findings: list[Finding] = []
        self._wrong = 0
        self._near: deque[tuple[str, int]] = deque([(seal, after)], maxlen=NEAR)
        self._broken: list[tuple[Entry, str]] = []
        self._places: dict[str, int] = {}

    def step(self, entry: Entry) -> None:
        """The next entry."""
        self.entries += 1
        if entry.number <= self.number:
            self._found("inserted", entry.number, entry.id, "its number is not its own, or below 1")
            return
        if entry.number > self.number + 1:
            self._gap(entry)
        elif seal_of(self.seal, entry.content) != entry.seal:
            self._break(entry)
        if self._sealed_until and entry.at and entry.at < self._sealed_until - LATE:
            self._found("backdated", entry.number, entry.id,
                        f"it says {entry.at:%Y-%m-%d %H:%M:%S} UTC, but whatever was there at "
                        f"{self._sealed_until:%Y-%m-%d %H:%M:%S} had been sealed before it")  # fmt: skip
        self.number, self.seal = entry.number, entry.seal
        self._near.append((entry.seal, entry.number))
        self._hold_against_checkpoints(entry)

    def end(self, unsealed: int, unreadable: Iterable[int] = ()) -> Verdict:
        """The verdict, when there are no more entries."""
        if self._known:
            last = self._known[-1]
            self._found("cut", last.number, None,
                        f"the trail ends with number {self.number}, but the checkpoint of {last.time:%Y-%m-%d %H:%M:%S} "
                        f"UTC knows number {last.number}: what came after {self.number} was cut off")  # fmt: skip
        self._explain()
        return Verdict(
            whole=not self._wrong,
            entries=self.entries,
            first=self.first,
            last=self.number,
            seal=self.seal,
            unsealed=unsealed,
            checkpoints=self._checkpoints,
            agreed=self._agreed,
            wrong=self._wrong,
            findings=tuple(sorted(self._findings, key=lambda f: f.number)),
            unreadable=tuple(unreadable),
        )

    def _found(self, kind: Kind, number: int, entry: int | None, detail: str) -> None:
        self._wrong += 1
        if len(self._findings) < MOST:
            self._findings.append(Finding(kind, number, entry, detail))

    def _gap(self, entry: Entry) -> None:
        first, last = self.number + 1, entry.number - 1
        which = f"number {first} is" if first == last else f"numbers {first} to {last} are"
        self._found("missing", first, None,
                    f"{which} not there any more; number {entry.number} after it cannot be checked")  # fmt: skip

    def _break(self, entry: Entry) -> None:
        if len(self._broken) == MOST:
            self._found("altered", entry.number, entry.id, "it is not what was sealed")
            return
        self._broken.append((entry, self.seal))
        self._places |= dict(self._near)
        self._places[entry.seal] = entry.number

    def _hold_against_checkpoints(self, entry: Entry) -> None:
        while self._known and self._known[0].number <= entry.number:
            known = self._known.popleft()
            if known.number < entry.number:
                continue  # its entry is missing, which has been said
            if known.seal == entry.seal:
                self._agreed = known
                if known.count == known.number:
                    self._sealed_until = known.time
            elif not self._disagrees:
                self._disagrees = True  # all that follow disagree too
                since = self._agreed.number + 1 if self._agreed else 1
                self._found("rewritten", known.number, entry.id,
                            f"its seal is not that of the checkpoint of {known.time:%Y-%m-%d %H:%M:%S} UTC: something "
                            f"from number {since} to here was taken out, put in or sealed anew")  # fmt: skip

    def _explain(self) -> None:
        """Say of each broken entry whether it is in the wrong place or not what it was."""
        follows = {e.number: self._true_place(e, before) for e, before in self._broken}
        moved = {n for n, place in follows.items() if place is not None}
        inserted: set[int] = set()
        for entry, _ in self._broken:
            place = follows[entry.number]
            between = set() if place is None else set(range(place + 1, entry.number)) - moved
            if between:
                inserted |= between
                self._found("inserted", min(between), None,
                            f"number {entry.number} was sealed as the one after number {place}: "
                            f"what stands between them was put in")  # fmt: skip
            elif place is not None:
                self._found("moved", entry.number, entry.id, f"it was sealed as the one after number {place}")
        for entry, before in self._broken:
            if follows[entry.number] is None and entry.number not in inserted:
                self._altered(entry, before)

    def _true_place(self, entry: Entry, before: str) -> int | None:
        """The number after which this entry, as it is, has been sealed; None when there is none near."""
        for seal, number in self._places.items():
            if seal != before and seal_of(seal, entry.content) == entry.seal:
                return number
        return None

    def _altered(self, entry: Entry, before: str) -> None:
        for other, _ in self._broken:
            if other.number != entry.number and seal_of(before, other.content) == entry.seal:
                self._found("moved", entry.number, entry.id, f"entry {other.id} was sealed in its place")
                return
        self._found("altered", entry.number, entry.id,
                    "its seal does not come from what it says and the seal before it: it was changed, or what "
                    "stood before it was changed or taken out, and sealed or numbered anew")  # fmt: skip
