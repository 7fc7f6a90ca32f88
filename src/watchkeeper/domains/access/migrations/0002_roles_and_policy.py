"""The field's roles, the policy that says what they may do, and the grant of whoever was granted nothing."""

from pathlib import Path
from typing import Any

from django.db import migrations
from django.utils import timezone

ROLES = {
    "administrator": ("Administers this installation: people, keys, policies and everything else.", "/"),
    "operations engineer": ("Keeps services running, and everything that watches them.", "/"),
    "operations manager": (
        "Answers for operations: workload, service levels, who does what.",
        "/situations/",
    ),
    "cloud architect": ("Designs cloud infrastructure and keeps it in the inventory.", "/map/"),
    "business architect": (
        "Keeps the services and capabilities that the business is made of.",
        "/items/?kind=service",
    ),
    "systems integrator": ("Connects systems that send signals.", "/doors/"),
    "incident and security manager": (
        "Leads the work on incidents and looks after security.",
        "/situations/",
    ),
    "applications analyst": ("Looks after applications and what is said about them.", "/alerts/"),
    "technical analyst": ("Looks after systems, their relations and their capacity.", "/items/"),
    "network administrator": ("Looks after the network.", "/items/"),
    "IT operator": ("Watches, acknowledges and passes on. Whoever has no grant is one.", "/"),
    "service desk agent": ("Speaks with users and keeps them informed.", "/situations/"),
    "requester": ("Asks for services and follows the answer.", "/"),
    "external auditor": ("Reads everything and changes nothing.", "/"),
}


def make(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001
    """As a first start finds them."""
    Role, Grant, Policy = (apps.get_model("access", name) for name in ("Role", "Grant", "Policy"))
    for name, (purpose, home_page) in ROLES.items():
        Role.objects.create(name=name, purpose=purpose, home_page=home_page)
    text = Path(__file__).parent.parent.joinpath("built_in.cedar").read_text(encoding="utf-8")
    Policy.objects.create(name="Built-in roles", text=text)
    Grant.objects.create(
        role=Role.objects.get(name="IT operator"),
        everyone_else=True,
        reason="Built in: whoever has no other grant is an IT operator. End it, and they may do nothing.",
        valid_from=timezone.now(),
        approved_by="watchkeeper",
    )


class Migration(migrations.Migration):
    dependencies = [("access", "0001_initial")]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
