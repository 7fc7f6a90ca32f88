"""Cells of forecasts in tables: a link to the item that one is about, or to all whose date it is; and how full it is."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString

from watchkeeper.domains.capacity import dates
from watchkeeper.domains.capacity.models import Forecast


def of_what(forecast: Forecast) -> SafeString:
    """A link; a dash where the inventory does not know it."""
    if (item := forecast.item) is not None:
        return format_html('<a href="/{}/{}/">{}</a>', item.declared or "items", item.pk, item.name)
    if forecast.about:
        return format_html('<a href="{}">{}</a>', dates.address(forecast.about), forecast.of_how_many)
    return SafeString("–")


def now_of(forecast: Forecast) -> SafeString:
    """The value of now, on one line."""
    return format_html('<span class="text-nowrap">{}</span>', forecast.now_in_words or "–")
