"""The first effect that tends the inventory; each puts the next one there. And the source that stands for people."""

import datetime as dt
from typing import Any

from django.db import migrations
from django.utils import timezone


def begin(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001
    now = timezone.now()
    apps.get_model("kernel", "OutboxRow").objects.get_or_create(
        id="inventory.tend:first",
        defaults={
            "kind": "inventory.tend",
            "subject": "the inventory",
            "payload": {},
            "created_at": now,
            "due_at": now + dt.timedelta(hours=1),
        },
    )
    apps.get_model("inventory", "Source").objects.get_or_create(
        name="people", defaults={"type": "people", "rank": 10}
    )


class Migration(migrations.Migration):
    dependencies = [
        ("inventory", "0004_duplicates"),
        ("kernel", "0002_audit_chain"),
    ]

    operations = [migrations.RunPython(begin, migrations.RunPython.noop)]
