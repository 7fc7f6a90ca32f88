"""`watchkeeper status`: is it running, is anything wrong, does it keep up."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Annotated, Any

import typer

from watchkeeper.cli.django_ready import begin


def status(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show whether the platform runs, what is open, and how far each reader of the journal is."""
    begin()
    found = look()
    if as_json:
        typer.echo(json.dumps(found))
    else:
        for label, value in found.items():
            said = {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
            unit = {"behind": " entries", "bytes": " B"}.get(label.rpartition("_")[2], "")
            typer.echo(f"{label.replace('_', ' ').capitalize():<20} {said}{unit}")
    raise typer.Exit(0 if found["ready"] else 1)


def look() -> dict[str, Any]:
    """The numbers, each from where it is true: health over HTTP, the rest from records and journal."""
    from django.conf import settings

    from watchkeeper.domains.situations.active import analysis_offset
    from watchkeeper.domains.situations.models import Alert, Situation
    from watchkeeper.journal import open_journal

    config = settings.CONFIG
    journal = open_journal(config.journal_url, config.data)
    try:
        end = journal.end()
        return {
            "address": config.public_url,
            "ready": _ready(config.public_url),
            "situations_open": Situation.objects.exclude(state="resolved").count(),
            "alerts_firing": Alert.objects.filter(status="firing").count(),
            "journal_offset": end,
            "analysis_behind": end - analysis_offset(),
            "telemetry_behind": end - journal.committed("telemetry"),
            "journal_bytes": journal.size(),
        }
    finally:
        journal.close()


def _ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=3) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
