"""Errors as RFC 9457 problem details: one shape, whatever went wrong. Pages for people are the console's."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import DataError, IntegrityError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions
from rest_framework.response import Response

from watchkeeper.model.errors import WatchkeeperError

MEDIA_TYPE = "application/problem+json"
_log = logging.getLogger(__name__)


class BadQuery(WatchkeeperError):
    """A list was asked for in a way it does not know; the detail names the parameter."""

    status = 400
    reason = "bad_query"

    def __init__(self, detail: str, parameter: str) -> None:
        super().__init__(detail)
        self.more = {"parameter": parameter}


class NotThere(WatchkeeperError):
    """No such record."""

    status = 404
    reason = "not_found"


class Forbidden(WatchkeeperError):
    """Somebody who is known may not do this; `because` says why in sentences."""

    status = 403
    reason = "forbidden"

    def __init__(self, action: str, kind: str, because: tuple[str, ...]) -> None:
        words = f"you may not {action} {kind}".replace("-", " ")
        super().__init__(f"{words}: {' '.join(because)}" if because else words)
        self.because = because
        self.more = {"action": action, "kind": kind, "because": list(because)}


class Refused(WatchkeeperError):
    """The record is in a state in which this cannot be done."""

    status = 409
    reason = "conflict"


class Invalid(WatchkeeperError):
    """A value that cannot be used, of this field of the body where it is about one."""

    status = 400
    reason = "invalid"

    def __init__(self, detail: str, field: str = "") -> None:
        super().__init__(f"{field}: {detail}" if field else detail)
        self.more = {"errors": {field: [detail]}} if field else {}


class Stale(WatchkeeperError):
    """The record is not in the version that the sender has seen."""

    status = 412
    reason = "stale"


class Rejected(WatchkeeperError):
    """Nothing of a list was done; `errors` says what is wrong with which row, by its index from 0 as text."""

    status = 400
    reason = "invalid"

    def __init__(self, errors: dict[str, Any], status: int = 400) -> None:
        super().__init__("some of the rows cannot be used; nothing was changed")
        self.status = status
        self.more = {"errors": _plain(errors)}


def problem(status: int, reason: str, detail: str = "", **more: Any) -> dict[str, Any]:
    """The document. `type` is a stable URN by which programs tell problems apart."""
    return {
        "type": f"urn:watchkeeper:problem:{reason}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **more,
    }


def answer(status: int, reason: str, detail: str = "", **more: Any) -> HttpResponse:
    """The document as an answer of plain Django."""
    body = json.dumps(problem(status, reason, detail, **more))
    return HttpResponse(body, status=status, content_type=MEDIA_TYPE)


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's exception handler. None lets the error go on to `server_error`."""
    headers: dict[str, str] = {}
    match error:
        case WatchkeeperError():
            body = problem(error.status, error.reason, error.detail, **getattr(error, "more", {}))
            if (after := getattr(error, "retry_after", None)) is not None:
                headers["Retry-After"] = str(max(1, round(after)))
        case Http404():
            body = problem(404, "not_found", "there is no such record")
        case PermissionDenied():
            body = problem(403, "forbidden", str(error) or "you may not do this")
        case exceptions.ValidationError():
            body = problem(400, "invalid", "some values cannot be used", errors=_plain(error.detail))
        case exceptions.APIException():
            body = problem(error.status_code, str(error.get_codes()), str(error.detail))
            headers = _of_framework(error)
        case IntegrityError():  # two at once made, or removed, what each of them was allowed to
            _log.info("refused by a constraint: %s", error)
            body = problem(
                409, "conflict", "another record says the same, or one that this refers to is gone"
            )
        case DataError():
            body = problem(400, "invalid", "a value is larger than its column")
        case OperationalError():
            _log.warning("the records could not be reached: %s", error)
            body = problem(503, "records_busy", "the records are busy or cannot be reached; try again")
            headers["Retry-After"] = "2"
        case _:
            return None
    if request := context.get("request"):
        body["request_id"] = getattr(request._request, "id", "")
    return Response(body, status=body["status"], headers=headers, content_type=MEDIA_TYPE)


def _of_framework(error: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = header
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(round(wait))
    return headers


def _plain(detail: Any) -> Any:
    if isinstance(detail, dict):
        return {str(k): _plain(v) for k, v in detail.items()}
    if isinstance(detail, list):
        return [_plain(v) for v in detail]
    return str(detail)


def told(detail: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """What a serializer found wrong, flat: the field's name (with those within it, as in `doors.0`) and a
    sentence; no name where it is about the whole.

    >>> list(told({"name": ["is needed"], "doors": {0: ["is no door"]}}))
    [('name', 'is needed'), ('doors.0', 'is no door')]
    """
    if isinstance(detail, dict):
        for key, inner in detail.items():
            yield from told(inner, name if key == "non_field_errors" else f"{name}.{key}".lstrip("."))
    elif isinstance(detail, list):
        for number, inner in enumerate(detail):
            yield from told(inner, f"{name}.{number}".lstrip(".") if isinstance(inner, dict) else name)
    else:
        yield name, str(detail)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001
    """Django calls this when a form came without the token of its page."""
    return answer(403, "csrf", "the form is too old or came from another site; load the page again and retry")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """Django's handler404 for paths under /api/."""
    return answer(404, "not_found", f"there is nothing at {request.path}")


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500. The log has the rest, under the request id."""
    number = str(getattr(request, "id", ""))
    return answer(
        500, "internal", "an error of ours; the log has it under this request id", request_id=number
    )
