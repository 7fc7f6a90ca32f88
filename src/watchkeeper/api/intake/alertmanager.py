"""Alertmanager's API v2 for its readers (amtool, Karma, Grafana): alerts out, silences in and out, status.

Answers have the shape of Alertmanager 0.25; posting alerts is the receive process's. Errors are a JSON string,
as its clients expect.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from watchkeeper import __version__
from watchkeeper.analysis.stages.silence import parse_matchers
from watchkeeper.api.intake.alertmanager_auth import known
from watchkeeper.domains.situations.models import Alert, Silence
from watchkeeper.domains.situations.silencing import About, silence, state_of, unsilence
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.permissions import require, visible
from watchkeeper.kernel.resource import registry
from watchkeeper.model.errors import Malformed, WatchkeeperError
from watchkeeper.model.matching import Matcher

RECEIVER = {"name": "watchkeeper"}
_MOST = 20_000  # alerts in one answer
_MATCHER = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|!~|!=|=)(.*)", re.DOTALL)
_SIGNS = {"=": (False, True), "!=": (False, False), "=~": (True, True), "!~": (True, False)}
_ACTS = {"GET": "read", "POST": "create", "DELETE": "remove"}
_STARTED = timezone.now()
_SUPPRESSED = ~Q(suppressed_by="")
_SILENCED = ("silence:", "maintenance:")  # to its clients a maintenance window is one more silence
_HELD = Q(suppressed_by__startswith=_SILENCED[0]) | Q(suppressed_by__startswith=_SILENCED[1])


class Matchers(msgspec.Struct):
    """A silence as clients post it."""

    matchers: list[dict[str, Any]]
    endsAt: dt.datetime
    startsAt: dt.datetime | None = None
    createdBy: str = ""
    comment: str = ""
    id: str | None = None


def door(kind: str, **methods: tuple[Scope, Callable[..., Any]]) -> Callable[..., HttpResponse]:
    """A view that lets in who has the scope for the method and may do it to this kind of record, and answers
    errors as Alertmanager does."""

    @csrf_exempt
    def view(request: HttpRequest, **kwargs: str) -> HttpResponse:
        scope, function = methods.get(request.method or "", (Scope.READ, None))
        if function is None:
            return JsonResponse("method not allowed", safe=False, status=405)
        try:
            actor = known(request, scope)
            require(actor, _ACTS[request.method or "GET"], registry[kind] if kind else None)
            return JsonResponse(function(request, actor, **kwargs), safe=False)
        except WatchkeeperError as error:
            answer = JsonResponse(error.detail, safe=False, status=error.status)
            if error.status == 401:
                answer.headers["WWW-Authenticate"] = 'Basic realm="watchkeeper"'
            return answer

    return view


def alerts(request: HttpRequest, actor: Actor) -> list[dict[str, Any]]:
    """GET /api/v2/alerts: what fires, narrowed by `filter`, `active`, `silenced`, `inhibited`, `receiver`."""
    return [_alert(a) for a in _found(request, actor)]


def _found(request: HttpRequest, actor: Actor) -> Iterable[Alert]:
    given = request.GET
    found: QuerySet[Alert] = (
        visible(actor, "alerts", Alert.objects.all()).filter(status="firing").order_by("fingerprint")
    )
    if not _yes(given.get("active"), "active"):
        found = found.filter(_SUPPRESSED)
    if not _yes(given.get("silenced"), "silenced"):
        found = found.exclude(_HELD)
    if not _yes(given.get("inhibited"), "inhibited"):
        found = found.exclude(suppressed_by__startswith="alert:")
    if given.get("receiver") and not re.fullmatch(re.escape(given["receiver"]), RECEIVER["name"]):
        return []
    matchers = [matcher_of(text) for text in given.getlist("filter")]
    for m in matchers:
        if m.is_equal and not m.is_regex and m.value and m.name != "alertname":
            found = found.filter(labels__contains={m.name: m.value}) if _contains() else found
    chosen = (a for a in found.iterator(2000) if all(m.matches(_labels(a)) for m in matchers))
    return [a for _, a in zip(range(_MOST), chosen, strict=False)]


def _contains() -> bool:
    from django.db import connection

    return bool(connection.features.supports_json_field_contains)


def _yes(text: str | None, name: str) -> bool:
    if text is None or text in ("true", "1", "t", "True"):
        return True
    if text in ("false", "0", "f", "False"):
        return False
    raise Malformed(f"parameter {name} in query must be of type boolean: {text!r}")


def _labels(alert: Alert) -> dict[str, str]:
    labels: dict[str, str] = alert.labels
    return labels if "alertname" in labels else {**labels, "alertname": alert.name}


def _alert(a: Alert) -> dict[str, Any]:
    by = a.suppressed_by
    return {
        "annotations": a.annotations,
        "endsAt": _time(a.times_out_at or a.ends_at or timezone.now() + dt.timedelta(minutes=5)),
        "fingerprint": a.fingerprint,
        "receivers": [RECEIVER],
        "startsAt": _time(a.starts_at),
        "status": {
            "inhibitedBy": [by.removeprefix("alert:")] if by.startswith("alert:") else [],
            "silencedBy": [by.removeprefix("silence:")] if by.startswith(_SILENCED) else [],
            "state": "suppressed" if by else "active",
        },
        "updatedAt": _time(a.last_seen_at),
        "generatorURL": a.url,
        "labels": _labels(a),
    }


def groups(request: HttpRequest, actor: Actor) -> list[dict[str, Any]]:
    """GET /api/v2/alerts/groups: situations are the groups; alerts that are in none are one more."""
    by_situation: dict[str, list[Alert]] = {}
    for a in _found(request, actor):
        by_situation.setdefault(a.situation_id or "", []).append(a)
    return [
        {
            "labels": {"situation": key} if key else {},
            "receiver": RECEIVER,
            "alerts": [_alert(a) for a in members],
        }
        for key, members in sorted(by_situation.items())
    ]


def silences(request: HttpRequest, actor: Actor) -> list[dict[str, Any]]:
    """GET /api/v2/silences, narrowed by `filter`: silences that have such a matcher."""
    found = list(visible(actor, "silences").prefetch_related("items").order_by("-ends_at", "id")[:5000])
    for text in request.GET.getlist("filter"):
        m = matcher_of(text)
        found = [
            s
            for s in found
            if any(m.name == x["name"] and m.matches({m.name: x["value"]}) for x in _matchers(s))
        ]
    order = {"active": 0, "pending": 1, "expired": 2}
    return [_silence(s) for s in sorted(found, key=lambda s: order[state_of(s)])]


def _silence(s: Silence) -> dict[str, Any]:
    return {
        "id": s.id,
        "status": {"state": state_of(s)},
        "updatedAt": _time(s.updated_at),
        "comment": s.comment,
        "createdBy": s.created_by,
        "endsAt": _time(s.ends_at),
        "matchers": _matchers(s),
        "startsAt": _time(s.starts_at),
    }


def _matchers(s: Silence) -> list[dict[str, Any]]:
    """Its clients know silences by labels alone: the items are shown as one more, `item`."""
    if not s.of_items:
        return list(s.matchers)
    names = sorted(i.name for i in s.items.all())
    many = len(names) > 1
    value = "|".join(map(re.escape, names)) if many else "".join(names)
    return [{"name": "item", "value": value, "isRegex": many, "isEqual": True}, *s.matchers]


def add_silence(request: HttpRequest, actor: Actor) -> dict[str, str]:
    """POST /api/v2/silences: make one, or change the one whose id is given."""
    try:
        given = msgspec.json.decode(request.body, type=Matchers)
    except msgspec.DecodeError as error:
        raise Malformed(str(error)) from error
    if given.id:
        if _one(actor, given.id).of_items:
            raise Malformed("this silence is about items: end it and make another in Watchkeeper")
        require(actor, "remove", registry["silences"], _one(actor, given.id))
    now = timezone.now()
    starts = (
        max(_aware(given.startsAt), now) if given.startsAt and not given.id else _aware(given.startsAt or now)
    )
    parse_matchers(given.matchers)
    made = silence(actor, About(given.matchers), starts, _aware(given.endsAt), given.comment, given.id or "")
    return {"silenceID": made.pk}


def one_silence(request: HttpRequest, actor: Actor, key: str) -> dict[str, Any]:  # noqa: ARG001
    """GET /api/v2/silence/<id>."""
    return _silence(_one(actor, key))


def _one(actor: Actor, key: str) -> Silence:
    found: Silence | None = visible(actor, "silences").filter(pk=key).first()
    if found is None:
        raise _NotFound(f"silence {key} not found")
    return found


def end_silence(request: HttpRequest, actor: Actor, key: str) -> None:  # noqa: ARG001
    """DELETE /api/v2/silence/<id>."""
    require(actor, "remove", registry["silences"], Silence.objects.filter(pk=key).first())
    unsilence(actor, key)


def status(request: HttpRequest, actor: Actor) -> dict[str, Any]:  # noqa: ARG001
    """GET /api/v2/status."""
    return {
        "cluster": {"name": "", "peers": [], "status": "disabled"},
        "config": {"original": ""},
        "uptime": _time(_STARTED),
        "versionInfo": {
            "branch": "", "buildDate": "", "buildUser": "", "goVersion": "", "revision": "",
            "version": f"watchkeeper {__version__}",
        },
    }  # fmt: skip


def receivers(request: HttpRequest, actor: Actor) -> list[dict[str, str]]:  # noqa: ARG001
    """GET /api/v2/receivers."""
    return [RECEIVER]


class _NotFound(WatchkeeperError):
    status = 404
    reason = "not_found"


def matcher_of(text: str) -> Matcher:
    """A matcher as clients write it in `filter`. Raises Malformed.

    >>> matcher_of('job=~"db.*"').matches({"job": "db-1"})
    True
    """
    found = _MATCHER.fullmatch(text.strip().removeprefix("{").removesuffix("}"))
    if found is None:
        raise Malformed(f"bad matcher format: {text}")
    name, sign, value = found[1], found[2], found[3].strip()
    if len(value) >= 2 and value[0] == value[-1] == '"':
        try:
            value = json.loads(value)
        except ValueError:
            value = value[1:-1]
    regex, equal = _SIGNS[sign]
    made = Matcher(name, value, regex, equal)
    if regex:
        # A matcher that asks for something goes along, so that one which holds for everything is looked at too.
        parse_matchers(
            [{"name": name, "value": value, "isRegex": True, "isEqual": equal}, {"name": "x", "value": "x"}]
        )
    return made


def _aware(at: dt.datetime) -> dt.datetime:
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)


def _time(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


urlpatterns = [
    path("alerts", door("alerts", GET=(Scope.READ, alerts))),
    path("alerts/groups", door("alerts", GET=(Scope.READ, groups))),
    path("silences", door("silences", GET=(Scope.READ, silences), POST=(Scope.WRITE, add_silence))),
    path(
        "silence/<str:key>",
        door("silences", GET=(Scope.READ, one_silence), DELETE=(Scope.WRITE, end_silence)),
    ),
    path("status", door("", GET=(Scope.READ, status))),
    path("receivers", door("", GET=(Scope.READ, receivers))),
]
