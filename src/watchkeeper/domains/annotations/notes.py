"""Notes: what people write down about a record. Markdown, shown as a safe part of HTML; one's own can be changed."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.utils import timezone
from django.utils.safestring import SafeString

from watchkeeper.domains.annotations.attaching import settle
from watchkeeper.domains.annotations.models import Note
from watchkeeper.domains.identity.behind import administers
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.problems import Invalid, Refused
from watchkeeper.kernel.resource import Column, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer

_TAGS = {"p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "table", "thead",
         "tbody", "tr", "th", "td", "h3", "h4", "h5", "h6"}  # fmt: skip


class RecordNoteSerializer(RecordSerializer):
    """A note on a record; a note on a situation is something else."""

    class Meta:
        model = Note
        fields = ("id", "kind", "record", "level", "text", "author", "made_at", "changed_at")
        read_only_fields = ("author", "made_at", "changed_at")


def own(actor: Actor, note: Note) -> bool:
    """Whether this is the actor's note; an administrator's are all."""
    mine = (actor.id, actor.name) == (note.author_id, note.author)
    return mine or administers(actor)


def _create(actor: Actor, data: dict[str, Any]) -> Note:
    settle(actor, data)
    return Note.objects.create(author=actor.name, author_id=actor.id, **data)


def _change(actor: Actor, note: Note, data: dict[str, Any]) -> Note:
    if not own(actor, note):
        raise Refused(f"the note is {note.author}'s; only they can change it")
    if any(name in data and data[name] != getattr(note, name) for name in ("kind", "record")):
        raise Invalid("a note stays with its record", "record")
    for name in {"text", "level"} & data.keys():
        setattr(note, name, data[name])
    note.changed_at = timezone.now()
    note.save()
    return note


def _remove(actor: Actor, note: Note) -> None:
    if not own(actor, note):
        raise Refused(f"the note is {note.author}'s; only they can remove it")
    note.delete()


@lru_cache(maxsize=1)
def _markdown() -> Any:
    from markdown_it import MarkdownIt

    made = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
    return made.disable("image")  # pages load nothing from elsewhere


@lru_cache(maxsize=512)
def as_html(text: str) -> SafeString:
    """A note's Markdown as HTML, which is remembered."""
    return html_of(text)


def html_of(text: str) -> SafeString:
    """Markdown as HTML of a few harmless elements; HTML in it is text, and links lead to the web or by e-mail."""
    import nh3

    clean = nh3.clean(
        _markdown().render(text).replace("<h1>", "<h3>").replace("</h1>", "</h3>").replace("<h2>", "<h3>")
        .replace("</h2>", "</h3>"),
        tags=_TAGS,
        attributes={"a": {"href"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )  # fmt: skip
    for wide in ("table", "pre"):  # they are scrolled, also by the keyboard
        clean = clean.replace(f"<{wide}>", f'<div class="wk-wide" tabindex="0"><{wide}>')
        clean = clean.replace(f"</{wide}>", f"</{wide}></div>")
    return SafeString(clean)


registry.add(
    Resource(
        model=Note,
        path="notes",
        name="note",
        description="What people wrote down about records. Read by whoever may read the record, written by whoever may "
        "change it; only its author changes a note.",
        fields=RecordNoteSerializer.Meta.fields,
        serializer=RecordNoteSerializer,
        columns=(
            Column("__str__", "Note", link=True),
            Column("level", "Mark", Show.STATE),
            Column("author"),
            Column("made_at", "Written", Show.TIME),
        ),
        filters={
            "kind": ["exact"],
            "record": ["exact"],
            "level": ["exact", "in"],
            "author": ["exact"],
            "made_at": ["gte", "lt"],
        },
        search=("text",),
        ordering=("-made_at", "-id"),
        writable=("level", "text"),
        create_only=("kind", "record"),
        allow=frozenset({"create", "change", "remove"}),
        create=_create,
        change=_change,
        remove=_remove,
    )
)
