"""The ways in which a machine can send its measurements and logs, and what each needs to be told."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")


@dataclass(frozen=True)
class Way:
    """One program that sends, or that we ask. `door` is where its signals arrive, "" when it is we who ask; `metric` is
    one that it always sends. Its key opens the doors of `more` too."""

    name: str
    title: str
    what: str
    door: str
    metric: str = ""
    file: str = ""  # where its file goes
    more: tuple[str, ...] = ()


WAYS = {
    w.name: w
    for w in (
        Way("otelcol", "OpenTelemetry Collector", "measurements and logs, of Linux", "otlp",
            "system.cpu.load_average.1m", "/etc/otelcol-contrib/config.yaml"),
        Way("otelcol-windows", "OpenTelemetry Collector on Windows", "measurements and the event log", "otlp",
            "system.memory.usage", "C:\\ProgramData\\watchkeeper\\otelcol.yaml"),
        Way("node-exporter", "node exporter", "measurements: Watchkeeper asks for them itself", "", "node_load1"),
        Way("prometheus", "node exporter and a Prometheus", "measurements and its alerts", "remote_write",
            "node_load1", "/etc/prometheus/prometheus.yml", ("alertmanager",)),
        Way("telegraf", "Telegraf", "measurements", "remote_write", "system_load1",
            "/etc/telegraf/telegraf.d/watchkeeper.conf"),
        Way("rsyslog", "rsyslog", "logs", "syslog", "", "/etc/rsyslog.d/90-watchkeeper.conf"),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """What somebody wants to add: its name, its address as we see it, the port of its node exporter, and by which ways."""

    name: str
    address: str
    port: str
    ways: tuple[str, ...]

    @classmethod
    def of(cls, form: Mapping[str, str], ways: Iterable[str]) -> Asked:
        """From what was typed."""
        return cls(
            form.get("name", "").strip(),
            form.get("address", "").strip(),
            form.get("port", "").strip() or "9100",
            tuple(name for name in WAYS if name in set(ways)),
        )

    @property
    def doors(self) -> list[str]:
        """Those that its key has to open."""
        chosen = [WAYS[name] for name in self.ways]
        return sorted({door for way in chosen for door in (way.door, *way.more) if door})

    def wrong(self) -> dict[str, str]:
        """Field → what is wrong with it.

        >>> Asked("web 2", "", "9100", ("rsyslog",)).wrong()["name"]
        'letters, digits, dots and hyphens, such as web-2 or web-2.example.org'
        """
        told = {
            "name": self._wrong_name(),
            "address": self._wrong_address(),
            "port": "" if self.port.isdigit() and 0 < int(self.port) < 65536 else "a number from 1 to 65535",
            "ways": "" if self.ways else "choose at least one",
        }
        return {field: text for field, text in told.items() if text}

    def _wrong_name(self) -> str:
        if self.name and not _NAME.fullmatch(self.name):
            return "letters, digits, dots and hyphens, such as web-2 or web-2.example.org"
        if not self.name and "prometheus" in self.ways:
            return "Prometheus knows its node exporter as localhost: write what the machine is called"
        return ""

    def _wrong_address(self) -> str:
        if "rsyslog" in self.ways and not _is_address(self.address):
            return "syslog has no passwords, so its sender is known by its IP address, such as 10.0.0.7: write it"
        if "node-exporter" in self.ways and not self.address:
            return "write where Watchkeeper finds the machine: an IP address or a host name"
        if self.address and not (_is_address(self.address) or _NAME.fullmatch(self.address)):
            return "an IP address such as 10.0.0.7, or a host name"
        return ""


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
