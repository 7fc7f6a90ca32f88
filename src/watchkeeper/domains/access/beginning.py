"""What a first start finds: the field's roles, the policy that says what they may do, and the grant of whoever was
granted nothing. Made after the tables are, while there is no role; an update changes nothing of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.apps import apps as current
from django.db import transaction
from django.utils import timezone

BUILT_IN = Path(__file__).with_name("built_in.cedar")
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
    "external auditor": "Reads everything and changes nothing.",
}  # fmt: skip


def begin(apps: Any = current, **_: Any) -> None:
    """Django calls this after every migration (post_migrate), with the models as they are then, and after a test
    has emptied the tables."""
    try:
        role, grant, policy = (apps.get_model("access", name) for name in ("Role", "Grant", "Policy"))
    except LookupError:
        return  # the tables were taken back
    if role.objects.exists():
        return
    with transaction.atomic():
        _fill(role, grant, policy)


def _fill(role: Any, grant: Any, policy: Any) -> None:
    role.objects.bulk_create(role(name=name, purpose=purpose) for name, purpose in ROLES.items())
    policy.objects.create(name="Built-in roles", text=BUILT_IN.read_text(encoding="utf-8"))
    grant.objects.create(
        role=role.objects.get(name="IT operator"),
        everyone_else=True,
        reason="Built in: whoever has no other grant is an IT operator. End it, and they may do nothing.",
        valid_from=timezone.now(),
        approved_by="watchkeeper",
    )
