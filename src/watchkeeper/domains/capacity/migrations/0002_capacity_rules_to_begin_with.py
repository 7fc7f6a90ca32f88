"""Rules for what the host poller, common exporters and the inventory tell; ordinary records from then on."""

from typing import Any

from django.db import migrations

_REAL = 'fstype!~"tmpfs|ramfs|overlay|squashfs|iso9660|fuse.*"'
#: name, measures, metric, labels, metric of the limit, days before
RULES = (
    ("File systems", "share", "system.filesystem.utilization", "", "", 14),
    ("Memory", "share", "system.memory.utilization", 'system.memory.state="used"', "", 3),
    ("File systems (node exporter)", "free", "node_filesystem_avail_bytes", _REAL, "node_filesystem_size_bytes", 14),
    ("Inodes (node exporter)", "free", "node_filesystem_files_free", _REAL, "node_filesystem_files", 14),
    ("Volumes (Windows exporter)", "free", "windows_logical_disk_free_bytes", "", "windows_logical_disk_size_bytes", 14),
    ("Volumes (Kubernetes)", "used", "kubelet_volume_stats_used_bytes", "", "kubelet_volume_stats_capacity_bytes", 14),
    ("Database connections", "used", "db.client.connection.count", 'db.client.connection.state="used"',
     "db.client.connection.max", 7),
    ("Certificates", "recorded", "", "", "", 30),
    ("Certificates that probes see", "until", "probe_ssl_earliest_cert_expiry", "", "", 30),
)  # fmt: skip


def fill(apps: Any, _: Any) -> None:
    """Those of whose names there is none."""
    rule = apps.get_model("capacity", "CapacityRule")
    for name, measure, metric, labels, limit_metric, days in RULES:
        rule.objects.get_or_create(
            name=name,
            defaults={"measure": measure, "metric": metric, "labels": labels, "limit_metric": limit_metric,
                      "lead_days": days},
        )  # fmt: skip


class Migration(migrations.Migration):
    """See RULES."""

    dependencies = [("capacity", "0001_capacity")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
