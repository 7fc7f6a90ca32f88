"""/scim/v2/: users and groups that an identity provider provisions, by SCIM 2.0 (RFC 7644), for tokens with the
scope scim. The protocol is scim2-server's; it is loaded with the first request."""

from __future__ import annotations

import json
import logging
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import AuthenticationFailed

from watchkeeper.domains.identity.authentication import TokenAuthentication
from watchkeeper.domains.identity.models import ScopeWord
from watchkeeper.kernel.acting import actor_of
from watchkeeper.model.errors import WatchkeeperError

_ROOT = "/scim/v2"
_log = logging.getLogger(__name__)


@csrf_exempt
def serve(request: HttpRequest, path: str) -> HttpResponse:
    """Any request below /scim/v2/. No session counts here, so that no other site can use one."""
    from scim2_models import ForbiddenException, SCIMException, UnauthorizedException
    from scim2_server.handler import ScimHandler
    from scim2_server.requests import ScimRequest

    from watchkeeper.domains.federation.scim_storage import Storage

    service = _service()
    asked = ScimRequest(
        method=str(request.method),
        base_url=request.build_absolute_uri(_ROOT),
        path=f"/{path}".removesuffix("/") or "/",
        query=request.GET.dict(),
        headers=dict(request.headers.items()),
        body=request.body,
    )
    try:
        found = TokenAuthentication().authenticate(request)  # type: ignore[arg-type]
        if found is None:
            raise UnauthorizedException
        holder, token = found
        if token.scope_word != ScopeWord.SCIM:
            raise ForbiddenException(detail="This token has another scope than scim")
        request.user = holder  # type: ignore[assignment]
        answer = ScimHandler(service, Storage(actor_of(request))).handle(asked)
    except AuthenticationFailed as error:
        answer = service.error_response(UnauthorizedException(detail=str(error.detail)))
    except SCIMException as error:
        answer = service.error_response(error)
    except WatchkeeperError as error:
        refused = SCIMException(detail=error.detail)
        refused.status = error.status
        answer = service.error_response(refused)
    answer.headers.setdefault("Location", asked.url)
    body = b"" if answer.body is None else json.dumps(answer.body).encode()
    return HttpResponse(body, status=answer.status, headers=answer.headers)


@lru_cache(maxsize=1)
def _service() -> Any:
    from scim2_server.service import ScimService

    from watchkeeper.domains.federation.scim_schema import provider

    return ScimService(provider())
