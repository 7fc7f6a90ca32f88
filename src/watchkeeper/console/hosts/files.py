"""The files for a machine, ready to be put there: templates filled in with the address and the key."""

from __future__ import annotations

from django.template.loader import render_to_string

from watchkeeper.console.hosts.reach import Reach
from watchkeeper.console.hosts.ways import Asked

#: stands for the key once it is not shown any more
PLACEHOLDER = "YOUR-INTAKE-KEY"
_TEMPLATES = {
    "otelcol": "otelcol.yaml", "otelcol-windows": "otelcol-windows.yaml", "prometheus": "prometheus.yml",
    "telegraf": "telegraf.conf", "rsyslog": "rsyslog.conf",
}  # fmt: skip


def files(asked: Asked, reach: Reach, key: str) -> dict[str, str]:
    """Way → its file, for those of the ways that need one."""
    shown = {"name": asked.name, "port": asked.port, "reach": reach, "key": key or PLACEHOLDER}
    return {
        way: render_to_string(f"console/hosts/files/{_TEMPLATES[way]}", shown).strip() + "\n"
        for way in asked.ways
        if way in _TEMPLATES
    }
