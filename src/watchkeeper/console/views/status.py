"""Status pages: how services are, for everybody when the page is public, else for whoever has signed in."""

from __future__ import annotations

from typing import Any

from django.contrib.syndication.views import Feed
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.feedgenerator import Atom1Feed
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET

from watchkeeper.domains.majors import publishing
from watchkeeper.domains.majors.models import StatusPage, StatusUpdate
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.permissions import visible

_LATEST = 30


@require_GET
@cache_control(max_age=30)
def page(request: HttpRequest, slug: str) -> HttpResponse:
    """The page. One that is not public is there only for those who may read it."""
    shown = publishing.show(_page(request, slug), timezone.now())
    return render(request, "console/status_page.html", {"shown": shown, "title": shown.page.name})


class Updates(Feed):
    """What was told, as an Atom feed (RFC 4287) that anybody can subscribe to."""

    feed_type = Atom1Feed

    def get_object(self, request: HttpRequest, slug: str) -> StatusPage:  # type: ignore[override]
        """The page."""
        return _page(request, slug)

    def title(self, page: StatusPage) -> str:
        """Of the feed."""
        return f"{page.name}: status"

    def link(self, page: StatusPage) -> str:
        """Of the page."""
        return f"/status/{page.slug}/"

    def items(self, page: StatusPage) -> Any:
        """The latest first."""
        found = StatusUpdate.objects.filter(public=True, major__components__page=page).select_related("major")
        return found.distinct()[:_LATEST]

    def item_title(self, item: StatusUpdate) -> str:  # type: ignore[override]
        """The incident, and how it stood."""
        return f"{item.major.title}: {item.get_state_display()}"

    def item_description(self, item: StatusUpdate) -> str:  # type: ignore[override]
        """What was told."""
        return str(item.text)

    def item_link(self, item: StatusUpdate) -> str:  # type: ignore[override]
        """Where it stands on the page."""
        slug = item.major.components.values_list("page__slug", flat=True).first()
        return f"/status/{slug}/#update-{item.pk}"

    def item_updateddate(self, item: StatusUpdate) -> Any:
        """When it was told."""
        return item.at


def _page(request: HttpRequest, slug: str) -> StatusPage:
    found = StatusPage.objects.filter(slug=slug).first()
    if found is None or not (found.public or _reads(request, found)):
        raise Http404
    return found


def _reads(request: HttpRequest, page: StatusPage) -> bool:
    if not request.user.is_authenticated:
        return False
    return visible(actor_of(request), "status-pages").filter(pk=page.pk).exists()
