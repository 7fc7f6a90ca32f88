"""What the commands on records share: the kind that a word means, values as they are typed, who acts, the way to
the running server, and errors as people read them."""

from __future__ import annotations

import difflib
import fcntl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchkeeper.cli.django_ready import begin

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from watchkeeper.kernel.acting import Actor
    from watchkeeper.kernel.resource import Resource

Kind = Annotated[str, typer.Argument(metavar="KIND", help="What kind of record: `items`, or `item`.")]
Filter = Annotated[list[str] | None, typer.Option("--filter", "-f", help="name=value, as the API has it.")]
Search = Annotated[str, typer.Option(help="Words that have to occur.")]
View = Annotated[str, typer.Option(help="A saved view, by its name or id; filters narrow it.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Csv = Annotated[bool, typer.Option("--csv", help="Print CSV.")]


@contextmanager
def records(word: str) -> Iterator[tuple[Resource, Actor]]:
    """The kind that was named and who acts on it, as in `recorded`; a kind that is none ends the command with 2."""
    begin()
    resource = named(word)
    with recorded(resource.plural) as actor:
        yield resource, actor


@contextmanager
def recorded(what: str = "these records") -> Iterator[Actor]:
    """Who acts on records. What goes wrong inside is told on standard error, and ends the command with 1."""
    begin()
    from django.db import OperationalError
    from rest_framework.exceptions import ValidationError

    from watchkeeper.domains.identity.keys import command_actor
    from watchkeeper.kernel.ports import NotReady
    from watchkeeper.kernel.problems import told
    from watchkeeper.model.errors import WatchkeeperError

    try:
        with _server():
            yield command_actor()
    except ValidationError as error:
        raise failed(
            f"{name}: {detail}" if name else detail for name, detail in told(error.detail)
        ) from error
    except NotReady as error:
        raise failed([f"{what} go through the running server; start it with `watchkeeper serve`"]) from error
    except WatchkeeperError as error:
        raise failed([error.detail]) from error
    except OperationalError as error:
        raise failed([f"the records are busy or cannot be reached: {error}"]) from error


def failed(lines: Iterable[str]) -> typer.Exit:
    """Say each on standard error; to be raised."""
    for line in lines:
        typer.echo(f"watchkeeper: {line}", err=True)
    return typer.Exit(1)


def named(word: str) -> Resource:
    """The kind that a word means. Raises BadParameter."""
    from watchkeeper.kernel.resource import registry

    kinds = {r.path: r for r in registry}
    names = {**{r.name.replace(" ", "-"): r for r in registry}, **kinds}
    if word in names:
        return names[word]
    near = difflib.get_close_matches(word, names, 3)
    hint = f"near: {', '.join(near)}" if near else f"there are: {', '.join(sorted(kinds))}"
    raise typer.BadParameter(f"there is no kind {word!r}; {hint}", param_hint="KIND")


@contextmanager
def _server() -> Iterator[None]:
    """While the server runs, acts and news of this command reach it through the journal."""
    from django.conf import settings

    from watchkeeper.journal import open_journal
    from watchkeeper.journal.acts import JournalActs
    from watchkeeper.kernel.ports import ports

    config = settings.CONFIG
    if not running(config.data):
        yield
        return
    journal = open_journal(config.journal_url, config.data)
    ports.journal, ports.acts = journal, JournalActs(journal)
    try:
        yield
    finally:
        ports.journal = ports.acts = None
        journal.close()


def running(data: Path) -> bool:
    """The supervisor holds this lock for as long as it runs."""
    try:
        with (data / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def pairs(words: Iterable[str], hint: str) -> list[tuple[str, str]]:
    """What is before and after each "=". Raises BadParameter."""
    found = [word.partition("=") for word in words]
    for name, equals, _ in found:
        if not equals or not name:
            raise typer.BadParameter(f"{name!r}: write name=value", param_hint=hint)
    return [(name, value) for name, _, value in found]


def asked(
    resource: Resource, actor: Actor, filters: list[str] | None, search: str, order: str = "", view: str = ""
) -> QuerySet[Any]:
    """The records asked for. Raises BadQuery."""
    from django.utils.datastructures import MultiValueDict

    from watchkeeper.domains.lists.asking import narrowed
    from watchkeeper.kernel.lists import CONTROL
    from watchkeeper.kernel.problems import BadQuery

    given: MultiValueDict[str, str] = MultiValueDict()
    for name, value in pairs(filters or (), "--filter"):
        if name in CONTROL:
            raise BadQuery(f"{name!r} is not a filter; `watchkeeper get --help` has an option for it", name)
        given.appendlist(name, value)
    if search:
        given["search"] = search
    if order:
        given["ordering"] = order
    if view:
        given["view"] = view
    return narrowed(resource, actor, resource.queryset(), given)


def found(resource: Resource, key: str) -> Any:
    """One record, by its id or by a name that only one has. Raises NotThere."""
    from rest_framework.exceptions import ValidationError

    from watchkeeper.exchange.references import References
    from watchkeeper.kernel.problems import NotThere, told

    known = References(resource.queryset())
    known.read([key])
    try:
        return known.get(key)
    except ValidationError as error:
        raise NotThere(" ".join(words for _, words in told(error.detail))) from error
