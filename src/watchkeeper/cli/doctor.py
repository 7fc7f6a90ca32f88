"""`watchkeeper doctor`: looks for what commonly stands in the way, and says what would mend it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

GIB = 1024**3


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `mend` says what to do when it is not well."""

    subject: str
    well: bool
    detail: str
    mend: str = ""


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Check this installation: Python, data folder, disk, assets, records, journal, telemetry, the
    model of sentences, sockets."""
    found = list(examine())
    if as_json:
        typer.echo(json.dumps([asdict(f) for f in found]))
    else:
        for f in found:
            typer.echo(f"{'ok  ' if f.well else 'BAD '} {f.subject:<12} {f.detail}")
            if not f.well:
                typer.echo(f"     → {f.mend}")
    raise typer.Exit(0 if all(f.well for f in found) else 1)


def examine() -> Iterator[Finding]:
    """Every check, one after the other; one that fails does not stop the others."""
    yield Finding("Python", sys.version_info >= (3, 11), sys.version.split()[0], "use Python 3.11 or newer")
    from django.conf import settings

    config = settings.CONFIG
    yield from _folder(config.data)
    yield _assets()
    yield _attempt("records", _records, "check DATABASE_URL, and that the disk is not full")
    yield _attempt("journal", lambda: _journal(config), "check the disk, and WATCHKEEPER_JOURNAL")
    if config.telemetry_url:
        yield _attempt("telemetry", lambda: _telemetry(config), "check WATCHKEEPER_TELEMETRY")
    if config.embedding:
        yield _attempt("embedding", lambda: _embedding(config.embedding), "check WATCHKEEPER_EMBEDDING")
    yield _attempt("address", lambda: _address(config.listen), "set WATCHKEEPER_LISTEN to a free address")


def _folder(data: Path) -> Iterator[Finding]:
    mode = data.stat().st_mode & 0o077
    yield Finding("data folder", not mode, f"{data} (others may {'look in' if mode else 'not look in'})",
                  f"chmod 700 {data}")  # fmt: skip
    yield Finding("writable", os.access(data, os.W_OK), str(data), "let this user write there")
    free = shutil.disk_usage(data).free
    yield Finding(
        "disk", free > 2 * GIB, f"{free / GIB:.1f} GiB free", "make room: doors close when it is full"
    )


def _assets() -> Finding:
    import watchkeeper

    built = Path(watchkeeper.__file__).parent / "console/static/dist/.vite/manifest.json"
    return Finding("assets", built.exists(), "built" if built.exists() else "not built", "run make run")


def _attempt(subject: str, look: Callable[[], str], mend: str) -> Finding:
    from django.db import DatabaseError

    from watchkeeper.model.errors import WatchkeeperError

    try:
        return Finding(subject, True, look())
    except (OSError, DatabaseError, WatchkeeperError, ValueError) as error:
        return Finding(subject, False, str(error), mend)


def _records() -> str:
    from django.db import connection

    from watchkeeper.domains.loading import load

    load()
    from watchkeeper.domains.situations.models import Situation

    return f"{connection.vendor}, {Situation.objects.count()} situations"


def _journal(config: Any) -> str:
    from watchkeeper.journal import open_journal

    journal = open_journal(config.journal_url, config.data)
    try:
        return f"offset {journal.end()}, {journal.size()} bytes not read by all"
    finally:
        journal.close()


def _telemetry(config: Any) -> str:
    from watchkeeper.telemetry.store import Store

    store = Store(config.telemetry_url)
    try:
        if not store.ping():
            raise ValueError("it does not answer")
        return "answers"
    finally:
        store.close()


def _embedding(folder: Path) -> str:
    from watchkeeper.domains.embedding.encoder import load

    model = load(folder)
    return f"{model.encode(['a text']).shape[1]} dimensions; alike from a cosine of {model.floor:.2f}"


def _address(listen: tuple[str, int]) -> str:
    with socket.socket(socket.AF_INET6 if ":" in listen[0] else socket.AF_INET) as s:
        s.settimeout(2)
        if s.connect_ex(listen) == 0:
            return f"{listen[0]}:{listen[1]} answers"
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with socket.socket(socket.AF_INET6 if ":" in listen[0] else socket.AF_INET) as s:
        s.bind(listen)
    return f"{listen[0]}:{listen[1]} is free"
