"""Rules for the dates that records have; ordinary records from then on. The rule for certificates says which date it is."""

from typing import Any

from django.db import migrations

#: name, date, days before
RULES = (
    ("Device warranties", "devices.warranty_until", 60),
    ("Device models, end of support", "device-types.end_of_support", 180),
    ("Device models, end of sale", "device-types.end_of_sale", 90),
    ("Platforms, end of support", "platforms.end_of_support", 180),
    ("Circuits' contracts", "circuits.ends_on", 90),
    ("Agreements", "service-level-agreements.valid_until", 60),
)


def fill(apps: Any, _: Any) -> None:
    """Those of whose names there is none."""
    rule = apps.get_model("capacity", "CapacityRule")
    rule.objects.filter(measure="recorded", date="").update(date="certificates.expires_at")
    for name, date, days in RULES:
        rule.objects.get_or_create(
            name=name, defaults={"measure": "recorded", "date": date, "lead_days": days}
        )


class Migration(migrations.Migration):
    """See RULES."""

    dependencies = [("capacity", "0004_dates")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
