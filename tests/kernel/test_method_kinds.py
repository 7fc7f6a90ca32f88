"""Versions of methods keep what every kind promises; what nobody knows is refused."""

from __future__ import annotations

from typing import Any

from tests.kernel.kind_checks import KindChecks


class TestMethodVersions(KindChecks):
    path = "method-versions"
    invalid = {"part": "weather", "decides": "nothing", "shade": "of next year"}
    changes = {"decides": "alerts", "shade": "metrics"}

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"choice {n}", "part": "cause", "decides": "half", "shade": ""}
