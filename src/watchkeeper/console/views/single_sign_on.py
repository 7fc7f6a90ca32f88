"""Signing in at a provider: out to it and back, by django-allauth. What goes wrong is told on the sign-in page."""

from __future__ import annotations

import functools
import logging
from typing import Any

import requests
from allauth.socialaccount.providers.openid_connect import views as openid
from allauth.socialaccount.providers.saml import views as security
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_GET, require_POST
from lxml.etree import LxmlError
from onelogin.saml2.errors import OneLogin_Saml2_Error

from watchkeeper.console.views.account import sign_in_page
from watchkeeper.domains.federation.models import IdentityProvider
from watchkeeper.model.errors import TooLarge, WatchkeeperError

MOST = 256 * 1024  # characters of a provider's answer
_log = logging.getLogger(__name__)


def _told(view: Any) -> Any:
    """With the sign-in page for an error, which says what to do."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, **given: str) -> HttpResponse:
        slug = given.get("provider_id") or given.get("organization_slug")
        one = IdentityProvider.objects.filter(slug=slug, enabled=True).first()
        if one is None:
            raise Http404
        try:
            answer: HttpResponse = view(request, **given)
            return answer
        except WatchkeeperError as error:
            return sign_in_page(request, status=error.status, error=error.detail)
        except (requests.RequestException, ValueError, KeyError, OneLogin_Saml2_Error, LxmlError) as error:
            # Whatever a provider answers that is none of the protocol's: its fault, or the configuration's.
            _log.warning("identity provider %s: %s: %s", one.slug, type(error).__name__, error)
            told = f"{one.name} cannot be reached, or is not set up right. The log says why."
            return sign_in_page(request, status=502, error=told)
        except PermissionDenied:
            told = f"The sign-in by {one.name} was begun elsewhere or too long ago. Begin again."
            return sign_in_page(request, status=403, error=told)

    return guarded


def _begun_here(view: Any) -> Any:
    """Another site could otherwise sign its visitors in without their asking."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, **given: str) -> HttpResponse:
        if request.headers.get("Sec-Fetch-Site") == "cross-site":
            return HttpResponseRedirect("/sign-in/")
        answer: HttpResponse = view(request, **given)
        return answer

    return guarded


@require_GET
@_begun_here
@_told
def oidc(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Out to the provider."""
    answer: HttpResponse = openid.login(request, provider_id)
    return answer


@require_GET
@_told
def oidc_back(request: HttpRequest, provider_id: str) -> HttpResponse:
    """And back, with a code."""
    answer: HttpResponse = openid.callback(request, provider_id)
    return answer


@require_GET
@_begun_here
@_told
def saml(request: HttpRequest, organization_slug: str) -> HttpResponse:
    """Out to the provider."""
    answer: HttpResponse = security.login(request, organization_slug=organization_slug)
    return answer


@require_POST
@_told
def saml_answer(request: HttpRequest, organization_slug: str) -> HttpResponse:
    """Its answer, kept for a moment: a POST from elsewhere comes without our cookie."""
    if sum(len(value) for value in request.POST.values()) > MOST:
        raise TooLarge("The provider's answer is larger than we take.")
    answer: HttpResponse = security.acs(request, organization_slug=organization_slug)
    return answer


@require_GET
@_told
def saml_back(request: HttpRequest, organization_slug: str) -> HttpResponse:
    """The answer, now with our cookie, checked."""
    answer: HttpResponse = security.finish_acs(request, organization_slug=organization_slug)
    return answer


@require_GET
@_told
def saml_metadata(request: HttpRequest, organization_slug: str) -> HttpResponse:
    """What we are, for the provider."""
    answer: HttpResponse = security.metadata(request, organization_slug=organization_slug)
    return answer
