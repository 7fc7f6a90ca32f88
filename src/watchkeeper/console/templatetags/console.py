"""What templates say often: assets, severities, times, icons, numbers with their unit."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from watchkeeper.console import bundle
from watchkeeper.console.icons import ICONS
from watchkeeper.console.sections import Section, sections_of
from watchkeeper.domains.audit.deeds import deed

register = template.Library()
register.filter("deed", deed)
COLOURS = {"critical": "red", "error": "orange", "warning": "yellow", "info": "azure",
           "open": "red", "acknowledged": "blue", "resolved": "green", "firing": "red", "done": "green",
           "normal": "green", "low": "azure", "medium": "yellow", "high": "orange",
           "failed": "red", "running": "blue", "upcoming": "azure", "held_back": "yellow", "loop": "yellow",
           "missing": "red", "pending": "yellow", "ok": "green", "failing": "red",
           "kept": "green", "at_risk": "orange", "broken": "red",
           "full": "red", "lapsed": "red", "soon": "orange", "coming": "azure", "calm": "green",
           "beating": "green", "held": "yellow", "unanswered": "red", "waiting": "azure"}  # fmt: skip


@register.simple_tag
def styles() -> SafeString:
    """Links to the style sheets."""
    links = ((static(path),) for path in bundle.styles("src/main.ts"))
    return format_html_join("", '<link rel="stylesheet" href="{}">', links)


@register.simple_tag
def script(entry: str) -> str:
    """The address of a built script."""
    return static(bundle.script(entry))


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """A line icon; decoration for the eye unless it has a label."""
    role = format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"')
    return format_html(
        '<svg class="icon" width="24" height="24" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
        'stroke-width="2" stroke-linecap="round" stroke-linejoin="round" {}>{}</svg>',
        role, SafeString("".join(f'<path d="{d}"/>' for d in ICONS[name])),
    )  # fmt: skip


@register.filter
def badge(word: Any, said: str = "") -> SafeString:
    """A severity, state or status as a coloured word; `said` is how people say it, where that is another word."""
    text = str(getattr(word, "value", word))
    colour = COLOURS.get(text, "secondary")
    return format_html('<span class="badge bg-{}-lt">{}</span>', colour, (said or text).replace("_", " "))


@register.filter
def share(value: float) -> str:
    """A share in percent: "30 %"."""
    return f"{value * 100:.0f} %"


@register.filter
def item(row: dict[str, Any] | None, name: str) -> Any:
    """What a row has by this name; "" where there is no row."""
    return (row or {}).get(name, "")


@register.filter
def chips(labels: Any) -> SafeString:
    """Labels as small words "name=value", long ones broken; a list or the like as its values."""
    pairs = labels.items() if isinstance(labels, dict) else ((v, "") for v in labels or ())
    shown = ((k, "=" if v != "" else "", v) for k, v in pairs)
    return format_html_join(
        " ", '<span class="wk-chip"><span class="text-secondary">{}{}</span>{}</span>', shown
    )


@register.filter
def ago(at: dt.datetime | None) -> SafeString:
    """A time as how long ago; the browser keeps it current and shows the exact time on hovering."""
    if at is None:
        return SafeString('<span class="text-secondary">–</span>')
    return format_html('<time datetime="{}" data-ago>{}</time>', at.isoformat(), _here(at))


@register.filter
def exact(at: dt.datetime | None) -> SafeString:
    """A time to the second in the reader's zone."""
    if at is None:
        return SafeString('<span class="text-secondary">–</span>')
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), _here(at))


@register.filter
def stamp(at: dt.datetime) -> SafeString:
    """A time to the millisecond, for lines under each other; the browser leaves the day out where it is today."""
    return format_html(
        '<time datetime="{}" data-stamp>{}</time>', at.isoformat(), f"{localtime(at):%m-%d %H:%M:%S}"
    )


def _here(at: dt.datetime) -> str:
    """In the reader's zone, with its name."""
    return f"{localtime(at):%Y-%m-%d %H:%M:%S %Z}"


@register.filter
def clock(at: dt.datetime) -> SafeString:
    """The time of day to the second, the day on hovering."""
    return format_html(
        '<time datetime="{}" data-clock>{}</time>', at.isoformat(), f"{localtime(at):%H:%M:%S}"
    )


@register.filter
def lasting(span: dt.timedelta | float | None) -> str:
    """A duration (a timedelta, or seconds) in its two largest units: "3 h 12 min"."""
    if span is None:
        return "–"
    seconds = int(span.total_seconds() if isinstance(span, dt.timedelta) else span)
    parts = (
        (seconds // 86400, "d"),
        (seconds // 3600 % 24, "h"),
        (seconds // 60 % 60, "min"),
        (seconds % 60, "s"),
    )
    shown = [f"{n} {unit}" for n, unit in parts if n][:2]
    return " ".join(shown) or "0 s"


@register.filter
def minutes(number: int) -> str:
    """Minutes as people say them.

    >>> minutes(5), minutes(125), minutes(3000)
    ('5 min', '2 h 5 min', '50 h')
    """
    hours, left = divmod(int(number), 60)
    parts = [f"{hours} h"] if hours else []
    return " ".join([*parts, f"{left} min"] if left or not hours else parts)


@register.filter
def many(number: Any) -> str:
    """A count with thin spaces between thousands."""
    return f"{int(number or 0):,}".replace(",", "\u202f")


@register.filter
def percent(share: float) -> str:
    """A share from 0 to 1 in whole per cent; a small one that is not none shows as such.

    >>> percent(0.623), percent(0.001)
    ('62 %', '< 1 %')
    """
    return f"{share * 100:.0f} %" if share >= 0.01 else "< 1 %"


@register.filter
def size(number: Any) -> str:
    """Bytes in the largest fitting unit."""
    value = float(number or 0)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(value) < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"


@register.simple_tag(takes_context=True)
def with_query(context: template.Context, **changes: Any) -> str:
    """This page's query string with some parameters changed; None takes one away."""
    query = context["request"].GET.copy()
    for name, value in changes.items():
        if value is None:
            query.pop(name, None)
        else:
            query[name] = value
    return f"?{query.urlencode()}"


@register.filter
def words(path: str) -> str:
    """A path such as "intake-keys" as people write it."""
    return path.replace("-", " ").replace("_", " ").capitalize()


@register.filter
def kind(value: Any) -> str:
    """What sort of value this is, for drawing it: list, bool, time or text."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, list | tuple):
        return "list"
    return "time" if isinstance(value, str) and _moment(value) else "text"


@register.filter
def as_time(value: str) -> dt.datetime | None:
    """An RFC 3339 text as a time."""
    return _moment(value)


def _moment(value: str) -> dt.datetime | None:
    if len(value) < 20 or value[4:5] != "-" or value[10:11] != "T":
        return None
    try:
        return dt.datetime.fromisoformat(value)
    except ValueError:
        return None


@register.filter
def unit(code: str) -> str:
    """A unit as OpenTelemetry writes it, in words."""
    words = {"By": "bytes", "s": "seconds", "ms": "milliseconds", "%": "percent"}
    return words.get(code) or code.replace("{", "").replace("}", "")


@register.filter
def get(mapping: Any, key: str) -> Any:
    """An entry whose name no template could write."""
    return mapping.get(key) if mapping else None


@register.filter
def query(encoded: str) -> str:
    """An encoded query string with its question mark, or nothing."""
    return f"?{encoded}" if encoded else ""


@register.filter
def level(number: int) -> SafeString:
    """An OpenTelemetry severity number as a coloured word."""
    for least, word, colour in ((21, "fatal", "red"), (17, "error", "orange"), (13, "warning", "yellow"),
                                (9, "info", "azure"), (5, "debug", "secondary"), (1, "trace", "secondary")):  # fmt: skip
        if number >= least:
            return format_html('<span class="badge bg-{}-lt">{}</span>', colour, word)
    return SafeString("–")


@register.filter
def wrong(fields: Any) -> list[Any]:
    """The inputs of a form that something is wrong with."""
    return [f for f in fields if f.error]


@register.filter
def sections(fields: Any, path: str) -> list[Section]:
    """The inputs of a form by the sections of its kind."""
    return sections_of(path, fields)


@register.filter
def breakable(name: str) -> SafeString:
    """A long name that may be broken behind its dots and underscores."""
    return format_html_join(SafeString("<wbr>"), "{}", ((part,) for part in re.split(r"(?<=[._/:])", name)))


@register.filter
def needed(fields: Any) -> bool:
    """Whether any input of a form has to be filled."""
    return any(f.required for f in fields)


@register.filter
def among(actions: Any, names: str) -> list[Any]:
    """Of what is offered, those of these names, with commas between them."""
    return [pair for pair in actions if pair[0].name in names.split(",")]


@register.filter
def besides(actions: Any, names: str) -> list[Any]:
    """Of what is offered, all but those of these names."""
    return [pair for pair in actions if pair[0].name not in names.split(",")]
