"""Addresses of the API."""

from __future__ import annotations

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from watchkeeper.api import (  # noqa: F401  (schema extends OpenAPI)
    access,
    bookmarks,
    dead_letters,
    files,
    graph,
    inbox,
    metrics,
    nowhere,
    ready,
    schema,
    scim,
    search,
    trying,
)
from watchkeeper.api.annotations import Annotations
from watchkeeper.api.intake import alertmanager
from watchkeeper.api.records.bulk import Router
from watchkeeper.api.records.views import view_of
from watchkeeper.kernel.resource import registry

router = Router()
for resource in registry:
    router.register(resource.path, view_of(resource), basename=resource.path)
router.register("graph", graph.Graph, basename="graph")
router.register("inbox", inbox.Inbox, basename="inbox")
router.register("subscriptions", inbox.Subscriptions, basename="subscriptions")
router.register("dead-letters", dead_letters.DeadLetters, basename="dead-letters")

urlpatterns = [
    path("api/v2/", include(alertmanager.urlpatterns)),
    path("scim/v2/<path:path>", scim.serve, name="scim"),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/access/explain", access.Explain.as_view(), name="access-explain"),
    path("api/access/effect", access.DraftEffect.as_view(), name="access-effect"),
    path("api/access/who", access.Who.as_view(), name="access-who"),
    path("api/event-rules/try/", trying.Try.as_view(), name="event-rules-try"),
    path("api/search/", search.Search.as_view(), name="search"),
    path("api/annotations/<slug:kind>/<str:key>/", Annotations.as_view(), name="annotations"),
    path("api/bookmarks/", bookmarks.Bookmarks.as_view(), name="bookmarks"),
    path("api/bookmarks/<slug:kind>/<str:key>/", bookmarks.Bookmarking.as_view(), name="bookmarking"),
    path("api/files/upload/", files.FileUpload.as_view(), name="file-upload"),
    path("api/files/<int:key>/content/", files.FileContent.as_view(), name="file-content"),
    path("api/", include(router.urls)),
    path("api/", nowhere.root),
    path("api/<path:rest>", nowhere.nothing),
    path("metrics", metrics.metrics, name="metrics"),
    path("-/web/ready", ready.ready),
    path("healthz", ready.ready),  # the front answers this to others and asks us
]
