"""The order of the stages, and the Work that passes through them. Time is passed in; nothing here does I/O.

    normalise → detect → deduplicate → correlate → determine_cause

The runner in app reads journal entries into a Work, lets every stage add to it, then writes `discoveries`,
`alerts`, `situations` and the journal offset in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import pyarrow as pa

from watchkeeper.model.act import Act
from watchkeeper.model.judgements import HeldBack
from watchkeeper.model.signals import Stream
from watchkeeper.model.topology import Discovery, Topology
from watchkeeper.model.verdicts import Alert, Finding, Situation

if TYPE_CHECKING:
    from watchkeeper.analysis.causes.question import Question
    from watchkeeper.analysis.shade import Compared


@dataclass(slots=True)
class Event:
    """One row of the events stream, resolved: `item` is an item id or "" when no identifier is known."""

    id: str
    kind: str  # alert, change
    status: str  # firing, resolved
    name: str
    severity: str
    summary: str
    starts_ms: int
    ends_ms: int
    received_ms: int
    labels: dict[str, str]
    annotations: dict[str, str]
    url: str
    door: str
    item: str = ""


class SeriesInfo(msgspec.Struct, gc=False):
    """What is known of a series: its labels (the metric's name is not among them), what it measures, and the
    item it belongs to ("" when none is known). `item` changes when the graph comes to know better."""

    id: int
    name: str
    labels: dict[str, str]
    kind: str  # gauge counter histogram summary unknown
    unit: str
    door: str
    item: str = ""


@dataclass(slots=True)
class Work:
    """What one read of the journal becomes. Stages fill it from top to bottom; each field says who does."""

    first: int  # journal offsets, both included
    last: int
    now_ms: int
    topology: Topology
    batches: list[tuple[int, Stream, pa.RecordBatch]] = field(default_factory=list)  # offset, stream, rows
    # normalise
    events: list[Event] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    discoveries: list[Discovery] = field(default_factory=list)  # only what was new
    became: dict[str, str] = field(
        default_factory=dict
    )  # items that are no more → what they are now, "" for nothing
    belongs: dict[str, str] = field(
        default_factory=dict
    )  # fingerprints of alerts → the item they belong to after all
    # every known series by its id: normalise's own live registry, to be read and not changed
    series: dict[int, SeriesInfo] = field(default_factory=dict)
    # the ids of an item's series
    series_of: Callable[[str], Collection[int]] = lambda _: ()
    # ids of those that are new in this Work, or whose item, kind or unit changed
    changed_series: list[int] = field(default_factory=list)
    # by offset of a LOGS batch: the item id of each row ("" for none), as a dictionary array of strings
    log_items: dict[int, pa.DictionaryArray[Any, Any]] = field(default_factory=dict)
    # detect
    findings: list[Finding] = field(default_factory=list)
    # what would have been a finding, had nobody called it usual
    held: list[HeldBack] = field(default_factory=list)
    # deduplicate: every alert that changed, as it now is
    alerts: dict[str, Alert] = field(default_factory=dict)
    # of those, fingerprints that began to fire (new or again), for correlate
    began: list[str] = field(default_factory=list)
    # correlate and determine_cause: every situation that changed, as it now is
    situations: dict[str, Situation] = field(default_factory=dict)
    # determine_cause: what it would like to be read from telemetry; the answers come as acts
    questions: list[Question] = field(default_factory=list)
    # by any stage that has a version in the shade: what that one would have said
    compared: list[Compared] = field(default_factory=list)


class Stage(Protocol):
    """One step. It may keep state between calls; `snapshot` and `restore` carry that over a restart."""

    name: str

    def process(self, work: Work) -> None:
        """Read what earlier stages put into `work`, add this stage's part."""
        ...

    def snapshot(self) -> Any:
        """State as plain data (dict, list, numpy arrays) that `restore` takes, or None if there is none
        beyond what alerts and situations in the records hold."""
        ...

    def restore(self, state: Any, alerts: Sequence[Alert], situations: Sequence[Situation]) -> None:
        """Take state back: a snapshot (None if there is none or it is of another version), all alerts that
        are firing or recently resolved, and all situations that are not resolved or lately were."""
        ...


class Pipeline:
    """Stages in order over one Work."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        self.stages = tuple(stages)

    def process(self, work: Work) -> Work:
        """Run every stage on `work`; a Work without batches is a tick: time passes and nothing arrives."""
        for stage in self.stages:
            stage.process(work)
        return work

    def snapshot(self) -> dict[str, Any]:
        """State of every stage, by its name."""
        return {s.name: s.snapshot() for s in self.stages}

    def restore(
        self, state: dict[str, Any], alerts: Sequence[Alert], situations: Sequence[Situation]
    ) -> None:
        """Give every stage its state back."""
        for s in self.stages:
            s.restore(state.get(s.name), alerts, situations)
