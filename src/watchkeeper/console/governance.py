"""What the pages of reviews, emergencies, drafts and versions of policies show beside the record's own facts."""

from __future__ import annotations

from typing import Any

from django.db.models import Count

from watchkeeper.domains.access import difference, simulation
from watchkeeper.domains.access.models import Emergency, PolicyDraft, PolicyVersion, Review, ReviewLine
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.models import AuditEntry
from watchkeeper.kernel.permissions import visible
from watchkeeper.model.errors import WatchkeeperError

LINES = 200  # of a review


def of_review(review: Review, actor: Actor) -> dict[str, Any]:
    """How far it is, and its lines, those without an answer first."""
    lines = visible(actor, "review-lines", ReviewLine.objects.filter(review=review))
    counted = dict(review.lines.values_list("verdict").annotate(n=Count("pk")).order_by())
    total = sum(counted.values())
    done = total - counted.get("open", 0)
    words = dict(ReviewLine._meta.get_field("verdict").choices)  # type: ignore[union-attr]
    shown = lines.select_related("reviewer", "user", "grant__team")
    return {
        "lines": sorted(shown[:LINES], key=lambda line: line.verdict != "open"),
        "total": total,
        "done": done,
        "percent": round(100 * done / total) if total else 100,
        "verdicts": [(words[v], n) for v, n in counted.items()],
        "in_words": {"review-lines"},
    }


def of_emergency(emergency: Emergency, actor: Actor) -> dict[str, Any]:
    """What the person did from its beginning to its end, for whoever looks at it after and may read the trail."""
    own = AuditEntry.objects.filter(actor_id=str(emergency.user_id), actor_kind="person", at__gte=emergency.started_at,
                                    at__lte=emergency.ends_at)  # fmt: skip
    return {"deeds": visible(actor, "audit", own).order_by("id")[:LINES]}


def of_draft(draft: PolicyDraft, actor: Actor) -> dict[str, Any]:
    """How it differs from what counts, whose rights it would change, and which tests it fails."""
    before = draft.policy.text if draft.policy else ""
    shown: dict[str, Any] = {"lines": difference(before, draft.text)}
    try:
        changes, shown["failures"] = simulation(actor, draft)
        shown["changes"] = together(changes)
    except WatchkeeperError as error:
        shown["wrong"] = error.detail
    return shown


def of_version(version: PolicyVersion, _: Actor) -> dict[str, Any]:
    """How it differs from the one before, and from what counts now."""
    same = PolicyVersion.objects.filter(name=version.name, policy=version.policy)
    before = same.filter(number__lt=version.number).order_by("-number").first()
    now = version.policy.text if version.policy else version.text
    return {
        "lines": difference(before.text if before else "", version.text),
        "before": before,
        "since": difference(version.text, now),
    }


def together(changes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Changes for the same people, as one: the acts that change alike, and the kinds for which they do."""
    by_kind: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for c in changes:
        same = (c["effect"], c["before"], c["after"], tuple(c["people"]), tuple(c["roles"]))
        by_kind.setdefault((*same, c["kind"]), []).append(c)
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for (*same, kind), alike in by_kind.items():
        actions = tuple(c["action"] for c in alike)
        one = found.setdefault(
            (*same, actions), {**alike[0], "actions": actions, "kinds": [], "examples": []}
        )
        one["kinds"].append(kind)
        told = {e["id"]: {**e, "kind": kind} for c in alike for e in c["examples"]}
        one["examples"] = (one["examples"] + list(told.values()))[:3]
    return list(found.values())
