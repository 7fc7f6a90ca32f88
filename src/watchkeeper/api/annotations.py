"""/api/annotations/KIND/ID/: the tags and custom fields of one record, also of a kind that is not changed otherwise, such
as alerts and situations."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from watchkeeper.api.records.bodies import unknown, validate
from watchkeeper.kernel import doing, extras
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.hanging import subject
from watchkeeper.kernel.permissions import SignedIn, may
from watchkeeper.kernel.problems import NotThere
from watchkeeper.kernel.resource import Resource, registry
from watchkeeper.kernel.rest import annotations_of


class Annotations(APIView):
    """Tags and custom fields of one record."""

    permission_classes = (SignedIn,)

    def asks(self, request: Request) -> tuple[tuple[str, Resource], ...]:
        """The same as of the record's own kind; of a kind that is none, nothing."""
        kind = next((r for r in registry if r.path == self.kwargs["kind"]), None)
        action = "read" if request.method in ("GET", "HEAD", "OPTIONS") else "change"
        return ((action, kind),) if kind else ()

    def _record(self, request: Request) -> tuple[Resource, Any]:
        """Raises NotThere, also for a record that the caller may not read."""
        resource, record = subject(self.kwargs["kind"], self.kwargs["key"])
        if not may(actor_of(request), "read", resource, record):
            raise NotThere("there is no such record")
        return resource, record

    @extend_schema(operation_id="annotations_read", responses=annotations_of(None))
    def get(self, request: Request, kind: str, key: str) -> Response:  # noqa: ARG002
        """Both."""
        resource, record = self._record(request)
        return Response({e.name: extras.value_of(resource, record, e.name) for e in extras.of(resource)})

    @extend_schema(
        operation_id="annotations_change", request=annotations_of(None), responses=annotations_of(None)
    )
    def patch(self, request: Request, kind: str, key: str) -> Response:
        """Change what is named; answers with both."""
        resource, record = self._record(request)
        if not isinstance(request.data, dict):
            raise ValidationError({"non_field_errors": ["An object is needed."]})
        given = annotations_of(resource)(record, data=request.data, partial=True)
        validate(given, unknown(given, request.data))
        doing.annotate(resource, actor_of(request), record, dict(given.validated_data))
        return self.get(request, kind, key)
