"""Addresses of heartbeats are secrets: those that are there are sealed."""

from typing import Any

from django.db import migrations

from watchkeeper.kernel.fields import SealedField


def seal(apps: Any, schema_editor: Any) -> None:
    """Once only: it is one transaction with the note that it was done."""
    heartbeat = apps.get_model("heartbeats", "Heartbeat")
    plain = heartbeat.objects.using(schema_editor.connection.alias)
    for pk, url, fail_url in list(plain.values_list("pk", "plain_url", "plain_fail_url")):
        plain.filter(pk=pk).update(url=url, fail_url=fail_url)


class Migration(migrations.Migration):
    dependencies = [("heartbeats", "0001_initial")]

    operations = [
        migrations.RenameField("heartbeat", "url", "plain_url"),
        migrations.RenameField("heartbeat", "fail_url", "plain_fail_url"),
        migrations.AddField(
            "heartbeat", "url", SealedField(default="", verbose_name="address"), preserve_default=False
        ),
        migrations.AddField(
            "heartbeat", "fail_url", SealedField(blank=True, default="", verbose_name="address for trouble")
        ),
        migrations.RunPython(seal, migrations.RunPython.noop, elidable=True),
        migrations.RemoveField("heartbeat", "plain_url"),
        migrations.RemoveField("heartbeat", "plain_fail_url"),
    ]
