"""Threshold rules, their overrides and rule groups, declared."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from watchkeeper.domains.alerting import grouping, rules
from watchkeeper.domains.alerting.models import RuleGroup, ThresholdOverride, ThresholdRule
from watchkeeper.kernel.derive import lookups, own_fields, plain
from watchkeeper.kernel.rest import RecordSerializer
from watchkeeper.telemetry.rulefiles import BadRules

_LABELS = 'as in Prometheus: device!="lo", job=~"db.*"; separated by commas, all of them have to hold'


def _whole(instance: Any, attrs: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """What these fields will be."""
    model = instance if instance is not None else None
    return {n: attrs[n] if n in attrs else getattr(model, n, None) for n in names}


class _Seconds(serializers.IntegerField):
    def __init__(self, **options: Any) -> None:
        super().__init__(**{"min_value": 0, "max_value": rules.LONGEST, **options})


class ThresholdRuleSerializer(RecordSerializer):
    """What could never hold or be evaluated is refused, with the field's name."""

    for_seconds = _Seconds(
        default=300, label="For, in seconds",
        help_text="how long it has to last before it is an alert; for missing values: after how long they are missed",
    )  # fmt: skip
    recovery_seconds = _Seconds(
        default=0,
        label="Recovered for, in seconds",
        help_text="how long it has to be well before the alert ends",
    )

    class Meta:
        model = ThresholdRule
        fields = ("id", "name", "enabled", "description", "kind", "metric", "labels", "item", "per_second",
                  "comparison", "level", "for_seconds", "recovery", "recovery_seconds", "severity", "text",
                  "runbook")  # fmt: skip
        read_only_fields = ("id",)
        extra_kwargs = {
            "metric": {"help_text": "its name as under Metrics, such as system.memory.utilization"},
            "labels": {"help_text": _LABELS},
            "item": {"help_text": "only what belongs to this item; empty: of all"},
            "per_second": {"help_text": "for counters: by how much they grow a second, instead of their value"},
            "level": {"help_text": "in the metric's own unit: a share of 90 % that is measured as 0.9 is 0.9"},
            "recovery": {"help_text": "the level at which it is well again; empty: the same level"},
            "text": {"help_text": "the alert's summary, with {value}, {level}, {item}, {rule} or any label; empty: made "
                     "from the numbers"},
            "runbook": {"help_text": "address of the page that says what to do"},
        }  # fmt: skip

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError naming the field."""
        names = ("metric", "labels", "kind", "for_seconds", "comparison", "level", "recovery")
        given = _whole(self.instance, attrs, names)
        given |= {
            k: v for k, v in {"labels": "", "kind": "level", "comparison": ">"}.items() if given[k] is None
        }
        if wrong := rules.wrong_with_rule(given):
            raise serializers.ValidationError(wrong)
        return attrs


class ThresholdOverrideSerializer(RecordSerializer):
    """Of whom it is, and what is different."""

    for_seconds = _Seconds(
        allow_null=True, default=None, label="For, in seconds", help_text="empty: as the rule has it"
    )

    class Meta:
        model = ThresholdOverride
        fields = ("id", "threshold_rule", "item", "item_kind", "labels", "enabled", "level", "recovery",
                  "for_seconds")  # fmt: skip
        read_only_fields = ("id",)
        extra_kwargs = {
            "enabled": {"help_text": "off: the rule does not look at these"},
            "item_kind": {"help_text": "such as host or service"},
            "labels": {"help_text": _LABELS},
            "level": {"help_text": "empty: as the rule has it"},
            "recovery": {"help_text": "empty: as far from the level as the rule's is"},
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError naming the field."""
        names = (
            "item",
            "item_kind",
            "labels",
            "enabled",
            "level",
            "recovery",
            "for_seconds",
            "threshold_rule",
        )
        given = _whole(self.instance, attrs, names)
        given |= {
            k: v for k, v in {"labels": "", "item_kind": "", "enabled": True}.items() if given[k] is None
        }
        rule = given["threshold_rule"]
        known = {n: getattr(rule, n) for n in ("kind", "comparison", "level", "recovery")}
        if wrong := rules.wrong_with_override(given, known):
            raise serializers.ValidationError(wrong)
        return attrs


class RuleGroupSerializer(RecordSerializer):
    """Rules that can be evaluated; what is wrong is said with its line."""

    interval_seconds = serializers.IntegerField(
        min_value=grouping.SHORTEST, max_value=grouping.LONGEST, default=grouping.DEFAULT,
        label="Every, in seconds", help_text="how often the rules are evaluated",
    )  # fmt: skip
    rules = serializers.CharField(
        max_length=1_000_000, trim_whitespace=False, style={"base_template": "textarea.html", "rows": 16},
        help_text="as in a file of Prometheus: a list of rules with record or alert, expr, for, labels, annotations",
    )  # fmt: skip

    class Meta:
        model = RuleGroup
        fields = ("id", "name", "source", "enabled", "interval_seconds", "series_limit", "rules")
        read_only_fields = ("id",)
        extra_kwargs = {
            "source": {
                "label": "File",
                "help_text": "where the group is from; importing it again replaces its groups",
            },
            "series_limit": {
                "max_value": 100_000,
                "help_text": "a rule that comes to more series or alerts fails; 0: as many as there are",
            },
        }

    def validate_rules(self, text: str) -> str:
        """Raises ValidationError with the line."""
        try:
            grouping.rules_of(text, "")
        except BadRules as error:
            raise serializers.ValidationError(error.detail) from error
        return text


plain(
    ThresholdRule, "threshold rule", "threshold-rules",
    "name enabled:On metric comparison:When_it_is level for_seconds:For,_in_seconds severity",
    description="Alerts when a value stays beyond a level, or values stop coming.",
    serializer=ThresholdRuleSerializer,
    search=("name", "metric", "description"),
    policy_attributes=("severity",),
    related={"threshold-overrides": lambda rule: rule.overrides.all()},
)  # fmt: skip

plain(
    ThresholdOverride, "threshold override", "threshold-overrides",
    "whom:Of threshold_rule enabled:Rule_applies level for_seconds:For,_in_seconds",
    description="Another level of a threshold rule for an item, a kind of item, or series with certain labels.",
    serializer=ThresholdOverrideSerializer,
    search=("labels", "item_kind"),
    ordering=("threshold_rule", "id"),
)  # fmt: skip

plain(
    RuleGroup, "rule group", "rule-groups",
    "name source enabled:On contents:Rules interval_seconds:Every,_in_seconds",
    description="Prometheus' alerting and recording rules, evaluated here.",
    serializer=RuleGroupSerializer,
    filters=lookups(f for f in own_fields(RuleGroup) if f.name != "rules"),
    search=("name", "source", "rules"),
    ordering=("source", "name", "id"),
    policy_attributes=("source",),
)  # fmt: skip
