"""Articles, their versions, and who found them helpful."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from watchkeeper.domains.desk.numbering import Numbered
from watchkeeper.domains.knowledge import rules


class Article(Numbered):
    """What somebody knows, written down for others."""

    letters = "KB"
    title = models.CharField(max_length=300)
    body = models.TextField("text", blank=True, default="")
    status = models.CharField(
        max_length=12, choices=list(rules.STATES.items()), default=rules.DRAFT, editable=False
    )
    audience = models.CharField(
        "written for", max_length=12, choices=list(rules.AUDIENCES.items()), default=rules.DESK
    )
    team = models.ForeignKey(
        "access.Team", null=True, blank=True, on_delete=models.PROTECT, related_name="articles"
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="articles"
    )
    review_on = models.DateField("to be reviewed", null=True, blank=True, default=None)
    items = models.ManyToManyField("inventory.Item", blank=True, related_name="articles", db_constraint=False)
    ticket = models.ForeignKey(
        "desk.Ticket", null=True, blank=True, on_delete=models.SET_NULL, related_name="articles"
    )
    version = models.PositiveIntegerField(default=0, editable=False)
    helpful = models.PositiveIntegerField("helped", default=0, editable=False)
    unhelpful = models.PositiveIntegerField("did not help", default=0, editable=False)
    made_at = models.DateTimeField("written", default=timezone.now, editable=False)
    changed_at = models.DateTimeField("changed", default=timezone.now, editable=False)
    published_at = models.DateTimeField("published", null=True, default=None, editable=False)

    class Meta:
        ordering: ClassVar = ["-changed_at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["status", "audience"], name="article_status"),
            models.Index(fields=["review_on"], name="article_review"),
            models.Index(fields=["changed_at", "id"], name="article_changed"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    @property
    def overdue(self) -> bool:
        """Whether somebody should have looked at it again by now."""
        return (
            self.review_on is not None
            and self.status != rules.RETIRED
            and self.review_on < timezone.now().date()
        )


class Version(models.Model):
    """Base of what a text said at one time."""

    number = models.PositiveIntegerField()
    title = models.CharField(max_length=300)
    body = models.TextField("text", blank=True, default="")
    by = models.CharField("written by", max_length=200)
    note = models.CharField("why", max_length=200, blank=True, default="")
    at = models.DateTimeField("written", default=timezone.now)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.title}, version {self.number}"


class ArticleVersion(Version):
    """What an article said at one time."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="versions")

    class Meta:
        ordering: ClassVar = ["-at", "-id"]
        verbose_name = "article version"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["article", "number"], name="article_version_once")
        ]


class Opinion(models.Model):
    """Whether an article has helped somebody; one each."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="opinions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    helped = models.BooleanField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["article", "user"], name="opinion_once")]

    def __str__(self) -> str:
        return f"{self.user_id} on {self.article_id}"
