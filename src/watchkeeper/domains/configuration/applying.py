"""Makes records as documents declare them, all or nothing, and says field by field what that changes. A dry run does the
same and takes it back, so that it finds whatever applying would find."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from watchkeeper.domains.configuration import managing
from watchkeeper.domains.configuration.models import Managed
from watchkeeper.domains.configuration.rows import Fetch, Wrong, found_by, row_of, secrets_of
from watchkeeper.exchange import applying, planning
from watchkeeper.exchange.documents import Document, Fault, Faulty, read
from watchkeeper.exchange.natural_keys import in_order, references, told_by
from watchkeeper.exchange.references import named
from watchkeeper.kernel import doing
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import require, visible
from watchkeeper.kernel.problems import Invalid
from watchkeeper.kernel.resource import Resource, registry
from watchkeeper.model.errors import WatchkeeperError


@dataclass(frozen=True, slots=True)
class Asked:
    """What shall be applied: files by name, the set that they are, and how. `prune` removes what the set has made and
    does not declare any more; `take_over` takes records that another set manages."""

    files: Mapping[str, bytes]
    set_name: str
    dry_run: bool = False
    prune: bool = False
    take_over: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What is done with one record. `act` is create, change, unchanged, remove, or release: not managed any more, but
    kept, because its kind cannot be removed. `values` are before and after; `by_hand` is who changed it since it was
    applied, and when."""

    act: str
    kind: str
    title: str
    key: str = ""
    file: str = ""
    document: int = 0
    values: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    by_hand: tuple[str, str] | None = None  # who, and when in ISO 8601


@dataclass
class Outcome:
    """What was done, or in a dry run would be. `undeclared` are records of the set that no document declares."""

    changes: list[Change] = field(default_factory=list)
    undeclared: list[str] = field(default_factory=list)
    once: dict[str, dict[str, Any]] = field(default_factory=dict)  # secrets that are shown this once

    @property
    def differs(self) -> bool:
        """Whether the records are not as declared."""
        return bool(self.undeclared) or any(c.act != "unchanged" for c in self.changes)


def apply(asked: Asked, actor: Actor, fetch: Fetch) -> Outcome:
    """Do it in one transaction. Raises Faulty with everything that is wrong, or Invalid without a set."""
    if not asked.set_name.strip() or len(asked.set_name) > 100:
        raise Invalid("name the set of files, in at most 100 characters", "set")
    documents = read(asked.files)
    kinds = {r.path for r in registry}
    if unknown := [d.fault("kind", f"there is no kind {d.kind!r}") for d in documents if d.kind not in kinds]:
        raise Faulty(unknown)
    with transaction.atomic():
        outcome = _Applying(asked, actor, fetch).all(documents)
        if asked.dry_run:
            transaction.set_rollback(True)
            outcome.once = {}
    return outcome


class _Applying:
    """One run: what it has met, and what went wrong."""

    def __init__(self, asked: Asked, actor: Actor, fetch: Fetch) -> None:
        self.asked, self.actor, self.fetch = asked, actor, fetch
        self.outcome, self.faults = Outcome(), list[Fault]()
        self.met: dict[tuple[str, str], Document] = {}  # records by kind and key

    def all(self, documents: Sequence[Document]) -> Outcome:
        """Every document after those it refers to, then what is not declared any more. Raises Faulty."""
        failed = set[int]()
        for document, before in in_order(documents, self.actor):
            if any(id(b) in failed for b in before):
                failed.add(id(document))  # what is wrong there is told already
                continue
            try:
                with transaction.atomic():
                    self._one(document)
            except Wrong as error:
                failed.add(id(document))
                self.faults += error.faults
            except WatchkeeperError as error:
                failed.add(id(document))
                self.faults.append(document.fault("", error.detail.removeprefix(f"row {document.number}: ")))
        if not self.faults:
            self._undeclared()
        if self.faults:
            raise Faulty(self.faults)
        return self.outcome

    def _one(self, document: Document) -> None:
        """Raises Wrong or a WatchkeeperError."""
        resource = registry[document.kind]
        row = row_of(resource, self.actor, document, self.fetch)
        record = found_by(resource, self.actor, document, row)
        managed = managing.of(resource, record) if record is not None else None
        if record is not None:
            self._meet(document, resource, record.pk)
            self._may_manage(document, managed)
            row[planning.key_of(resource)] = record.pk
        secrets = {n: row[n] for n in sorted(secrets_of(resource) & row.keys())}
        if managed is not None:  # those that were applied already stay as they are
            told = _fingerprints(resource, record.pk, secrets)
            row = {n: v for n, v in row.items() if n not in told or managed.fingerprints.get(n) != told[n]}
        step, once = self._written(resource, document, row)
        key = record.pk if record is not None else once[0]
        if record is None:
            self._meet(document, resource, key)
        if step or managed is None or managed.set_name != self.asked.set_name:
            if record is not None and not step:
                require(self.actor, "change", resource, record)  # it becomes this set's
            known = managed.fingerprints if managed is not None else {}
            prints = {**known, **_fingerprints(resource, key, secrets)}
            managing.keep(resource, key, self.asked.set_name, self.actor, prints)
        hand = managing.by_hand(resource, managed) if step and managed is not None else None
        self.outcome.once |= once[1]
        self.outcome.changes.append(
            Change(
                ("create" if step.key is None else "change") if step else "unchanged", resource.path,
                str(resource.title(record)) if record is not None else step.title if step else "", str(key),
                document.file, document.number, self._named(resource, step),
                (hand.actor, hand.at.isoformat()) if hand else None,
            )
        )  # fmt: skip

    def _written(
        self, resource: Resource, document: Document, row: dict[str, Any]
    ) -> tuple[planning.Step | None, tuple[Any, dict[str, dict[str, Any]]]]:
        """What was to do, done; with the key of a record that was made, and the secrets that are shown once."""
        plan = planning.plan(resource, self.actor, [(document.number, row)])
        key = planning.key_of(resource)
        faults = [document.fault(w.field, w.detail) for w in plan.wrong]
        faults += [
            document.fault(n, "it follows from others and cannot be set") for n in plan.ignored if n != key
        ]
        if faults:
            raise Wrong(*faults)
        done = applying.apply(plan, self.actor)
        step = next(iter((*plan.creates, *plan.changes)), None)
        return step, (done.made.get(document.number), done.once)

    def _meet(self, document: Document, resource: Resource, key: Any) -> None:
        """Raises Wrong when another document declares the same record."""
        first = self.met.setdefault((resource.path, str(key)), document)
        if first is not document:
            place = f"{first.file}, document {first.number}"
            raise Wrong(document.fault("name", f"is declared already, in {place}"))

    def _may_manage(self, document: Document, managed: Managed | None) -> None:
        if managed is not None and managed.set_name != self.asked.set_name and not self.asked.take_over:
            words = f"the set {managed.set_name!r} manages it; --take-over (take_over in the API) makes it this set's"
            raise Wrong(document.fault("", words))

    def _named(self, resource: Resource, step: planning.Step | None) -> dict[str, tuple[Any, Any]]:
        """Before and after, with names for what is referred to."""
        values = dict(step.values) if step else {}
        for name, found, _ in references(resource, self.actor):
            if name in values:
                before, after = values[name]
                names = told_by(found, self.actor, (before, after))
                values[name] = (named(names, before), named(names, after))
        return values

    def _undeclared(self) -> None:
        """What the set has made and does not declare, the newest first: it may refer to the older."""
        for managed in Managed.objects.filter(set_name=self.asked.set_name).order_by("-id"):
            if (managed.kind, managed.record) in self.met:
                continue
            resource = next((r for r in registry if r.path == managed.kind), None)
            record = visible(self.actor, resource).filter(pk=managed.record).first() if resource else None
            if resource is None or record is None:
                continue
            if not self.asked.prune:
                self.outcome.undeclared.append(f"{resource.path} {resource.title(record)}")
                continue
            self._gone(resource, record, managed)

    def _gone(self, resource: Resource, record: Any, managed: Managed) -> None:
        title = str(resource.title(record))
        removable = "remove" in resource.allow and not doing.journaled(resource.remove)
        try:
            with transaction.atomic():
                if removable:
                    doing.remove(resource, self.actor, record)
                else:
                    require(self.actor, "change", resource, record)
                managing.forget(resource, managed.record)
        except WatchkeeperError as error:
            self.faults.append(
                Fault(f"{resource.path} {title}", 0, 0, "", f"cannot be removed: {error.detail}")
            )
            return
        self.outcome.changes.append(
            Change("remove" if removable else "release", resource.path, title, managed.record)
        )


def _fingerprints(resource: Resource, key: Any, secrets: Mapping[str, Any]) -> dict[str, str]:
    return {n: managing.fingerprint(f"{resource.path}.{key}.{n}", value) for n, value in secrets.items()}
