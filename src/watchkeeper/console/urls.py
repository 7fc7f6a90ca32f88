"""Addresses of the console."""

from django.urls import path

from watchkeeper.console.views import (
    access,
    account,
    doors,
    editing,
    exchange,
    home,
    inventory,
    live,
    logs,
    map,
    metrics,
    records,
    search,
    situations,
)

app_name = "console"
urlpatterns = [
    path("", home.home, name="home"),
    path("sign-in/", account.sign_in, name="sign-in"),
    path("sign-in/<str:secret>/", account.first_link, name="first-run"),
    path("sign-out/", account.sign_out, name="sign-out"),
    path("password/", account.password, name="password"),
    path("live/", live.live, name="live"),
    path("search/", search.search, name="search"),
    path("map/", map.service_map, name="map"),
    path("map/data.json", map.map_data, name="map-data"),
    path("explore/metrics/", metrics.explore, name="metrics"),
    path("explore/metrics/data.json", metrics.data, name="metrics-data"),
    path("explore/logs/", logs.explore, name="logs"),
    path("access/", access.ask, name="access"),
    path("doors/", doors.doors, name="doors"),
    path("doors/dead-letters/", doors.dead_letters, name="dead-letters"),
    path("situations/", situations.listing, name="situations"),
    path("situations/<str:key>/", situations.situation, name="situation"),
    path("situations/<str:key>/graph.json", situations.graph, name="situation-graph"),
    path("inventory/", inventory.kinds, name="inventory"),
    path("items/<str:key>/impact/", inventory.impact, name="impact"),
    path("items/<str:key>/impact.json", inventory.impact_data, name="impact-data"),
    path("items/<str:key>/graph.json", map.item_data, name="item-graph"),
    path("<slug:path>/", records.table, name="table"),
    path("<slug:path>/export.<slug:written>", exchange.export, name="export"),
    path("<slug:path>/import/", exchange.import_, name="import"),
    path("<slug:path>/new/", records.new, name="new"),
    path("<slug:path>/<str:key>/", records.record, name="record"),
    path("<slug:path>/<str:key>/edit/", editing.edit, name="edit"),
    path("<slug:path>/<str:key>/remove/", records.remove, name="remove"),
    path("<slug:path>/<str:key>/do/<slug:name>/", records.act, name="act"),
]
