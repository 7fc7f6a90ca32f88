"""Documents of OpenSLO become objectives, all of them or none; and objectives become a document again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from watchkeeper.domains.inventory.models import Item
from watchkeeper.domains.objectives import openslo, openslo_writing
from watchkeeper.domains.objectives.models import ServiceLevelObjective
from watchkeeper.domains.objectives.openslo import Described
from watchkeeper.domains.objectives.openslo_parts import BadDocument
from watchkeeper.domains.objectives.resources import PATH, SET
from watchkeeper.kernel import doing
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import visible
from watchkeeper.kernel.problems import Invalid
from watchkeeper.kernel.resource import registry
from watchkeeper.kernel.rest import serializer_of

_REFERENCES = ("service", "agreement")


@dataclass
class Imported:
    """Names of objectives by what was done with them; `odd`: what is not followed, or worth a look."""

    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)


def import_text(actor: Actor, text: str) -> Imported:
    """Make objectives of a text, or change those that have the same name. Raises Invalid with the place, and a
    WatchkeeperError."""
    try:
        found = openslo.read(text)
    except BadDocument as error:
        raise Invalid(str(error)) from error
    out = Imported(odd=found.odd)
    with transaction.atomic():
        for one in found.objectives:
            _take(actor, one, out)
    return out


def _take(actor: Actor, one: Described, out: Imported) -> None:
    resource, name = registry[PATH], one.fields["name"]
    record = visible(actor, resource).filter(name=name).first()
    service = _service(actor, one.service)
    if service is None and one.service:
        out.odd.append(f"{name}: there is no item {one.service!r}; choose its service on its page")
    data = {**one.fields, **({"service": service.pk} if service else {})}
    serializer = serializer_of(resource)
    made: Any = serializer(record, data=data, partial=record is not None, context={"actor": actor})
    if not made.is_valid():
        wrong, said = next(iter(made.errors.items()))
        raise Invalid(f"{name}: {wrong}: {said[0] if isinstance(said, list) else said}")
    if record is None:
        doing.create(resource, actor, made)
        out.created.append(name)
    elif all(getattr(record, n) == value for n, value in made.validated_data.items()):
        out.same.append(name)
    else:
        doing.change(resource, actor, record, made)
        out.changed.append(name)


def _service(actor: Actor, name: str) -> Item | None:
    """The item of this name; a service before others."""
    found = list(visible(actor, "items").filter(name=name)[:20])
    return next((i for i in found if "service" in i.kind), found[0] if found else None)


def as_openslo(record: ServiceLevelObjective) -> str:
    """As a document of OpenSLO."""
    fields = {n: getattr(record, n) for n in SET if n not in _REFERENCES}
    fields["anchor"] = f"{record.anchor:%Y-%m-%dT%H:%M:%SZ}" if record.anchor else None
    return openslo_writing.write([(fields, record.service.name if record.service else "")])
