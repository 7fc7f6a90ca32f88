"""Where what is shown of an item comes from: which sources name it, and where they say something else."""

from __future__ import annotations

from typing import Any

from watchkeeper.console.wording import plain
from watchkeeper.domains.inventory.models import Item, Source, Statement
from watchkeeper.domains.inventory.models.sources import PEOPLE
from watchkeeper.domains.inventory.shapes import Shape, shape_for
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import may, visible
from watchkeeper.kernel.resource import registry


def of_item(item: Item, actor: Actor) -> dict[str, Any]:
    """Its sources with when they last named it, and its attributes with who says them and who says something else."""
    said = list(visible(actor, "statements", Statement.objects.filter(item=item).select_related("source")))
    return {"sources": said, "attributes": _attributes(item, said)}


def _attributes(item: Item, said: list[Statement]) -> list[dict[str, Any]]:
    shape = shape_for(item)
    record = item if isinstance(item, shape.model) else shape.model._default_manager.get(pk=item.pk)
    shown = shape.shown(record)
    names = _names(shape, said, shown)
    rows = []
    for name in dict.fromkeys(n for s in said for n in s.values):
        now = shown.get(name)
        same = [s.source.name for s in said if s.values.get(name) == now and name in s.values]
        other = [
            (s.source.name, _text(shape, name, s.values[name], names))
            for s in said if name in s.values and s.values[name] != now
        ]  # fmt: skip
        rows.append({
            "name": _label(shape, name), "value": _text(shape, name, now, names),
            "by": ", ".join(dict.fromkeys(same)) or PEOPLE, "other": other,
        })  # fmt: skip
    return sorted(rows, key=lambda r: (not r["other"], r["name"].lower()))


def _label(shape: Shape, name: str) -> str:
    field = shape.fields.get(name)
    return str(field.verbose_name if field is not None else name.replace("_", " ")).capitalize()


def _names(shape: Shape, said: list[Statement], shown: dict[str, Any]) -> dict[str, dict[Any, str]]:
    """Of fields that refer to records: key → name."""
    out = {}
    for name, model in {**shape.items, **shape.small}.items():
        keys = {s.values[name] for s in said if s.values.get(name) is not None} | {shown.get(name)}
        out[name] = {
            k: str(r) for k, r in model._default_manager.in_bulk([k for k in keys if k is not None]).items()
        }
    return out


def _text(shape: Shape, name: str, value: Any, names: dict[str, dict[Any, str]]) -> str:
    if value in (None, ""):
        return "nothing"
    if name in names:
        return names[name].get(value, "something that is gone")
    field = shape.fields.get(name)
    if field is not None and field.choices:
        return str(dict(field.flatchoices).get(value, value))
    return str(plain(value))


def of_source(source: Source, actor: Actor) -> dict[str, Any]:
    """How much it says, and the way to take over a file of it."""
    said = source.statements
    return {
        "can_import": source.name != PEOPLE and may(actor, "import", registry["sources"], source),
        "counts": {
            "fresh": said.filter(stale_since=None).count(),
            "stale": said.exclude(stale_since=None).count(),
        },
        "actions": [],
        "in_words": {"statements"},
    }
