"""Backstage's software catalogue: the YAML files `catalog-info.yaml`, or what its catalogue API answers as JSON, of
version backstage.io/v1alpha1 and later.

A component of type service is an application and, by the same name, the technical service that signals know as
`service.name`. Groups, users, locations and templates are left out: people come from SCIM or the directory.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from watchkeeper.domains.inventory.describing import Described, Related, RelationKind
from watchkeeper.domains.inventory.importers import importer
from watchkeeper.domains.inventory.importers.documents import (
    at,
    documents,
    objects,
    said,
    word,
)
from watchkeeper.model.errors import Malformed

Entity = dict[str, Any]
_STAGES = {
    "experimental": "experimental",
    "production": "production",
    "deprecated": "deprecated",
    "retired": "retired",
}
_COMPONENTS = {"service": "service", "website": "website", "library": "library", "job": "job"}
_APIS = {"openapi": "openapi", "grpc": "grpc", "graphql": "graphql", "asyncapi": "asyncapi"}
_LEFT_OUT = {"group", "user", "location", "template"}


@importer("backstage", "Backstage catalogue (YAML or JSON)", type="backstage", ends=("catalog-info.yaml",))
def read(data: bytes) -> Iterator[Described]:
    """The entities of a file. Raises Malformed when there is none."""
    found = [
        e
        for d in documents(data)
        for e in objects(d, "apiVersion")
        if word(e, "apiVersion").startswith("backstage.io/")
    ]
    if not found:
        raise Malformed("the file has no entity of Backstage: each of them has an apiVersion of backstage.io")
    provided = {api: _key(e) for e in found for api in _references(e, "providesApis", "api")}
    for e in found:
        kind = word(e, "kind").lower()
        if make := _MAKERS.get(kind):
            yield from make(e, provided)
        elif kind not in _LEFT_OUT:
            raise Malformed(f"{_name(e)}: {word(e, 'kind')!r} is no kind of entity that Backstage knows")


def _name(e: Entity) -> str:
    return word(e, "metadata", "name")


def _space(e: Entity) -> str:
    return (word(e, "metadata", "namespace") or "default").lower()


def _key(e: Entity) -> str:
    return f"{word(e, 'kind')}:{_space(e)}/{_name(e)}".lower()


def _reference(e: Entity, text: str, kind: str) -> str:
    """A reference as Backstage writes it, [kind:][namespace/]name, in full."""
    before, _, rest = text.lower().rpartition(":")
    space, _, name = rest.rpartition("/")
    return f"{before or kind}:{space or _space(e)}/{name}"


def _references(e: Entity, field: str, kind: str) -> list[str]:
    found = at(e, "spec", field)
    return [_reference(e, r, kind) for r in found if isinstance(r, str)] if isinstance(found, list) else []


def _one(e: Entity, **fields: str) -> dict[str, str]:
    """References to one entity each: the field of ours, and `field:kind` of Backstage's."""
    out = {}
    for name, theirs in fields.items():
        field, _, kind = theirs.partition(":")
        if text := word(e, "spec", field):
            out[name] = _reference(e, text, kind or field)
    return out


def _needs(e: Entity) -> tuple[Related, ...]:
    """What it depends on, and the APIs that it calls."""
    found = [*_references(e, "dependsOn", "component"), *_references(e, "consumesApis", "api")]
    served = (
        Related(RelationKind.DEPENDS_ON, r, inverse=True) for r in _references(e, "dependencyOf", "component")
    )
    return (*(Related(RelationKind.DEPENDS_ON, r) for r in found), *served)


def _more(e: Entity) -> dict[str, Any]:
    title, tags = word(e, "metadata", "title"), at(e, "metadata", "tags")
    return said(title=title, description=word(e, "metadata", "description"), tags=tags)


def _repository(e: Entity) -> str:
    notes = at(e, "metadata", "annotations")
    place = re.sub(r"^url:", "", word(notes, "backstage.io/source-location"))
    if place.startswith(("https://", "http://")):
        return place
    slug = word(notes, "github.com/project-slug")
    return f"https://github.com/{slug}" if slug else ""


# --- kinds ----------------------------------------------------------------------------------------------------------
def _domain(e: Entity, _: dict[str, str]) -> Iterator[Described]:
    yield Described("domains", _key(e), _name(e), _more(e) | said(owner=word(e, "spec", "owner")))


def _system(e: Entity, _: dict[str, str]) -> Iterator[Described]:
    values = _more(e) | said(owner=word(e, "spec", "owner"))
    yield Described("systems", _key(e), _name(e), values, _one(e, domain="domain"))


def _component(e: Entity, _: dict[str, str]) -> Iterator[Described]:
    kind = word(e, "spec", "type").lower()
    values = said(
        type=_COMPONENTS.get(kind, "other"), lifecycle=_STAGES.get(word(e, "spec", "lifecycle").lower()),
        owner=word(e, "spec", "owner"), repository=_repository(e),
    )  # fmt: skip
    part_of = word(e, "spec", "subcomponentOf")
    whole = (Related(RelationKind.MEMBER_OF, _reference(e, part_of, "component")),) if part_of else ()
    yield Described("applications", _key(e), _name(e), values | _more(e), _one(e, system="system"),
                    relations=_needs(e) + whole)  # fmt: skip
    if kind == "service":
        yield Described("technical-services", f"service:{_key(e)}", _name(e), said(owner=word(e, "spec", "owner")),
                        {"application": _key(e)})  # fmt: skip


def _api(e: Entity, provided: dict[str, str]) -> Iterator[Described]:
    kind = word(e, "spec", "type").lower()
    values = said(
        type=_APIS.get(kind, "other"), lifecycle=_STAGES.get(word(e, "spec", "lifecycle").lower()),
        owner=word(e, "spec", "owner"),
    )  # fmt: skip
    by = provided.get(_key(e))
    yield Described("apis", _key(e), _name(e), values | _more(e), {"provided_by": by} if by else {})


def _resource(e: Entity, _: dict[str, str]) -> Iterator[Described]:
    """An item of the kind that its type names: the catalogue says too little for a record of its own."""
    kind = re.sub(r"[^a-z0-9]+", "_", word(e, "spec", "type").lower()).strip("_") or "resource"
    values = said(owner=word(e, "spec", "owner")) | _more(e)
    yield Described(kind, _key(e), _name(e), values, relations=_needs(e))


_MAKERS: dict[str, Callable[[Entity, dict[str, str]], Iterator[Described]]] = {
    "domain": _domain, "system": _system, "component": _component, "api": _api, "resource": _resource,
}  # fmt: skip
