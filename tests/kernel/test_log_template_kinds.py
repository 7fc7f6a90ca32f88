"""Corrections of log templates keep what every kind promises, and are refused where they would say nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kernel.kind_checks import KindChecks, problem


class TestTemplateCorrections(KindChecks):
    path = "template-corrections"
    invalid = {"kind": "else", "template": "x", "other": "-1"}
    changes = {"reason": "the same since release 4", "other": "77"}

    def valid(self, n: int) -> dict[str, Any]:
        return {
            "kind": "merge",
            "template": str(1000 + n),
            "other": str(2000 + n),
            "wording": f"link <*> is up {n}",
        }

    @pytest.mark.parametrize(("body", "field"), [
        ({"other": ""}, "other"),
        ({"other": "1001"}, "other"),
        ({"place": 1}, "place"),
        ({"kind": "split", "other": ""}, "place"),
        ({"kind": "split", "place": 1}, "other"),
        ({"kind": "split", "place": 0, "other": ""}, "place"),
        ({"template": "99999999999999999999"}, "template"),
    ])  # fmt: skip
    def test_what_says_nothing_is_refused(self, body: dict[str, Any], field: str) -> None:
        answer = self.writer.post(self.url, {**self.valid(1), **body}, content_type="application/json")
        assert field in problem(answer, 400)["errors"]
