"""Addresses of the portal, under /portal/."""

from django.urls import path

from watchkeeper.console.views import portal, portal_help

urlpatterns = [
    path("", portal.tickets, name="portal"),
    path("new/", portal.new, name="portal-new"),
    path("suggested/", portal.suggested, name="portal-suggested"),
    path("catalog/", portal_help.catalog, name="portal-catalog"),
    path("catalog/<int:key>/", portal_help.order, name="portal-order"),
    path("articles/", portal_help.articles, name="portal-articles"),
    path("articles/<str:number>/", portal.article, name="portal-article"),
    path("rate/<str:link>/", portal.rate_by_link, name="portal-rate-link"),
    path("tickets/<str:number>/", portal.ticket, name="portal-ticket"),
    path("tickets/<str:number>/reply/", portal.reply, name="portal-reply"),
    path("tickets/<str:number>/close/", portal.close, name="portal-close"),
    path("tickets/<str:number>/reopen/", portal.reopen, name="portal-reopen"),
    path("tickets/<str:number>/rate/", portal.rate, name="portal-rate"),
    path("tickets/<str:number>/files/<int:key>/", portal.file, name="portal-file"),
]
