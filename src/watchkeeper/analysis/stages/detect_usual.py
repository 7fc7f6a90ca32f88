"""What people called usual is not told: judgements come as acts, and what one of them holds back is noted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.errors import Malformed
from watchkeeper.model.judgements import HeldBack, Judgement

MOST = 10_000


class Judgements:
    """All that hold, and what they have held back since that was last taken."""

    def __init__(self) -> None:
        self._all: dict[str, Judgement] = {}
        self._of_key: dict[str, list[Judgement]] = {}
        self._held: list[HeldBack] = []

    def take(self, act: Act) -> Judgement:
        """Remember what an act calls usual; the same act again changes nothing. Raises Malformed."""
        try:
            made = msgspec.convert({**act.data, "id": act.id, "by": act.actor}, Judgement)
        except msgspec.ValidationError as error:
            raise Malformed(f"judgement: {error}") from error
        if made.id not in self._all and len(self._all) >= MOST:
            raise Malformed(f"there are {MOST} judgements already")
        self.end(made.id)
        self._all[made.id] = made
        self._of_key.setdefault(made.key, []).append(made)
        return made

    def end(self, judgement: str) -> Judgement | None:
        """It is taken back; None when there is none."""
        found = self._all.pop(judgement, None)
        if found is not None:
            left = [j for j in self._of_key[found.key] if j.id != judgement]
            self._of_key[found.key] = left
            if not left:
                del self._of_key[found.key]
        return found

    def cover(self, key: str, time_ms: int, up: bool | None = None, value: float = 0.0) -> Judgement | None:
        """The judgement by which this is usual."""
        return next((j for j in self._of_key.get(key, ()) if j.covers(time_ms, up, value)), None)

    def note(self, judgement: str, began_ms: int, text: str) -> None:
        """It has held this back."""
        self._held.append(HeldBack(judgement, began_ms, text))

    def take_held(self) -> list[HeldBack]:
        """What was held back since the last time."""
        out, self._held = self._held, []
        return out

    def of(self, kind: str) -> Callable[[int, int, bool, float], str]:
        """For series: the id of the judgement by which this value of it is usual at that time, or ""."""

        def cover(series: int, time_ms: int, up: bool, value: float) -> str:
            found = self.cover(f"{kind}|{series:016x}", time_ms, up, value) if self._all else None
            return "" if found is None else found.id

        return cover


def widened(act: Act, value: float, up: bool, text: str) -> Act:
    """The act about what has gone further meanwhile: its person saw it at work when they called it usual."""
    bound = float(act.data.get("bound", value))
    if act.data.get("up") is not up or (value <= bound if up else value >= bound):
        return act
    data: dict[str, Any] = {**act.data, "bound": value, "text": text}
    return msgspec.structs.replace(act, data=data)


#: the acts that are about what is usual
ACTS = frozenset({ActKind.USUAL, ActKind.UNUSUAL})
