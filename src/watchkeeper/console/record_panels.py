"""What the page of a record shows beside its facts, for every kind: a panel is a function and a template. To add one,
write the two and add a line to PANELS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from watchkeeper.console import (
    approvals,
    attached,
    capacity,
    catalog,
    changes,
    compared,
    conversation,
    coverage,
    desk,
    history,
    mail_doors,
    maintenance,
    majors,
    objectives,
    oncall,
    paged,
    polled,
    problems,
    ratings,
    runbooks,
    suggested,
    upkeep,
)
from watchkeeper.domains.configuration import managing
from watchkeeper.kernel.acting import Actor, actor_of
from watchkeeper.kernel.resource import Resource

#: what a panel's template gets as `panel`; None when there is nothing to show
Context = dict[str, Any] | None


@dataclass(frozen=True)
class Panel:
    """`place`: lead (under the title), body (the wide column, under the facts), after (at its end) or aside (the narrow
    one)."""

    place: str
    template: str
    show: Callable[[HttpRequest, Resource, Any, Actor], Context]


def _entry(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> Context:  # noqa: ARG001
    """What an entry of the audit trail says has changed."""
    act = history.of_entry(record, actor) if resource.path == "audit" else None
    return {"act": act} if act is not None and act.changes else None


def _managed(request: HttpRequest, resource: Resource, record: Any, actor: Actor) -> Context:  # noqa: ARG001
    """The set of files that declares it."""
    managed = managing.of(resource, record)
    return (
        {"managed": managed, "by_hand": managing.by_hand(resource, managed)} if managed is not None else None
    )


#: in the order in which they are shown
PANELS = (
    Panel("body", "parts/audited.html", _entry),
    Panel("body", "parts/polled.html", polled.targets),
    Panel("body", "parts/compared.html", compared.versions),
    Panel("body", "parts/rota.html", oncall.rota),
    Panel("body", "parts/major_updates.html", majors.updates),
    Panel("body", "parts/mail_door.html", mail_doors.coming),
    Panel("body", "parts/public_address.html", majors.address),
    Panel("body", "parts/coverage.html", coverage.ahead),
    Panel("body", "parts/ratings.html", ratings.of_queue),
    Panel("aside", "parts/calendar_file.html", coverage.sent_to),
    Panel("body", "parts/conversation.html", conversation.timeline),
    Panel("aside", "parts/paged.html", paged.about),
    Panel("body", "parts/ordered.html", catalog.answers),
    Panel("body", "parts/questions.html", catalog.asked),
    Panel("body", "parts/bundle_changes.html", catalog.changes),
    Panel("body", "parts/request_tasks.html", catalog.tasks),
    Panel("body", "parts/proof.html", catalog.proof),
    Panel("aside", "parts/promises.html", desk.promises),
    Panel("aside", "parts/major_of.html", majors.of_ticket),
    Panel("body", "parts/run_step.html", runbooks.at_step),
    Panel("body", "parts/runbook_steps.html", runbooks.steps),
    Panel("body", "parts/written.html", problems.texts),
    Panel("body", "parts/version_before.html", problems.before),
    Panel("body", "parts/causes.html", problems.causes),
    Panel("body", "parts/cause_adding.html", problems.adding),
    Panel("body", "parts/evidence_metric.html", problems.shown),
    Panel("after", "parts/happened.html", problems.timeline),
    Panel("aside", "parts/report_files.html", problems.documents),
    Panel("aside", "parts/belonging.html", problems.belonging),
    Panel("aside", "parts/runs.html", suggested.runs),
    Panel("aside", "parts/suggested_place.html", suggested.place),
    Panel("aside", "parts/tickets.html", desk.tickets),
    Panel("body", "parts/vote.html", approvals.of_vote),
    Panel("body", "parts/change.html", changes.of_change),
    Panel("body", "parts/plans.html", changes.plans),
    Panel("body", "parts/order_checklist.html", upkeep.checklist),
    Panel("body", "parts/meters.html", upkeep.meters),
    Panel("aside", "parts/approvals.html", approvals.asked),
    Panel("aside", "parts/changes_about.html", changes.about),
    Panel("body", "parts/kept_by.html", desk.beneath),
    Panel("body", "parts/pace.html", desk.pace),
    Panel("lead", "parts/tags.html", attached.tags),
    Panel("lead", "parts/managed.html", _managed),
    Panel("lead", "parts/maintenance.html", maintenance.about),
    Panel("body", "parts/capacity.html", capacity.of_record),
    Panel("body", "parts/objectives.html", objectives.of_record),
    Panel("body", "parts/custom_field_use.html", attached.use_of_field),
    Panel("body", "parts/tagged.html", attached.tagged),
    Panel("body", "parts/custom_fields.html", attached.custom_fields),
    Panel("after", "parts/notes.html", attached.notes),
    Panel("aside", "parts/links.html", attached.links),
    Panel("aside", "parts/files.html", attached.files),
)


def panels(
    request: HttpRequest, resource: Resource, record: Any
) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """Place → templates and what they get, for the page of this record."""
    out: dict[str, list[tuple[str, dict[str, Any]]]] = {"lead": [], "body": [], "after": [], "aside": []}
    for panel in PANELS:
        context = panel.show(request, resource, record, actor_of(request))
        if context is not None:
            out[panel.place].append((f"console/{panel.template}", context))
    return out
