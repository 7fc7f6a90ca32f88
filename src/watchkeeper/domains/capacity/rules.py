"""When a forecast is an alert, and what is said of it. Pure: what was foreseen goes in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from watchkeeper.model.outlook import Outlook
from watchkeeper.model.spelled import amount, span
from watchkeeper.model.verdicts import Severity

DAY = 86_400.0
EARLY = 0.5  # part of the lead in which the pessimistic edge of the band has to lie
RELEASE = 1.25  # an alert that is there ends only beyond so many times the lead: it does not come and go
#: labels that say what it is that has the limit, the best first
THINGS = (
    "system.filesystem.mountpoint", "mountpoint", "persistentvolumeclaim", "k8s.volume.name", "volume", "target",
    "db.client.connection.pool.name", "pool", "pool_name", "license", "licence", "product", "feature", "subnet",
    "budget", "queue", "system.device", "device", "name",
)  # fmt: skip
HOSTS = (
    "host.name",
    "host_name",
    "nodename",
    "k8s.node.name",
    "node",
    "instance",
    "service.name",
    "service",
    "job",
)


@dataclass(frozen=True)
class Standing:
    """How near something is to its limit."""

    state: str
    alerting: bool = False
    severity: str = ""
    urgency: float = 0.0


def standing(o: Outlook, lead_days: float, was_alerting: bool = False) -> Standing:
    """From what is foreseen, and whether it is an alert already.

    >>> standing(Outlook(0.9, 1.0, median=9 * DAY, earliest=6 * DAY, reach=90 * DAY), 14).state
    'soon'
    >>> standing(Outlook(0.2, 1.0, reach=90 * DAY), 14).state
    'calm'
    """
    if o.why:
        return Standing("not_known")
    if o.median == 0:
        return Standing("full", True, Severity.CRITICAL, 1.0)
    lead = lead_days * DAY * (RELEASE if was_alerting else 1.0)
    near = o.median if o.median is not None else float("inf")
    early = o.earliest if o.earliest is not None else float("inf")
    urgency = 1 / (1 + min(near, 3 * early + DAY) / DAY) if early < float("inf") else 0.0
    if near <= lead or early <= EARLY * lead:
        return Standing("soon", True, _severity(min(near, 2 * early), lead_days * DAY), urgency)
    return Standing("coming" if early < float("inf") else "calm", urgency=urgency)


def of_end(seconds: float, lead_days: float, worst: Severity = Severity.CRITICAL) -> Standing:
    """Of something that ends at a known time, so many seconds from now; no alert of it is worse than `worst`.

    >>> of_end(40 * DAY, 30).state, str(of_end(9 * DAY, 30).severity), of_end(-5, 30).state
    ('coming', 'warning', 'lapsed')
    """
    if seconds <= 0:
        return Standing("lapsed", True, worst, 1.0)
    urgency = 1 / (1 + seconds / DAY)
    if seconds <= lead_days * DAY:
        severity = min(_severity(seconds, lead_days * DAY), worst, key=lambda s: s.rank)
        return Standing("soon", True, severity, urgency)
    return Standing("coming", urgency=urgency)


def _severity(near: float, lead: float) -> Severity:
    if near <= DAY:
        return Severity.CRITICAL
    return Severity.ERROR if near <= lead / 4 else Severity.WARNING


def title(labels: Mapping[str, str], rule: str) -> str:
    """What people call it: its own name, and where it is.

    >>> title({"mountpoint": "/var", "host.name": "db1"}, "File systems"), title({"host.name": "db1"}, "Memory")
    ('/var on db1', 'Memory on db1')
    """
    thing = next((labels[n] for n in THINGS if labels.get(n)), "") or rule
    where = next((labels[n] for n in HOSTS if labels.get(n)), "")
    return f"{thing} on {where}" if where and where != thing else thing


def sentence(name: str, o: Outlook, unit: str, what: str = "is full") -> str:
    """What an alert says. `what` happens at the limit.

    >>> o = Outlook(0.9, 1.0, median=9 * DAY, earliest=6 * DAY, latest=15 * DAY, reach=90 * DAY, grew=0.011)
    >>> sentence("/var on db1", o, "1")
    '/var on db1 is full in about 9 days (6 to 15 days); it grew by 1.1 % a day.'
    """
    if o.why:
        return f"Not known: {o.why}"
    grew = _grew(o, unit)
    if o.median == 0:
        return f"{name} {what}: {amount(o.now, unit)} of {amount(o.limit, unit)} are used; {grew}."
    if o.earliest is None:
        return f"{name} is not expected to reach its limit within {span(o.reach)}; {grew}."
    if o.median is None:
        return f"{name} {what} in {span(o.earliest)} at the earliest, probably not within {span(o.reach)}; {grew}."
    return f"{name} {what} in about {span(o.median)}{_between(o)}; {grew}."


def _between(o: Outlook) -> str:
    """The band in brackets; nothing where it is too narrow to tell."""
    early = span(o.earliest or 0.0)
    if o.latest is None:
        return f" ({early} at the earliest)"
    late = span(o.latest)
    if early == late:
        return ""
    number, _, unit = early.partition(" ")
    return f" ({number if late.endswith(unit) else early} to {late})"


def _grew(o: Outlook, unit: str) -> str:
    if abs(o.grew) < 1e-4 * abs(o.limit):
        return "it hardly grows"
    return f"it {'grew' if o.grew > 0 else 'shrank'} by {amount(abs(o.grew), unit)} a day"


def ends(name: str, seconds: float, date: str) -> str:
    """What is said of something that ends at a known time.

    >>> ends("www", 9 * DAY, "2026-12-06"), ends("www", -2 * DAY, "2026-11-25")
    ('www expires in 9 days, on 2026-12-06.', 'www expired 2 days ago, on 2026-11-25.')
    """
    if seconds < 0:
        return f"{name} expired {span(-seconds)} ago, on {date}."
    return f"{name} expires in {span(seconds)}, on {date}."


def in_days(days: int) -> str:
    """When a day is, from today.

    >>> in_days(0), in_days(1), in_days(9), in_days(-2)
    ('today', 'tomorrow', 'in 9 days', '2 days ago')
    """
    near = {0: "today", 1: "tomorrow", -1: "yesterday"}.get(days)
    return near or (f"in {days} days" if days > 0 else f"{-days} days ago")


def because(o: Outlook, unit: str) -> list[str]:
    """Sentences on how it is known."""
    if o.why:
        return []
    out = [f"It looks {span(o.reach)} ahead; the band holds with a probability of {o.level * 100:.0f} %."]
    if o.methods:
        out.append(f"What counted most: {', '.join(o.methods)}.")
    if o.seasons:
        out.append(f"It repeats itself every {' and every '.join(span(s) for s in o.seasons)}.")
    if o.error is not None and o.naive_error is not None:
        out.append(
            f"Tried at {o.tried} points of the past it was off by {amount(o.error, unit)} on average; to expect that it "
            f"stays or repeats as it was, by {amount(o.naive_error, unit)}."
        )
    return out
