"""Makes a report: gathers what it says, keeps it, and hangs its files on it."""

from __future__ import annotations

import datetime as dt

import msgspec
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from watchkeeper.domains.agreements.models import Agreement
from watchkeeper.domains.annotations import storing
from watchkeeper.domains.annotations.files import hang
from watchkeeper.domains.annotations.models import File
from watchkeeper.domains.annotations.storing import Content as Stored
from watchkeeper.domains.objectives.models import ServiceLevelObjective
from watchkeeper.domains.reporting import rules, writing
from watchkeeper.domains.reporting.gathering import gather
from watchkeeper.domains.reporting.models import ServiceReport
from watchkeeper.exchange.pdf import pdf_of
from watchkeeper.jobs import port as jobs
from watchkeeper.kernel.acting import Actor

KIND, JOB = "service-reports", "service-report"


def ask(actor: Actor, report: ServiceReport) -> ServiceReport:
    """Have it made, in the caller's transaction; its job is named after the report and when it was asked for."""
    report.state, report.asked_by, report.asked_at = (
        ServiceReport.State.WAITING,
        actor.name[:150],
        timezone.now(),
    )
    report.save()
    name = f"{JOB}-{report.pk}-{report.asked_at:%Y%m%dT%H%M%S%f}"
    jobs.start(JOB, {"report": report.pk}, actor, id=name, label=f"Service report {report}"[:200])
    return report


def make(actor: Actor, report: ServiceReport, now: dt.datetime) -> int:
    """Gather, write and keep; files of an earlier making go. Return how many tickets it counts. Raises NoPdf or DiskFull."""
    content = gather(report, now)
    text, title = writing.markdown(content), writing.title(content)
    made = {
        "pdf": pdf_of(text, title, f"Watchkeeper, {now:%Y-%m-%d %H:%M} UTC"), "md": f"# {title}\n\n{text}".encode(),
        "json": msgspec.json.format(msgspec.json.encode(content)),
    }  # fmt: skip
    name = slugify(f"service-report-{report.month:%Y-%m}-{report.about}")[:150]
    with storing.alone(settings.FILES):
        stored = {ending: _stored(data) for ending, data in made.items()}
        with transaction.atomic():
            for old in File.objects.filter(
                kind=KIND, record=str(report.pk), name__startswith="service-report-"
            ):
                old.delete()
            for ending, one in stored.items():
                hang(actor, KIND, str(report.pk), f"{name}.{ending}", one)
            ServiceReport.objects.filter(pk=report.pk).update(
                state=ServiceReport.State.DONE, made_at=now, content=msgspec.to_builtins(content)
            )
    return content.opened


def _stored(data: bytes) -> Stored:
    writing_ = storing.Writing(settings.FILES, settings.FILE_SIZE)
    writing_.take(data)
    return writing_.keep()


def of_month(month: dt.date) -> list[ServiceReport]:
    """Reports that every month has and this one has not yet, not saved: of everything, of each agreement with a customer,
    of each customer, and of each service that has an objective."""
    there = set(ServiceReport.objects.filter(month=month).values_list("agreement", "customer", "service"))
    agreements = list(Agreement.objects.filter(kind=Agreement.Kind.SLA))
    customers = dict.fromkeys(a.organisation_id for a in agreements if a.organisation_id)
    with_service = ServiceLevelObjective.objects.filter(service__isnull=False, enabled=True)
    services = dict.fromkeys(with_service.values_list("service", flat=True))
    wanted = [
        (None, None, None), *((a.pk, None, None) for a in agreements), *((None, c, None) for c in customers),
        *((None, None, s) for s in services),
    ]  # fmt: skip
    return [
        ServiceReport(month=month.replace(day=1), agreement_id=a, customer_id=c, service_id=s)
        for a, c, s in wanted
        if (a, c, s) not in there
    ]


def last_month(now: dt.datetime) -> dt.date:
    """The month that has ended."""
    return rules.month_before(now.date())
