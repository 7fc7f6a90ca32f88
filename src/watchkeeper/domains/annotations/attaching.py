"""What notes, links and files share: they are made on a record that is there and that the maker may see."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.hanging import Hanging, subject
from watchkeeper.kernel.permissions import may
from watchkeeper.kernel.problems import NotThere
from watchkeeper.kernel.resource import registry


def held_by(
    actor: Actor, kind: str, record: str, names: tuple[str, str] = ("kind", "record")
) -> tuple[str, str]:
    """Kind and key as they are kept. Raises ValidationError naming the field, also for a record that the actor may
    not read: whether it is there is not theirs to know."""
    declared = next((r for r in registry if r.path == kind), None)
    if declared is None:
        raise serializers.ValidationError({names[0]: [f"There is no kind of record {kind!r}."]})
    if issubclass(declared.model, Hanging):
        raise serializers.ValidationError(
            {names[0]: [f"Nothing hangs on a {declared.name}, which hangs itself."]}
        )
    try:
        resource, found = subject(kind, record)
    except NotThere as error:
        raise serializers.ValidationError(
            {names[1]: [f"There is no such record of the kind {kind!r}."]}
        ) from error
    if not may(actor, "read", resource, found):
        raise serializers.ValidationError({names[1]: [f"There is no such record of the kind {kind!r}."]})
    return resource.path, str(found.pk)


def settle(actor: Actor, data: dict[str, Any]) -> None:
    """Replace what a body says of the record by how it is kept. Raises ValidationError."""
    data["kind"], data["record"] = held_by(actor, data["kind"], data["record"])
