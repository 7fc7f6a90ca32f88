"""The rule for what `pools` notes of the inventory's networks."""

from typing import Any

from django.db import migrations


def fill(apps: Any, _: Any) -> None:
    """Unless there is one of this name."""
    apps.get_model("capacity", "CapacityRule").objects.get_or_create(
        name="Address pools",
        defaults={"measure": "share", "metric": "watchkeeper.prefix.utilization", "lead_days": 30},
    )


class Migration(migrations.Migration):
    """One rule."""

    dependencies = [("capacity", "0002_capacity_rules_to_begin_with")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
