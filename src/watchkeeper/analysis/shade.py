"""A version in the shade: it judges what the deciding one judges, and its verdicts are only compared. One of these for each
part of the pipeline that has versions; a stage asks it which to run, and tells it what both said.

In the shade nothing is told to anybody: no alert, no situation, no page comes of it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.versions import PARTS, default


class Agreement(StrEnum):
    """How two verdicts about one subject stand to one another."""

    SAME = "same"
    DIFFERS = "differs"
    ONLY_DECIDING = "only_deciding"
    ONLY_SHADE = "only_shade"


class Compared(msgspec.Struct, frozen=True):
    """What both said of one subject: `deciding` and `shade` are verdicts in the part's own terms (of causes: item ids), ""
    for none. Of several about one subject the last one counts."""

    part: str
    versions: tuple[str, str]  # the deciding one, the one in the shade
    subject: str  # id of the situation
    name: str  # of the subject, in words
    deciding: str
    shade: str

    @property
    def agreement(self) -> Agreement:
        """How they stand to one another."""
        if self.deciding == self.shade:
            return Agreement.SAME
        if self.deciding and self.shade:
            return Agreement.DIFFERS
        return Agreement.ONLY_DECIDING if self.deciding else Agreement.ONLY_SHADE


class Shade:
    """Which version of a part decides, and which is in its shade ("" for none)."""

    def __init__(self, part: str) -> None:
        self.part = part
        self.decides, self.shade = default(part), ""

    def hear(self, acts: Iterable[Act]) -> bool:
        """Follow acts about this part; whether another version decides or is in the shade now. Versions that are unknown,
        as after a step back to an older release, count as not chosen."""
        before = self.decides, self.shade
        for act in acts:
            if act.kind is ActKind.VERSIONS and act.target == self.part:
                decides, shade = str(act.data.get("decides", "")), str(act.data.get("shade", ""))
                known = PARTS[self.part].versions
                self.decides = decides if decides in known else default(self.part)
                self.shade = shade if shade in known and shade != self.decides else ""
        return (self.decides, self.shade) != before

    def compared(self, subject: str, name: str, deciding: str, shade: str) -> Compared:
        """To be kept."""
        return Compared(self.part, (self.decides, self.shade), subject, name, deciding, shade)
