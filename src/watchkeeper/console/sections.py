"""Long forms in sections: what everybody fills in comes first, what few need is folded. A kind without sections here has
one, of all its fields in the order of its serializer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from watchkeeper.console.fields import Field


@dataclass(frozen=True)
class Section:
    """Fields under a heading. `folded`: shut at first, unless somebody has said something in it or something is wrong
    there. `only`: a field and the values of it with which this section matters; the others need not see it."""

    heading: str
    names: tuple[str, ...]
    folded: bool = False
    only: tuple[str, tuple[str, ...]] | None = None
    fields: tuple[Field, ...] = field(default=(), compare=False)

    @property
    def open(self) -> bool:
        """Whether its fields are seen at once."""
        return not self.folded or any(f.error or f.touched for f in self.fields)


_OF_INVENTORY = Section(
    "Targets of the inventory", ("item_kind", "item_tag", "item_name", "item_target"), folded=True
)

#: path of the kind → its sections, in their order
SECTIONS: dict[str, tuple[Section, ...]] = {
    "macros": (
        Section("", ("name", "enabled", "description")),
        Section("What it changes", ("queue", "gives", "person", "impact", "urgency", "labels", "moves", "resolution")),
        Section("What it writes", ("reply", "note")),
    ),
    "scrape-jobs": (
        Section("", ("name", "enabled", "targets", "scheme", "path", "interval", "timeout")),
        _OF_INVENTORY,
        Section("Targets from files or an address", ("files", "discovery_url"), folded=True),
        Section("Password, token, certificates", ("user", "password", "bearer", "authority", "verify"), folded=True),
        Section("Labels and relabelling",
                ("labels", "honor_labels", "relabel_configs", "metric_relabel_configs"), folded=True),
        Section("Parameters and limits", ("params", "failures", "sample_limit"), folded=True),
    ),
    "probes": (
        Section("", ("name", "enabled", "kind", "targets", "interval", "timeout", "severity")),
        Section("What an HTTP answer has to be", ("statuses", "body"), only=("kind", ("http",))),
        Section("What is said over TCP", ("send", "expect"), only=("kind", ("tcp",))),
        Section("What DNS has to say", ("record", "answers", "server"), only=("kind", ("dns",))),
        Section("Certificate", ("warn_days", "critical_days", "verify", "authority"), folded=True,
                only=("kind", ("http", "tls"))),
        _OF_INVENTORY,
        Section("When it is told", ("failures", "slow"), folded=True),
        Section("Labels", ("labels",), folded=True),
    ),
    "major-incidents": (
        Section("", ("ticket", "title", "impact", "commander", "communications")),
        Section("Who is told", ("components", "component_state", "stakeholders", "every")),
        Section("More", ("scribe", "bridge"), folded=True),
    ),
    "threshold-rules": (
        Section("", ("name", "enabled", "kind", "metric", "labels", "item")),
        Section("Level", ("comparison", "level", "per_second"), only=("kind", ("level",))),
        Section("The alert", ("for_seconds", "severity")),
        Section("Recovery", ("recovery", "recovery_seconds"), folded=True),
        Section("What people are told", ("description", "text", "runbook"), folded=True),
    ),
    "service-level-agreements": (
        Section("", ("name", "kind", "organisation", "calendar")),
        Section("The clock", ("pauses", "restarts")),
        Section("Who is told when it runs out", ("tell_assignee", "tell_leads", "tell_team")),
        Section("Agreements beneath it", ("kept_by",), folded=True),
        Section("More", ("valid_from", "valid_until", "description"), folded=True),
    ),
    "service-level-objectives": (
        Section("", ("name", "title", "service", "indicator", "query")),
        Section("All events", ("total_query", "counter"), only=("indicator", ("good_total", "bad_total"))),
        Section("The limit", ("compare", "limit"), only=("indicator", ("threshold",))),
        Section("The target", ("target", "window_count", "window_unit", "aligned")),
        Section("What the budget counts", ("method", "slice_seconds", "slice_target"), folded=True),
        Section("Time zone and beginning of windows", ("zone", "anchor"), folded=True),
        Section("Alerts and maintenance", ("exclude_maintenance", "alerts"), folded=True),
        Section("More", ("description", "agreement", "enabled"), folded=True),
    ),
    "escalation-steps": (
        Section("", ("policy", "position", "schedules", "people", "teams", "minutes")),
        Section("Only for some", ("min_severity", "hours", "calendar"), folded=True),
        Section("Tell a channel as well", ("channel", "address"), folded=True),
    ),
    "escalation-rules": (
        Section("", ("name", "enabled", "policy", "min_severity")),
        Section("Which situations", ("words", "items", "hours", "calendar"), folded=True),
        Section("Order, urgency and delay", ("position", "urgency", "delay"), folded=True),
    ),
    "escalations": (
        Section("", ("people", "policy", "message", "urgency")),
        Section("What it is about", ("kind", "record"), folded=True),
    ),
    "mqtt-subscriptions": (
        Section("", ("name", "enabled", "host", "port", "topics")),
        Section("What the messages are", ("payload", "metric", "labels", "mapping")),
        Section("Encryption and sign-in", ("tls", "certificate", "user", "password", "client_id"), folded=True),
    ),
    "catalog-items": (
        Section("", ("name", "category", "description", "enabled", "form")),
        Section("Whom it is for", ("teams", "organisations", "owner"), folded=True),
        Section("What it costs", ("cost", "currency", "billing"), folded=True),
        Section("How it is worked on", ("queue", "calendar"), folded=True),
        Section("When it is delivered", ("handover_text", "record_kind", "record_fields", "lease_days",
                                         "extension_approved"), folded=True),
    ),
    "catalog-tasks": (
        Section("", ("item", "step", "title", "description")),
        Section("Who does it", ("team", "person", "hours")),
        Section("Or the platform does it", ("member_of", "does", "values"), folded=True),
        Section("Or something else does it", ("address",), folded=True),
    ),
    "positions": (
        Section("", ("name", "description")),
        Section("What belongs to it", ("teams", "roles", "hardware", "software", "servers", "catalog_items")),
        Section("Who does it, and how long before the first day",
                ("calendar", "hardware_team", "hardware_hours", "software_team", "software_hours", "access_team",
                 "access_hours"), folded=True),
    ),
    "onboardings": (
        Section("", ("sort", "person", "day", "manager")),
        Section("Where there is no account yet", ("username", "full_name", "email"), only=("sort", ("joiner",))),
        Section("To which position", ("position",), only=("sort", ("joiner", "mover"))),
        Section("From which position", ("previous",), only=("sort", ("mover", "leaver")), folded=True),
    ),
    "payload-mappings": (
        Section("", ("intake_key", "alerts_from", "name_from", "severity_from", "status_from", "labels_from")),
        Section("Identity, times and texts",
                ("identity_from", "summary_from", "annotations_from", "starts_from", "ends_from", "url_from"),
                folded=True),
    ),
    "problems": (
        Section("", ("title", "description", "priority", "owner", "team")),
        Section("Known error", ("known_error", "workaround")),
        Section("What belongs to it", ("incidents", "situations", "items")),
    ),
    "articles": (
        Section("", ("title", "body", "audience", "team")),
        Section("Who keeps it true", ("owner", "review_on")),
        Section("What it is about", ("items",)),
    ),
    "runbook-steps": (
        Section("", ("runbook", "number", "sort", "text")),
        Section("Where it leads", ("then",), only=("sort", ("instruction", "action"))),
        Section("Answers", ("answers",), only=("sort", ("question",))),
        Section("What is carried out", ("does", "values", "approval"), only=("sort", ("action",))),
    ),
    "problem-evidence": (
        Section("", ("cause", "text", "against", "alert", "situation")),
        Section("A metric that shows it", ("query", "seen_at"), folded=True),
    ),
    "changes": (
        Section("", ("title", "type", "model", "reason", "items", "starts_at", "ends_at", "team", "owner")),
        Section("Plans", ("implementation", "test", "back_out")),
        Section("When it starts", ("automatic", "job", "holds_back"), folded=True),
        Section("In a freeze", ("exception",), only=("type", ("emergency",))),
        Section("Where it comes from", ("about_kind", "about"), folded=True),
    ),
    "freezes": (
        Section("", ("name", "strict", "begins_at", "ends_at", "calendar", "reason")),
        Section("For some changes only", ("item_kinds", "item_tags", "teams"), folded=True),
    ),
    "capacity-rules": (
        Section("", ("name", "enabled", "description", "lead_days", "measure")),
        Section("What is measured", ("metric", "labels"), only=("measure", ("share", "used", "free", "until"))),
        Section("The limit", ("limit_metric", "limit_value"), only=("measure", ("share", "used", "free"))),
        Section("Which date", ("date",), only=("measure", ("recorded",))),
    ),
    "maintenance-plans": (
        Section("", ("name", "enabled", "description", "trigger")),
        Section("When", ("rule", "starts_at", "zone", "lead_days"), only=("trigger", ("calendar",))),
        Section("Meter", ("query", "every"), only=("trigger", ("meter",))),
        Section("Items", ("items", "item_kind", "item_tag")),
        Section("The work", ("checklist", "team", "due_days")),
    ),
    "heartbeats": (
        Section("", ("name", "enabled", "url", "method", "interval")),
        Section("When something is wrong", ("fail_url", "patience", "least_free"), folded=True),
    ),
    "mail-accounts": (
        Section("", ("name", "enabled", "address", "sender_name", "queue", "type", "acknowledges", "way")),
        Section("Fetching by IMAP", ("host", "port", "security", "user", "password", "interval"), only=("way", ("imap",))),
        Section("Which mails, and what becomes of them", ("folder", "old_mails", "then", "move_to"), folded=True,
                only=("way", ("imap",))),
        Section("Sending", ("smtp_host", "smtp_port", "smtp_security", "smtp_user", "smtp_password")),
    ),
    "custom-fields": (
        Section("", ("kind", "name", "label", "type", "help")),
        Section("What may be said", ("target", "choices", "required", "default", "minimum", "maximum", "pattern")),
        Section("Where it is shown", ("position", "in_lists"), folded=True),
    ),
    "ldap-servers": (
        Section("", ("slug", "name", "enabled", "server", "bind_dn", "bind_password", "user_base")),
        Section("Encryption", ("start_tls", "certificate"), folded=True),
        Section("Whom it finds", ("user_filter", "group_base", "group_type"), folded=True),
        Section("Accounts", ("create_accounts", "link_by_email", "username_claim", "name_claim", "email_claim"),
                folded=True),
    ),
    "oidc-providers": (
        Section("", ("slug", "name", "enabled", "issuer", "client_id", "client_secret")),
        Section("Accounts", ("create_accounts", "link_by_email", "addresses_checked", "second_factor"), folded=True),
        Section("What the provider calls things",
                ("scopes", "username_claim", "name_claim", "email_claim", "groups_claim"), folded=True),
    ),
    "saml-providers": (
        Section("", ("slug", "name", "enabled", "metadata")),
        Section("Without metadata", ("entity_id", "sso_url", "certificate"), folded=True),
        Section("Accounts", ("create_accounts", "link_by_email", "second_factor"), folded=True),
        Section("What the provider calls things",
                ("username_claim", "name_claim", "email_claim", "groups_claim"), folded=True),
    ),
}  # fmt: skip


def beside_the_point(path: str, values: Mapping[str, Any]) -> set[str]:
    """Fields of sections that do not matter with these values of a record.

    >>> "record" in beside_the_point("probes", {"kind": "tcp"}), "send" in beside_the_point("probes", {"kind": "tcp"})
    (True, False)
    """
    apart = (s for s in SECTIONS.get(path, ()) if s.only and values.get(s.only[0]) not in s.only[1])
    return {name for section in apart for name in section.names}


def sections_of(path: str, fields: Iterable[Field]) -> list[Section]:
    """The fields of a form of this kind by its sections; what none of them names is in the first."""
    left = {f.name: f for f in fields}
    filled = []
    for section in SECTIONS.get(path, ()):
        found = tuple(left.pop(name) for name in section.names if name in left)
        filled.append(replace(section, fields=found))
    if not filled:
        return [Section("", (), fields=tuple(left.values()))]
    filled[0] = replace(filled[0], fields=(*filled[0].fields, *left.values()))
    return [s for s in filled if s.fields]
