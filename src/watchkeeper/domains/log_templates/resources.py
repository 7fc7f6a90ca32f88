"""Corrections of log templates, declared."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from watchkeeper.domains.log_templates.models import Kind, TemplateCorrection
from watchkeeper.kernel.derive import lookups, own_fields, plain
from watchkeeper.kernel.rest import RecordSerializer

_MOST = 2**64 - 1


class TemplateCorrectionSerializer(RecordSerializer):
    """A merge names the other template, a split the value that tells the parts from one another."""

    place = serializers.IntegerField(
        min_value=1, max_value=99, required=False, allow_null=True, default=None, label="Told apart by value",
        help_text="for a split: 1 is the first <*> of the wording; it has to be a word, such as a state or a queue",
    )  # fmt: skip

    class Meta:
        model = TemplateCorrection
        fields = ("id", "kind", "template", "other", "place", "wording", "reason", "created_at")
        read_only_fields = ("id", "created_at")
        extra_kwargs = {
            "template": {"help_text": "its number, as template: of the log search takes it"},
            "other": {"help_text": "for a merge: the template that goes into it"},
            "wording": {"help_text": "what it says, for people who read this later"},
        }  # fmt: skip

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError naming the field."""
        now = {
            n: attrs.get(n, getattr(self.instance, n, None)) for n in ("kind", "template", "other", "place")
        }
        for name in ("template", "other"):
            if now[name] and int(now[name]) > _MOST:
                raise serializers.ValidationError({name: "no template has such a number"})
        if now["kind"] == Kind.MERGE:
            if not now["other"] or now["other"] == now["template"]:
                raise serializers.ValidationError({"other": "name another template, which is the same"})
            if now["place"]:
                raise serializers.ValidationError({"place": "a merge has none"})
        elif not now["place"]:
            raise serializers.ValidationError({"place": "say which value tells the parts from one another"})
        elif now["other"]:
            raise serializers.ValidationError({"other": "a split has none"})
        return attrs


plain(
    TemplateCorrection, "template correction", "template-corrections",
    "wording:Template kind:What_is_said place:Told_apart_by_value reason created_at:Since",
    description="What people say of log templates: that two are one, or one is several. Removing it takes it back.",
    serializer=TemplateCorrectionSerializer,
    # a list takes `template` for the template that it is exported with
    filters=lookups(f for f in own_fields(TemplateCorrection) if f.name != "template"),
    search=("wording", "reason", "template"),
    ordering=("-created_at", "-id"),
)  # fmt: skip
