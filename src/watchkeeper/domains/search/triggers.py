"""What the database does itself: it notes each record that comes, changes or goes, whoever writes it and however, in
the same transaction; and it keeps a trigram index of the entries (FTS5 in SQLite, pg_trgm in PostgreSQL).

Noting is one small row, so that a storm of alerts pays next to nothing; indexing follows in the background.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from django.db import connection, transaction

from watchkeeper.domains.search.models import Due, Entry
from watchkeeper.domains.search.sources import Source, sources

_ENTRY = Entry._meta.db_table
_DUE = Due._meta.db_table
FULL_TEXT = f"{_ENTRY}_text"


@dataclass(frozen=True)
class _Trigger:
    """A trigger of a table: what makes it, and the source that has to be indexed anew when it was not there."""

    table: str
    event: str  # INSERT, DELETE, UPDATE OF …
    condition: str
    notes: tuple[str, ...]  # which records, as expressions
    source: str

    @property
    def name(self) -> str:
        """Another definition has another name."""
        said = repr((self.table, self.event, self.condition, self.notes, self.source))
        return f"search_{hashlib.sha256(said.encode()).hexdigest()[:24]}"


def install() -> None:
    """Make what is missing, and have indexed what that concerns. Quick when nothing is."""
    tables = set(connection.introspection.table_names())
    wanted = {t.name: t for s in sources().values() for t in _triggers(s) if t.table in tables}
    there = _present()
    if wanted.keys() == there.keys() and _full_text_is_kept():
        return
    with transaction.atomic(), connection.cursor() as cursor:
        for name in there.keys() - wanted.keys():
            cursor.execute(_drop(name, there[name]))
        if not _full_text_is_kept():
            for sql in _full_text():
                cursor.execute(sql)
        missing = [t for name, t in wanted.items() if name not in there]
        for trigger in missing:
            for sql in _made(trigger):
                cursor.execute(sql)
        for source in sorted({t.source for t in missing}):
            old = Entry.objects.filter(source=source).exists()
            if old or sources()[source].model._default_manager.exists():
                Due.objects.create(source=source)


def drop() -> None:
    """Take the triggers away, so that migrations may change the tables; `install` brings them back."""
    with transaction.atomic(), connection.cursor() as cursor:
        for name, table in _present().items():
            cursor.execute(_drop(name, table))


def _triggers(source: Source) -> list[_Trigger]:
    watched = [*source.fields, *((source.kind_column,) if source.kind_column else ())]
    found = _on(source.table, source.model._meta.pk.column, watched, source)
    if (names := source.names) is not None:
        owner = names.model._meta.get_field(names.owner).column
        columns = [f.column for f in names.model._meta.concrete_fields if not f.primary_key]
        found += _on(names.model._meta.db_table, owner, columns, source)
    return found


def _on(table: str, key: str, columns: list[str], source: Source) -> list[_Trigger]:
    quote = connection.ops.quote_name
    new, old = f"NEW.{quote(key)}", f"OLD.{quote(key)}"
    differ = " OR ".join(f"OLD.{quote(c)} IS DISTINCT FROM NEW.{quote(c)}" for c in columns)
    if connection.vendor == "sqlite":  # which knows IS DISTINCT FROM only since 3.39
        differ = differ.replace("IS DISTINCT FROM", "IS NOT")
    moved = (new, old) if key in columns else (new,)
    listed = ", ".join(map(quote, columns))
    return [
        _Trigger(table, "INSERT", "", (new,), source.table),
        _Trigger(table, "DELETE", "", (old,), source.table),
        _Trigger(table, f"UPDATE OF {listed}", differ, moved, source.table),
    ]


def _made(t: _Trigger) -> list[str]:
    quote = connection.ops.quote_name
    when = f"WHEN ({t.condition})" if t.condition else ""
    if connection.vendor == "sqlite":
        rows = ", ".join(f"('{t.source}', {key}, '')" for key in t.notes)
        note = f"INSERT INTO {_DUE} (source, key, after) VALUES {rows};"
        return [
            f"CREATE TRIGGER {t.name} AFTER {t.event} ON {quote(t.table)} FOR EACH ROW {when} BEGIN {note} END"
        ]
    rows = ", ".join(f"('{t.source}', {key}::text, '')" for key in t.notes)
    body = f"BEGIN INSERT INTO {_DUE} (source, key, after) VALUES {rows}; RETURN NULL; END"
    return [
        f"CREATE OR REPLACE FUNCTION {t.name}() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$",
        f"CREATE TRIGGER {t.name} AFTER {t.event} ON {quote(t.table)} FOR EACH ROW {when} "
        f"EXECUTE FUNCTION {t.name}()",
    ]


def _present() -> dict[str, str]:
    """The triggers that are there, with their tables."""
    if connection.vendor == "sqlite":
        sql = "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'search\\_%%' ESCAPE '\\'"
    else:
        sql = (
            "SELECT tgname, tgrelid::regclass::text FROM pg_trigger "
            "WHERE NOT tgisinternal AND tgname LIKE 'search\\_%%'"
        )
    with connection.cursor() as cursor:
        cursor.execute(sql, [])
        return {name: table.strip('"') for name, table in cursor.fetchall()}


def _drop(name: str, table: str) -> str:
    if connection.vendor == "sqlite":
        return f"DROP TRIGGER IF EXISTS {name}"
    return f"DROP TRIGGER IF EXISTS {name} ON {connection.ops.quote_name(table)}"


# --- the trigram index ------------------------------------------------------------------------------------------
_FOLLOWING = {  # FTS5 has the texts from the entries: it is told what comes and what goes
    "text_insert": ("AFTER INSERT", "INSERT INTO {text} (rowid, folded) VALUES (NEW.id, NEW.folded);"),
    "text_delete": (
        "AFTER DELETE",
        "INSERT INTO {text} ({text}, rowid, folded) VALUES ('delete', OLD.id, OLD.folded);",
    ),
}


def _full_text_is_kept() -> bool:
    wanted = {FULL_TEXT, *_FOLLOWING} if connection.vendor == "sqlite" else {FULL_TEXT}
    catalogue = (
        "SELECT name FROM sqlite_master" if connection.vendor == "sqlite" else "SELECT relname FROM pg_class"
    )
    column = catalogue.split()[1]
    with connection.cursor() as cursor:
        cursor.execute(f"{catalogue} WHERE {column} IN ({', '.join(['%s'] * len(wanted))})", sorted(wanted))
        return len(cursor.fetchall()) == len(wanted)


def _full_text() -> list[str]:
    if connection.vendor != "sqlite":
        return [
            "CREATE EXTENSION IF NOT EXISTS pg_trgm",
            f"CREATE INDEX IF NOT EXISTS {FULL_TEXT} ON {_ENTRY} USING gin (folded gin_trgm_ops)",
        ]
    following = [
        f"CREATE TRIGGER IF NOT EXISTS {name} {event} ON {_ENTRY} BEGIN {act.format(text=FULL_TEXT)} END"
        for name, (event, act) in _FOLLOWING.items()
    ]
    return [
        f"CREATE VIRTUAL TABLE IF NOT EXISTS {FULL_TEXT} USING "
        f"fts5(folded, content='{_ENTRY}', content_rowid='id', tokenize='trigram')",
        *following,
        f"INSERT INTO {FULL_TEXT} ({FULL_TEXT}) VALUES ('rebuild')",
    ]
