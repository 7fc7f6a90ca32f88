"""What a panel shows: numbers, log lines, alerts, situations, the health of services, or text, as plain data for the
page. What the reader may not see is not in it."""

from __future__ import annotations

from typing import Any

import msgspec

from watchkeeper.domains.annotations import as_html
from watchkeeper.domains.dashboards import filling
from watchkeeper.domains.dashboards.definition import MEASURED, Panel
from watchkeeper.domains.dashboards.filling import ALL, Chosen
from watchkeeper.domains.dashboards.measuring import measured
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.permissions import visible
from watchkeeper.model.verdicts import Severity
from watchkeeper.telemetry.queries import logs
from watchkeeper.telemetry.queries.log_language import narrowed
from watchkeeper.telemetry.queries.window import Window
from watchkeeper.telemetry.store import Store

ROWS = 50
_LEAST = {"info": "info", "warning": "warn", "error": "error", "critical": "fatal"}  # as the log calls them


def answer(
    store: Store, actor: Actor, panel: Panel, chosen: Chosen, window: Window, points: int
) -> dict[str, Any]:
    """{"kind", "title", …}: `numbers` of measured kinds, `html` of text, `rows` of the others. Raises QueryError and
    TelemetryError."""
    out: dict[str, Any] = {"kind": panel.kind, "title": filling.words(panel.title, chosen)}
    if panel.kind in MEASURED:
        out["numbers"] = msgspec.to_builtins(measured(store, panel, chosen, window, points))
    elif panel.kind == "text":
        out["html"] = as_html(filling.words(panel.text, chosen))
    elif panel.kind == "logs":
        out["rows"] = _logs(store, panel, chosen, window)
    else:
        out["rows"] = {"alerts": _alerts, "situations": _situations, "health": _health}[panel.kind](
            actor, panel, chosen
        )
    return out


def _logs(store: Store, panel: Panel, chosen: Chosen, window: Window) -> list[dict[str, Any]]:
    lines, _ = logs.search(
        store, _asked(panel, chosen), from_ms=window.from_ms, to_ms=window.to_ms, limit=ROWS
    )
    return [
        {"at": line.time.isoformat(), "severity": line.level, "source": line.source_name, "text": line.body}
        for line in lines
    ]


def _asked(panel: Panel, chosen: Chosen) -> str:
    """A panel's conditions as a query of the log."""
    words = filling.words(panel.words, chosen).strip()
    parts = [f"({words})"] if words else []
    for field in ("host", "service"):
        values = [v for v in _values(getattr(panel, field), chosen) if v]
        if values and ALL not in values:
            parts.append("(" + " OR ".join(narrowed("", field, v) for v in values) + ")")
    if panel.severity:
        parts.append(f"severity>={_LEAST[panel.severity]}")
    return " ".join(parts)


def _alerts(actor: Actor, panel: Panel, chosen: Chosen) -> list[dict[str, Any]]:
    found = visible(actor, "alerts").filter(status="firing").select_related("item")
    if panel.severity:
        found = found.filter(severity__gte=Severity(panel.severity))
    for name in filter(None, (panel.host, panel.service)):
        values = _values(name, chosen)
        if ALL not in values:
            found = found.filter(item__identifiers__value__in=values).distinct()
    if panel.words:
        found = found.filter(name__icontains=filling.words(panel.words, chosen))
    return [
        {"name": a.name, "url": f"/alerts/{a.pk}/", "severity": a.severity.value, "at": a.starts_at.isoformat(),
         "item": a.item.name if a.item else "", "text": a.summary}
        for a in found.order_by("-severity", "-last_seen_at")[:ROWS]
    ]  # fmt: skip


def _situations(actor: Actor, panel: Panel, chosen: Chosen) -> list[dict[str, Any]]:
    found = visible(actor, "situations").exclude(state="resolved")
    if panel.words:
        found = found.filter(title__icontains=filling.words(panel.words, chosen))
    return [
        {"name": s.title, "url": f"/situations/{s.pk}/", "severity": s.severity.value,
         "at": s.opened_at.isoformat(), "item": "", "text": s.state}
        for s in found.order_by("-severity", "-updated_at")[:ROWS]
    ]  # fmt: skip


def _health(actor: Actor, panel: Panel, chosen: Chosen) -> list[dict[str, Any]]:
    found = visible(actor, "service-health").select_related("item")
    if panel.service and ALL not in (values := _values(panel.service, chosen)):
        found = found.filter(item__name__in=values)
    return [
        {"name": h.item.name, "url": f"/items/{h.item_id}/#health", "severity": h.state, "value": h.score,
         "at": h.at.isoformat(), "item": "", "text": ""}
        for h in found.order_by("score", "item__name")[:ROWS]
    ]  # fmt: skip


def _values(text: str, chosen: Chosen) -> list[str]:
    """What a field that may be a variable says."""
    name = text.removeprefix("$").strip("{}")
    return list(chosen[name]) if text.startswith("$") and name in chosen else [text]
