"""Long work of reports: one of them, and at a month's end all of them."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from watchkeeper.domains.reporting import making
from watchkeeper.domains.reporting.models import ServiceReport
from watchkeeper.jobs.port import Run, job
from watchkeeper.kernel.acting import SYSTEM
from watchkeeper.kernel.problems import Refused


class ReportFields(serializers.Serializer[Any]):
    """Which."""

    report = serializers.IntegerField()


@job(making.JOB, "Make a service report", fields=ReportFields, needs=("create", making.KIND))
def make_one(run: Run) -> dict[str, Any]:
    """Its numbers and its files."""

    def make() -> int:
        report = ServiceReport.objects.filter(pk=run.arguments["report"]).first()
        if report is None:
            raise Refused("the report was removed meanwhile")
        return making.make(run.actor, report, timezone.now())

    opened = run.step("make", make)
    links = [["The report", f"/{making.KIND}/{run.arguments['report']}/"]]
    return {"summary": f"{opened:,} tickets were opened in its month", "links": links}


@job("service-reports", "Service reports of the last month", every="20 0 1 * *")
def make_all(run: Run) -> dict[str, Any]:
    """Of everything, each agreement, each customer and each service with an objective. One that is there stays."""

    def ask(reports: list[ServiceReport]) -> int:
        for report in reports:
            making.ask(SYSTEM, report)
        return len(reports)

    number = run.commit("ask", ask, lambda: making.of_month(making.last_month(timezone.now())))
    return {"summary": f"{number} reports are being made"}
