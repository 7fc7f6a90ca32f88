"""Problems on the pages of records: what a ticket or a situation belongs to, the timeline, causes with their evidence."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest

from watchkeeper.domains.annotations.notes import html_of
from watchkeeper.domains.catalog.models import CatalogItem
from watchkeeper.domains.desk.models import Ticket
from watchkeeper.domains.knowledge.models import Article, ArticleVersion
from watchkeeper.domains.knowledge.versions import difference
from watchkeeper.domains.problems.models import Cause, Evidence, Problem, Report, ReportVersion
from watchkeeper.domains.problems.timeline import timeline as happened
from watchkeeper.domains.situations.models import Situation
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.fields import milliseconds
from watchkeeper.kernel.hanging import on, subject
from watchkeeper.kernel.permissions import may, visible
from watchkeeper.kernel.resource import Resource, registry

Context = dict[str, Any] | None
_DAY = 86_400  # seconds
_REPORTS = 5
_SHOWN = 200  # of the timeline, on a page
#: kind → fields in Markdown, with their headings
_TEXTS: dict[type, tuple[tuple[str, str], ...]] = {
    Article: (("body", ""),),
    CatalogItem: (("description", "Description"),),
    ArticleVersion: (("body", ""),),
    Report: (("body", ""),),
    ReportVersion: (("body", ""),),
    Problem: (("description", "What is known"), ("known_error", "Known error"), ("workaround", "Workaround"),
              ("resolution", "Resolution"), ("left_open", "Closed although actions are open")),
}  # fmt: skip


def texts(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> Context:  # noqa: ARG001
    """What people wrote, as it reads."""
    named = _TEXTS.get(type(record), ())
    shown = [(heading, html_of(text)) for name, heading in named if (text := getattr(record, name).strip())]
    return {"texts": shown} if shown else None


def before(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> Context:  # noqa: ARG001
    """Of a version: what was different in the one before it."""
    if not isinstance(record, ArticleVersion | ReportVersion):
        return None
    whole = record.article if isinstance(record, ArticleVersion) else record.report
    earlier = whole.versions.filter(number__lt=record.number).order_by("-number").first()
    return {"lines": difference(earlier, record), "before": earlier, "resource": resource}


def documents(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> Context:  # noqa: ARG001
    """Of a report: what it is about, and the files that it can be had as."""
    if not isinstance(record, Report):
        return None
    kind, held_by = subject(record.kind, record.record)
    return {"about": kind.title(held_by), "url": f"/{kind.path}/{held_by.pk}/"}


def belonging(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> Context:  # noqa: ARG001
    """Of a ticket or a situation: its problems and reports, and where to make a problem."""
    if not isinstance(record, Ticket | Situation | Problem):
        return None
    listed = [] if isinstance(record, Problem) else list(visible(actor, "problems", record.problems.all()))
    reports = list(on(Report, resource, [record.pk])[:_REPORTS])
    return {"problems": listed, "reports": reports} if listed or reports else None


def timeline(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> Context:  # noqa: ARG001
    """Of a ticket, a problem or a situation: what happened, the newest first; and a form for another line."""
    if not isinstance(record, Ticket | Problem | Situation):
        return None
    found = happened(actor, resource, record)
    return {
        "happened": found[::-1][:_SHOWN],
        "more": max(0, len(found) - _SHOWN),
        "can_add": may(actor, "change", resource, record),
        "folded": isinstance(record, Situation),
    }


def causes(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> Context:  # noqa: ARG001
    """Of a problem: its causes as a tree of whys, with what speaks for and against each."""
    if not isinstance(record, Problem):
        return None
    found = list(
        record.causes.select_related("item").prefetch_related("evidence__alert", "evidence__situation")
    )
    kind = registry["problem-causes"]
    rows = [
        {"cause": c, "depth": depth, "evidence": list(c.evidence.all())} for c, depth in _tree(found, None, 0)
    ]
    return {"rows": rows, "can_add": may(actor, "create", kind), "add": urlencode({"problem": record.pk})}


def _tree(found: list[Cause], parent: int | None, depth: int) -> list[tuple[Cause, int]]:
    return [
        pair
        for c in found
        if c.parent_id == parent
        for pair in ((c, depth), *_tree(found, c.pk, min(depth + 1, 5)))
    ]


def shown(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> Context:  # noqa: ARG001
    """Of evidence: the metric that it names, over the day around which it was seen."""
    if not isinstance(record, Evidence) or not record.query:
        return None
    asked = {"query": record.query, "last": _DAY, "seen": milliseconds(record.seen_at or record.at)}
    drawn = f"/explore/metrics/query.json?{urlencode(asked)}"
    explored = urlencode({"query": record.query, "last": _DAY})
    return {"charts": [{"title": "The metric, around when it was seen", "source": drawn}],
            "explore": f"/explore/metrics/?{explored}"}  # fmt: skip


def adding(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> Context:  # noqa: ARG001
    """Of a cause: where to say why, and what shows it."""
    if not isinstance(record, Cause) or not may(actor, "create", registry["problem-causes"]):
        return None
    return {"why": urlencode({"problem": record.problem_id, "parent": record.pk}), "cause": record.pk}
