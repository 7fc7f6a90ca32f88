"""What a first start finds: the field's roles, the policy that says what they may do, and the grant of whoever was
granted nothing; and what an update of Watchkeeper brings to them. A policy that nobody has changed is brought up to
date; of one that somebody has, the update becomes a draft, rule by rule, to be looked at and put into effect."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.apps import apps as current
from django.db import transaction
from django.utils import timezone

from watchkeeper.domains.access.language import statements
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import SYSTEM

_NOTE = "what this release of Watchkeeper brings"
BUILT_IN = Path(__file__).with_name("built_in.cedar")
POLICY = "Built-in roles"
#: of the texts that releases brought before what they brought was written down beside the policy
EARLIER = frozenset({"a15cf72bf2c8f38f1dc42af7c70dfd81400e53c33609ff79a8d8c3c83397614c"})
#: name → what it is for; what its first page shows is said in the domains' panels
ROLES = {
    "administrator": "Administers this installation: people, keys, policies and everything else.",
    "operations engineer": "Keeps services running, and everything that watches them.",
    "operations manager": "Answers for operations: workload, service levels, who does what.",
    "cloud architect": "Designs cloud infrastructure and keeps it in the inventory.",
    "business architect": "Keeps the services and capabilities that the business is made of.",
    "systems integrator": "Connects systems that send signals.",
    "incident and security manager": "Leads the work on incidents and looks after security.",
    "applications analyst": "Looks after applications and what is said about them.",
    "technical analyst": "Looks after systems, their relations and their capacity.",
    "network administrator": "Looks after the network.",
    "IT operator": "Watches, acknowledges and passes on. Whoever has no grant is one.",
    "service desk agent": "Speaks with users and keeps them informed.",
    "requester": "Asks for services and follows the answer.",
    "customer": "Sees their own tickets in the portal, and nothing else, whatever else they were granted.",
    "external auditor": "Reads everything and changes nothing.",
}  # fmt: skip


def begin(apps: Any = current, released: str = "", **_: Any) -> None:
    """Django calls this after every migration (post_migrate), with the models as they are then, and after a test
    has emptied the tables. `released`: what the built-in policy says, if not what this release says."""
    text = released or BUILT_IN.read_text(encoding="utf-8")
    try:
        role, grant, policy = (apps.get_model("access", name) for name in ("Role", "Grant", "Policy"))
    except LookupError:
        return  # the tables were taken back
    with transaction.atomic():
        missing = set(ROLES) - set(role.objects.filter(name__in=ROLES).values_list("name", flat=True))
        role.objects.bulk_create(role(name=n, purpose=p) for n, p in ROLES.items() if n in missing)
        if not policy.objects.exists() and len(missing) == len(ROLES):
            _fill(role, grant, policy, text)
        elif hasattr(policy, "released"):
            _update(apps, policy, text)


def _fill(role: Any, grant: Any, policy: Any, text: str) -> None:
    policy.objects.create(
        name=POLICY, text=text, **({"released": text} if hasattr(policy, "released") else {})
    )
    grant.objects.create(
        role=role.objects.get(name="IT operator"),
        everyone_else=True,
        reason="Built in: whoever has no other grant is an IT operator. End it, and they may do nothing.",
        valid_from=timezone.now(),
        approved_by="watchkeeper",
    )


def _update(apps: Any, policy: Any, text: str) -> None:
    """Bring what this release says to the built-in policy: at once where nobody has changed it and no tests of
    policies stand guard, else as a draft."""
    guarded = apps.get_model("access", "PolicyTest").objects.exists()
    for own in policy.objects.filter(name=POLICY).exclude(released=text):
        before = own.released
        if not before and hashlib.sha256(own.text.encode()).hexdigest() in EARLIER:
            before = own.text
        _version(apps, own, "as it was before this release")
        if own.text == before and not guarded:
            own.text, own.version = text, own.version + 1
            _version(apps, own, _NOTE)
            _audited(own)
        elif own.text != text:
            _draft(apps, own, before, text)
        own.released = text
        own.save()


def _version(apps: Any, own: Any, note: str) -> None:
    apps.get_model("access", "PolicyVersion").objects.get_or_create(
        policy=own, number=own.version,
        defaults={"name": own.name, "text": own.text, "enabled": own.enabled, "by": "watchkeeper", "note": note},
    )  # fmt: skip


def _audited(own: Any) -> None:
    from watchkeeper.domains.access.models import Policy  # the models of a migration have no names to show

    subject = Policy(pk=own.pk, name=own.name)
    audit.record(
        SYSTEM, "policy.update", subject, before={"version": own.version - 1}, after={"version": own.version}
    )


def _draft(apps: Any, own: Any, before: str, text: str) -> None:
    """The update for whoever has to accept it; one that still waits from an earlier release takes this one up."""
    drafts = apps.get_model("access", "PolicyDraft").objects
    waiting = drafts.filter(policy=own, made_by="watchkeeper").first()
    base = waiting.text if waiting else own.text
    becomes = text if base == before else merged(before, base, text)
    drafts.update_or_create(
        pk=waiting.pk if waiting else None,
        defaults={"policy": own, "name": own.name, "text": becomes, "enabled": own.enabled, "note": _NOTE,
                  "made_by": "watchkeeper"},
    )  # fmt: skip


def merged(before: str, own: str, new: str) -> str:
    """One's own text with what changed from `before` to `new`, rule by rule (by @id): a rule that one has not touched
    is replaced or goes, a new one is added at the end, one's own changes stay.

    >>> a, b, c = (f'@id("{x}")\\npermit(principal, action, resource);' for x in "abc")
    >>> merged(a, a + b, a.replace("permit", "forbid") + c).count("permit")
    2
    """
    old, mine, theirs = (dict(_rules(t)) for t in (before, own, new))
    out = own
    for name, rule in mine.items():
        if name in old and rule == old[name] and theirs.get(name) != rule:
            out = out.replace(rule, theirs.get(name, ""))
    added = [rule for name, rule in theirs.items() if name not in mine and name not in old]
    return "\n\n".join([out.rstrip(), *added]) + "\n"


def _rules(text: str) -> Iterator[tuple[str, str]]:
    for n, (_, statement) in enumerate(statements(text)):
        rule = statement.strip()
        name = re.match(r'@id\("([^"]*)"\)', rule)
        yield name[1] if name else f"rule {n}", rule
