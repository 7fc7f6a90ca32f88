"""Entity tags: the version of one record, as REST shows it, so that nobody overwrites what they have not seen.

`If-None-Match` answers 304 to who has it already; `If-Match` refuses with 412 what was meant for another version.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.utils.http import parse_etags
from rest_framework.request import Request
from rest_framework.response import Response

from watchkeeper.kernel.problems import Stale
from watchkeeper.kernel.versions import tag_of


def asks_for_version(request: Request) -> bool:
    """Whether the call is meant for one version only."""
    return "If-Match" in request.headers


def match(request: Request, shown: Mapping[str, Any]) -> None:
    """Raises Stale when If-Match names other versions."""
    wanted = parse_etags(request.headers.get("If-Match", "*"))
    if wanted != ["*"] and tag_of(shown) not in wanted:
        raise Stale("the record has another version than If-Match says; read it again")


def tagged(
    request: Request, shown: Mapping[str, Any], body: Any = None, status: int = HTTPStatus.OK
) -> Response:
    """The answer with the record's tag; 304 when who reads has this version. `body` is sent instead of all."""
    tag = tag_of(shown)
    known = [t.removeprefix("W/") for t in parse_etags(request.headers.get("If-None-Match", ""))]
    if request.method in ("GET", "HEAD") and (tag in known or known == ["*"]):
        return Response(status=HTTPStatus.NOT_MODIFIED, headers={"ETag": tag})
    return Response(shown if body is None else body, status=status, headers={"ETag": tag})
