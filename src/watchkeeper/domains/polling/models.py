"""Scrape jobs and probes."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.db import models

from watchkeeper.kernel.fields import SealedField


class Polled(models.Model):
    """What scrape jobs and probes have in common: whom they ask, and how often. Times in seconds."""

    name = models.CharField(max_length=100, unique=True)
    enabled = models.BooleanField("on", default=True)
    targets = models.JSONField(default=list, blank=True)
    item_kind = models.CharField("every item of kind", max_length=64, blank=True, default="")
    item_tag = models.CharField("every item with tag", max_length=64, blank=True, default="")
    item_name = models.CharField("every item with name", max_length=100, blank=True, default="")
    item_target = models.CharField("how an item is asked", max_length=300, blank=True, default="")
    interval = models.FloatField("every (seconds)", default=30)
    timeout = models.FloatField("time limit (seconds)", default=5)
    labels = models.JSONField(default=dict, blank=True)
    authority = models.TextField(blank=True, default="")
    verify = models.BooleanField("certificates are checked", default=True)
    failures = models.PositiveSmallIntegerField("told after (failures in a row)", default=2)

    class Meta:
        abstract = True
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class ScrapeJob(Polled):
    """Targets whose metrics are fetched, as Prometheus does it."""

    class Scheme(models.TextChoices):
        """How they are asked."""

        HTTP = "http", "HTTP"
        HTTPS = "https", "HTTPS"

    interval = models.FloatField("every (seconds)", default=15)
    timeout = models.FloatField("time limit (seconds)", default=10)
    scheme = models.CharField(max_length=5, choices=Scheme, default=Scheme.HTTP)
    path = models.CharField(max_length=300, default="/metrics")
    params = models.JSONField("parameters", default=dict, blank=True)
    files = models.JSONField("files with targets", default=list, blank=True)
    discovery_url = models.CharField("address with targets", max_length=500, blank=True, default="")
    user = models.CharField(max_length=200, blank=True, default="")
    password = SealedField(blank=True, default="")
    bearer = SealedField("bearer token", blank=True, default="")
    honor_labels = models.BooleanField("their own labels win", default=False)
    relabel_configs = models.TextField("rules for targets", blank=True, default="")
    metric_relabel_configs = models.TextField("rules for samples", blank=True, default="")
    sample_limit = models.PositiveIntegerField("samples of one target, at most", default=50_000)


class Probe(Polled):
    """A question that tells whether something answers as it should."""

    class Kind(models.TextChoices):
        """What is asked."""

        ICMP = "icmp", "ping"
        TCP = "tcp", "TCP connection"
        HTTP = "http", "HTTP or HTTPS"
        DNS = "dns", "DNS"
        TLS = "tls", "TLS certificate"

    class Severity(models.TextChoices):
        """How bad a failure is."""

        WARNING = "warning", "warning"
        ERROR = "error", "error"
        CRITICAL = "critical", "critical"

    kind = models.CharField(max_length=4, choices=Kind, default=Kind.HTTP)
    statuses = models.JSONField("HTTP: expected statuses", default=list, blank=True)
    body = models.CharField("HTTP: expected in the body", max_length=500, blank=True, default="")
    send = models.CharField("TCP: sent", max_length=500, blank=True, default="")
    expect = models.CharField("TCP: expected answer", max_length=500, blank=True, default="")
    record = models.CharField("DNS: record", max_length=10, default="A")
    answers = models.JSONField("DNS: expected records", default=list, blank=True)
    server = models.CharField("DNS: server", max_length=253, blank=True, default="")
    warn_days = models.PositiveSmallIntegerField("certificate: warning (days before its end)", default=21)
    critical_days = models.PositiveSmallIntegerField("certificate: critical (days before its end)", default=7)
    slow = models.FloatField("slow from (seconds)", default=0)
    severity = models.CharField("a failure is", max_length=8, choices=Severity, default=Severity.CRITICAL)
