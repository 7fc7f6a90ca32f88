"""Where the built assets are: Vite's manifest, read once a process."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

DIST = Path(__file__).parent / "static/dist"


class AssetsMissing(RuntimeError):
    """The assets were not built; `make run` builds them."""


@cache
def manifest() -> dict[str, dict[str, object]]:
    """Source file → what was built from it. Raises AssetsMissing."""
    try:
        found: dict[str, dict[str, object]] = json.loads((DIST / ".vite/manifest.json").read_text())
    except FileNotFoundError as error:
        raise AssetsMissing(
            "the console's assets are not built: run `make run`, or tools/build_assets.py"
        ) from error
    return found


def script(entry: str) -> str:
    """The built script of an entry, as a path under the static files."""
    return f"dist/{manifest()[entry]['file']}"


def styles(entry: str) -> list[str]:
    """The style sheets that go with an entry."""
    found = manifest()[entry].get("css", [])
    return [f"dist/{name}" for name in found] if isinstance(found, list) else []
