"""/api/files/upload/ and /api/files/ID/content/: contents of files in and out. What is said of them is a kind of record
like others."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from watchkeeper.api.records.bodies import validate
from watchkeeper.domains.annotations import files
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.permissions import SignedIn, visible
from watchkeeper.kernel.problems import NotThere
from watchkeeper.kernel.resource import Resource, registry
from watchkeeper.kernel.rest import serializer_of


class Upload(serializers.Serializer[Any]):
    """What belongs to an upload."""

    kind = serializers.CharField(max_length=64)
    record = serializers.CharField(max_length=128)
    description = serializers.CharField(max_length=255, required=False, default="")
    file = serializers.FileField(required=False)


class Receiving(APIView):
    """A call with whose form files may come."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Before anything reads the body."""
        with files.receiving(request):
            return super().dispatch(request, *args, **kwargs)


class FileUpload(Receiving):
    """A file for a record: `multipart/form-data` with kind, record, file and perhaps a description."""

    permission_classes = (SignedIn,)
    parser_classes = (MultiPartParser,)
    serializer_class = Upload

    def asks(self, request: Request) -> tuple[tuple[str, Resource], ...]:  # noqa: ARG002
        """To be decided by the record, once it is known."""
        return (("create", registry["files"]),)

    @extend_schema(operation_id="files_upload", request={"multipart/form-data": Upload},
                   responses={201: serializer_of(registry["files"])})  # fmt: skip
    def post(self, request: Request) -> Response:
        """Answers 201 with what is said of the file."""
        given = Upload(data={k: v for k, v in request.data.items() if k != "file"})
        validate(given, {})
        data = given.validated_data
        file = files.received(request._request)
        made = files.attach(actor_of(request), data["kind"], data["record"], file.name or "", file.content,
                            data["description"])  # fmt: skip
        return Response(serializer_of(registry["files"])(made).data, status=201)


class FileContent(APIView):
    """The content of a file, to be saved."""

    permission_classes = (SignedIn,)

    def asks(self, request: Request) -> tuple[tuple[str, Resource], ...]:  # noqa: ARG002
        """Reading."""
        return (("read", registry["files"]),)

    @extend_schema(
        operation_id="files_content", responses={(200, "application/octet-stream"): OpenApiTypes.BINARY}
    )
    def get(self, request: Request, key: int) -> StreamingHttpResponse:
        """Always as an attachment."""
        found = visible(actor_of(request), "files").filter(pk=key).first()
        if found is None:
            raise NotThere("there is no such file")
        return files.download(request._request, found)
