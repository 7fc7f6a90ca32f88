"""What may be written into scrape jobs and probes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

from watchkeeper.domains.polling import rules
from watchkeeper.domains.polling.models import Probe, ScrapeJob
from watchkeeper.domains.polling.relabelling import MOST as MOST_RULES
from watchkeeper.domains.polling.relabelling import wrong_rules
from watchkeeper.kernel.rest import RecordSerializer
from watchkeeper.model.certificates import wrong_certificate

_TEXTAREA = {"base_template": "textarea.html", "rows": 6}
MOST_TARGETS = 5000
_COMMON = ("id", "name", "enabled", "targets", "item_kind", "item_tag", "item_name", "item_target", "interval",
           "timeout", "failures")  # fmt: skip
_ITEMS = ("item_kind", "item_tag", "item_name")
_HELP = {
    "item_kind": {
        "help_text": "such as devices, virtual-machines or host: what is new there is polled by itself"
    },
    "item_tag": {"help_text": "those with this tag"},
    "item_name": {"help_text": "those whose name has this text in it"},
}


def _texts(help_text: str, label: str, most: int = 1000) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.CharField(max_length=500), default=list, max_length=most, help_text=help_text, label=label
    )  # fmt: skip


def _pairs(help_text: str, label: str) -> serializers.DictField:
    return serializers.DictField(
        child=serializers.CharField(max_length=500, allow_blank=True), default=dict, help_text=help_text, label=label
    )  # fmt: skip


def _secret(label: str) -> serializers.CharField:
    return serializers.CharField(
        label=label, max_length=4000, write_only=True, required=False, allow_blank=True, trim_whitespace=False,
        style={"input": "secret"},
    )  # fmt: skip


def _seconds(
    default: float, least: float, help_text: str, label: str, most: float = 86_400
) -> serializers.FloatField:
    return serializers.FloatField(
        default=default, min_value=least, max_value=most, help_text=help_text, label=label
    )


def _rules(help_text: str, label: str) -> serializers.CharField:
    return serializers.CharField(
        label=label, max_length=MOST_RULES, required=False, allow_blank=True, help_text=help_text,
        trim_whitespace=False, style={"base_template": "textarea.html", "rows": 11},
    )  # fmt: skip


def _authority() -> serializers.CharField:
    return serializers.CharField(
        label="Authority", max_length=50_000, required=False, allow_blank=True, style=_TEXTAREA,
        help_text="who signed their certificates (PEM); empty: those whom this system trusts",
    )  # fmt: skip


class PolledSerializer(RecordSerializer):
    """What both have in common."""

    failures = serializers.IntegerField(
        default=2, min_value=1, max_value=100, label="Told after (failures in a row)",
        help_text="2 keeps a single lost answer from waking anybody",
    )  # fmt: skip

    def given(self, attrs: dict[str, Any], name: str) -> Any:
        """What a field will have after the change."""
        kept = getattr(self.instance, name) if self.instance is not None else self.fields[name].get_initial()
        return attrs.get(name, kept)

    def checked(self, attrs: dict[str, Any], kind: str, elsewhere: Iterable[str]) -> dict[str, Any]:
        """Field → what is wrong with it. `elsewhere`: fields that name targets too."""
        items = [self.given(attrs, name) or "" for name in _ITEMS]
        targets, asked = self.given(attrs, "targets") or [], self.given(attrs, "item_target") or ""
        wrong: dict[str, Any] = {
            "targets": rules.wrong_target(kind, targets)
            or rules.wrong_choice(targets, items, [self.given(attrs, name) for name in elsewhere]),
            "labels": rules.wrong_labels(self.given(attrs, "labels") or {}),
            "authority": wrong_certificate(attrs.get("authority", "")),
            "item_target": rules.wrong_item_target(kind, asked) if any(items) or asked else "",
        }
        return wrong | rules.wrong_times(
            float(self.given(attrs, "interval") or 0), float(self.given(attrs, "timeout") or 0)
        )


class ScrapeJobSerializer(PolledSerializer):
    """The password and token can be sent and are never shown."""

    targets = _texts("host:port of each, such as db1:9100", "Targets", MOST_TARGETS)
    files = _texts(
        "files on this machine as Prometheus' file_sd has them, such as /etc/watchkeeper/targets/*.yml; changes are "
        "seen within a second", "Files with targets", 100,
    )  # fmt: skip
    interval = _seconds(15, 1, "from one scrape to the next", "Every (seconds)")
    timeout = _seconds(10, 0.1, "that one may take", "Time limit (seconds)", 600)
    params = _pairs("parameters that are sent along, such as module: if_mib", "Parameters")
    labels = _pairs("labels that every sample gets, such as site: north", "Labels")
    password, bearer = _secret("Password"), _secret("Bearer token")
    authority = _authority()
    relabel_configs = _rules(
        "Prometheus' relabel_configs, as YAML: which targets are scraped, and with which labels",
        "Rules for targets",
    )
    metric_relabel_configs = _rules(
        "Prometheus' metric_relabel_configs, as YAML: which samples are kept, and with which labels",
        "Rules for samples",
    )
    sample_limit = serializers.IntegerField(
        default=50_000, min_value=1, max_value=1_000_000, label="Samples of one target, at most",
        help_text="an answer with more is refused as a whole",
    )  # fmt: skip

    class Meta:
        model = ScrapeJob
        fields = (*_COMMON, "files", "discovery_url", "scheme", "path", "params", "labels", "user", "password",
                  "bearer", "authority", "verify", "honor_labels", "relabel_configs", "metric_relabel_configs",
                  "sample_limit")  # fmt: skip
        read_only_fields = ("id",)
        extra_kwargs = {
            **_HELP,
            "name": {"help_text": "becomes the label job"},
            "item_target": {
                "help_text": "such as {address}:9100; {host} and {name} stand for the item's too"
            },
            "discovery_url": {"help_text": "that answers with targets as Prometheus' http_sd has them"},
            "path": {"required": False, "help_text": "where the metrics are"},
            "honor_labels": {"help_text": "for targets that tell of others, such as a federation"},
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError naming the field."""
        wrong = self.checked(attrs, "scrape", ("files", "discovery_url"))
        wrong["files"] = rules.wrong_files(self.given(attrs, "files") or [])
        if url := self.given(attrs, "discovery_url"):
            wrong["discovery_url"] = rules.wrong_address(url)
        if not (self.given(attrs, "path") or "/").startswith("/"):
            wrong["path"] = "a path begins with /"
        for name in ("relabel_configs", "metric_relabel_configs"):
            wrong[name] = wrong_rules(attrs.get(name, ""))
        if told := {field: text for field, text in wrong.items() if text}:
            raise serializers.ValidationError(told)
        return attrs


class ProbeSerializer(PolledSerializer):
    """See models.Probe."""

    targets = _texts(
        "what is asked, by kind: a host, host:port, an address such as https://shop.example.org/, or a name to look up",
        "Targets", MOST_TARGETS,
    )  # fmt: skip
    interval = _seconds(30, 1, "from one question to the next", "Every (seconds)")
    timeout = _seconds(5, 0.1, "that an answer may take", "Time limit (seconds)", 600)
    slow = _seconds(0, 0, "told as a warning; 0: never", "Slow from (seconds)")
    labels = _pairs("labels that what is measured gets, such as site: north", "Labels")
    statuses = serializers.ListField(
        child=serializers.IntegerField(min_value=100, max_value=599), default=list, max_length=50,
        label="HTTP: expected statuses", help_text="none: any from 200 to 299",
    )  # fmt: skip
    answers = _texts(
        "each of which has to be there, such as 192.0.2.7; none: any will do", "DNS: expected records", 50
    )
    record = serializers.ChoiceField(choices=rules.RECORDS, default="A", label="DNS: record")
    authority = _authority()

    class Meta:
        model = Probe
        fields = ("id", "name", "enabled", "kind", *_COMMON[3:], "severity", "slow", "statuses", "body", "send",
                  "expect", "record", "answers", "server", "warn_days", "critical_days", "labels", "authority",
                  "verify")  # fmt: skip
        read_only_fields = ("id",)
        extra_kwargs = {
            **_HELP,
            "item_target": {
                "help_text": "such as {address}, {address}:22 or https://{host}/; {name} is the item's name"
            },
            "body": {"help_text": "regular expression that has to be found in the answer"},
            "send": {"help_text": "what is sent at first; \\r\\n stands for the end of a line"},
            "expect": {"help_text": "regular expression that has to be found in what comes, such as ^SSH-"},
            "server": {"help_text": "host or host:port that is asked; empty: the one of this machine"},
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError naming the field."""
        kind = self.given(attrs, "kind") or Probe.Kind.HTTP
        wrong = self.checked(attrs, kind, ())
        for name in ("body", "expect"):
            wrong[name] = rules.wrong_pattern(self.given(attrs, name) or "")
        if server := self.given(attrs, "server"):
            wrong["server"] = rules.wrong_server(server)
        if int(self.given(attrs, "critical_days") or 0) > int(self.given(attrs, "warn_days") or 0):
            wrong["critical_days"] = "it is critical before it is a warning"
        if told := {field: text for field, text in wrong.items() if text}:
            raise serializers.ValidationError(told)
        return attrs
