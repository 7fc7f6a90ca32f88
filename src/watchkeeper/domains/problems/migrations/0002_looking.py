"""The first look for situations that come again; each puts the next one there."""

import datetime as dt
from typing import Any

from django.db import migrations
from django.utils import timezone


def begin(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001
    now = timezone.now()
    apps.get_model("kernel", "OutboxRow").objects.get_or_create(
        id="problems.look:first",
        defaults={
            "kind": "problems.look",
            "subject": "situations",
            "payload": {},
            "created_at": now,
            "due_at": now + dt.timedelta(minutes=15),
        },
    )


class Migration(migrations.Migration):
    dependencies = [
        ("problems", "0001_initial"),
        ("kernel", "0002_audit_chain"),
    ]

    operations = [migrations.RunPython(begin, migrations.RunPython.noop)]
