"""One ranked list of what matches, over all kinds that the actor may read.

Every kind is asked for its best and newest matches, and for no more than a page can use: what it costs depends on the
number of kinds, not of records.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from watchkeeper.domains.search.indexing import NAMED, bounds, catch_up
from watchkeeper.domains.search.models import Due, Entry
from watchkeeper.domains.search.rules import Match, excerpt, fold, marks, match, words_of
from watchkeeper.domains.search.sources import searchable
from watchkeeper.domains.search.triggers import FULL_TEXT
from watchkeeper.kernel import permissions
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.bounded import TookTooLong, within
from watchkeeper.kernel.permissions import authority, visible
from watchkeeper.kernel.resource import Resource

BEGINNING, CONTAINING = 60, 120  # matches of a kind that are looked at
OFTEN = 2000  # texts that hold a word, of all kinds, up to which all of them are looked at
SMALL = 1000  # entries of a kind, up to which they are read: to ask the full-text index takes longer
SECONDS = 0.8  # for each of the two questions to the index
CALM = 200  # records noted and not yet indexed, up to which a search indexes them itself
_TABLE = Entry._meta.db_table


@dataclass(frozen=True)
class Hit:
    """A record that matches, and where: a field in the words of the kind, its text, and the parts of the text that
    were searched for, each as beginning and end."""

    resource: Resource
    record: Any
    title: str
    field: str
    text: str
    marks: list[tuple[int, int]]
    match: Match

    @property
    def url(self) -> str:
        """The record's page in the console."""
        return f"/{self.resource.path}/{self.record.pk}/"

    @property
    def parts(self) -> list[tuple[str, bool]]:
        """The text in parts, each with whether it was searched for."""
        out, at = [], 0
        for begin, end in self.marks:
            out += [(self.text[at:begin], False), (self.text[begin:end], True)]
            at = end
        return [p for p in (*out, (self.text[at:], False)) if p[0]]


@dataclass(frozen=True)
class Count:
    """How many records of a kind match: at least so many where there are `more`."""

    resource: Resource
    count: int
    more: bool


@dataclass(frozen=True)
class Found:
    """The best hits, and the counts of their kinds, of the most telling kind first. `cut_off`: the index took too long,
    and there may be others."""

    hits: list[Hit] = field(default_factory=list)
    counts: list[Count] = field(default_factory=list)
    cut_off: bool = False


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry that matches."""

    kind: str
    key: str
    field: str
    place: int
    folded: str
    match: Match

    @property
    def rank(self) -> tuple[int, int, int, str]:
        """The best first: how it matches, how telling the field, how much else there is."""
        return self.match, self.place if self.place < NAMED else 1, len(self.folded), self.folded


def find(actor: Actor, text: str, *, kinds: Iterable[str] = (), limit: int = 20) -> Found:
    """The best `limit` records for these words. With `kinds`, paths, only those."""
    words = words_of(text)
    if not words:
        return Found()
    freshen()
    wanted = set(kinds)
    asked = {r.path: r for r in searchable() if not wanted or r.path in wanted}
    allowed = {p: authority().decide(actor, "read", r) for p, r in asked.items()}
    paths = [p for p, decision in allowed.items() if decision.allowed]
    candidates = _candidates(paths, words)
    best = candidates.best
    for path in [p for p in best if allowed[p].partly or p in permissions.within]:
        seen = _readable(actor, asked[path], best[path])
        best[path] = {k: e for k, e in best[path].items() if k in seen}
    best = {p: found for p, found in best.items() if found}
    ordered = sorted((e for found in best.values() for e in found.values()), key=_order(best))
    hits = _hits(actor, asked, ordered, words, limit)
    counts = [Count(asked[p], len(f), p in candidates.more) for p, f in best.items()]
    first = {h.resource.path: n for n, h in reversed(list(enumerate(hits)))}
    counts.sort(key=lambda c: (first.get(c.resource.path, limit), c.count, c.resource.path))
    return Found(hits, counts, candidates.cut_off)


def freshen() -> None:
    """What somebody has just done can be found at once, unless very much is waiting."""
    if Due.objects.all()[CALM : CALM + 1].count() == 0:
        catch_up(CALM)


def _order(best: dict[str, dict[str, _Entry]]) -> Any:
    """Among equals, kinds with few matches come first: they say more."""
    few = {path: len(found) for path, found in best.items()}
    return lambda e: (e.rank[:2], few[e.kind], *e.rank[2:], e.key)


def _readable(actor: Actor, resource: Resource, keys: Iterable[str]) -> set[str]:
    found = visible(actor, resource, resource.model._default_manager.all()).filter(pk__in=list(keys))
    return {str(pk) for pk in found.values_list("pk", flat=True)}


def _hits(
    actor: Actor, asked: dict[str, Resource], ordered: Sequence[_Entry], words: list[str], limit: int
) -> list[Hit]:
    """The first of these that are there still and may be read, with their records."""
    out: list[Hit] = []
    for start in range(0, len(ordered), 2 * limit):
        part = ordered[start : start + 2 * limit]
        records: dict[tuple[str, str], Any] = {}
        for path in {e.kind for e in part}:
            keys = [e.key for e in part if e.kind == path]
            rows = visible(actor, asked[path]).filter(pk__in=keys)
            records |= {(path, str(r.pk)): r for r in rows}
        out += [_hit(asked[e.kind], records[e.kind, e.key], e, words) for e in part
                if (e.kind, e.key) in records]  # fmt: skip
        if len(out) >= limit:
            break
    return out[:limit]


def _hit(resource: Resource, record: Any, entry: _Entry, words: list[str]) -> Hit:
    text = str(getattr(record, entry.field, "") or "")
    if entry.place >= NAMED or not marks(text, words):
        text = entry.folded
    shown = excerpt(text, words)
    return Hit(resource, record, resource.title(record), entry.field, shown, marks(shown, words), entry.match)


# --- asking the index -------------------------------------------------------------------------------------------
@dataclass
class _Candidates:
    """For each kind, its matching records with the entry that matches best; the kinds that may have more of them;
    whether the index took too long."""

    best: dict[str, dict[str, _Entry]] = field(default_factory=dict)
    more: set[str] = field(default_factory=set)
    cut_off: bool = False


def _candidates(paths: Sequence[str], words: list[str]) -> _Candidates:
    phrase, out = " ".join(words), _Candidates()
    for asked, most in ((_beginning, BEGINNING), (_containing, CONTAINING), (_across, CONTAINING)):
        try:
            with within(SECONDS):
                rows, every = asked(paths, words)
        except TookTooLong:
            out.cut_off = True
            continue
        for kind, key, name, place, folded in rows:
            entry = _Entry(kind, key, name, place, folded, match(folded, phrase, words))
            of_kind = out.best.setdefault(kind, {})
            if key not in of_kind or entry.rank < of_kind[key].rank:
                of_kind[key] = entry
        seen = Counter(row[0] for row in rows)
        out.more = set() if every else out.more | {kind for kind, n in seen.items() if n >= most}
    out.best = {path: out.best[path] for path in paths if path in out.best}
    return out


Row = tuple[str, str, str, int, str]
Part = tuple[str, list[Any]]
Asked = tuple[list[Row], bool]  # and whether these are all that there are
_COLUMNS = "e.kind, e.key, e.field, e.place, e.folded"


def _rows(parts: list[Part]) -> list[Any]:
    """What these queries find together."""
    if not parts:
        return []
    sql = " UNION ALL ".join(f"SELECT * FROM ({part}) AS p{n}" for n, (part, _) in enumerate(parts))
    with connection.cursor() as cursor:
        cursor.execute(sql, [p for _, given in parts for p in given])
        return cursor.fetchall()


def _beginning(paths: Sequence[str], words: list[str]) -> Asked:
    """Texts that begin with what is searched, the shortest of a kind first."""
    phrase = " ".join(words)
    if connection.vendor == "sqlite":
        condition, order, given = "e.folded >= %s AND e.folded < %s", "", [phrase, f"{phrase}\U0010ffff"]
    else:
        condition, order, given = "e.folded LIKE %s", " USING ~<~", [f"{_escaped(phrase)}%"]
    sql = f"SELECT {_COLUMNS} FROM {_TABLE} e WHERE e.kind = %s AND {condition} ORDER BY e.folded{order}"
    return _rows([(f"{sql} LIMIT {BEGINNING}", [path, *given]) for path in paths]), False


def _containing(paths: Sequence[str], words: list[str]) -> Asked:
    """Texts that hold every word. Trigrams know no words of one or two characters: these are looked for among what
    the others found, or all of them as they were written."""
    long = [w for w in words if len(w) > 2] or [p for p in (" ".join(words),) if len(p) > 2]
    short = [w for w in words if len(w) <= 2]
    more = "".join(" AND e.folded LIKE %s ESCAPE '\\'" for _ in short)
    return holding(long, more, [f"%{_escaped(w)}%" for w in short], paths)


def _across(paths: Sequence[str], words: list[str]) -> Asked:
    """Texts that hold the longest word, where other texts of the record hold the others."""
    longest, *others = sorted(words, key=len, reverse=True)
    there = (
        f" AND EXISTS (SELECT 1 FROM {_TABLE} o WHERE o.key = e.key AND o.kind = e.kind "
        "AND o.folded LIKE %s ESCAPE '\\')"
    )
    given = [f"%{_escaped(w)}%" for w in others]
    return holding([longest] if others and len(longest) > 2 else [], there * len(others), given, paths)


def holding(words: list[str], more: str, given: list[str], paths: Sequence[str]) -> Asked:
    """Entries that hold these words, and meet a condition besides. Where they are few, all of them, by one question;
    else every kind is asked for its newest, so that a kind with many does not keep those of another from being seen.
    """
    if not words:
        return [], False
    table, text_id, holding, wanted = _text(words)
    within_text = f"FROM {table} WHERE {holding}"
    found = f"SELECT {_COLUMNS} {within_text}"
    some = _rows([(f"{found} LIMIT {OFTEN + 1}", wanted)])
    if len(some) <= OFTEN:
        if more and some:
            some = _rows([(f"SELECT {_COLUMNS} FROM ({found}) AS e WHERE TRUE{more}", [*wanted, *given])])
        return some, True
    most = OFTEN if more else CONTAINING

    def newest(within: str, at: str) -> str:
        return (
            f"SELECT {_COLUMNS} FROM (SELECT {_COLUMNS} {within} AND {at} BETWEEN %s AND %s AND e.kind = %s "
            f"ORDER BY {at} DESC LIMIT {most}) AS e WHERE TRUE{more} LIMIT {CONTAINING}"
        )

    like = " AND ".join(["e.folded LIKE %s ESCAPE '\\'"] * len(words))
    read = newest(f"FROM {_TABLE} e WHERE {like}", "e.id"), [f"%{_escaped(w)}%" for w in words]
    asked = newest(within_text, text_id), wanted
    chosen = [(path, read if size <= SMALL else asked) for path, size in _sizes(paths) if size]
    return _rows([(sql, [*held, *bounds(path), path, *given]) for path, (sql, held) in chosen]), False


def _sizes(paths: Sequence[str]) -> list[tuple[str, int]]:
    """How many entries each of these kinds has: more than SMALL are not counted."""
    some = f"SELECT 1 FROM {_TABLE} WHERE id BETWEEN %s AND %s LIMIT {SMALL + 1}"
    sql = f"SELECT CAST(%s AS varchar(64)), count(*) FROM ({some}) AS counted"
    return _rows([(sql, [path, *bounds(path)]) for path in paths])


def _text(words: list[str]) -> tuple[str, str, str, list[Any]]:
    """The table that holds texts, its id, and the condition that one holds these words."""
    if connection.vendor == "sqlite":
        # CROSS JOIN: the text first, whatever SQLite thinks of the sizes of the tables.
        table = f"{FULL_TEXT} t CROSS JOIN {_TABLE} e ON e.id = t.rowid"
        return (
            table,
            "t.rowid",
            "t.folded MATCH %s",
            [" AND ".join(f'"{w.replace(chr(34), chr(34) * 2)}"' for w in words)],
        )
    holding = " AND ".join(["e.folded LIKE %s"] * len(words))
    return f"{_TABLE} e", "e.id", holding, [f"%{_escaped(w)}%" for w in words]


def _escaped(word: str) -> str:
    """For LIKE."""
    return fold(word).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
