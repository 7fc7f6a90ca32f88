"""The navigation: every page that it leads to, in groups by what an operator wants to do. A new page is a line here, which
names its group."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import may
from watchkeeper.kernel.resource import registry

#: heading → whether its entries are there before anybody has chosen: what is needed daily is, what is set up once is not
GROUPS = {"": True, "Respond": True, "Explore": True, "Desk": True, "Problems and knowledge": False,
          "Changes and upkeep": False, "Service levels": False, "Inventory": True, "Collect": False, "Rules": False,
          "Setting up the desk": False, "Administration": False}  # fmt: skip

#: what everybody finds, whatever their role: the overview shows what they may see, the portal what they asked for
FOR_EVERYBODY = frozenset(("/", "/portal/"))


@dataclass(frozen=True)
class Entry:
    """One line of the navigation."""

    group: str  # of GROUPS: the heading that it stands under; "": above all
    label: str
    icon: str
    url: str
    kind: str | None = None  # of the records that it leads to; None: a page of the platform
    key: str = ""  # after "g"
    live: bool = False
    active: bool = False
    act: str = "read"

    def for_(self, actor: Actor) -> bool:
        """Whether there is something to see for this reader."""
        return self.url in FOR_EVERYBODY or may(actor, self.act, registry[self.kind] if self.kind else None)


ENTRIES = (
    Entry("", "Overview", "gauge", "/", key="h"),
    Entry("", "Bookmarks", "star", "/bookmarks/"),
    Entry("", "To approve", "check", "/to-approve/", key="v"),
    Entry("", "Catalogue", "list", "/catalog/", "catalog-items"),
    Entry("", "My tickets", "ticket", "/portal/"),
    Entry("", "My requests", "send", "/my-requests/", "orders"),
    Entry("", "My on-call", "bell", "/my-on-call/", "pages"),
    Entry("", "My access", "user", "/my-access/", "access-requests"),
    Entry("Respond", "Situations", "alert", "/situations/", "situations", key="s", live=True),
    Entry("Respond", "Alerts", "bell", "/alerts/", "alerts", key="a"),
    Entry("Respond", "Major incidents", "alert", "/major-incidents/", "major-incidents"),
    Entry("Respond", "On call", "bell", "/schedules/", "schedules", key="o"),
    Entry("Respond", "Escalations", "send", "/escalations/", "escalations"),
    Entry("Respond", "Silences", "bell-off", "/silences/", "silences"),
    Entry("Respond", "Maintenance", "hourglass", "/maintenance-windows/", "maintenance-windows"),
    Entry("Respond", "Capacity", "hourglass", "/forecasts/", "forecasts"),
    Entry("Explore", "Dashboards", "chart", "/dashboards/", "dashboards", key="b"),
    Entry("Explore", "Service health", "gauge", "/health/", "service-health"),
    Entry("Explore", "Service map", "graph", "/map/", "relations", key="p"),
    Entry("Explore", "Metrics", "chart", "/explore/metrics/", key="m"),
    Entry("Explore", "Logs", "log", "/explore/logs/", key="l"),
    Entry("Desk", "Tickets", "ticket", "/tickets/", "tickets", key="t"),
    Entry("Desk", "Queues", "layers", "/queues/", "queues"),
    Entry("Desk", "Orders", "send", "/orders/", "orders"),
    Entry("Desk", "Request tasks", "check", "/request-tasks/", "request-tasks"),
    Entry("Desk", "Leases", "hourglass", "/leases/", "leases"),
    Entry("Desk", "Onboarding", "user", "/onboardings/", "onboardings"),
    Entry("Desk", "Time spent", "hourglass", "/time/", "time-entries"),
    Entry("Desk", "Surveys", "star", "/surveys/", "surveys"),
    Entry("Problems and knowledge", "Problems", "alert", "/problems/", "problems"),
    Entry("Problems and knowledge", "Recurring", "layers", "/recurring-situations/", "recurring-situations"),
    Entry("Problems and knowledge", "Problem actions", "check", "/problem-actions/", "problem-actions"),
    Entry("Problems and knowledge", "Reports", "log", "/post-incident-reports/", "post-incident-reports"),
    Entry("Problems and knowledge", "Articles", "list", "/articles/", "articles"),
    Entry("Problems and knowledge", "Runbooks", "bolt", "/runbooks/", "runbooks"),
    Entry("Changes and upkeep", "Changes", "bolt", "/changes/", "changes", key="c"),
    Entry("Changes and upkeep", "Change calendar", "hourglass", "/change-calendar/", "changes"),
    Entry("Changes and upkeep", "Freezes", "bell-off", "/freezes/", "freezes"),
    Entry("Changes and upkeep", "Work orders", "check", "/work-orders/", "work-orders", key="w"),
    Entry("Changes and upkeep", "Maintenance plans", "history", "/maintenance-plans/", "maintenance-plans"),
    Entry("Changes and upkeep", "Reliability", "gauge", "/reliability/", "work-orders"),
    Entry("Service levels", "Agreements", "check", "/service-level-agreements/", "service-level-agreements"),
    Entry("Service levels", "Objectives", "gauge", "/service-level-objectives/", "service-level-objectives"),
    Entry("Service levels", "Service reports", "list", "/service-reports/", "service-reports"),
    Entry("Service levels", "Status pages", "gauge", "/status-pages/", "status-pages"),
    Entry("Service levels", "Calendars", "hourglass", "/calendars/", "calendars"),
    Entry("Inventory", "All kinds", "list", "/inventory/", "items", key="k"),
    Entry("Inventory", "Items", "server", "/items/", "items", key="i"),
    Entry("Inventory", "Sources", "door", "/sources/", "sources"),
    Entry("Inventory", "Duplicates", "layers", "/duplicates/", "duplicates"),
    Entry("Collect", "Doors", "door", "/doors/", key="d"),
    Entry("Collect", "Intake keys", "key", "/intake-keys/", "intake-keys"),
    Entry("Collect", "Scrape jobs", "chart", "/scrape-jobs/", "scrape-jobs"),
    Entry("Collect", "Probes", "gauge", "/probes/", "probes"),
    Entry("Collect", "MQTT", "door", "/mqtt-subscriptions/", "mqtt-subscriptions"),
    Entry("Collect", "Payload mappings", "layers", "/payload-mappings/", "payload-mappings"),
    Entry("Collect", "SNMP users", "key", "/snmp-users/", "snmp-users"),
    Entry("Rules", "Threshold rules", "chart", "/threshold-rules/", "threshold-rules"),
    Entry("Rules", "Prometheus rules", "chart", "/rule-groups/", "rule-groups"),
    Entry("Rules", "Capacity rules", "hourglass", "/capacity-rules/", "capacity-rules"),
    Entry("Rules", "Grouping rules", "layers", "/grouping-rules/", "grouping-rules"),
    Entry("Rules", "Correlation", "graph", "/correlation-settings/", "correlation-settings"),
    Entry("Rules", "Called usual", "list", "/judgements/", "judgements"),
    Entry("Rules", "Template corrections", "layers", "/template-corrections/", "template-corrections"),
    Entry("Rules", "Notifications", "send", "/notification-rules/", "notification-rules"),
    Entry("Rules", "Escalation policies", "layers", "/escalation-policies/", "escalation-policies"),
    Entry("Rules", "Escalation rules", "send", "/escalation-rules/", "escalation-rules"),
    Entry("Rules", "Incident rules", "alert", "/incident-rules/", "incident-rules"),
    Entry("Rules", "Change models", "layers", "/change-models/", "change-models"),
    Entry("Rules", "Change approval", "check", "/change-approval-rules/", "change-approval-rules"),
    Entry("Rules", "Event rules", "bolt", "/event-rules/", "event-rules"),
    Entry("Setting up the desk", "Catalogue items", "list", "/catalog-items/", "catalog-items", act="create"),
    Entry("Setting up the desk", "Positions", "layers", "/positions/", "positions"),
    Entry("Setting up the desk", "Macros", "bolt", "/macros/", "macros"),
    Entry("Setting up the desk", "Ticket templates", "ticket", "/ticket-templates/", "ticket-templates"),
    Entry("Setting up the desk", "Recurring tickets", "history", "/recurring-tickets/", "recurring-tickets"),
    Entry("Setting up the desk", "Skills", "star", "/skills/", "skills"),
    Entry("Setting up the desk", "Absences", "user", "/absences/", "absences"),
    Entry("Setting up the desk", "Mail accounts", "send", "/mail-accounts/", "mail-accounts"),
    Entry("Setting up the desk", "Mail templates", "list", "/mail-templates/", "mail-templates"),
    Entry("Setting up the desk", "Calendar feeds", "send", "/calendar-feeds/", "calendar-feeds"),
    Entry("Setting up the desk", "Calendar imports", "door", "/calendar-imports/", "calendar-imports"),
    Entry("Setting up the desk", "Telephone", "send", "/telephone-providers/", "telephone-providers"),
    Entry("Setting up the desk", "Portal contacts", "user", "/portal-contacts/", "portal-contacts"),
    Entry("Administration", "Access", "shield", "/access/", "policies"),
    Entry("Administration", "API tokens", "key", "/tokens/", "tokens"),
    Entry("Administration", "Audit", "history", "/audit/", "audit"),
    Entry("Administration", "Heartbeats", "send", "/heartbeats/", "heartbeats"),
    Entry("Administration", "Storage", "layers", "/storage/"),
    Entry("Administration", "Jobs", "hourglass", "/jobs/", "jobs"),
    Entry("Administration", "Versions of methods", "layers", "/method-versions/", "method-versions"),
    Entry("Administration", "Tags", "tag", "/tags/", "tags"),
    Entry("Administration", "Custom fields", "list", "/custom-fields/", "custom-fields"),
)


@dataclass(frozen=True)
class Group:
    """Entries under a heading, which shows and hides them."""

    heading: str
    entries: tuple[Entry, ...]

    @property
    def open(self) -> bool:
        """Whether its entries are there before anybody has chosen, or because this page is one of them."""
        return GROUPS[self.heading] or self.active

    @property
    def active(self) -> bool:
        """Whether this page is one of them."""
        return any(e.active for e in self.entries)


def navigation(path: str, actor: Actor) -> list[Entry]:
    """The navigation as this reader may see it, with the entry of this page marked."""

    def here(entry: Entry) -> bool:
        return path == entry.url if entry.url == "/" else path.startswith(entry.url)

    return [replace(e, active=here(e)) for e in ENTRIES if e.for_(actor)]


def grouped(entries: Iterable[Entry]) -> list[Group]:
    """The navigation by its headings, without those that nothing is under for this reader."""
    found = list(entries)
    groups = (Group(heading, tuple(e for e in found if e.group == heading)) for heading in GROUPS)
    return [g for g in groups if g.entries]
