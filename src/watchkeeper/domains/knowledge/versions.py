"""What a text said at each time: kept whenever it changes, compared line by line, and brought back."""

from __future__ import annotations

import difflib
from typing import Any

from django.utils import timezone

from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import require
from watchkeeper.kernel.resource import Action, Column, Done, Resource, Show, registry

_AROUND = 2  # lines around a change


def keep(text: Any, actor: Actor, note: str = "") -> None:
    """Keep the title and body of a record that has `version` and `versions`, if they are not as in its last version."""
    last = text.versions.order_by("-number").first()
    if last is not None and (last.title, last.body) == (text.title, text.body):
        return
    text.version, text.changed_at = (last.number if last else 0) + 1, timezone.now()
    text.save(update_fields=["version", "changed_at"])
    text.versions.create(
        number=text.version, title=text.title, body=text.body, by=actor.name[:200], note=note[:200], at=text.changed_at
    )  # fmt: skip


def restore(text: Any, version: Any, actor: Actor) -> None:
    """Let it say again what it said then; that is a version of its own."""
    text.title, text.body = version.title, version.body
    text.save(update_fields=["title", "body"])
    keep(text, actor, f"as in version {version.number}")


def difference(before: Any, after: Any) -> list[tuple[str, str]]:
    """Lines of a comparison of two versions, of which the first may be None: "+", "-", " " or "@" for a gap, and the
    line."""
    old, new = ([f"# {v.title}", *v.body.splitlines()] if v else [] for v in (before, after))
    lines = difflib.unified_diff(old, new, lineterm="", n=_AROUND)
    return [
        (line[0], line[1:] if line[0] != "@" else "")
        for line in lines
        if not line.startswith(("--- ", "+++ "))
    ]


def declare(model: type[Any], path: str, name: str, text: str, kind: str, description: str) -> Resource:
    """Declare the kind of versions of `text` (the field that leads to it), which is a record of `kind`."""

    def bring_back(actor: Actor, version: Any, _: dict[str, Any]) -> Done:
        record = getattr(version, text)
        require(actor, "change", registry[kind], record)
        restore(record, version, actor)
        return Done(body={text: record.pk, "see": f"/{kind}/{record.pk}/"})

    return registry.add(
        Resource(
            model=model,
            path=path,
            name=name,
            description=description,
            fields=("id", text, "number", "title", "body", "by", "note", "at"),
            columns=(
                Column("number", "Version", link=True),
                Column("title"),
                Column("by", "Written by"),
                Column("at", "Written", Show.TIME),
                Column("note", "Why"),
            ),
            filters={text: ["exact"], "by": ["exact"], "at": ["gte", "lte"]},
            ordering=("-at", "-id"),
            prepare=lambda found: found.select_related(text),
            actions=(Action("restore", "Let it say this again", bring_back),),
        )
    )
