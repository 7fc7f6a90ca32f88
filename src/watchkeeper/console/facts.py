"""The facts of a record for its page: names instead of ids, chips instead of JSON, words instead of codes."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from watchkeeper.console.sections import beside_the_point
from watchkeeper.console.tables import drawn
from watchkeeper.console.templatetags.console import badge
from watchkeeper.console.wording import called, choice, plain
from watchkeeper.domains.inventory.models import Item
from watchkeeper.domains.situations.silencing import matcher_text
from watchkeeper.kernel.resource import Resource, Show, registry
from watchkeeper.kernel.rest import serializer_of
from watchkeeper.model.reach import REACHES

#: what the page shows elsewhere, by kind of record; "*" for all
ELSEWHERE = {
    "*": {"id", "request_id", "actor_id", "tags", "custom_fields"},
    "alerts": {"name", "severity", "status", "summary", "because", "item", "situation", "fingerprint", "labels",
               "annotations", "suppressed_by", "url", "score", "flapping"},
    "audit": {"name"},
    "judgements": {"text", "when", "alert", "name", "held", "last_held_at", "last_held_text",
                   "state", "why", "ended_by", "ended_at"},
    "items": {"name", "identifiers", "discovered", "declared"},
    "jobs": {"label", "state", "done", "total", "unit", "message", "error", "result", "log", "user", "kind"},
    "event-rules": {"condition", "switched_off_because", "failing_since"},
    "firings": {"told", "event", "effect", "name", "kind", "record", "act", "outcome", "answer", "attempts", "caused_by"},
    "policy-drafts": {"text"},
    "threshold-rules": {"name", "description"},
    "rule-groups": {"name", "rules", "interval_seconds", "series_limit"},
    "reviews": {"state", "due_at"},
    "service-level-agreements": {"name", "kept_by", "warnings"},
    "service-level-objectives": {"name", "state", "said", "attained", "left", "burn_hour", "burn_day",
                                 "foreseen", "expected_at", "earliest_at", "latest_at", "excluded_seconds",
                                 "unmeasured_seconds", "begins_at",
                                 "ends_at"},
    "service-reports": {"content", "state"},
    "articles": {"number", "title", "body"},
    "article-versions": {"title", "body"},
    "problems": {"number", "title", "description", "known_error", "workaround", "resolution", "left_open"},
    "post-incident-reports": {"title", "body", "kind", "record"},
    "report-versions": {"title", "body"},
    "runbooks": {"name"},
    "changes": {"number", "title", "reason", "implementation", "test", "back_out", "because", "risk", "points",
                "review"},
    "work-orders": {"number", "title", "checklist"},
    "catalog-items": {"name", "description", "cost", "currency", "billing"},
    "maintenance-plans": {"name"},
    "problem-causes": {"what"},
    "escalations": {"kind", "title"},
    "runbook-runs": {"name", "steps", "said", "kind", "record", "approved_by"},
    "tickets": {"number", "title", "description", "type", "status", "priority", "impact", "urgency", "queue", "assignee",
                "requester", "items", "situation", "agreement", "parent", "merged_into", "skills", "source", "resolution",
                "opened_at", "answered_at", "resolved_at", "closed_at", "answer_due_at", "resolution_due_at",
                "restarted_at", "answer_breached_at", "resolution_breached_at"},
    "forecasts": {"name", "state", "because", "error", "naive_error", "value", "limit", "unit", "grew", "alerting", "level"},
}  # fmt: skip
#: fields whose value is the id of a record of another kind
POINTS_TO = {"source": "items", "target": "items", "item": "items", "situation": "situations",
             "follows": "situations", "merged_into": "situations", "role": "roles",
             "user": "users", "team": "teams", "organisation": "organisations", "parent": "organisations",
             "in_team": "teams", "in_organisation": "organisations", "rule": "event-rules",
             "threshold_rule": "threshold-rules", "notify_users": "users", "notify_teams": "teams"}  # fmt: skip


def facts(
    resource: Resource, record: Any, elsewhere: frozenset[str] = frozenset()
) -> list[tuple[str, SafeString]]:
    """Label and value of all that is set and not shown elsewhere on the page."""
    shown = serializer_of(resource)(record).data
    hidden = ELSEWHERE["*"] | ELSEWHERE.get("items" if isinstance(record, Item) else resource.path, set())
    hidden = hidden | beside_the_point(resource.path, shown)
    # Where a name goes with an id, the id's field shows it.
    hidden = (
        hidden | elsewhere | {k for k in shown if k.endswith("_name") and k.removesuffix("_name") in shown}
    )
    if (
        getattr(record, "of_items", True) is False
    ):  # how far it goes from items is nothing where there are none
        hidden = hidden | {"reach"}
    marks = {c.name for c in resource.columns if c.show in (Show.STATE, Show.SEVERITY)}
    return [
        (
            called(resource, name),
            _value(resource, record, name, value, shown.get(f"{name}_name"), name in marks),
        )
        for name, value in shown.items()
        if name not in hidden and value not in ("", None, [], {})
    ]


def _value(
    resource: Resource, record: Any, name: str, value: Any, called: str | None, mark: bool
) -> SafeString:
    column = drawn(resource, name, value)
    if column is not None:
        return column
    if isinstance(value, int) and (in_words := getattr(record, f"get_{name}_display", None)):
        return format_html("{}", in_words())
    if isinstance(other := getattr(record, name, None), Model):
        return _linked(other)
    if name == "record" and resource.path in _ABOUT:
        return _ABOUT[resource.path](record)
    if resource.path == "audit" and name == "kind":
        return SafeString(str(value).capitalize())
    if resource.path == "silences" and name == "matchers":
        return plain([matcher_text(m) for m in value])
    if isinstance(value, list) and hasattr(related := getattr(record, name, None), "all"):
        return format_html_join("", '<div class="py-1">{}</div>', ((_linked(r),) for r in related.all()))
    if name in POINTS_TO and called:
        return format_html('<a href="/{}/{}/">{}</a>', POINTS_TO[name], value, called)
    if mark:
        return badge(value, choice(resource, name, value, short=True))
    if isinstance(value, str) and (words := choice(resource, name, value)):
        return format_html("{}", words)
    if name == "reach":
        return plain(dict(REACHES)[value])
    return plain(value)


def _linked(other: Model) -> SafeString:
    path = path_of(other)
    return (
        format_html('<a href="/{}/{}/">{}</a>', path, other.pk, other) if path else format_html("{}", other)
    )


def path_of(record: Model) -> str:
    """Where a record has its page: an item at its own kind's, others at their model's; "" when it has none."""
    if isinstance(record, Item):
        return record.declared or "items"
    return next((r.path for r in registry if isinstance(record, r.model)), "")


def _audited(entry: Any) -> SafeString:
    """The record that was acted on, as a link when it can be opened."""
    resource = next((r for r in registry if str(r.model._meta.verbose_name) == entry.kind), None)
    name = entry.name or entry.record
    if resource is None:
        return format_html("{}", name)
    return format_html('<a href="/{}/{}/">{}</a>', resource.path, entry.record, name)


def _escalated(escalation: Any) -> SafeString:
    """The situation or ticket that people are paged about."""
    return format_html('<a href="/{}/{}/">{}</a>', escalation.kind, escalation.record, escalation.title)


#: kinds whose `record` is the key of another record → that record as a link
_ABOUT = {"audit": _audited, "escalations": _escalated}
