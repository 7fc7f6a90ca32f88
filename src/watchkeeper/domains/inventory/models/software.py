"""What runs and what it is for: software, databases, certificates, applications, services, capabilities.
Applications, systems, domains and APIs are Backstage's terms; services and capabilities ITIL's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from watchkeeper.domains.inventory.models.declared import INSIDE, MEMBER_OF, RUNS_ON, Declared
from watchkeeper.domains.inventory.models.graph import Item
from watchkeeper.model.topology import Identifier


class Criticality(models.TextChoices):
    """How much depends on it."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Stage(models.TextChoices):
    """Backstage's lifecycle."""

    EXPERIMENTAL = "experimental"
    PRODUCTION = "production"
    DEPRECATED = "deprecated"
    RETIRED = "retired"


class SoftwareInstance(Declared):
    """A program installed on a machine, in some version."""

    PATH = "software-instances"
    GRAPH_KIND = "software"
    EDGES: ClassVar = {"runs_on": RUNS_ON}
    product = models.CharField(max_length=100)
    version = models.CharField(max_length=64, blank=True, default="")
    runs_on = models.ForeignKey(
        Item, null=True, blank=True, on_delete=models.SET_NULL, related_name="software"
    )
    port = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(65535)]
    )


class Database(Declared):
    """A database."""

    PATH = "databases"
    GRAPH_KIND = "database"
    EDGES: ClassVar = {"runs_on": RUNS_ON}
    engine = models.CharField(max_length=64, help_text="such as postgresql")
    version = models.CharField(max_length=64, blank=True, default="")
    runs_on = models.ForeignKey(
        Item, null=True, blank=True, on_delete=models.SET_NULL, related_name="databases"
    )
    size_gib = models.FloatField("size in GiB", null=True, blank=True, validators=[MinValueValidator(0)])
    backed_up = models.BooleanField("backups are made", default=False)


class Certificate(Declared):
    """An X.509 certificate and what it serves."""

    PATH = "certificates"
    GRAPH_KIND = "certificate"
    subject = models.CharField(max_length=255)
    alternative_names = models.TextField(blank=True, default="", help_text="one a line")
    issuer = models.CharField(max_length=255, blank=True, default="")
    serial = models.CharField(max_length=64, blank=True, default="")
    valid_from = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(db_index=True)
    used_by = models.ForeignKey(
        Item, null=True, blank=True, on_delete=models.SET_NULL, related_name="certificates"
    )

    def clean(self) -> None:
        """It ends after it begins."""
        if self.valid_from and self.valid_from >= self.expires_at:
            raise ValidationError({"expires_at": "it ends before it begins"})


class Domain(Declared):
    """A field of the business that systems belong to."""

    PATH = "domains"
    GRAPH_KIND = "domain"


class System(Declared):
    """Applications and databases that together do something."""

    PATH = "systems"
    GRAPH_KIND = "system"
    EDGES: ClassVar = {"domain": MEMBER_OF}
    domain = models.ForeignKey(
        Domain, null=True, blank=True, on_delete=models.PROTECT, related_name="systems"
    )


class Application(Declared):
    """Software that the organisation runs or builds, as a whole."""

    class Type(models.TextChoices):
        """Backstage's type of component."""

        SERVICE = "service"
        WEBSITE = "website"
        LIBRARY = "library"
        JOB = "job"
        OTHER = "other"

    PATH = "applications"
    GRAPH_KIND = "application"
    EDGES: ClassVar = {"system": MEMBER_OF}
    type = models.CharField(max_length=8, choices=Type, default=Type.SERVICE)
    lifecycle = models.CharField(max_length=12, choices=Stage, default=Stage.PRODUCTION)
    criticality = models.CharField(max_length=8, choices=Criticality, default=Criticality.MEDIUM)
    system = models.ForeignKey(
        System, null=True, blank=True, on_delete=models.PROTECT, related_name="applications"
    )
    owner = models.CharField(max_length=100, blank=True, default="", help_text="the team that answers for it")
    repository = models.URLField(blank=True, default="")


class API(Declared):
    """An interface that applications offer each other."""

    class Type(models.TextChoices):
        """How it is described."""

        OPENAPI = "openapi", "OpenAPI"
        GRPC = "grpc", "gRPC"
        GRAPHQL = "graphql", "GraphQL"
        ASYNCAPI = "asyncapi", "AsyncAPI"
        OTHER = "other"

    PATH = "apis"
    GRAPH_KIND = "api"
    EDGES: ClassVar = {"provided_by": RUNS_ON}
    type = models.CharField(max_length=8, choices=Type, default=Type.OPENAPI)
    lifecycle = models.CharField(max_length=12, choices=Stage, default=Stage.PRODUCTION)
    provided_by = models.ForeignKey(
        Application, null=True, blank=True, on_delete=models.SET_NULL, related_name="apis"
    )


class TechnicalService(Declared):
    """A service that IT gives to IT: DNS, a database platform, a message broker. Signals name it by service.name."""

    PATH = "technical-services"
    GRAPH_KIND = "service"
    EDGES: ClassVar = {"application": MEMBER_OF}
    criticality = models.CharField(max_length=8, choices=Criticality, default=Criticality.MEDIUM)
    owner = models.CharField(max_length=100, blank=True, default="", help_text="the team that answers for it")
    application = models.ForeignKey(
        Application, null=True, blank=True, on_delete=models.SET_NULL, related_name="services"
    )

    def claims(self) -> Iterator[tuple[str, Identifier]]:
        """Its name, as programs give it."""
        yield self.pk, Identifier("service.name", self.name.strip().lower())


class Capability(Declared):
    """Something the organisation has to be able to do."""

    PATH = "capabilities"
    GRAPH_KIND = "capability"
    EDGES: ClassVar = {"parent": INSIDE}
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    owner = models.CharField(max_length=100, blank=True, default="", help_text="who answers for it")


class BusinessService(Declared):
    """A service as its users know it, with what they were promised."""

    PATH = "business-services"
    GRAPH_KIND = "business_service"
    EDGES: ClassVar = {"capability": MEMBER_OF}
    criticality = models.CharField(max_length=8, choices=Criticality, default=Criticality.HIGH)
    owner = models.CharField(max_length=100, blank=True, default="", help_text="who answers for it")
    availability_target = models.FloatField(
        "availability promised in %", null=True, blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )  # fmt: skip
    capability = models.ForeignKey(
        Capability, null=True, blank=True, on_delete=models.SET_NULL, related_name="services"
    )
    users = models.PositiveIntegerField("how many use it", null=True, blank=True)
