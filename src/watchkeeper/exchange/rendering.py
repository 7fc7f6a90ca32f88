"""Text from rows by a Jinja template, written in a process of its own that is bounded in time, memory and output; so
neither a mistake nor malice in a template holds the platform up or reads more than its rows."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watchkeeper.model.errors import WatchkeeperError

SECONDS = 20.0  # in all, where the machine is busy
CPU_SECONDS = 5
_PROGRAM = Path(__file__).with_name("rendering_process.py")
_ESCAPED = ("text/html", "application/xml", "text/xml", "application/xhtml+xml", "image/svg+xml")


class BadTemplate(WatchkeeperError):
    """A template that cannot be used; the detail names the line."""

    status = 400
    reason = "bad_template"


@dataclass(frozen=True, slots=True)
class Template:
    """Text in Jinja, and what it writes: HTML and XML have what is special in them escaped."""

    text: str
    media_type: str = "text/plain"

    @property
    def escapes(self) -> bool:
        """Whether values are escaped."""
        return self.media_type.partition(";")[0].strip().lower() in _ESCAPED


def check(template: Template) -> None:
    """Raises BadTemplate when it is not Jinja."""
    from jinja2 import TemplateSyntaxError  # which only those need who have templates
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    try:
        ImmutableSandboxedEnvironment().parse(template.text)
    except TemplateSyntaxError as error:
        raise BadTemplate(f"line {error.lineno}: {error.message}") from error
    except RecursionError as error:
        raise BadTemplate("line 1: it is nested too deeply") from error


def render(template: Template, rows: Iterable[dict[str, Any]], **more: Any) -> bytes:
    """The text, in UTF-8. The template knows `records`, the rows, and `more`, plain values. Raises BadTemplate."""
    told = {
        "text": template.text,
        "escapes": template.escapes,
        "seconds": CPU_SECONDS,
        "known": {**more, "records": list(rows)},
    }
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(_PROGRAM)], input=json.dumps(told).encode(), capture_output=True,
            timeout=SECONDS, env={}, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise BadTemplate(f"it takes longer than {SECONDS:.0f} s") from error
    if done.returncode == 0:
        return done.stdout
    said = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
    raise BadTemplate(said[:500] if done.returncode == 3 else "it needs more time or memory than there is")
