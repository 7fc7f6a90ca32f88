"""`watchkeeper apply -f` and `watchkeeper diff -f`: records as files declare them."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchkeeper.cli.kinds import Json, failed, recorded

if TYPE_CHECKING:
    from watchkeeper.domains.configuration.applying import Asked, Change, Outcome
    from watchkeeper.kernel.acting import Actor

DIFFERENT = 2  # the status of a difference, as of `terraform plan -detailed-exitcode`
_SIGNS = {
    "create": ("+", "green"),
    "change": ("~", "yellow"),
    "remove": ("-", "red"),
    "release": ("-", "yellow"),
}
_DONE = {
    "create": "made",
    "change": "changed",
    "unchanged": "unchanged",
    "remove": "removed",
    "release": "released",
}

Files = Annotated[
    list[str], typer.Option("--file", "-f", help="A YAML file, a folder of them, or - for standard input.")
]
Set = Annotated[str, typer.Option("--as", help="The set's name; else that of the folder of the first file.")]
Prune = Annotated[
    bool, typer.Option("--prune", help="Remove what this set made and does not declare any more.")
]
TakeOver = Annotated[bool, typer.Option("--take-over", help="Also take records that another set manages.")]


def apply(
    file: Files,
    set_name: Set = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    prune: Prune = False,
    take_over: TakeOver = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Make records as files declare them, all or nothing. On a terminal the plan is shown first."""
    with recorded() as actor:
        asked = _asked(file, set_name, dry_run, prune, take_over)
        if not dry_run and not yes and not as_json and sys.stdin.isatty():
            plan = _run(_asked(file, set_name, True, prune, take_over), actor)
            _say(plan, True)
            if not plan.differs or not typer.confirm("Do this?", err=True):
                raise typer.Exit(0 if not plan.differs else 1)
        outcome = _run(asked, actor)
        _tell(outcome, asked, as_json)


def diff(file: Files, set_name: Set = "", take_over: TakeOver = False, as_json: Json = False) -> None:
    """Say where records differ from what files declare, and who has changed them by hand. Ends with 0 when all is as
    declared, 2 when it is not, 1 when that cannot be said."""
    with recorded() as actor:
        asked = _asked(file, set_name, True, False, take_over)
        outcome = _run(asked, actor)
        _tell(outcome, asked, as_json)
        if outcome.differs:
            raise typer.Exit(DIFFERENT)


def _asked(names: list[str], set_name: str, dry_run: bool, prune: bool, take_over: bool) -> Asked:
    from watchkeeper.domains.configuration.applying import Asked

    files = _read(names)
    first = Path(names[0]).absolute()
    folder = first if first.is_dir() else first.parent
    default = "default" if names[0] == "-" else folder.name
    return Asked(files, set_name or default or "default", dry_run, prune, take_over)


def _read(names: list[str]) -> dict[str, bytes]:
    """The files by name, those of folders among them. Ends the command with 1 when one cannot be read."""
    found: dict[str, bytes] = {}
    for name in names:
        if name == "-":
            found.setdefault("standard input", _input())
            continue
        path = Path(name)
        paths = (
            sorted(p for p in path.rglob("*") if p.suffix in (".yaml", ".yml")) if path.is_dir() else [path]
        )
        if not paths:
            raise failed([f"{name}: there is no .yaml file in this folder"])
        for one in paths:
            try:
                found[str(one)] = one.read_bytes()
            except OSError as error:
                raise failed([f"{one}: {error.strerror}"]) from error
    return found


_piped: list[bytes] = []


def _input() -> bytes:
    """Standard input, which can be read once."""
    if not _piped:
        _piped.append(sys.stdin.buffer.read())
    return _piped[0]


def _run(asked: Asked, actor: Actor) -> Outcome:
    from watchkeeper.domains.configuration import applying
    from watchkeeper.exchange.documents import Faulty

    try:
        return applying.apply(asked, actor, _fetch)
    except Faulty as error:
        raise failed([*map(str, error.faults), "nothing was changed"]) from error


def _fetch(way: str, word: str) -> str:
    """A secret from a variable or a file. Raises Malformed."""
    from watchkeeper.model.errors import Malformed

    if way == "env":
        if (value := os.environ.get(word)) is None:
            raise Malformed(f"the variable {word} is not set")
        return value
    try:
        return Path(word).read_text().removesuffix("\n")
    except OSError as error:
        raise Malformed(f"{word}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Malformed(f"{word}: it is no text in UTF-8") from error


def _tell(outcome: Outcome, asked: Asked, as_json: bool) -> None:
    if as_json:
        told = {"set": asked.set_name, "applied": not asked.dry_run, **asdict(outcome)}
        typer.echo(json.dumps(told, ensure_ascii=False, default=str))
    else:
        _say(outcome, asked.dry_run)


def _say(outcome: Outcome, dry_run: bool) -> None:
    for change in outcome.changes:
        if change.act != "unchanged":
            _say_change(change)
    for title in outcome.undeclared:
        typer.secho(f"? {title}: not declared any more; --prune removes it", fg="yellow")
    counts = {word: sum(c.act == act for c in outcome.changes) for act, word in _DONE.items()}
    told = ", ".join(f"{count:,} {word}" for word, count in counts.items() if count or word == "unchanged")
    typer.echo(f"{'Would be' if dry_run else 'Done'}: {told}.")
    for title, secret in outcome.once.items():
        typer.echo(f"{title}, shown this once: " + ", ".join(f"{k} {v}" for k, v in secret.items()))


def _say_change(change: Change) -> None:
    sign, color = _SIGNS[change.act]
    hand = f"   (changed by hand: {change.by_hand[0]}, {change.by_hand[1][:16]}Z)" if change.by_hand else ""
    typer.secho(f"{sign} {change.kind} {change.title}{hand}", fg=color)
    for name, (before, after) in change.values.items():
        was = "" if change.act == "create" else f"{_short(before)} → "
        typer.echo(f"    {name}: {was}{_short(after)}")


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 120 else text[:119] + "…"
