"""Kubernetes: objects as its API answers them, JSON or YAML (`kubectl get nodes,deployments,statefulsets,daemonsets,
cronjobs,pods -A -o json`).

Nodes become hosts, workloads records of their own that run on their cluster and, where pods are among the objects, on
the nodes that these run on. Secrets and configuration are not looked at. Objects do not name their cluster: it is
called by the label `cluster.x-k8s.io/cluster-name` of its nodes, else `kubernetes`, as OpenTelemetry's collector is to
be told (`k8s.cluster.name`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from watchkeeper.domains.inventory.describing import Described, Identifier, Related, RelationKind
from watchkeeper.domains.inventory.importers import importer
from watchkeeper.domains.inventory.importers.documents import (
    at,
    documents,
    rows,
    said,
    word,
)
from watchkeeper.model.errors import Malformed
from watchkeeper.model.hostnames import host_identifiers

Object = dict[str, Any]
WORKLOADS = {
    "Deployment": "deployment",
    "StatefulSet": "statefulset",
    "DaemonSet": "daemonset",
    "CronJob": "cronjob",
}
_NAME = "cluster.x-k8s.io/cluster-name"
_MEMORY = {
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
    "k": 10**3,
    "M": 10**6,
    "G": 10**9,
    "T": 10**12,
    "": 1,
}


@importer("kubernetes", "Kubernetes objects (JSON or YAML)", type="kubernetes")
def read(data: bytes) -> Iterator[Described]:
    """The objects of a file. Raises Malformed when there is none."""
    found = [o for d in documents(data) for o in _objects(d)]
    if not found:
        raise Malformed("the file has no objects of Kubernetes: each of them has metadata with a name")
    return described(found)


def _objects(document: Any) -> Iterator[Object]:
    """The objects of a document; those of a list that the API answers have no kind of their own."""
    if isinstance(document, list):
        for part in document:
            yield from _objects(part)
    elif word(document, "kind").endswith("List"):
        kind = word(document, "kind").removesuffix("List")
        for part in rows(document, "items"):
            yield from _objects({"kind": kind} | part)
    elif word(document, "metadata", "name"):
        yield document


def described(found: list[Object]) -> Iterator[Described]:
    """Objects of the API as described things, the cluster first."""
    nodes = [o for o in found if o.get("kind") == "Node"]
    cluster = next((n for o in nodes if (n := word(o, "metadata", "labels", _NAME))), "kubernetes")
    versions = sorted({word(o, "status", "nodeInfo", "kubeletVersion") for o in nodes} - {""})
    key = f"cluster/{cluster}"
    yield Described("clusters", key, cluster, {"type": "kubernetes"} | said(version=", ".join(versions)))
    for o in nodes:
        yield _node(o, key)
    runs_on = _placed(found, {word(o, "metadata", "name") for o in nodes})
    for o in found:
        if o.get("kind") in WORKLOADS:
            yield _workload(o, key, runs_on)


def _of(o: Object) -> tuple[str, str, str]:
    return str(o.get("kind")), word(o, "metadata", "namespace") or "default", word(o, "metadata", "name")


def _node(o: Object, cluster: str) -> Described:
    name, info = word(o, "metadata", "name"), at(o, "status", "nodeInfo")
    names = dict.fromkeys(host_identifiers(name))
    for address in rows(o, "status", "addresses"):
        if address.get("type") in ("Hostname", "InternalIP", "InternalDNS", "ExternalIP"):
            names |= dict.fromkeys(host_identifiers(word(address, "address")))
    if uuid := word(info, "systemUUID"):
        names[Identifier("uuid", uuid.lower())] = None
    if instance := re.search(r"/(i-[0-9a-f]+)$", word(o, "spec", "providerID")):
        names[Identifier("cloud.id", instance[1])] = None
    memory = _bytes(word(o, "status", "capacity", "memory"))
    values = said(
        operating_system=word(info, "osImage"), kernel=word(info, "kernelVersion"), kubelet=word(info, "kubeletVersion"),
        runtime=word(info, "containerRuntimeVersion"), cpus=word(o, "status", "capacity", "cpu"),
        memory_mib=memory // 2**20 if memory else None,
    )  # fmt: skip
    return Described("host", f"node/{name}", name, values, identifiers=tuple(names),
                     relations=(Related(RelationKind.MEMBER_OF, cluster),))  # fmt: skip


def _bytes(quantity: str) -> int:
    """A quantity as Kubernetes writes it, in bytes; 0 for one that is none.

    >>> _bytes("16384516Ki"), _bytes("8G")
    (16777744384, 8000000000)
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(Ki|Mi|Gi|Ti|k|M|G|T|)", quantity)
    return int(float(match[1]) * _MEMORY[match[2]]) if match else 0


def _placed(found: list[Object], nodes: set[str]) -> dict[tuple[str, str, str], list[str]]:
    """Workload → the nodes on which pods of it run, by way of who owns whom."""
    owners = {_of(o): _owner(o) for o in found}
    out: dict[tuple[str, str, str], list[str]] = {}
    for o in found:
        node = word(o, "spec", "nodeName")
        if o.get("kind") != "Pod" or node not in nodes:
            continue
        owner = _owner(o)
        while owner and owner[0] not in WORKLOADS:
            owner = owners.get(owner) or _deployment(owner)
        if owner and node not in (there := out.setdefault(owner, [])):
            there.append(node)
    return out


def _owner(o: Object) -> tuple[str, str, str] | None:
    for reference in rows(o, "metadata", "ownerReferences"):
        if reference.get("controller"):
            return (
                word(reference, "kind"),
                word(o, "metadata", "namespace") or "default",
                word(reference, "name"),
            )
    return None


def _deployment(owner: tuple[str, str, str]) -> tuple[str, str, str] | None:
    """The deployment whose replica set is not among the objects: its name with a hash behind it."""
    kind, space, name = owner
    return ("Deployment", space, name.rpartition("-")[0]) if kind == "ReplicaSet" and "-" in name else None


def _workload(o: Object, cluster: str, runs_on: dict[tuple[str, str, str], list[str]]) -> Described:
    kind, space, name = _of(o)
    template = (
        at(o, "spec", "jobTemplate", "spec", "template") if kind == "CronJob" else at(o, "spec", "template")
    )
    images = [word(c, "image") for c in rows(template, "spec", "containers")]
    number = at(o, "status", "desiredNumberScheduled") if kind == "DaemonSet" else at(o, "spec", "replicas")
    values: dict[str, Any] = {
        "type": WORKLOADS[kind],
        "namespace": space,
        "image": images[0] if images else "",
    }
    if isinstance(number, int):
        values["replicas"] = number
    values |= said(
        more_images=images[1:],
        schedule=word(o, "spec", "schedule"),
        version=word(o, "metadata", "labels", "app.kubernetes.io/version"),
    )
    on = tuple(Related(RelationKind.RUNS_ON, f"node/{n}") for n in runs_on.get((kind, space, name), ()))
    return Described(
        "container-workloads", f"{kind}/{space}/{name}", name, values, {"cluster": cluster}, relations=on
    )
