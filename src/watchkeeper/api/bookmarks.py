"""/api/bookmarks/: the records that the caller wants to find again. Nobody else sees them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from watchkeeper.domains.annotations.bookmarks import bookmark, bookmarks_of
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.hanging import subject
from watchkeeper.kernel.permissions import may
from watchkeeper.kernel.problems import NotThere, Refused


class BookmarkSerializer(serializers.Serializer[Any]):
    """One record on the caller's list."""

    kind = serializers.CharField(source="path", help_text="path of the kind")
    id = serializers.CharField(source="key")
    title = serializers.CharField()
    url = serializers.CharField(help_text="of its page")


class _Own(APIView):
    def asks(self, _: Request) -> tuple[()]:
        """Nothing more than to be known: policies are asked about the records."""
        return ()


class Bookmarks(_Own):
    """All of the caller's, the newest first."""

    @extend_schema(operation_id="bookmarks_list", responses=BookmarkSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Without those whose record is gone, or not the caller's to see any more."""
        actor = actor_of(request)
        if actor.person is None:
            raise Refused("this token belongs to no person, and only people have bookmarks")
        return Response(BookmarkSerializer(bookmarks_of(actor), many=True).data)


class Bookmarking(_Own):
    """Whether one record is on the list."""

    @extend_schema(operation_id="bookmarks_add", request=None, responses={204: None})
    def put(self, request: Request, kind: str, key: str) -> Response:
        """Put it on the list; it may be there already."""
        return self._keep(request, kind, key, wanted=True)

    @extend_schema(operation_id="bookmarks_remove", responses={204: None})
    def delete(self, request: Request, kind: str, key: str) -> Response:
        """Take it off; it need not be there."""
        return self._keep(request, kind, key, wanted=False)

    def _keep(self, request: Request, kind: str, key: str, *, wanted: bool) -> Response:
        resource, record = subject(kind, key)
        actor = actor_of(request)
        if not may(actor, "read", resource, record):
            raise NotThere("there is no such record")
        bookmark(actor, resource, record, wanted)
        return Response(status=204)
