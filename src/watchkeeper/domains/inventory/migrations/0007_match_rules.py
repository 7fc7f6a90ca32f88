"""The rules by which duplicates are found, there to be set from the start and not only once they were first used."""

from typing import Any

from django.db import migrations

from watchkeeper.domains.inventory.matching import RULES


def fill(apps: Any, _: Any) -> None:
    """Those that are not there yet."""
    apps.get_model("inventory", "MatchRule").objects.bulk_create(
        [apps.get_model("inventory", "MatchRule")(name=n, **r._asdict()) for n, r in RULES.items()],
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("inventory", "0006_connections"),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
