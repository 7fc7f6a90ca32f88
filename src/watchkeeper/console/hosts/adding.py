"""Makes what a new host needs: its own intake key, limited to the doors that it uses, and a scrape job where it is we
who ask."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from watchkeeper.console.hosts.ways import Asked
from watchkeeper.console.models import AddedHost
from watchkeeper.kernel import doing
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.resource import registry


def add(actor: Actor, asked: Asked) -> tuple[AddedHost, str]:
    """The host, and the secret of its key ("" when it needs none); all or nothing. Raises a WatchkeeperError, or REST
    framework's ValidationError."""
    with transaction.atomic():
        key = _key(actor, asked) if asked.doors else None
        job = _job(actor, asked) if "node-exporter" in asked.ways else None
        host = AddedHost.objects.create(
            name=asked.name, address=asked.address, port=asked.port, ways=list(asked.ways), key=key, job=job
        )
    return host, key.shown_once["secret"] if key else ""


def _key(actor: Actor, asked: Asked) -> Any:
    # A key that names a network lets its address in without a secret: only syslog, which has none, needs that.
    networks = [asked.address] if "rsyslog" in asked.ways else []
    name = _free(actor, "intake-keys", asked.name or asked.address or "new host")
    return _made(actor, "intake-keys", {"name": name, "doors": asked.doors, "networks": networks})


def _job(actor: Actor, asked: Asked) -> Any:
    host = f"[{asked.address}]" if ":" in asked.address else asked.address
    labels = {"host": asked.name} if asked.name else {}
    name = _free(actor, "scrape-jobs", f"node {asked.name or asked.address}")
    return _made(actor, "scrape-jobs", {"name": name, "targets": [f"{host}:{asked.port}"], "labels": labels})


def _made(actor: Actor, path: str, data: dict[str, Any]) -> Any:
    resource = registry[path]
    assert resource.serializer is not None
    given = resource.serializer(data=data, context={"actor": actor})
    given.is_valid(raise_exception=True)
    return doing.create(resource, actor, given)


def _free(actor: Actor, path: str, name: str) -> str:
    """The name, with a number behind it when somebody has taken it."""
    taken = set(visible(actor, path).filter(name__startswith=name).values_list("name", flat=True))
    return next(n for n in (name, *(f"{name} {i}" for i in range(2, len(taken) + 3))) if n not in taken)
