"""Writes post-incident reports: by hand, or from what the records say."""

from __future__ import annotations

from typing import Any

from watchkeeper.domains.problems.models import Report
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import Actor, Scope
from watchkeeper.kernel.hanging import subject
from watchkeeper.kernel.permissions import require
from watchkeeper.kernel.resource import Action, Done, registry

ABOUT = ("tickets", "problems", "situations")  # kinds that a timeline and a report can be about


def write(actor: Actor, data: dict[str, Any]) -> Report:
    """A report, written from the records where nothing is said."""
    from watchkeeper.domains.annotations.attaching import settle
    from watchkeeper.domains.knowledge import versions
    from watchkeeper.domains.problems import reporting  # which knows the other kinds, as they know this

    settle(actor, data)
    kind, record = subject(data["kind"], data["record"])
    body = data.get("body", "").strip() or reporting.written(actor, kind, record)
    title = data.get("title", "").strip() or reporting.title_of(record)
    report = Report.objects.create(
        kind=data["kind"], record=data["record"], title=title, body=body, made_by=actor.name[:200]
    )
    versions.keep(report, actor, "written from the records" if not data.get("body", "").strip() else "")
    return report


def _of_record(kind: str) -> Any:
    def run(actor: Actor, record: Any, _: dict[str, Any]) -> Done:
        require(actor, "change", registry[kind], record)
        report = write(actor, {"kind": kind, "record": str(record.pk)})
        audit.record(actor, "post-incident-report.create", report, after=audit.state_of(report))
        return Done(body={"report": report.pk, "see": f"/post-incident-reports/{report.pk}/"})

    return run


#: by kind: writes a report on a record of it
WRITE = {
    kind: Action("write-report", "Write a report", _of_record(kind), scope=Scope.WRITE, audited=False)
    for kind in ABOUT
}
