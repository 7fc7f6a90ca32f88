"""From labels to identifiers: what a signal is about, the most specific first. Pure; whether the names are known
is the graph's to say.

A disk, an interface, a port or a program is known by its name only within one machine, so their identifiers have the
id of that machine's item in front: `identifiers` takes it, once the `host` part has been resolved.

>>> from watchkeeper.analysis.identify import identify
>>> [f"{x.scheme}={x.value}" for x in identify({"instance": "DB1:9187", "job": "ledger"}, "h")]
['instance=db1:9187', 'service=h/ledger', 'listen=h/tcp/9187', 'program=h/ledger', 'service.name=ledger', 'hostname=db1']
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from watchkeeper.analysis.identify_labels import Roles, about_host, clean, is_service
from watchkeeper.model.hostnames import (
    address,
    hardware_identifier,
    host_and_port,
    host_identifiers,
    is_generic,
    is_here,
)
from watchkeeper.model.topology import Identifier, part

#: a replica set's hash and a pod's, in the alphabet that Kubernetes uses for them
_OF_DEPLOYMENT = re.compile(r"(.+)-[bcdf-hj-np-tv-z2456789]{6,10}-[bcdf-hj-np-tv-z2456789]{5}")
_OF_STATEFUL_SET = re.compile(r"(.+)-\d{1,4}")
_KUBERNETES_NAME = re.compile(r"([\w-]+)\.([\w-]+)\.svc(?:\..+)?", re.IGNORECASE)
_OF_HARDWARE = {"host_serial": "serial", "host_uuid": "uuid", "host_mac": "mac"}
_WORKLOADS = ("deployment", "statefulset", "daemonset", "cronjob")


class Workload(NamedTuple):
    """What runs pods in Kubernetes."""

    kind: str  # deployment, statefulset, daemonset, cronjob
    name: str
    identifiers: tuple[Identifier, ...]


class Subject(NamedTuple):
    """What a signal is about, level by level; empty levels are not named. Identifiers are the best first."""

    parts: tuple[tuple[str, str], ...] = ()  # (scheme, local name) of a part of the host
    exact: tuple[Identifier, ...] = ()  # one instance: a cloud resource, a service's instance, a container
    pod: str = ""
    pod_identifiers: tuple[Identifier, ...] = ()
    local: tuple[tuple[str, str], ...] = ()  # (scheme, local name) of a program on the host
    service: str = ""
    service_identifiers: tuple[Identifier, ...] = ()
    workload: Workload | None = None
    far: tuple[Identifier, ...] = ()  # an endpoint that is asked from outside
    host: tuple[Identifier, ...] = ()
    own_host: bool = True  # False: the host is where an address leads to, not where the signal comes from


def identify(labels: Mapping[str, str], host: str = "", metric: str = "") -> tuple[Identifier, ...]:
    """All identifiers of what labels are about, the most specific first. `host` is the id of the host's item,
    "" when it is not known; `metric` the name of the metric."""
    return tuple(identifiers(subject(labels, metric), host))


def identifiers(s: Subject, host: str) -> Iterator[Identifier]:
    """The identifiers of a subject in order, local names within the host of this id."""
    if host:
        yield from (part(host, scheme, name) for scheme, name in s.parts)
    yield from s.exact
    yield from s.pod_identifiers
    if host:
        yield from (part(host, scheme, name) for scheme, name in s.local)
    yield from s.service_identifiers
    if s.workload:
        yield from s.workload.identifiers
    yield from s.far
    yield from s.host


def subject(labels: Mapping[str, str], metric: str = "") -> Subject:
    """What labels are about. The order of the labels makes no difference."""
    r = Roles(labels)
    target = r["instance"]
    where, port = host_and_port(target)
    job = r["job"]
    of_host = about_host(metric or labels.get("__name__", ""), job, port)
    pod = r["pod"]
    service = (
        "" if of_host and not r["pod"] else r["service"] or (job if is_service(job) and not of_host else "")
    )
    url = "://" in target
    host, own_host = (_node(r), True) if pod else _host(r, where, url)
    return Subject(
        parts=() if pod else tuple(_parts(r)),
        exact=tuple(_exact(r, service, "" if of_host or url else target)),
        pod=pod,
        pod_identifiers=tuple(_scoped("k8s.pod", r, pod)) if pod else (),
        local=() if pod else tuple(_local(r, service, 0 if of_host or url else port)),
        service=service,
        service_identifiers=tuple(_service(r, service)),
        workload=_workload(r, pod),
        far=_far(where, port) if url else (),
        host=host,
        own_host=own_host,
    )


def peer(name: str, port: int = 0) -> Subject:
    """Whom a client calls, from what it calls it: a service's name, a host or address with or without a port, a
    URL. A loopback name says nothing, nor does one that cannot be a name.

    >>> peer("cart.shop.svc.cluster.local:8080").service_identifiers[0].value
    'shop/cart'
    """
    name = clean(name)
    where, own_port = host_and_port(name)
    port = own_port or port
    if not name or is_generic(where):
        return Subject()
    inside = _KUBERNETES_NAME.fullmatch(where)
    service = inside[1] if inside else where if set(where).isdisjoint(".:/") else ""
    full = f"{inside[2]}/{service}" if inside else service
    return Subject(
        local=(("listen", f"tcp/{port}"),) if port else (),
        service=service,
        service_identifiers=(Identifier("service.name", full.lower()),) if service else (),
        far=_far(where, port),
        host=() if inside else host_identifiers(where),
        own_host=False,
    )


def _parts(r: Roles) -> Iterator[tuple[str, str]]:
    """The file system before the disk it is on, as it is the smaller thing."""
    yield from (("filesystem", mount) for mount in r.every("filesystem"))
    for device in r.every("disk"):
        yield "disk", device.removeprefix("/dev/")
        yield "filesystem", device
    yield from (("interface", name) for name in r.every("interface"))


def _exact(r: Roles, service: str, target: str) -> Iterator[Identifier]:
    for name in r.every("cloud"):
        yield Identifier("cloud.id", name.lower())
    if r["service_instance"]:
        yield Identifier("service.instance.id", f"{service}/{r['service_instance']}".lower())
    if r["container_id"]:
        yield Identifier("container.id", r["container_id"].lower())
    if r["pod_uid"]:
        yield Identifier("k8s.pod.uid", r["pod_uid"].lower())
    where, port = host_and_port(target)
    if port and host_identifiers(where):
        yield Identifier("instance", f"{host_identifiers(where)[0].value}:{port}")


def _local(r: Roles, service: str, port: int) -> Iterator[tuple[str, str]]:
    if service:
        yield "service", service
    told = r["port"]
    number = int(told) if told.isascii() and told.isdigit() else port
    if 0 < number < 65536:
        yield "listen", f"tcp/{number}"
    for name in filter(None, (service, *r.every("program"))):
        yield "program", name
    for unit in r.every("unit"):
        yield "unit", unit if unit.endswith(".service") else f"{unit}.service"


def _service(r: Roles, service: str) -> Iterator[Identifier]:
    """The service in the namespace it says it is in, and in Kubernetes' namespace; by itself only without one. The
    graph takes a plain name for the one in a namespace while there is one such."""
    if "/" in service:  # as OpenTelemetry writes namespace and name into Prometheus' job
        yield Identifier("service.name", service.lower())
    elif service:
        spaces = [s for s in dict.fromkeys((r["service_namespace"], r["namespace"])) if s and "/" not in s]
        yield from (Identifier("service.name", f"{s}/{service}".lower()) for s in spaces)
        if not spaces:
            yield Identifier("service.name", service.lower())


def _workload(r: Roles, pod: str) -> Workload | None:
    """What runs the pods: as it is named, else as the pod's name tells. It may be known as a service."""
    named = next(((kind, r[kind]) for kind in _WORKLOADS if r[kind]), None)
    for kind, pattern in (("deployment", _OF_DEPLOYMENT), ("statefulset", _OF_STATEFUL_SET)):
        found = None if named else pattern.fullmatch(pod)
        named = (kind, found[1]) if found else named
    if named is None:
        return None
    kind, name = named
    service = Identifier("service.name", f"{r['namespace'] or 'default'}/{name}".lower())
    return Workload(kind, name, (*_scoped(f"k8s.{kind}", r, name), service))


def _scoped(scheme: str, r: Roles, name: str) -> Iterator[Identifier]:
    """A name within a namespace, within a cluster as far as they are told."""
    within = f"{r['namespace'] or 'default'}/{name}"
    yield Identifier(scheme, f"{r['cluster']}/{within}".lower() if r["cluster"] else within.lower())


def _node(r: Roles) -> tuple[Identifier, ...]:
    """The machine under a pod. A pod's own host name is the pod's."""
    return tuple(x for name in r.every("node") for x in host_identifiers(name))


def _host(r: Roles, where: str, url: bool) -> tuple[tuple[Identifier, ...], bool]:
    """The host's identifiers, and whether the signal comes from there. What says nothing (localhost) means the
    sender; the target of a scrape counts only where no label names a host."""
    named = [
        x
        for role in ("host", "node", "host_id", "host_serial", "host_uuid", "host_mac", "host_address")
        for n in r.every(role)
        for x in _named(role, n)
    ]
    if named:
        return tuple(dict.fromkeys(named)), True
    told = r.every("host") or ([where] if where and is_here(where) else [])
    if told:
        return tuple(x for n in r.every("sender") for x in host_identifiers(n)), True
    # an instance may be called by any id at all: OpenTelemetry's is a random one
    found = host_identifiers(where) if "/" not in r["job"] or address(where) or "." in where else ()
    return tuple(x for x in found if x.scheme != "host.id"), not url


def _named(role: str, name: str) -> tuple[Identifier, ...]:
    if role == "host_id":
        return (Identifier("host.id", name.lower()),)
    if role in _OF_HARDWARE:
        found = hardware_identifier(_OF_HARDWARE[role], name)
        return (found,) if found else ()
    return host_identifiers(host_and_port(name)[0])


def _far(where: str, port: int) -> tuple[Identifier, ...]:
    found = host_identifiers(where)
    if not found or not port:
        return ()
    name = found[0].value
    return (Identifier("endpoint", f"[{name}]:{port}" if ":" in name else f"{name}:{port}"),)
