"""Reads documents of OpenSLO v1 (https://github.com/OpenSLO/OpenSLO): SLO, SLI, Service, AlertPolicy, AlertCondition. Pure.

What is read is a `Described` for each objective of an SLO, with the fields of an objective as REST takes them. Queries are
PromQL. What we do not follow is said in `odd`, never dropped in silence; what makes no sense is refused with its place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from watchkeeper.domains.objectives.openslo_parts import (
    BadDocument,
    alerts_of,
    indicator_of,
    slice_of,
    window_of,
)

VERSION = "openslo/v1"
KINDS = ("SLO", "SLI", "Service", "AlertPolicy", "AlertCondition")
_LEFT = ("DataSource", "AlertNotificationTarget")  # of OpenSLO too; what they say is said elsewhere here
_METHODS = ("Occurrences", "Timeslices", "RatioTimeslices")
Document = Mapping[str, Any]


@dataclass
class Described:
    """An objective: its fields but for the service, which is a name."""

    fields: dict[str, Any]
    service: str = ""


@dataclass
class Read:
    """What a text came to."""

    objectives: list[Described] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)


def read(text: str) -> Read:
    """The objectives of a text of one or more YAML documents. Raises BadDocument."""
    out = Read()
    named: dict[tuple[str, str], Document] = {}
    slos = []
    for place, document in _documents(text):
        kind = document.get("kind")
        if document.get("apiVersion") != VERSION:
            raise BadDocument(f"{place}: apiVersion is {document.get('apiVersion')!r}, not {VERSION}")
        if kind in _LEFT:
            out.odd.append(
                f"{place}: a {kind} is left out; telemetry and notifications are set up in the platform"
            )
        elif kind not in KINDS:
            raise BadDocument(f"{place}: kind is {kind!r}, none of {', '.join((*KINDS, *_LEFT))}")
        elif kind == "SLO":
            slos.append((place, document))
        else:
            named[str(kind), _name(document, place)] = document
    if not slos:
        raise BadDocument("there is no SLO in it")
    for place, document in slos:
        out.objectives += _objectives(document, named, f"{place} ({_name(document, place)})", out.odd)
    names = Counter(o.fields["name"] for o in out.objectives)
    if twice := [name for name, often in names.items() if often > 1]:
        raise BadDocument(f"two SLOs are named {sorted(twice)[0]!r}")
    return out


def _documents(text: str) -> Iterable[tuple[str, Document]]:
    try:
        found = [d for d in yaml.safe_load_all(text) if d is not None]
    except (yaml.YAMLError, ValueError) as error:
        raise BadDocument(f"this is no YAML: {error}") from error
    for number, document in enumerate(found, 1):
        if not isinstance(document, dict):
            raise BadDocument(f"document {number}: it holds no fields")
        yield f"document {number}", document


def _name(document: Document, place: str) -> str:
    metadata = document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(name, str) or not name:
        raise BadDocument(f"{place}: metadata.name is missing")
    return name


def _objectives(
    document: Document, named: Mapping[tuple[str, str], Document], place: str, odd: list[str]
) -> list[Described]:
    spec = document.get("spec")
    if not isinstance(spec, dict):
        raise BadDocument(f"{place}: spec is missing")
    method = spec.get("budgetingMethod")
    if method not in _METHODS:
        raise BadDocument(f"{place}: budgetingMethod is {method!r}, none of {', '.join(_METHODS)}")
    listed = spec.get("objectives")
    if not isinstance(listed, list) or not listed or not all(isinstance(o, dict) for o in listed):
        raise BadDocument(f"{place}: objectives is no list of objectives")
    common = {
        "method": method, "description": str(spec.get("description") or ""),
        **window_of(spec.get("timeWindow"), place), **alerts_of(spec.get("alertPolicies"), named, place, odd),
    }  # fmt: skip
    service = str(spec.get("service") or "")
    known = named.get(("Service", service))
    shown = known.get("metadata", {}).get("displayName") if known else None
    out = []
    for number, one in enumerate(listed, 1):
        where = f"{place}, objective {number}"
        given = _of(document, one, number, len(listed))
        own = indicator_of(
            {**spec, **{k: one[k] for k in ("indicator", "indicatorRef") if k in one}}, one, named, where
        )
        if "compositeWeight" in one:
            odd.append(f"{where}: it becomes an objective of its own; compositeWeight is left out")
        out.append(
            Described({**common, **given, **own, **_numbers(one, str(method), where)}, str(shown or service))
        )
    return out


def _of(document: Document, one: Document, number: int, several: int) -> dict[str, Any]:
    metadata = document["metadata"]
    more = f"-{number}" if several > 1 else ""
    title = str(metadata.get("displayName") or "")
    if own := str(one.get("displayName") or ""):
        title = (
            own
            if several == 1 and not title
            else f"{title}: {own}"
            if title and several > 1
            else title or own
        )
    return {"name": f"{metadata['name']}{more}", "title": title[:150]}


def _numbers(one: Document, method: str, place: str) -> dict[str, Any]:
    target = _share(one, "target", place)
    if target is None or not 0 < target < 1:
        raise BadDocument(f"{place}: target has to lie between 0 and 1, or targetPercent between 0 and 100")
    out: dict[str, Any] = {"target": round(target * 100, 7)}
    if method == "Occurrences":
        return out
    if method == "Timeslices":
        slices = _share(one, "timeSliceTarget", place)
        if slices is None:
            raise BadDocument(f"{place}: timeSliceTarget is missing")
        out["slice_target"] = round(slices * 100, 7)
    out["slice_seconds"] = slice_of(one.get("timeSliceWindow"), place)
    return out


def _share(one: Document, name: str, place: str) -> float | None:
    percent, value = one.get(f"{name}Percent"), one.get(name)
    found = percent / 100 if isinstance(percent, int | float) and not isinstance(percent, bool) else value
    if found is None:
        return None
    if not isinstance(found, int | float) or isinstance(found, bool) or not 0 <= found <= 1:
        raise BadDocument(f"{place}: {name} is {found!r}, not a number from 0 to 1")
    return float(found)
