"""Addresses of the API."""

from __future__ import annotations

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from watchkeeper.api import access, annotations, dead_letters, files, graph, metrics, nowhere, ready, schema  # noqa: F401  (schema extends OpenAPI)
from watchkeeper.api.intake import alertmanager
from watchkeeper.api.records.bulk import Router
from watchkeeper.api.records.views import view_of
from watchkeeper.kernel.resource import registry

router = Router()
for resource in registry:
    router.register(resource.path, view_of(resource), basename=resource.path)
router.register("graph", graph.Graph, basename="graph")
router.register("dead-letters", dead_letters.DeadLetters, basename="dead-letters")

urlpatterns = [
    path("api/v2/", include(alertmanager.urlpatterns)),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/access/explain", access.Explain.as_view(), name="access-explain"),
    path("api/access/who", access.Who.as_view(), name="access-who"),
    path("api/annotations/<slug:kind>/<str:key>/", annotations.Annotations.as_view(), name="annotations"),
    path("api/files/upload/", files.FileUpload.as_view(), name="file-upload"),
    path("api/files/<int:key>/content/", files.FileContent.as_view(), name="file-content"),
    path("api/", include(router.urls)),
    path("api/", nowhere.root),
    path("api/<path:rest>", nowhere.nothing),
    path("metrics", metrics.metrics, name="metrics"),
    path("-/web/ready", ready.ready),
    path("healthz", ready.ready),  # the front answers this to others and asks us
]
