"""Two items that may be one, beside each other; and what was merged."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from watchkeeper.console.wording import plain
from watchkeeper.domains.inventory.merging import record_of, stays
from watchkeeper.domains.inventory.models import Duplicate, Item, Merge, Relation
from watchkeeper.domains.inventory.shapes import shape_for
from watchkeeper.domains.situations.models import Alert
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import may, visible
from watchkeeper.kernel.resource import registry


def of_duplicate(pair: Duplicate, actor: Actor) -> dict[str, Any]:
    """Both side by side, what differs first."""
    keep = stays(pair.first, pair.second)
    both = (keep, pair.second if keep == pair.first else pair.first)
    sides = [_side(i) for i in both]
    names = dict.fromkeys(n for s in sides for n in s)
    rows = [(n, [s.get(n, "–") for s in sides], len({s.get(n) for s in sides}) > 1) for n in names]
    return {
        "both": both,
        "rows": sorted(rows, key=lambda r: not r[2]),
        "reasons": [text for _, text in pair.because],
        "percent": round(pair.score * 100),
        "can_merge": pair.state == "proposed" and may(actor, "merge", registry["duplicates"], pair),
        "choices": [(keep, True), *([(both[1], False)] if both[1].declared == keep.declared else [])],
        "actions": _actions(pair, actor),
        "facts": [],
    }


def _actions(pair: Duplicate, actor: Actor) -> list[tuple[Any, list[Any]]]:
    resource = registry["duplicates"]
    found = (a for a in resource.actions if a.name != "merge" and a.offered(pair))
    return [(a, []) for a in found if may(actor, a.name, resource, pair)]


def _side(item: Item) -> dict[str, str]:
    """What there is to compare, in words."""
    record = record_of(item)
    shape = shape_for(item)
    out = {"Kind": item.declared.replace("-", " ") if item.declared else item.kind, "Name": item.name}
    out["Known as"] = "\n".join(
        f"{x.scheme} {x.value}"
        for x in item.identifiers.filter(valid_to=None).order_by("scheme", "value")[:20]
    )
    for name, value in shape.shown(record).items():
        field = shape.fields.get(name)
        if name == "name" or value in (None, "", [], {}):
            continue
        label = str(field.verbose_name if field is not None else name.replace("_", " ")).capitalize()
        out[label] = (
            str(getattr(record, name)) if field is not None and field.is_relation else str(plain(value))
        )
    out["Sources"] = "\n".join(item.statements.values_list("source__name", flat=True))
    out["Relations"] = str(Relation.objects.filter(Q(source=item) | Q(target=item), valid_to=None).count())
    out["Alerts"] = str(Alert.objects.filter(item=item.pk).count())
    out["First seen"] = f"{item.first_seen_at:%Y-%m-%d %H:%M} UTC"
    out["Last seen"] = f"{item.last_seen_at:%Y-%m-%d %H:%M} UTC"
    return {k: v for k, v in out.items() if v}


def of_item(item: Item, actor: Actor) -> dict[str, Any]:
    """What may be the same as this item, and what has become part of it."""
    pairs = Duplicate.objects.filter(Q(first=item) | Q(second=item), state="proposed").select_related(
        "first", "second"
    )
    merged = Merge.objects.filter(item=item, undone_at=None).defer("kept")
    inner = {i for m in Merge.objects.filter(item=item, undone_at=None) for i in m.kept.get("inner", ())}
    return {
        "duplicates": [
            (d, d.second if d.first_id == item.pk else d.first, round(d.score * 100))
            for d in visible(actor, "duplicates", pairs)[:10]
        ],
        "merged": [m for m in visible(actor, "merges", merged) if m.pk not in inner],
    }  # fmt: skip


def of_merge(done: Merge, _: Actor) -> dict[str, Any]:
    """How much was moved, and what could not be put back."""
    moved = [
        (label.rpartition(".")[0].partition(".")[2], len(keys))
        for label, keys in done.kept.get("moved", {}).items()
    ]
    return {
        "moved": moved,
        "said": done.kept.get("said", []),
        "reasons": [text for _, text in done.because],
        "facts": [],
    }
