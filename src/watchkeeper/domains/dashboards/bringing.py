"""The ready dashboards: each file in ready/ is one. A start brings them up to date; nobody changes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from django.apps import apps as current
from django.db import transaction

from watchkeeper.domains.dashboards import definition

FOLDER = Path(__file__).with_name("ready")
FOLDER_NAME = "Ready"


def files() -> dict[str, dict[str, Any]]:
    """Slug → name, description and definition of each file."""
    return {p.stem: yaml.safe_load(p.read_text(encoding="utf-8")) for p in sorted(FOLDER.glob("*.yaml"))}


def bring(apps: Any = current, **_: Any) -> None:
    """Django calls this after every migration (post_migrate), with the models as they are then."""
    try:
        dashboards = apps.get_model("dashboards", "Dashboard").objects
    except LookupError:
        return  # the tables were taken back
    with transaction.atomic():
        found = files()
        dashboards.exclude(ready="").exclude(ready__in=found).delete()
        for slug, told in found.items():
            _bring(dashboards, slug, told)


def _bring(dashboards: Any, slug: str, told: dict[str, Any]) -> None:
    becomes = {
        "name": told["name"], "description": told["description"], "folder": FOLDER_NAME,
        "definition": definition.plain(definition.read(told["definition"])),
    }  # fmt: skip
    own = dashboards.filter(ready=slug).first()
    if own is None and dashboards.filter(name=becomes["name"]).exists():
        becomes["name"] += " (ready)"  # somebody has one of this name
    if own is None:
        dashboards.create(ready=slug, **becomes)
    elif any(getattr(own, name) != value for name, value in becomes.items() if name != "name"):
        for name, value in becomes.items():
            setattr(own, name, value)
        own.save()
