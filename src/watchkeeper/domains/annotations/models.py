"""What people attach to records of any kind: tags, custom fields, links, bookmarks, notes and files."""

# Types of Django's fields come from a plugin that would have to start Django to check this file.
# mypy: disable-error-code="var-annotated"

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from watchkeeper.domains.annotations.rules import Rule
from watchkeeper.kernel.fields import StructField
from watchkeeper.kernel.hanging import Hanging


class Tag(models.Model):
    """A word that records of every kind can be marked with."""

    name = models.CharField(max_length=64)
    color = models.CharField("colour", max_length=7, default="#6c757d")
    description = models.CharField(max_length=255, blank=True, default="")

    class Meta:
        ordering: ClassVar = [Lower("name"), "id"]
        constraints: ClassVar = [models.UniqueConstraint(Lower("name"), name="tag_once")]

    def __str__(self) -> str:
        return self.name


class Tagging(Hanging):
    """A record has a tag."""

    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="taggings")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["record", "kind", "tag"], name="tagged_once")
        ]
        indexes: ClassVar = [models.Index(fields=["tag", "kind", "record"], name="tagging_by_tag")]


class FieldType(models.TextChoices):
    """What a custom field holds."""

    TEXT = "text", "text"
    LONG_TEXT = "long_text", "long text"
    WHOLE = "whole", "whole number"
    DECIMAL = "decimal", "decimal number"
    YES_NO = "yes_no", "yes or no"
    DATE = "date", "date"
    MOMENT = "moment", "date and time"
    URL = "url", "web address"
    CHOICE = "choice", "one choice"
    CHOICES = "choices", "several choices"
    REFERENCE = "reference", "another record"


class CustomField(models.Model):
    """A field that people have added to a kind of record."""

    kind = models.CharField("kind of record", max_length=64)
    name = models.CharField(max_length=50)
    label = models.CharField(max_length=100, blank=True, default="")
    type = models.CharField(max_length=16, choices=FieldType, default=FieldType.TEXT)
    target = models.CharField("kind of record referred to", max_length=64, blank=True, default="")
    help = models.CharField(max_length=255, blank=True, default="")
    required = models.BooleanField(default=False)
    default = StructField(blank=True, null=True, default=None)
    choices = StructField(list[str], blank=True)
    minimum = models.FloatField("least value or length", null=True, blank=True, default=None)
    maximum = models.FloatField("greatest value or length", null=True, blank=True, default=None)
    pattern = models.CharField("regular expression", max_length=500, blank=True, default="")
    position = models.PositiveSmallIntegerField(default=100)
    in_lists = models.BooleanField("shown in lists", default=False)

    class Meta:
        ordering: ClassVar = ["kind", "position", "name"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["kind", "name"], name="custom_field_once")]

    def __str__(self) -> str:
        return f"{self.called} of {self.kind.replace('-', ' ')}"

    @property
    def called(self) -> str:
        """The label, or the name in words."""
        return self.label or self.name.replace("_", " ").capitalize()

    @property
    def rule(self) -> Rule:
        """What it asks of values."""
        return Rule(self.type, tuple(self.choices or ()), self.minimum, self.maximum, self.pattern)


class CustomValue(models.Model):
    """What a record has in a custom field. `value` is shown; `text` and `number` are what lists compare, and `head` is the
    beginning of the text, which is short enough for an index."""

    field = models.ForeignKey(CustomField, on_delete=models.CASCADE, related_name="values")
    record = models.CharField(max_length=128)
    value = StructField(blank=True)
    text = models.TextField(blank=True, default="")
    head = models.CharField(max_length=100, blank=True, default="")
    number = models.FloatField(null=True, default=None)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["record", "field"], name="one_value")]
        indexes: ClassVar = [
            models.Index(fields=["field", "number"], name="custom_number"),
            models.Index(fields=["field", "head"], name="custom_head"),
        ]


class Link(Hanging):
    """A record has to do with another one, or with a page of the web. It is kept at one end and shown at both."""

    class Sort(models.TextChoices):
        """How it reads from the record that it hangs on."""

        RELATES = "relates_to", "relates to"
        CAUSED_BY = "caused_by", "was caused by"
        BLOCKS = "blocks", "blocks"
        DUPLICATES = "duplicates", "duplicates"
        FOLLOWS = "follows", "follows"
        REPLACES = "replaces", "replaces"
        DOCUMENTED = "documented_in", "is documented in"

    sort = models.CharField(max_length=16, choices=Sort, default=Sort.RELATES)
    to_kind = models.CharField("other kind of record", max_length=64, blank=True, default="")
    to_record = models.CharField("other record", max_length=128, blank=True, default="")
    url = models.CharField("web address", max_length=2000, blank=True, default="")
    label = models.CharField(max_length=200, blank=True, default="")
    made_by = models.CharField(max_length=200, editable=False)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["sort", "id"]
        indexes: ClassVar = [
            models.Index(fields=["record", "kind"], name="link_on_record"),
            models.Index(fields=["to_record", "to_kind"], name="link_to_record"),
        ]

    def __str__(self) -> str:
        return f"{self.get_sort_display()} {self.label or self.url or self.to_record}"


class Note(Hanging):
    """Something that somebody wrote down about a record, in Markdown."""

    class Level(models.TextChoices):
        """How it is marked."""

        INFO = "info"
        SUCCESS = "success"
        WARNING = "warning"
        DANGER = "danger"

    level = models.CharField("mark", max_length=8, choices=Level, default=Level.INFO)
    text = models.TextField(max_length=20_000)
    author = models.CharField(max_length=200, editable=False)
    author_id = models.CharField(max_length=64, editable=False, blank=True, default="")
    made_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(null=True, editable=False, default=None)

    class Meta:
        ordering: ClassVar = ["-made_at", "-id"]
        indexes: ClassVar = [models.Index(fields=["record", "kind", "made_at"], name="note_on_record")]

    def __str__(self) -> str:
        first = self.text.strip().partition("\n")[0]
        return first if len(first) <= 60 else f"{first[:59]}…"


class File(Hanging):
    """A file that belongs to a record. Its content lies in the data folder, under its hash."""

    name = models.CharField(max_length=255)
    description = models.CharField(max_length=255, blank=True, default="")
    size = models.PositiveBigIntegerField("size in bytes")
    sha256 = models.CharField("SHA-256", max_length=64, db_index=True)
    made_by = models.CharField(max_length=200, editable=False)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["name", "id"]
        indexes: ClassVar = [models.Index(fields=["record", "kind"], name="file_on_record")]

    def __str__(self) -> str:
        return self.name


class Bookmark(Hanging):
    """A record that somebody wants to find again. Nobody else sees it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="bookmarks")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-made_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["record", "kind", "user"], name="bookmarked_once")
        ]
        indexes: ClassVar = [models.Index(fields=["user", "-made_at"], name="bookmark_of_user")]
