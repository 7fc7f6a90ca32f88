"""Writes objectives as documents of OpenSLO v1, such that reading them again gives the same. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from watchkeeper.domains.objectives import burn_words
from watchkeeper.domains.objectives.periods import UNITS

VERSION = "openslo/v1"
_FIRST = "1970-01-01T00:00:00Z"


def write(objectives: Iterable[tuple[Mapping[str, Any], str]]) -> str:
    """Fields of objectives as REST gives them, each with its service's name."""
    documents = [_document(fields, service) for fields, service in objectives]
    return yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True, width=120)


def _document(of: Mapping[str, Any], service: str) -> dict[str, Any]:
    metadata = {"name": of["name"], **({"displayName": of["title"]} if of["title"] else {})}
    spec: dict[str, Any] = {
        "description": of["description"], "service": service or of["name"],
        "indicator": {"metadata": {"name": of["name"]}, "spec": _indicator(of)}, "timeWindow": [_window(of)],
        "budgetingMethod": of["method"], "objectives": [_objective(of)],
        "alertPolicies": [_policy(of)] if of["alerts"].strip() else [],
    }  # fmt: skip
    return {"apiVersion": VERSION, "kind": "SLO", "metadata": metadata, "spec": spec}


def _indicator(of: Mapping[str, Any]) -> dict[str, Any]:
    def source(query: str) -> dict[str, Any]:
        return {"metricSource": {"type": "Prometheus", "spec": {"query": query}}}

    which, _, sort = of["indicator"].partition("_")
    if which == "threshold":
        return {"thresholdMetric": source(of["query"])}
    if sort == "ratio":
        return {"ratioMetric": {"rawType": which, "raw": source(of["query"])}}
    return {
        "ratioMetric": {
            "counter": of["counter"],
            which: source(of["query"]),
            "total": source(of["total_query"]),
        }
    }


def _window(of: Mapping[str, Any]) -> dict[str, Any]:
    length = {"duration": f"{of['window_count']}{UNITS[of['window_unit']][0]}"}
    if not of["aligned"]:
        return {**length, "isRolling": True}
    first = "1969-12-29T00:00:00Z" if of["window_unit"] == "week" else _FIRST
    start = str(of["anchor"] or first).removesuffix("Z").replace("T", " ")
    return {**length, "isRolling": False, "calendar": {"startTime": start, "timeZone": of["zone"]}}


def _objective(of: Mapping[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {"target": round(of["target"] / 100, 9)}
    if of["indicator"] == "threshold":
        out = {"op": of["compare"], "value": of["limit"], **out}
    if of["method"] == "Timeslices":
        out["timeSliceTarget"] = round(of["slice_target"] / 100, 9)
    if of["method"] != "Occurrences":
        out["timeSliceWindow"] = burn_words.duration(of["slice_seconds"])
    return out


def _policy(of: Mapping[str, Any]) -> dict[str, Any]:
    conditions = [
        {
            "kind": "AlertCondition",
            "metadata": {"name": f"burns-{n}"},
            "spec": {
                "severity": r.severity,
                "condition": {
                    "kind": "burnrate", "op": "gt", "threshold": r.rate, "lookbackWindow": burn_words.duration(r.long_s),
                    "alertAfter": burn_words.duration(r.short_s),
                },
            },
        }
        for n, r in enumerate(burn_words.read(of["alerts"]), 1)
    ]  # fmt: skip
    spec = {"alertWhenBreaching": True, "conditions": conditions}
    return {"kind": "AlertPolicy", "metadata": {"name": f"{of['name']}-burns"}, "spec": spec}
