"""How a source is reached that can be asked over the network."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from watchkeeper.domains.inventory.models.sources import Source
from watchkeeper.kernel.fields import SealedField


class Connection(models.Model):
    """Where a source is, how one signs in there, and how often it is read."""

    source = models.OneToOneField(Source, on_delete=models.CASCADE, related_name="connection")
    address = models.CharField(
        max_length=300,
        help_text="NetBox, Kubernetes: of the API; libvirt: the URI; AWS: regions, separated by commas",
    )
    account = models.CharField(
        max_length=128, blank=True, default="", help_text="AWS: the id of the access key"
    )
    secret = SealedField(blank=True, default="", help_text="the token, or the secret access key")
    certificate = models.TextField(
        blank=True,
        default="",
        help_text="the authority that signed the API's certificate, PEM; empty: those of the system",
    )
    every_hours = models.PositiveSmallIntegerField(
        default=0, help_text="how often it is read; 0: when somebody asks"
    )

    class Meta:
        ordering: ClassVar = ["source__name"]

    def __str__(self) -> str:
        return f"connection to {self.source.name}"
