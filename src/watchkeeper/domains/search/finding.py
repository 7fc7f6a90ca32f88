"""One ranked list of what matches, over all kinds that the actor may read.

Every kind is asked for its best and newest matches, and for no more than a page can use: what it costs depends on the
number of kinds, not of records.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from watchkeeper.domains.search.indexing import NAMED, bounds, catch_up
from watchkeeper.domains.search.models import Due, Entry
from watchkeeper.domains.search.rules import Match, excerpt, fold, marks, match, words_of
from watchkeeper.domains.search.sources import searchable
from watchkeeper.domains.search.triggers import FULL_TEXT
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.bounded import TookTooLong, within
from watchkeeper.kernel.permissions import authority, visible
from watchkeeper.kernel.resource import Resource

BEGINNING, CONTAINING = 60, 120  # matches of a kind that are looked at
OFTEN = 2000  # records that hold the longest word, among which the other words are looked for
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
    if Due.objects.all()[CALM : CALM + 1].count() == 0:
        catch_up(CALM)  # what somebody has just done can be found at once
    wanted = set(kinds)
    asked = {r.path: r for r in searchable() if not wanted or r.path in wanted}
    allowed = {p: authority().decide(actor, "read", r) for p, r in asked.items()}
    paths = [p for p, decision in allowed.items() if decision.allowed]
    best, cut_off = _candidates(paths, words)
    for path in [p for p in best if allowed[p].partly]:
        seen = _readable(actor, asked[path], best[path])
        best[path] = {k: e for k, e in best[path].items() if k in seen}
    best = {p: found for p, found in best.items() if found}
    ordered = sorted((e for found in best.values() for e in found.values()), key=_order(best))
    hits = _hits(actor, asked, ordered, words, limit)
    counts = [Count(asked[p], len(f), len(f) >= min(BEGINNING, CONTAINING)) for p, f in best.items()]
    first = {h.resource.path: n for n, h in reversed(list(enumerate(hits)))}
    counts.sort(key=lambda c: (first.get(c.resource.path, limit), c.count, c.resource.path))
    return Found(hits, counts, cut_off)


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
def _candidates(paths: Sequence[str], words: list[str]) -> tuple[dict[str, dict[str, _Entry]], bool]:
    """For each kind, its matching records with the entry that matches best."""
    phrase, best, cut_off = " ".join(words), dict[str, dict[str, _Entry]](), False
    for asked in (_beginning, _containing, _across):
        try:
            with within(SECONDS):
                rows = list(_rows(asked(paths, words)))
        except TookTooLong:
            cut_off = True
            continue
        for kind, key, name, place, folded in rows:
            entry = _Entry(kind, key, name, place, folded, match(folded, phrase, words))
            of_kind = best.setdefault(kind, {})
            if key not in of_kind or entry.rank < of_kind[key].rank:
                of_kind[key] = entry
    return best, cut_off


Part = tuple[str, list[Any]]


def _rows(parts: list[Part]) -> Iterator[tuple[str, str, str, int, str]]:
    if not parts:
        return
    sql = " UNION ALL ".join(f"SELECT * FROM ({part}) AS p{n}" for n, (part, _) in enumerate(parts))
    with connection.cursor() as cursor:
        cursor.execute(sql, [p for _, given in parts for p in given])
        yield from cursor.fetchall()


_COLUMNS = "e.kind, e.key, e.field, e.place, e.folded"


def _beginning(paths: Sequence[str], words: list[str]) -> list[Part]:
    """Texts that begin with what is searched, the shortest of a kind first."""
    phrase = " ".join(words)
    if connection.vendor == "sqlite":
        condition, given = "e.folded >= %s AND e.folded < %s", [phrase, f"{phrase}\U0010ffff"]
    else:
        condition, given = "e.folded LIKE %s", [f"{_escaped(phrase)}%"]
    sql = f"SELECT {_COLUMNS} FROM {_TABLE} e WHERE e.kind = %s AND {condition} ORDER BY e.folded LIMIT {BEGINNING}"
    if connection.vendor != "sqlite":
        sql = sql.replace("ORDER BY e.folded", "ORDER BY e.folded USING ~<~")
    return [(sql, [path, *given]) for path in paths]


def _containing(paths: Sequence[str], words: list[str]) -> list[Part]:
    """Texts that hold every word, the newest of a kind first. Trigrams know no words of one or two characters: these
    are looked for among what the others found, or all of them as they were written."""
    found = _holding([w for w in words if len(w) > 2] or [p for p in (" ".join(words),) if len(p) > 2])
    if found is None:
        return []
    short = [w for w in words if len(w) <= 2]
    more = "".join(" AND e.folded LIKE %s ESCAPE '\\'" for _ in short)
    given = [f"%{_escaped(w)}%" for w in short]
    return [
        (f"{found[0]} AND e.kind = %s{more} ORDER BY {found[2]} DESC LIMIT {CONTAINING}",
         [*found[1], *bounds(path), path, *given])
        for path in paths
    ]  # fmt: skip


def _across(paths: Sequence[str], words: list[str]) -> list[Part]:
    """Records of which one text holds the longest word and other texts the others."""
    longest, *others = sorted(words, key=len, reverse=True)
    found = _holding([longest] if len(longest) > 2 else [])
    if found is None or not others:
        return []
    there = f"EXISTS (SELECT 1 FROM {_TABLE} o WHERE o.key = e.key AND o.kind = e.kind AND o.folded LIKE %s ESCAPE '\\')"
    more = " AND ".join([there] * len(others))
    given = [f"%{_escaped(w)}%" for w in others]
    return [
        (f"SELECT {_COLUMNS} FROM ({found[0]} AND e.kind = %s ORDER BY {found[2]} DESC LIMIT {OFTEN}) AS e "
         f"WHERE {more} LIMIT {CONTAINING}",
         [*found[1], *bounds(path), path, *given])
        for path in paths
    ]  # fmt: skip


def _holding(words: list[str]) -> tuple[str, list[Any], str] | None:
    """Entries of a kind (whose bounds are to be given) that hold these words, and what to order them by."""
    if not words:
        return None
    if connection.vendor == "sqlite":
        wanted = " AND ".join('"' + w.replace('"', '""') + '"' for w in words)
        sql = (
            f"SELECT {_COLUMNS} FROM {FULL_TEXT} t JOIN {_TABLE} e ON e.id = t.rowid "
            f"WHERE t.folded MATCH %s AND t.rowid BETWEEN %s AND %s"
        )
        return sql, [wanted], "t.rowid"
    sql = f"SELECT {_COLUMNS} FROM {_TABLE} e WHERE {' AND '.join(['e.folded LIKE %s'] * len(words))}"
    return f"{sql} AND e.id BETWEEN %s AND %s", [f"%{_escaped(w)}%" for w in words], "e.id"


def _escaped(word: str) -> str:
    """For LIKE."""
    return fold(word).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
