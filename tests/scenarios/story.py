"""Stories: an incident told line by line, played through the real pipeline (detection left out) in virtual time.

    graph
      service cart depends_on service db
    at 10:00:05 firing HighLatency service.name=cart severity=critical
    at 10:00:20 expect A open critical: HighLatency cart
    at 10:01 alice acknowledges A until 10:30
    at 10:02 resolved HighLatency service.name=cart

An alert is named by its name and labels (when it is told) or its name and item (when it is expected); `A` is
bound to the situation that has just these alerts when it is first expected. Lines of one time are one read of
the journal. The records are what Work gave out, so `restart` proves that they are enough.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from watchkeeper.analysis.pipeline import Pipeline, Work
from watchkeeper.analysis.stages.correlate import Correlate
from watchkeeper.analysis.stages.deduplicate import Deduplicate
from watchkeeper.analysis.stages.determine_cause import DetermineCause
from watchkeeper.analysis.stages.normalise import Normalise
from watchkeeper.app import state
from watchkeeper.model.act import Act, ActKind
from watchkeeper.model.signals import Stream, batch
from watchkeeper.model.topology import Discovery, Identifier, Item, Relation, RelationKind, Topology, item_id
from watchkeeper.model.verdicts import Alert, Situation

DAY_MS = 1_700_000_000_000 // 86_400_000 * 86_400_000
TICK_MS = 10_000
SCHEMES = {"service": "service.name", "host": "hostname"}
ACTS = {"acknowledges": ActKind.ACKNOWLEDGE, "unacknowledges": ActKind.UNACKNOWLEDGE, "resolves": ActKind.RESOLVE,
        "assigns": ActKind.ASSIGN, "merges": ActKind.MERGE, "splits": ActKind.SPLIT, "undoes": ActKind.UNDO,
        "silences": ActKind.SILENCE, "unsilences": ActKind.UNSILENCE, "maintains": ActKind.MAINTENANCE,
        "unmaintains": ActKind.MAINTENANCE}  # fmt: skip


def clock(text: str) -> int:
    """10:00, 10:00:05 or 10:00:05.250 of the story's day, in milliseconds."""
    parts = [float(x) for x in text.split(":")]
    seconds = sum(x * 60 ** (2 - i) for i, x in enumerate(parts))
    return DAY_MS + round(seconds * 1000)


def new_pipeline() -> Pipeline:
    """All stages but detection."""
    deduplicate = Deduplicate()
    correlate = Correlate(deduplicate.living)
    return Pipeline(
        [Normalise(), deduplicate, correlate, DetermineCause(deduplicate.living, correlate.situations)]
    )


@dataclass
class World:
    """The pipeline, its records, and what names mean in the story."""

    pipeline: Pipeline = field(default_factory=new_pipeline)
    topology: Topology = field(default_factory=Topology)
    alerts: dict[str, Alert] = field(default_factory=dict)
    situations: dict[str, Situation] = field(default_factory=dict)
    silences: dict[str, Act] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    now_ms: int = 0
    offset: int = 0
    written: int = 0  # alerts written, all together

    def read(self, batches: list[tuple[Stream, Any]], now_ms: int) -> Work:
        """One Work with these batches; none is a tick."""
        self.now_ms, self.offset = now_ms, self.offset + 1
        rows = [(self.offset, stream, rows) for stream, rows in batches]
        return self.run(Work(self.offset, self.offset, now_ms, self.topology, batches=rows))

    def run(self, work: Work) -> Work:
        """Process, and write what came out."""
        self.pipeline.process(work)
        self.topology = work.topology
        self.alerts.update(work.alerts)
        self.situations.update(work.situations)
        self.written += len(work.alerts)
        for act in work.acts:
            if act.kind is ActKind.SILENCE:
                self.silences[act.target] = act
            elif act.kind is ActKind.MAINTENANCE:
                self.silences[f"window {act.target}"] = act
            elif act.kind is ActKind.UNSILENCE:
                self.silences.pop(act.target, None)
        return work

    def restart(self, *, learned: bool) -> None:
        """A new process with nothing but the records, and perhaps what was learned."""
        with TemporaryDirectory() as folder:
            path = Path(folder) / "learned.bin"
            if learned:
                state.save(path, self.pipeline.snapshot())
            self.pipeline = new_pipeline()
            kept = state.load(path)
        self.pipeline.restore(kept, list(self.alerts.values()), list(self.situations.values()))
        self.run(
            Work(self.offset, self.offset, self.now_ms, self.topology, acts=list(self.silences.values()))
        )

    def name_of(self, alert: Alert) -> str:
        """`HighLatency cart`."""
        return f"{alert.name} {self.topology.name(alert.item)}" if alert.item else alert.name

    def members(self, situation: Situation) -> list[str]:
        """The names of its alerts, sorted."""
        return sorted(self.name_of(self.alerts[m.fingerprint]) for m in situation.members)

    def alert(self, name: str) -> Alert:
        """The alert called so."""
        found = [a for a in self.alerts.values() if self.name_of(a) == name]
        assert len(found) == 1, f"{len(found)} alerts are called {name!r}"
        return found[0]

    def situation(self, name: str) -> Situation:
        """The situation bound to this letter."""
        return self.situations[self.names[name]]


class Story:
    """A parsed story; `play` runs it and raises AssertionError with the line that does not hold."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.relations: list[str] = []
        self.lines: list[tuple[int, int, str]] = []  # time, line number, what
        for number, line in enumerate(path.read_text().splitlines(), 1):
            text = line.split("#")[0].strip()
            if text.startswith("at "):
                _, when, what = text.split(" ", 2)
                self.lines.append((clock(when), number, what))
            elif text and text != "graph":
                self.relations.append(text)
        assert self.lines == sorted(self.lines), f"{path}: times must rise"

    def play(self) -> World:
        """Run every line."""
        world = World()
        world.read([(Stream.DISCOVERIES, graph(self.relations))], self.lines[0][0] - 60_000)
        for now_ms, group in groupby(self.lines, key=lambda x: x[0]):
            for tick in range(world.now_ms + TICK_MS, now_ms, TICK_MS):
                world.read([], tick)
            lines = list(group)
            told = [batch_of(world, what, now_ms) for _, _, what in lines if not _aside(what)]
            if told:
                world.read(told, now_ms)
            else:
                world.read([], now_ms)
            for _, number, what in lines:
                if _aside(what):
                    try:
                        aside(world, what)
                    except AssertionError as error:
                        raise AssertionError(f"{self.path.name}:{number}: {what}\n{error}") from error
        return world


def _aside(what: str) -> bool:
    return what.split(" ")[0] in ("expect", "restart")


def graph(lines: list[str]) -> Any:
    """`KIND NAME RELATION KIND NAME`, or `KIND NAME`, as one discovery."""
    items: dict[str, Item] = {}
    relations: list[Relation] = []
    for line in lines:
        words = line.split()
        for kind, name in zip(words[0::3], words[1::3], strict=True):
            scheme = SCHEMES.get(kind, f"{kind}.name")
            made = Item(item_id(kind, name), kind, name, (Identifier(scheme, name),), discovered=False)
            items[made.id] = made
        if len(words) == 5:
            ends = item_id(words[0], words[1]), item_id(words[3], words[4])
            relations.append(Relation(*ends, RelationKind(words[2])))
    document = msgspec.json.encode(Discovery(0, "story", tuple(items.values()), tuple(relations)))
    return batch(Stream.DISCOVERIES, [{"time_ms": 0, "origin": "story", "document": document}])


def batch_of(world: World, what: str, now_ms: int) -> tuple[Stream, Any]:
    """One told line as a journal batch."""
    words = shlex.split(what)
    if words[0] in ("firing", "resolved", "change"):
        return Stream.EVENTS, event_batch(words, now_ms)
    act = act_of(world, words, now_ms)
    document = msgspec.json.encode(act)
    return Stream.ACTS, batch(Stream.ACTS, [{"time_ms": now_ms, "document": document}])


def event_batch(words: list[str], now_ms: int) -> Any:
    """`firing NAME label=value … [starts=TIME] [ends=TIME]`, `N×` tells it as many times for …=%d."""
    status, name, pairs = words[0], words[1], dict(w.split("=", 1) for w in words[2:])
    starts, ends = pairs.pop("starts", ""), pairs.pop("ends", "")
    severity, many = pairs.pop("severity", "warning"), int(pairs.pop("many", "1"))
    rows = []
    for i in range(many):
        labels = {"alertname": name, **{k: v.replace("%d", str(i)) for k, v in pairs.items()}}
        rows.append({
            "id": f"{name}-{now_ms}-{i}", "kind": "change" if status == "change" else "alert",
            "status": "resolved" if status == "resolved" else "firing", "name": name, "severity": severity,
            "summary": "", "starts_ms": clock(starts) if starts else now_ms,
            "ends_ms": clock(ends) if ends else now_ms if status == "resolved" else 0, "received_ms": now_ms,
            "labels": json.dumps(labels, sort_keys=True), "annotations": "{}", "url": "", "door": "story",
        })  # fmt: skip
    return batch(Stream.EVENTS, rows)


def act_of(world: World, words: list[str], now_ms: int) -> Act:
    """`alice VERB …` as an act; its id is the verb with the first name after it."""
    actor, verb, rest = words[0], words[1], words[2:]
    data: dict[str, Any] = {}
    if verb == "maintains":  # maintains W1 host web-1 carried from 10:00 until 10:30
        return window_of(verb, actor, rest, now_ms)
    if "until" in rest:
        data["until_ms"] = clock(rest.pop())
        rest.remove("until")
    if verb == "silences":
        data = {
            "matchers": [matcher(w) for w in rest[1:]], "starts_ms": now_ms, "ends_ms": data["until_ms"]
        }  # fmt: skip
        target = rest[0]
    elif verb == "unsilences":
        target = rest[0]
    elif verb == "unmaintains":
        target, data = rest[0], {"version": 9}
    elif verb == "merges":  # merges B into A
        target, data = world.names[rest[2]], {"others": [world.names[rest[0]]]}
    elif verb == "splits":  # splits "HighLatency cart" "…" from A
        target, data = world.names[rest[-1]], {"alerts": [world.alert(n).fingerprint for n in rest[:-2]]}
    elif verb == "undoes":  # undoes merges-B of A
        target, data = world.names[rest[2]], {"act": rest[0]}
    elif verb == "assigns":  # assigns A to bob
        target, data = world.names[rest[0]], {"assignee": rest[2]}
    else:
        target = world.names.get(rest[0]) or world.alert(rest[0]).fingerprint
    return Act(id=f"{verb}-{rest[0]}", kind=ACTS[verb], target=target, actor=actor, time_ms=now_ms, data=data)


def window_of(verb: str, actor: str, words: list[str], now_ms: int) -> Act:
    """`W1 KIND NAME REACH from TIME until TIME` as an act."""
    name, kind, item, reach, _, starts, _, ends = words
    schedule = {"starts_ms": clock(starts), "ends_ms": clock(ends)}
    data = {
        "version": 1,
        "title": name,
        "items": [item_id(kind, item)],
        "reach": reach,
        "schedule": schedule,
    }
    return Act(id=f"{verb}-{name}", kind=ACTS[verb], target=name, actor=actor, time_ms=now_ms, data=data)


def matcher(text: str) -> dict[str, Any]:
    """`name=value`, `name!=value`, `name=~expression`, `name!~expression`."""
    found = re.fullmatch(r"([^=!~]+)(!=|=~|!~|=)(.*)", text)
    assert found, text
    name, sign, value = found.groups()
    return {"name": name, "value": value, "isRegex": "~" in sign, "isEqual": "!" not in sign}


def aside(world: World, what: str) -> None:
    """An expectation, or a restart."""
    words = what.split(" ", 2)
    if words[0] == "restart":
        world.restart(learned=words[1:] != ["forgetful"])
    elif words[1] == "alert":
        _expect_alert(world, words[2])
    elif words[1].isdigit():
        wanted = re.fullmatch(r"(open|resolved|acknowledged)? ?situations?", words[2])
        assert wanted, words[2]
        state = wanted[1] or ""
        found = [s for s in world.situations.values() if not state or s.state.value == state]
        assert len(found) == int(words[1]), (
            "\n".join(f"{s.state} {s.title} {world.members(s)}" for s in found) or "none"
        )
    else:
        _expect_situation(world, words[1], words[2])


def _expect_alert(world: World, text: str) -> None:
    name, _, wanted = text.partition(": ")
    alert = world.alert(name)
    have = {alert.status.value, f"count {alert.count}", f"firings {alert.firings}"}
    have.add("flapping" if alert.flapping else "calm")
    have.add("silenced" if alert.suppressed_by else "heard")
    have.add("in maintenance" if alert.suppressed_by.startswith("maintenance:") else "in none")
    have.add(f"acknowledged by {alert.acknowledged_by}" if alert.acknowledged_by else "unacknowledged")
    have.add("in a situation" if alert.situation else "in no situation")
    for part in wanted.split(", "):
        assert part in have, f"{part!r} is not among {sorted(have)}"


def _expect_situation(world: World, name: str, text: str) -> None:
    head, _, listed = text.partition(": ")
    if listed and name not in world.names:
        wanted = sorted(listed.split(", "))
        known = set(world.names.values())
        found = [s for s in world.situations.values() if world.members(s) == wanted and s.id not in known]
        told = [world.members(s) for s in world.situations.values()]
        assert len(found) == 1, f"{len(found)} new situations have these alerts, there are {told}"
        world.names[name] = found[0].id
    situation = world.situation(name)
    if listed:
        assert world.members(situation) == sorted(listed.split(", ")), world.members(situation)
    for check in _checks(world, situation, head):
        check()


def _checks(world: World, s: Situation, head: str) -> Iterator[Callable[[], None]]:
    """`open critical`, `cause db`, `title …`, `follows B`, `merged B`, `assignee bob`, `because …`, `gone`."""
    word, _, rest = head.partition(" ")

    def same(have: object, wanted: object) -> Callable[[], None]:
        def check() -> None:
            assert have == wanted, f"it is {have!r}, not {wanted!r}"

        return check

    def within(have: list[str]) -> Callable[[], None]:
        def check() -> None:
            assert any(rest in text for text in have), f"not in {have}"

        return check

    if word == "cause":
        yield same(world.topology.name(s.causes[0].item) if s.causes else "", rest)
    elif word == "changed":
        yield same(bool(s.causes and s.causes[0].change), True)
    elif word == "title":
        yield same(s.title, rest)
    elif word in ("follows", "merged"):
        have = s.follows if word == "follows" else s.merged_into
        yield same(have, world.names[rest] if rest != "nothing" else "")
    elif word == "assignee":
        yield same(s.assignee, rest)
    elif word == "because":
        yield within([r.text for r in s.because] + [r.text for m in s.members for r in m.because])
    else:
        yield same(s.state.value, word)
        if rest:
            yield same(s.severity.value, rest)
