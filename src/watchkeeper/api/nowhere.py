"""The API's root, a list of what there is, and its answer where there is nothing."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from watchkeeper.kernel.problems import not_found
from watchkeeper.kernel.resource import registry


@extend_schema(exclude=True)
@api_view(["GET"])
def root(request: Request) -> Response:
    """Every list, by its path."""
    paths = sorted([r.path for r in registry] + ["dead-letters", "schema"])
    return Response({p: request.build_absolute_uri(f"/api/{p}/") for p in paths})


@csrf_exempt  # or a program that mistypes an address would be told of forms
def nothing(request: HttpRequest, rest: str) -> HttpResponse:  # noqa: ARG001
    """A problem, never a page."""
    return not_found(request, LookupError(request.path))
