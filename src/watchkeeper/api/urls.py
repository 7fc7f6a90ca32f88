"""Addresses of the API."""

from __future__ import annotations

from typing import Any

from django.urls import URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularAPIView

from watchkeeper.api import (  # noqa: F401  (schema extends OpenAPI)
    access,
    applying,
    bookmarks,
    dead_letters,
    files,
    graph,
    inbox,
    knowledge,
    logs,
    metrics,
    nowhere,
    portal,
    ready,
    reliability,
    rule_groups,
    schema,
    scim,
    search,
    service_levels,
    storage,
    time_sums,
    trying,
    trying_grouping,
)
from watchkeeper.api.annotations import Annotations
from watchkeeper.api.calendar_feeds import feed
from watchkeeper.api.intake import alertmanager
from watchkeeper.api.prometheus import rules as prometheus_rules
from watchkeeper.api.prometheus import views as prometheus
from watchkeeper.api.records.bulk import Router
from watchkeeper.api.records.views import view_of
from watchkeeper.kernel.resource import registry

views = {
    **{resource.path: view_of(resource) for resource in registry},
    "graph": graph.Graph,
    "inbox": inbox.Inbox,
    "subscriptions": inbox.Subscriptions,
    "dead-letters": dead_letters.DeadLetters,
    "logs": logs.Logs,
}


def _routed(name: str, view: Any) -> URLResolver:
    """A view's addresses behind a beginning of their own: a call is compared with each beginning, and not with each
    address of every view."""
    router = Router()
    router.register("", view, basename=name)
    return path(f"api/{name}/", include(router.urls))


urlpatterns = [
    path("api/v1/", include([*prometheus.urlpatterns, *prometheus_rules.urlpatterns])),
    path("api/v2/", include(alertmanager.urlpatterns)),
    path("scim/v2/<path:path>", scim.serve, name="scim"),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/access/explain", access.Explain.as_view(), name="access-explain"),
    path("api/access/effect", access.DraftEffect.as_view(), name="access-effect"),
    path("api/access/who", access.Who.as_view(), name="access-who"),
    path("api/apply/", applying.Apply.as_view(), name="apply"),
    path("api/event-rules/try/", trying.Try.as_view(), name="event-rules-try"),
    path("api/grouping-rules/try/", trying_grouping.TryGrouping.as_view(), name="grouping-rules-try"),
    path("api/rule-groups/import/", rule_groups.Import.as_view(), name="rule-groups-import"),
    path(
        "api/service-level-objectives/import-openslo/",
        service_levels.ImportOpenSlo.as_view(),
        name="openslo-import",
    ),
    path(
        "api/service-level-objectives/<int:key>/openslo/", service_levels.AsOpenSlo.as_view(), name="openslo"
    ),
    path("api/tickets/<int:key>/clocks/", service_levels.TicketClocks.as_view(), name="ticket-clocks"),
    path("api/queues/<int:key>/forecast/", service_levels.QueueForecast.as_view(), name="queue-forecast"),
    path("api/telemetry/storage/", storage.Storage.as_view(), name="storage"),
    path("api/reliability/", reliability.ReliabilityView.as_view(), name="reliability"),
    path("api/time-sums/", time_sums.TimeSums.as_view(), name="time-sums"),
    path("api/search/", search.Search.as_view(), name="search"),
    path("api/articles/suggested/", knowledge.ArticlesFor.as_view(), name="articles-suggested"),
    path("api/tickets/<str:key>/suggested/", knowledge.HelpFor.as_view(), name="ticket-suggested"),
    re_path(
        r"^api/(?P<kind>tickets|problems|situations)/(?P<key>[^/]+)/happened/$",
        knowledge.Happened.as_view(),
        name="happened",
    ),
    path(
        "api/post-incident-reports/<str:key>/file.<slug:form>",
        knowledge.ReportFile.as_view(),
        name="report-file",
    ),
    path("api/annotations/<slug:kind>/<str:key>/", Annotations.as_view(), name="annotations"),
    path("api/bookmarks/", bookmarks.Bookmarks.as_view(), name="bookmarks"),
    path("api/bookmarks/<slug:kind>/<str:key>/", bookmarks.Bookmarking.as_view(), name="bookmarking"),
    path("api/files/upload/", files.FileUpload.as_view(), name="file-upload"),
    path("api/files/<int:key>/content/", files.FileContent.as_view(), name="file-content"),
    path("api/portal/catalog/", portal.OwnCatalog.as_view(), name="portal-catalog"),
    path("api/portal/orders/", portal.OwnOrders.as_view(), name="portal-orders"),
    path("api/portal/tickets/", portal.OwnTickets.as_view(), name="portal-tickets"),
    path("api/portal/tickets/<str:number>/", portal.OwnTicket.as_view(), name="portal-ticket"),
    path("api/portal/tickets/<str:number>/messages/", portal.OwnMessages.as_view(), name="portal-messages"),
    path("api/portal/tickets/<str:number>/files/", portal.OwnFiles.as_view(), name="portal-files"),
    path("api/portal/tickets/<str:number>/files/<int:key>/", portal.OwnFile.as_view(), name="portal-file"),
    path("api/portal/tickets/<str:number>/close/", portal.Closing.as_view(), name="portal-close"),
    path("api/portal/tickets/<str:number>/reopen/", portal.Reopening.as_view(), name="portal-reopen"),
    path("api/portal/tickets/<str:number>/rate/", portal.Rating.as_view(), name="portal-rate"),
    *(_routed(name, view) for name, view in views.items()),
    path("api/", nowhere.root),
    path("api/<path:rest>", nowhere.nothing),
    path("calendar/<str:secret>.ics", feed, name="calendar-feed"),
    path("metrics", metrics.metrics, name="metrics"),
    path("-/web/ready", ready.ready),
    path("healthz", ready.ready),  # the front answers this to others and asks us
]
