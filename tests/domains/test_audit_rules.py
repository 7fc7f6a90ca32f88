"""The walk along the chain, for any chain and any one tampering: nothing is ever called whole that is not."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.domains.audit.rules import Checkpoint, Entry, Verdict, Walk, content_of, seal_of

BEGIN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def chain(length: int) -> list[Entry]:
    """That many entries, a minute apart."""
    made: list[Entry] = []
    for number in range(1, length + 1):
        at = BEGIN + dt.timedelta(minutes=number)
        content = content_of({"id": number * 3, "at": at.isoformat(), "actor": "ann"})
        before = made[-1].seal if made else ""
        made.append(Entry(number, number * 3, at, content, seal_of(before, content)))
    return made


def end_of(entries: list[Entry]) -> list[Checkpoint]:
    """A checkpoint of the whole."""
    last = entries[-1]
    return [Checkpoint(last.number, last.seal, BEGIN + dt.timedelta(minutes=last.number), last.number)]


def walked(entries: list[Entry], known: list[Checkpoint]) -> Verdict:
    walk = Walk(known)
    for entry in entries:
        walk.step(entry)
    return walk.end(unsealed=0)


def numbered(entries: list[Entry]) -> list[Entry]:
    """As they stand, numbered from 1."""
    return [Entry(n, e.id, e.at, e.content, e.seal) for n, e in enumerate(entries, 1)]


def sealed(entries: list[Entry]) -> list[Entry]:
    """With seals that fit."""
    made: list[Entry] = []
    for e in numbered(entries):
        made.append(Entry(e.number, e.id, e.at, e.content, seal_of(made[-1].seal if made else "", e.content)))
    return made


@given(st.integers(1, 40))
def test_what_nobody_touched_is_whole(length: int) -> None:
    """With and without checkpoints."""
    entries = chain(length)
    assert walked(entries, []).whole
    assert walked(entries, end_of(entries)).agreed == end_of(entries)[0]


@given(st.integers(2, 40), st.data(), st.sampled_from(("none", "numbers", "seals")))
def test_no_tampering_is_called_whole(length: int, data: st.DataObject, hidden: str) -> None:
    """An entry changed, taken out, put in or moved, with its traces left, numbered anew, or all sealed anew."""
    entries = chain(length)
    known = end_of(entries)
    at = data.draw(st.integers(0, length - 1), "at")
    other = data.draw(st.integers(0, length - 1).filter(lambda n: n != at), "other")
    match data.draw(st.sampled_from(("change", "delete", "insert", "move")), "tampering"):
        case "change":
            e = entries[at]
            entries[at] = Entry(e.number, e.id, e.at, e.content.replace(b"ann", b"bob"), e.seal)
        case "delete":
            del entries[at]
        case "insert":
            e = entries[at]
            entries.insert(other, Entry(e.number, 1, e.at, e.content, e.seal))
        case "move":
            entries.insert(other, entries.pop(at))
    if hidden != "none":
        entries = sealed(entries) if hidden == "seals" else numbered(entries)
    verdict = walked(entries, known)
    assert not verdict.whole and verdict.findings
