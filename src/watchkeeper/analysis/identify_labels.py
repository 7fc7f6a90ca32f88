"""Which labels name things, by the role they play: OpenTelemetry's attributes first, then what Prometheus,
Kubernetes, exporters and clouds use. A table and its reading; what the names mean is decided in identify."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

MAX_VALUE = 256  # characters; what is longer names nothing

#: labels that play a role, the best first
ROLES: dict[str, tuple[str, ...]] = {
    "host": ("host.name", "host_name", "exported_host", "hostname", "nodename", "fqdn", "host", "server", "machine",
             "computer"),
    "host_id": ("host.id", "host_id", "machine_id"),
    "host_address": ("host.ip", "host_ip"),
    "host_serial": ("host.serial", "host_serial", "hw.serial_number", "serial_number"),
    "host_uuid": ("host.uuid", "host_uuid", "system_uuid", "vm.uuid"),
    "host_mac": ("host.mac", "host_mac"),
    "sender": ("client.address", "net.sock.peer.addr"),
    "instance": ("exported_instance", "instance", "target"),
    "cloud": ("cloud.resource_id", "aws.ecs.task.arn", "faas.id", "azure.resource_id", "arn", "cloud.instance.id",
              "instance_id", "InstanceId"),
    "service": ("service.name", "service_name", "exported_service", "app.kubernetes.io/name",
                "app_kubernetes_io_name", "service", "app", "application"),
    "service_namespace": ("service.namespace", "service_namespace"),
    "service_instance": ("service.instance.id", "service_instance_id"),
    "job": ("exported_job", "job"),
    "port": ("server.port", "net.host.port", "port"),
    "program": ("process.executable.name", "program", "process", "log.source"),
    "unit": ("systemd.unit", "unit"),
    "disk": ("system.device", "disk.device", "device", "disk"),
    "interface": ("network.interface.name", "interface", "ifname", "nic", "device"),
    "filesystem": ("system.filesystem.mountpoint", "mountpoint", "mount", "filesystem"),
    "pod": ("k8s.pod.name", "exported_pod", "pod", "pod_name", "kubernetes_pod_name"),
    "pod_uid": ("k8s.pod.uid", "pod_uid"),
    "container_id": ("container.id", "container_id"),
    "namespace": ("k8s.namespace.name", "exported_namespace", "namespace", "kubernetes_namespace"),
    "node": ("k8s.node.name", "kubernetes_node", "node"),
    "cluster": ("k8s.cluster.name", "cluster"),
    "deployment": ("k8s.deployment.name", "deployment"),
    "statefulset": ("k8s.statefulset.name", "statefulset"),
    "daemonset": ("k8s.daemonset.name", "daemonset"),
    "cronjob": ("k8s.cronjob.name", "cronjob"),
}  # fmt: skip
_NAMING = frozenset(label for labels in ROLES.values() for label in labels)
#: label → the roles it plays, each with its rank there
_PLAYS: dict[str, list[tuple[str, int]]] = {}
for _role, _labels in ROLES.items():
    for _rank, _label in enumerate(_labels):
        _PLAYS.setdefault(_label, []).append((_role, _rank))

#: metrics that speak about the machine and not about the program that exports them
_HOST_METRICS = (
    "node_",
    "windows_",
    "system.",
    "hw.",
    "host.",
    "smartctl_",
    "ifHC",
    "ifIn",
    "ifOut",
    "ifOper",
)
_HOST_JOBS = frozenset(
    ("node", "node-exporter", "node_exporter", "nodes", "windows", "windows_exporter", "snmp", "host")
)
_HOST_PORTS = (9100, 9182, 161)  # node_exporter, windows_exporter, SNMP

#: jobs that are ways of finding targets and no services
_NO_SERVICE = frozenset(
    ("blackbox", "blackbox_exporter", "blackbox-exporter", "probe", "kubelet", "cadvisor", "kube-state-metrics", "static",
     "federate", "pushgateway")
)  # fmt: skip


def naming(labels: Mapping[str, str], metric: str = "") -> tuple[tuple[str, str], ...]:
    """The labels that name something, in the order they have: with the same ones, labels name the same. A metric
    that speaks about its machine adds `__name__`.

    >>> naming({"host": "db1", "severity": "page"}, "node_load1")
    (('host', 'db1'), ('__name__', 'host'))
    """
    named = tuple(pair for pair in labels.items() if pair[0] in _NAMING)
    return (*named, ("__name__", "host")) if metric.startswith(_HOST_METRICS) else named


def about_host(metric: str, job: str, port: int) -> bool:
    """Whether a signal with this metric, Prometheus job and port of the target speaks about the machine."""
    return (
        metric == "host"
        or metric.startswith(_HOST_METRICS)
        or job.lower() in _HOST_JOBS
        or port in _HOST_PORTS
    )


def is_service(job: str) -> bool:
    """Whether a Prometheus job names what it scrapes.

    >>> is_service("checkout"), is_service("kubernetes-pods")
    (True, False)
    """
    job = job.lower()
    return job not in _NO_SERVICE and not job.startswith(("kubernetes-", "servicemonitor/", "podmonitor/"))


class Roles:
    """The labels of one signal by role, each value cleaned; "" for a role that nothing plays."""

    __slots__ = ("_values",)

    def __init__(self, labels: Mapping[str, str]) -> None:
        # A signal has few labels that name something, and there are many roles: so labels look for their roles.
        played: dict[str, list[tuple[int, str]]] = {}
        for name, raw in labels.items():
            for role, rank in _PLAYS.get(name, ()):
                played.setdefault(role, []).append((rank, raw))
        self._values = {role: _in_order(found) for role, found in played.items()}

    def __getitem__(self, role: str) -> str:
        values = self._values.get(role)
        return values[0] if values else ""

    def every(self, role: str) -> list[str]:
        """All values of a role, best first, without repeats."""
        return self._values.get(role, [])


def _in_order(found: list[tuple[int, str]]) -> list[str]:
    """Values by rank, cleaned, without repeats and what cannot be a name."""
    values = dict.fromkeys(clean(raw) for _, raw in sorted(found))
    values.pop("", None)
    return list(values)


def clean(value: str) -> str:
    """A value that can name something: trimmed; "" when it is too long or holds control characters.

    >>> clean(" db1 "), clean("a\\x1bb"), clean("x" * 300)
    ('db1', '', '')
    """
    value = value.strip()
    if len(value) > MAX_VALUE:
        return ""
    if value.isascii():
        return value if value.isprintable() else ""
    # controls, formats such as right-to-left marks, surrogates and private use can be told apart by no one
    return (
        "" if any(unicodedata.category(c)[0] == "C" for c in value) else unicodedata.normalize("NFC", value)
    )
