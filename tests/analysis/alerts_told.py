"""What tests of the alert stages share: a small graph, events by the word, and the three stages over them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from watchkeeper.analysis.pipeline import Event, Pipeline, Work
from watchkeeper.analysis.stages.correlate import Correlate
from watchkeeper.analysis.stages.deduplicate import Deduplicate
from watchkeeper.analysis.stages.determine_cause import DetermineCause
from watchkeeper.model.act import Act
from watchkeeper.model.topology import Item, Relation, RelationKind, Topology
from watchkeeper.model.verdicts import Alert, Finding, Situation

NOW = 1_700_000_000_000
SHOP = (("front", "cart"), ("front", "checkout"), ("cart", "postgres"), ("checkout", "postgres"))
OTHER = (("mail", "queue"), ("queue", "disk"))


def topology(pairs: Iterable[tuple[str, str]] = SHOP + OTHER) -> Topology:
    """Services that depend on one another; ids are names."""
    pairs = list(pairs)
    names = sorted({x for pair in pairs for x in pair})
    items = [Item(id=n, kind="service", name=n) for n in names]
    return Topology(items, [Relation(a, b, RelationKind.DEPENDS_ON) for a, b in pairs])


def event(
    name: str, item: str, at_ms: int, *, firing: bool = True, severity: str = "critical", ends_ms: int = 0,
    starts_ms: int | None = None, kind: str = "alert", **labels: str,
) -> Event:  # fmt: skip
    """One event as normalise leaves it."""
    told = {"alertname": name, "service": item, **labels}
    return Event(
        id=f"{name}-{item}-{at_ms}", kind=kind, status="firing" if firing else "resolved", name=name,
        severity=severity, summary="", starts_ms=at_ms if starts_ms is None else starts_ms,
        ends_ms=ends_ms or (0 if firing else at_ms), received_ms=at_ms, labels=told, annotations={}, url="",
        door="test", item=item,
    )  # fmt: skip


class Stages:
    """The alert stages; `alerts` and `situations` are the records that Work gave out, `writes` counts them."""

    def __init__(self, graph: Topology | None = None) -> None:
        self.graph = graph or topology()
        self.alerts: dict[str, Alert] = {}
        self.situations: dict[str, Situation] = {}
        self.writes = 0
        self._offset = 0
        self._fresh()

    def _fresh(self) -> None:
        self.deduplicate = Deduplicate()
        self.correlate = Correlate(self.deduplicate.living)
        self.causes = DetermineCause(self.deduplicate.living, self.correlate.situations)
        self.pipeline = Pipeline([self.deduplicate, self.correlate, self.causes])

    def read(
        self, events: Sequence[Event] = (), *, at_ms: int, acts: Sequence[Act] = (),
        findings: Sequence[Finding] = (),
    ) -> Work:  # fmt: skip
        """One Work."""
        self._offset += 1
        work = Work(self._offset, self._offset, at_ms, self.graph)
        work.events, work.acts, work.findings = list(events), list(acts), list(findings)
        self.pipeline.process(work)
        self.alerts.update(work.alerts)
        self.situations.update(work.situations)
        self.writes += len(work.alerts)
        return work

    def restart(self) -> None:
        """New stages with nothing but the records."""
        self._fresh()
        self.pipeline.restore({}, list(self.alerts.values()), list(self.situations.values()))

    def open(self) -> list[Situation]:
        """Situations that are not resolved, the oldest first."""
        found = [s for s in self.situations.values() if s.state != "resolved"]
        return sorted(found, key=lambda s: (s.opened_ms, s.id))

    def only(self) -> Alert:
        """The only alert there is."""
        (alert,) = self.alerts.values()
        return alert

    def partition(self) -> set[frozenset[str]]:
        """Which alerts are together."""
        return {frozenset(m.fingerprint for m in s.members) for s in self.situations.values() if s.members}
