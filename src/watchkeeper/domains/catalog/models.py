"""The catalogue: what can be ordered, who agrees to it and what is done for it; orders, the tasks of requests, leases."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from watchkeeper.kernel.fields import SealedField

PERSON = settings.AUTH_USER_MODEL


def no_questions() -> dict[str, Any]:
    """Of an item whose form asks nothing."""
    return {"type": "object", "properties": {}, "required": []}


class CatalogItem(models.Model):
    """Something that people can order."""

    class Billing(models.TextChoices):
        """When it costs."""

        ONCE = "once", "once"
        MONTHLY = "monthly", "a month"

    name = models.CharField(max_length=100, unique=True)
    category = models.CharField(max_length=60, default="Other")
    description = models.TextField(blank=True, default="")
    enabled = models.BooleanField("can be ordered", default=True)
    teams = models.ManyToManyField(
        "access.Team", blank=True, related_name="catalog_items", verbose_name="for teams",
    )  # fmt: skip
    organisations = models.ManyToManyField(
        "access.Organisation", blank=True, related_name="catalog_items", verbose_name="for organisations",
    )  # fmt: skip
    owner = models.ForeignKey(
        PERSON, null=True, blank=True, on_delete=models.SET_NULL, related_name="owned_catalog_items"
    )
    cost = models.DecimalField(
        max_digits=12, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    currency = models.CharField(max_length=3, blank=True, default="EUR")
    billing = models.CharField(max_length=8, choices=Billing, default=Billing.ONCE)
    form = models.JSONField(default=no_questions, blank=True)
    queue = models.ForeignKey(
        "desk.Queue", null=True, blank=True, on_delete=models.PROTECT, related_name="catalog_items"
    )
    calendar = models.ForeignKey(
        "agreements.Calendar", null=True, blank=True, on_delete=models.PROTECT, related_name="catalog_items"
    )
    handover_text = models.TextField("hand-over mail", blank=True, default="")
    record_kind = models.CharField("inventory record", max_length=64, blank=True, default="")
    record_fields = models.JSONField("its fields", default=dict, blank=True)
    lease_days = models.PositiveSmallIntegerField(
        "lent for how many days", null=True, blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
    )  # fmt: skip
    extension_approved = models.BooleanField("longer only with approval", default=False)

    class Meta:
        ordering: ClassVar = ["category", "name"]
        verbose_name = "catalogue item"

    def __str__(self) -> str:
        return self.name

    @property
    def price(self) -> str:
        """What it costs, in words; "" for nothing."""
        if not self.cost:
            return ""
        return f"{self.cost:,.2f} {self.currency}{' a month' if self.billing == self.Billing.MONTHLY else ''}"


class CatalogApproval(models.Model):
    """A step of approval of a catalogue item: who is asked, one step after the other."""

    item = models.ForeignKey(CatalogItem, on_delete=models.CASCADE, related_name="approvals")
    position = models.PositiveSmallIntegerField("step", default=1)
    name = models.CharField(max_length=100)
    people = models.ManyToManyField(PERSON, blank=True, related_name="catalog_approvals")
    team = models.ForeignKey(
        "access.Team", null=True, blank=True, on_delete=models.PROTECT, related_name="catalog_approvals"
    )
    needed = models.PositiveSmallIntegerField(
        "how many have to agree", default=1, validators=[MinValueValidator(1)]
    )

    class Meta:
        ordering: ClassVar = ["item", "position", "id"]
        verbose_name = "catalogue approval"

    def __str__(self) -> str:
        return f"{self.name} of {self.item}"


class CatalogTask(models.Model):
    """What is done for every order of a catalogue item."""

    USUAL_HOURS = 8.0

    item = models.ForeignKey(CatalogItem, on_delete=models.CASCADE, related_name="tasks")
    step = models.PositiveSmallIntegerField(default=1)
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="")
    team = models.ForeignKey(
        "access.Team", null=True, blank=True, on_delete=models.PROTECT, related_name="catalog_tasks"
    )
    person = models.ForeignKey(
        PERSON, null=True, blank=True, on_delete=models.SET_NULL, related_name="catalog_tasks"
    )
    hours = models.FloatField(
        "working hours", default=USUAL_HOURS, validators=[MinValueValidator(0), MaxValueValidator(2000)]
    )
    member_of = models.ForeignKey(
        "access.Team", null=True, blank=True, on_delete=models.PROTECT, related_name="catalog_memberships"
    )
    does = models.CharField(
        "the platform carries out", max_length=120, blank=True, default=""
    )  # "tickets.close", "job.audit-verify"
    values = models.JSONField("with", default=dict, blank=True)  # texts, with $name for an answer
    address = SealedField("calls the address", blank=True, default="")  # it may hold a key
    secret = SealedField(blank=True, default="", editable=False)  # by which the call is signed

    class Meta:
        ordering: ClassVar = ["item", "step", "id"]
        verbose_name = "catalogue task"

    def __str__(self) -> str:
        return self.title

    @property
    def calls(self) -> bool:
        """Whether something else is called that does it."""
        return bool(self.address)


class Order(models.Model):
    """Something that was ordered, with the form as it was then. Its ticket follows it."""

    class State(models.TextChoices):
        """How far it has come."""

        ORDERED = "ordered"
        APPROVED = "approved"
        FULFILLING = "fulfilling"
        DELIVERED = "delivered"
        DECLINED = "declined"
        CANCELLED = "cancelled"

    item = models.ForeignKey(CatalogItem, on_delete=models.PROTECT, related_name="orders")
    ticket = models.OneToOneField(
        "desk.Ticket", on_delete=models.PROTECT, related_name="order", editable=False
    )
    ordered_by = models.ForeignKey(
        PERSON, null=True, blank=True, on_delete=models.SET_NULL, related_name="orders", editable=False
    )
    person = models.ForeignKey(
        PERSON, on_delete=models.PROTECT, related_name="orders_for", verbose_name="for"
    )
    answers = models.JSONField(default=dict, blank=True)
    form = models.JSONField(default=no_questions, editable=False)
    price = models.CharField(max_length=60, blank=True, default="", editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.ORDERED, editable=False)
    note = models.CharField(max_length=500, blank=True, default="", editable=False)
    record = models.ForeignKey(
        "inventory.Item", null=True, on_delete=models.SET_NULL, related_name="orders", editable=False
    )
    ordered_at = models.DateTimeField("ordered", default=timezone.now, editable=False)
    decided_at = models.DateTimeField("decided", null=True, default=None, editable=False)
    ended_at = models.DateTimeField("ended", null=True, default=None, editable=False)

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.ticket.number} {self.item.name} for {self.person}"


class RequestTask(models.Model):
    """A part of the work on a request, for a team or a person, or done by the platform itself (`does`)."""

    class State(models.TextChoices):
        """How far it has come."""

        OPEN = "open"
        IN_PROGRESS = "in_progress", "in progress"
        DONE = "done"
        FAILED = "failed"
        SKIPPED = "skipped"

    OVER: ClassVar = (State.DONE, State.SKIPPED)

    ticket = models.ForeignKey("desk.Ticket", on_delete=models.CASCADE, related_name="request_tasks")
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="")
    team = models.ForeignKey(
        "access.Team", null=True, blank=True, on_delete=models.SET_NULL, related_name="request_tasks"
    )
    person = models.ForeignKey(
        PERSON, null=True, blank=True, on_delete=models.SET_NULL, related_name="request_tasks"
    )
    state = models.CharField(max_length=12, choices=State, default=State.OPEN, editable=False)
    begins_at = models.DateTimeField("not before", null=True, blank=True, default=None)
    due_at = models.DateTimeField("due", null=True, blank=True, default=None)
    after = models.ManyToManyField("self", symmetrical=False, blank=True, related_name="before")
    does = models.CharField(max_length=32, blank=True, default="", editable=False)
    given = models.JSONField(default=dict, blank=True, editable=False)
    tries = models.PositiveSmallIntegerField(default=0, editable=False)
    note = models.TextField("what came of it", blank=True, default="", editable=False)
    ended_at = models.DateTimeField("ended", null=True, default=None, editable=False)
    ended_by = models.CharField(max_length=200, blank=True, default="", editable=False)

    class Meta:
        ordering: ClassVar = ["due_at", "id"]
        verbose_name = "request task"
        indexes: ClassVar = [models.Index(fields=["state", "due_at"], name="request_task_due")]

    def __str__(self) -> str:
        return self.title

    @property
    def over(self) -> bool:
        """Whether nothing is left to be done."""
        return self.state in self.OVER

    @property
    def late(self) -> bool:
        """Whether it should be over by now."""
        return not self.over and self.due_at is not None and self.due_at < timezone.now()

    @property
    def waits_for(self) -> list[RequestTask]:
        """What has to be over before it can be begun."""
        return [t for t in self.after.all() if not t.over]

    @property
    def whose(self) -> str:
        """Who does it."""
        return str(self.person or self.team or "") or ("the platform" if self.does else "nobody yet")


class Lease(models.Model):
    """Something that somebody has until it is given back or taken back: a device, a licence seat, an access."""

    class Sort(models.TextChoices):
        """What is had."""

        HARDWARE = "hardware"
        SEAT = "seat", "licence seat"
        ACCESS = "access"
        OTHER = "other"

    class State(models.TextChoices):
        """Where it stands."""

        ACTIVE = "active"
        RETURNING = "returning", "to be given back"
        ENDED = "ended"

    what = models.CharField(max_length=200)
    sort = models.CharField(max_length=8, choices=Sort, default=Sort.OTHER)
    item = models.ForeignKey(
        "inventory.Item", null=True, blank=True, on_delete=models.SET_NULL, related_name="leases",
        verbose_name="inventory item",
    )  # fmt: skip
    holder = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="leases")
    team = models.ForeignKey(
        "access.Team", null=True, blank=True, on_delete=models.SET_NULL, related_name="leased_memberships",
        verbose_name="membership of",
    )  # fmt: skip
    order = models.ForeignKey(
        Order, null=True, blank=True, on_delete=models.SET_NULL, related_name="leases", editable=False
    )
    returned_to = models.ForeignKey(
        "access.Team", null=True, blank=True, on_delete=models.SET_NULL, related_name="taken_back",
        verbose_name="taken back by",
    )  # fmt: skip
    part = models.CharField(
        max_length=64, blank=True, default="", editable=False
    )  # of a bundle, for which it stands
    extension_approved = models.BooleanField("longer only with approval", default=False)
    state = models.CharField(max_length=10, choices=State, default=State.ACTIVE, editable=False)
    began_at = models.DateTimeField("since", default=timezone.now, editable=False)
    until = models.DateTimeField(null=True, blank=True, default=None)
    wanted_until = models.DateTimeField("asked for until", null=True, default=None, editable=False)
    ended_at = models.DateTimeField("ended", null=True, default=None, editable=False)
    ended_by = models.CharField(max_length=200, blank=True, default="", editable=False)

    class Meta:
        ordering: ClassVar = ["until", "id"]
        indexes: ClassVar = [models.Index(fields=["holder", "state"], name="lease_holder")]

    def __str__(self) -> str:
        return f"{self.what} for {self.holder}"
