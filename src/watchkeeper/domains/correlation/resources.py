"""Grouping rules and correlation settings, declared."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from watchkeeper.domains.automation.conditions import LENGTH, evaluator
from watchkeeper.domains.correlation.models import CorrelationSetting, GroupingRule
from watchkeeper.jobs import port as jobs
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.problems import Invalid, Refused
from watchkeeper.kernel.resource import Action, Done
from watchkeeper.kernel.rest import RecordSerializer

ABOUT = ("record",)  # what a condition may ask about
PREVIEW = "preview-correlation"
DAYS = 31


class GroupingRuleSerializer(RecordSerializer):
    """A condition that is one, and values that alerts have."""

    condition = serializers.CharField(
        max_length=LENGTH, style={"base_template": "textarea.html", "rows": 4},
        help_text="in CEL, about record: name, severity, summary, labels, annotations, source, item, item_kind; as in "
        "record.labels.team == 'network'",
    )  # fmt: skip
    group_by = serializers.ListField(
        child=serializers.CharField(max_length=200), default=list, max_length=10, label="The same",
        help_text="labels, or name, severity, source, item, item_kind: alerts that agree in all of them are one "
        "situation; none: all that the condition takes",
    )  # fmt: skip

    class Meta:
        model = GroupingRule
        fields = ("id", "name", "enabled", "description", "position", "condition", "group_by", "window_seconds",
                  "at_least", "parent_alert")  # fmt: skip
        read_only_fields = ("id",)
        extra_kwargs = {
            "position": {"help_text": "an alert that several rules take goes by the one with the lowest"},
            "window_seconds": {
                "help_text": "an alert joins that begins within this time of the first of its situation"
            },
            "at_least": {"help_text": "fewer stay where the learned method puts them"},
            "parent_alert": {
                "label": "Held back when a parent has",
                "help_text": "the name of an alert, or * for any: an alert is recorded and nobody is told while "
                "something that its item depends on or runs on has that alert; empty: never",
            },
        }  # fmt: skip

    def validate_condition(self, text: str) -> str:
        """Raises ValidationError with the place of the error."""
        try:
            evaluator.check(text, ABOUT)
        except Invalid as error:
            raise serializers.ValidationError(error.detail) from error
        return text

    def validate_group_by(self, names: list[str]) -> list[str]:
        """The form has them in lines, between commas. Raises ValidationError for a name that it would take apart."""
        if any("," in n or len(n.splitlines()) > 1 for n in names):
            raise serializers.ValidationError("A name of a label has no comma and no line break.")
        return list(dict.fromkeys(names))


class CorrelationSettingSerializer(RecordSerializer):
    """Parameters under a name; which of them is in use is said by actions."""

    class Meta:
        model = CorrelationSetting
        fields = ("id", "name", "description", "pause_seconds", "fade_seconds", "evidence", "in_use")
        read_only_fields = ("id", "in_use")
        extra_kwargs = {
            "pause_seconds": {"help_text": "what begins after so long without an alert is a situation of its own"},
            "fade_seconds": {"help_text": "the shorter, the more a pause speaks against belonging together"},
            "evidence": {"help_text": "that an alert needs to join a situation: more of it, more situations"},
        }  # fmt: skip


class Days(serializers.Serializer[Any]):
    """Of how much history."""

    days = serializers.IntegerField(min_value=1, max_value=DAYS, default=7, label="Of the last days")


def _preview(actor: Actor, setting: CorrelationSetting, data: dict[str, Any]) -> Done:
    job = jobs.start(PREVIEW, {"setting": setting.pk, "days": data.get("days", 7)}, actor)
    return Done(body={"job": job.pk, "url": f"/jobs/{job.pk}/"})


def _use(_: Actor, setting: CorrelationSetting, __: dict[str, Any]) -> Done:
    before = CorrelationSetting.objects.select_for_update().filter(in_use=True).first()
    _switch(before, setting)
    setting.instead_of = before.name if before else ""
    setting.save(update_fields=["instead_of"])
    return Done()


def _undo(_: Actor, setting: CorrelationSetting, __: dict[str, Any]) -> Done:
    """Back to what was in use before; the usual parameters when that is no more."""
    if not setting.in_use:
        raise Refused("it is not in use")
    _switch(setting, CorrelationSetting.objects.filter(name=setting.instead_of).first())
    return Done()


def _switch(before: CorrelationSetting | None, after: CorrelationSetting | None) -> None:
    for setting, used in ((before, False), (after, True)):
        if setting is not None:
            setting.in_use = used
            setting.save(update_fields=["in_use"])


plain(
    GroupingRule, "grouping rule", "grouping-rules",
    "name enabled:On position group_by:The_same window_seconds:Within,_in_seconds at_least:From_so_many parent_alert",
    description="Which alerts are one situation, beside what is learned: the rule decides to the letter.",
    serializer=GroupingRuleSerializer,
    search=("name", "condition", "description"),
    ordering=("position", "name", "id"),
)  # fmt: skip

plain(
    CorrelationSetting, "correlation setting", "correlation-settings",
    "name in_use:In_use pause_seconds:Ends_after,_in_seconds fade_seconds:Halves_after,_in_seconds evidence:Evidence,_%",
    ("in_use",),
    description="How readily alerts are taken together: try it on history, and then use it.",
    serializer=CorrelationSettingSerializer,
    search=("name", "description"),
    actions=(
        Action("preview", "Preview on history", _preview, Days),
        Action("use", "Use these", _use, offered=lambda s: not s.in_use,
               confirm="From now on alerts are grouped by these; situations that there are stay as they are."),
        Action("undo", "Back to what was before", _undo, offered=lambda s: s.in_use),
    ),
)  # fmt: skip
