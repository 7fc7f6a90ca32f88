"""/api/dead-letters/: what could not be parsed, read from telemetry, and given to its door once more."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from watchkeeper.api.replaying import replay
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Scope, actor_of
from watchkeeper.kernel.fields import milliseconds, moment
from watchkeeper.kernel.lists import Pages
from watchkeeper.kernel.ports import ports
from watchkeeper.kernel.problems import BadQuery, NotThere

_FILTERS = ("door", "reason", "sender")
_TIMES = {"time__gte": ">=", "time__lt": "<"}
_COLUMNS = "position, toUnixTimestamp64Milli(time) AS time_ms, door, sender, reason, detail"


class DeadLetterSerializer(serializers.Serializer[Any]):
    """One letter; the payload in base64 and, as far as it is text, as text."""

    id = serializers.CharField()
    time = serializers.DateTimeField()
    door = serializers.CharField()
    sender = serializers.CharField()
    reason = serializers.CharField()
    detail = serializers.CharField()
    payload = serializers.CharField(required=False, help_text="base64; on a single letter only")
    text = serializers.CharField(required=False, help_text="the payload as text; on a single letter only")


def _where(given: dict[str, str]) -> tuple[str, dict[str, object]]:
    """The condition and its parameters. Raises BadQuery."""
    parts, values = ["1"], dict[str, object]()
    for name, value in given.items():
        if name in _FILTERS:
            parts.append(f"{name} = {{{name}:String}}")
            values[name] = value
        elif name in _TIMES:
            try:
                at = dt.datetime.fromisoformat(value)
            except ValueError as error:
                raise BadQuery(f"{name}={value!r} is not a time", name) from error
            parts.append(f"time {_TIMES[name]} fromUnixTimestamp64Milli({{{name}:Int64}})")
            values[name] = int(at.timestamp() * 1000)
        elif name not in ("limit", "offset"):
            known = ", ".join((*_FILTERS, *_TIMES))
            raise BadQuery(f"{name!r} is not a filter here; there are: {known}", name)
    return " AND ".join(parts), values


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    out = {
        "id": str(row["position"]),
        "time": moment(max(1, row["time_ms"])),
        **{k: row[k] for k in ("door", "sender", "reason", "detail")},
    }
    if "payload64" in row:
        payload = base64.b64decode(row["payload64"])
        out |= {"payload": row["payload64"], "text": payload.decode("utf-8", "replace")}
    return out


class DeadLetters(viewsets.GenericViewSet[Any]):
    """What could not be parsed: from whom, at which door, and why."""

    serializer_class = DeadLetterSerializer
    lookup_value_regex = "[0-9]{1,20}"
    lookup_url_kwarg = "id"

    def needs(self, request: Request) -> Scope:  # noqa: ARG002
        """Payloads may hold anything, so reading needs more than reading does elsewhere."""
        return Scope.WRITE

    @extend_schema(parameters=[OpenApiParameter(n, str) for n in (*_FILTERS, *_TIMES)])
    def list(self, request: Request) -> Response:
        """The newest first."""
        pages = Pages()
        limit, offset = pages.get_limit(request), pages.get_offset(request)
        where, values = _where(request.query_params.dict())
        store = ports.the_telemetry()
        total = store.rows(f"SELECT count() AS n FROM dead_letters WHERE {where}", values)
        rows = store.rows(
            f"SELECT {_COLUMNS} FROM dead_letters WHERE {where} ORDER BY time DESC, position DESC "
            "LIMIT {size:UInt32} OFFSET {skip:UInt64}",
            {**values, "size": limit, "skip": offset},
        )
        pages.request, pages.count = request, total[0]["n"]
        pages.limit, pages.offset = limit, offset
        return pages.get_paginated_response(DeadLetterSerializer([_shown(r) for r in rows], many=True).data)

    def retrieve(self, request: Request, id: str) -> Response:  # noqa: ARG002
        """One letter with its payload."""
        return Response(DeadLetterSerializer(_shown(_letter(id))).data)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, id: str) -> Response:
        """Give the payload to its door once more, as if it had just come; what the door says."""
        letter = _letter(id)
        answer = replay(letter["door"], base64.b64decode(letter["payload64"]), milliseconds(timezone.now()))
        audit.record(
            actor_of(request), "dead-letter.replay", after={"letter": id, "door": letter["door"], **answer}
        )
        return Response(answer)


def _letter(position: str) -> dict[str, Any]:
    found = ports.the_telemetry().rows(
        f"SELECT {_COLUMNS}, base64Encode(payload) AS payload64 FROM dead_letters WHERE position = {{id:UInt64}}",
        {"id": int(position)},
    )
    if not found:
        raise NotThere(f"there is no dead letter {position}, or it has been forgotten")
    row: dict[str, Any] = found[0]
    return row
