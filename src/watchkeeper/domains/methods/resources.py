"""Versions of methods, declared."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from watchkeeper.domains.methods.models import MethodVersion
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.problems import Refused
from watchkeeper.kernel.resource import Action, Column, Done, Resource, registry
from watchkeeper.kernel.rest import Choice, RecordSerializer
from watchkeeper.model.versions import PARTS

PATH = "method-versions"
_ALL = list(dict.fromkeys(name for part in PARTS.values() for name in part.versions))
_SAID = "; ".join(f"{name}: {words}" for part in PARTS.values() for name, words in part.versions.items())


class MethodVersionSerializer(RecordSerializer):
    """Versions have to be those of the part, and two different ones."""

    decides = Choice(choices=_ALL, help_text=_SAID)
    shade = Choice(
        label="In the shade", choices=["", *_ALL], default="", required=False,
        help_text="judges beside the deciding one; nobody is told anything by it. Empty: none",
    )  # fmt: skip

    class Meta:
        model = MethodVersion
        fields = ("id", "name", "part", "decides", "shade")
        read_only_fields = ("id",)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError naming the field."""
        whole = {n: attrs.get(n, getattr(self.instance, n, "")) for n in ("part", "decides", "shade")}
        known = PARTS[whole["part"]].versions
        wrong = {
            n: f"choose one of {', '.join(known)}"
            for n in ("decides", "shade")
            if whole[n] and whole[n] not in known
        }
        if whole["shade"] and whole["shade"] == whole["decides"]:
            wrong["shade"] = "this is the one that decides"
        if wrong:
            raise serializers.ValidationError(wrong)
        return attrs


def _change_places(_: Actor, chosen: MethodVersion, __: dict[str, Any]) -> Done:
    if not chosen.shade:
        raise Refused("there is no version in the shade")
    chosen.decides, chosen.shade = chosen.shade, chosen.decides
    chosen.save(update_fields=["decides", "shade"])
    return Done()


registry.add(
    Resource(
        model=MethodVersion,
        path=PATH,
        name="method version",
        description="Which version of a part of analysis decides, and which judges in its shade. The newest counts.",
        fields=MethodVersionSerializer.Meta.fields,
        columns=(Column("name", link=True), Column("part"), Column("decides"), Column("shade", "In the shade")),
        filters={"name": ["exact", "icontains"], "part": ["exact"], "decides": ["exact"], "shade": ["exact"]},
        search=("name",),
        ordering=("-id",),
        writable=("name", "part", "decides", "shade"),
        allow=frozenset({"create", "change", "remove"}),
        serializer=MethodVersionSerializer,
        read_scope=Scope.ADMIN,
        write_scope=Scope.ADMIN,
        actions=(
            Action(
                "change-places", "Let the one in the shade decide", _change_places, scope=Scope.ADMIN,
                offered=lambda r: bool(r.shade),
                confirm="From the next situation on the version in the shade decides, and the present one is compared "
                "with it. The same again takes it back.",
            ),
        ),
    )
)  # fmt: skip
