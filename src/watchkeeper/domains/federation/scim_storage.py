"""Users and teams as SCIM resources: found, made, changed and removed, audited like any other act."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from django.db import transaction
from scim2_models import NotFoundException, PreconditionFailedException, Resource, ResourceType, SearchRequest
from scim2_models.path import CompareOperator, Comparison
from scim2_server.storage import ScimStorage, SearchPage

from watchkeeper.domains.federation.scim_groups import Groups
from watchkeeper.domains.federation.scim_users import Users
from watchkeeper.kernel.acting import Actor

#: an attribute that a filter for one value of it can be answered with by an index
_FAST = {"username": "username", "displayname": "name", "externalid": "external_id", "id": "pk"}


class Storage(ScimStorage):
    """For one actor, whom a token names."""

    def __init__(self, actor: Actor) -> None:
        self._kinds: dict[str, Users | Groups] = {"User": Users(actor), "Group": Groups(actor)}

    @contextmanager
    def operation(self) -> Iterator[None]:
        """All of it or none."""
        with transaction.atomic():
            yield

    def get(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        response_parameters: Any = None,  # noqa: ARG002
    ) -> Resource[Any]:
        """Raises NotFoundException."""
        found = list(self._of(resource_type).found({"pk": resource_id}))
        if not found:
            raise NotFoundException(detail=f"There is no {resource_type.name} {resource_id}")
        return found[0]

    def search(
        self,
        resource_types: list[ResourceType],
        search_request: SearchRequest[Any],
        *,
        position: Any = None,  # noqa: ARG002
    ) -> SearchPage:
        """Filtered and sorted here: an identity provider asks for one name at a time, or for everybody."""
        wanted = search_request.filter
        found: list[Resource[Any]] = []
        for kind in resource_types:
            candidates = self._of(kind).found(_narrowed(wanted) if len(resource_types) == 1 else {})
            found.extend(r for r in candidates if wanted is None or wanted.match(r))
        if search_request.sort_by is not None:
            descending = search_request.sort_order == SearchRequest.SortOrder.descending
            found.sort(key=lambda r: _key(search_request.sort_value(r)), reverse=descending)
        start = search_request.start_index_0 or 0
        stop = None if search_request.count is None else start + search_request.count
        return SearchPage(len(found), found[start:stop])

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        """Raises UniquenessException, or a WatchkeeperError."""
        return self.get(resource_type, self._of(resource_type).make(cast(Any, resource)))

    def update(
        self, resource_type: ResourceType, resource: Resource[Any], *, expected_version: str | None = None
    ) -> Resource[Any]:
        """Raises NotFoundException, PreconditionFailedException, UniquenessException, or a WatchkeeperError."""
        key = str(resource.id)
        self._expect(resource_type, key, expected_version)
        self._of(resource_type).change(key, cast(Any, resource))
        return self.get(resource_type, key)

    def delete(
        self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None
    ) -> None:
        """Raises NotFoundException, PreconditionFailedException, or a WatchkeeperError."""
        self._expect(resource_type, resource_id, expected_version)
        self._of(resource_type).remove(resource_id)

    def _of(self, kind: ResourceType) -> Users | Groups:
        return self._kinds[str(kind.name)]

    def _expect(self, kind: ResourceType, key: str, version: str | None) -> None:
        stored = self.get(kind, key)
        if version is not None and stored.meta is not None and stored.meta.version != version:
            raise PreconditionFailedException


def _narrowed(wanted: Any) -> dict[str, str]:
    """What the records can be narrowed to by a filter for one value."""
    node = getattr(wanted, "ast", None)
    if not isinstance(node, Comparison) or node.op != CompareOperator.eq or not isinstance(node.value, str):
        return {}
    name = _FAST.get(str(node.attr_path).rpartition(":")[2].lower())
    return {name: node.value} if name else {}


def _key(value: Any) -> tuple[bool, Any]:
    """Whoever has no value comes last."""
    return value is None, value if value is not None else ""
