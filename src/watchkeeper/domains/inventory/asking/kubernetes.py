"""The API of Kubernetes: `address` is the API server's, `secret` the token of a service account that may list nodes,
pods and workloads (the role `view`, and `get, list` of nodes), `certificate` the cluster's authority."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.domains.inventory.asking import Access, asks
from watchkeeper.domains.inventory.asking.http import answer, session
from watchkeeper.domains.inventory.describing import Described
from watchkeeper.domains.inventory.importers.documents import rows, word
from watchkeeper.domains.inventory.importers.kubernetes import Object, described

#: lists that are asked for, and the kind of what is in them
LISTS = {
    "/api/v1/nodes": "Node", "/apis/apps/v1/deployments": "Deployment", "/apis/apps/v1/statefulsets": "StatefulSet",
    "/apis/apps/v1/daemonsets": "DaemonSet", "/apis/apps/v1/replicasets": "ReplicaSet",
    "/apis/batch/v1/cronjobs": "CronJob", "/api/v1/pods": "Pod",
}  # fmt: skip
PAGE = "500"


@asks("kubernetes")
def ask(access: Access) -> Iterator[Described]:
    """The cluster, its nodes and workloads. Raises Unreadable."""
    found: list[Object] = []
    with session(access) as http:
        http.headers["Authorization"] = f"Bearer {access.secret}"
        for path, kind in LISTS.items():
            url, more = access.address.rstrip("/") + path, ""
            while True:
                page = answer(http, url, limit=PAGE, **({"continue": more} if more else {}))
                found += ({"kind": kind} | o for o in rows(page, "items"))
                if not (more := word(page, "metadata", "continue")):
                    break
    return described(found)
