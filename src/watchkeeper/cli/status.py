"""`watchkeeper status`: is it running, is anything wrong, does it keep up."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchkeeper.cli import running
from watchkeeper.cli.django_ready import begin

if TYPE_CHECKING:
    from watchkeeper.domains.heartbeats.kept import Kept


def status(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show whether the platform runs, what is open, how far each reader of the journal is, and what doors lost."""
    begin()
    found = look()
    if as_json:
        typer.echo(json.dumps(found))
    else:
        for label, value in found.items():
            if not isinstance(value, dict):
                typer.echo(f"{label.replace('_', ' ').capitalize():<20} {_said(label, value)}")
        for door, told in found["doors"].items():
            typer.echo(f"{'Door ' + door:<20} {told}")
    raise typer.Exit(0 if found["ready"] else 1)


def look() -> dict[str, Any]:
    """The numbers, each from where it is true: health over HTTP, the rest from records and journal."""
    from django.conf import settings

    from watchkeeper.domains.heartbeats import kept
    from watchkeeper.domains.situations.active import analysis_offset
    from watchkeeper.domains.situations.models import Alert, Situation
    from watchkeeper.journal import open_journal

    config = settings.CONFIG
    address = running.address(config.data) or config.public_url
    journal = open_journal(config.journal_url, config.data)
    try:
        end = journal.end()
        known = kept.read(config.data)
        return {
            "address": address,
            "ready": _ready(address),
            "situations_open": Situation.objects.exclude(state="resolved").count(),
            "alerts_firing": Alert.objects.filter(status="firing").count(),
            "journal_offset": end,
            "analysis_behind": end - analysis_offset(),
            "telemetry_behind": end - journal.committed("telemetry"),
            "journal_bytes": journal.size(),
            **_lags(known),
            **_heartbeats(),
            "doors": _doors(known),
            **({} if config.telemetry_url else {"telemetry_bytes": _size(config.data / "telemetry")}),
        }
    finally:
        journal.close()


def _said(label: str, value: Any) -> str:
    said = {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
    unit = {"behind": " entries", "bytes": " B", "lag": " s", "ago": " s"}.get(label.rpartition("_")[2], "")
    return f"{said}{unit}"


def _lags(known: Kept | None) -> dict[str, Any]:
    """Seconds, and how long ago they were true."""
    if known is None:
        return {}
    lags = {f"{reader}_lag": round(seconds, 1) for reader, seconds in known.behind.items()}
    return {**lags, "lag_seen_ago": max(0, round(time.time() - known.at))}


def _heartbeats() -> dict[str, int]:
    from watchkeeper.domains.heartbeats.models import Heartbeat

    on = Heartbeat.objects.filter(enabled=True)
    beating = on.filter(state=Heartbeat.State.BEATING).count()
    return {"heartbeats_beating": beating, "heartbeats_in_trouble": on.count() - beating}


def _doors(known: Kept | None) -> dict[str, str]:
    """Of those that took or lost something in the last hour: how late it came, and what was lost."""
    from watchkeeper.receivers import door_words

    told = {}
    for door, numbers in (known.doors if known else {}).items():
        if numbers["hour"]:
            late = "; ".join(door_words.arrives(numbers["ages"]))
            lost = ", ".join(door_words.lost(numbers["hour"])) or "nothing"
            told[door] = f"{f'arrives {late}; ' if late else ''}lost {lost} in the last hour"
    return told


def _size(folder: Path) -> int:
    """What the files under a folder take, while others are made and removed."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_size
        except FileNotFoundError:
            continue
    return total


def _ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=3) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
