"""Articles and their versions, declared."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from watchkeeper.domains.identity.naming import Person
from watchkeeper.domains.knowledge import reminding, rules, versions
from watchkeeper.domains.knowledge.models import Article, ArticleVersion
from watchkeeper.domains.knowledge.moving import HELPED, HELPED_NOT, MOVES
from watchkeeper.domains.knowledge.using import USE
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.resource import Column, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer

_SET = ("title", "body", "audience", "team", "owner", "review_on", "items")
_TOLD = ("number", "status", "version", "helpful", "unhelpful", "made_at", "changed_at", "published_at")


class ArticleSerializer(RecordSerializer):
    """Its state is changed by actions; every text that it had is kept."""

    body = serializers.CharField(
        label="Text", max_length=200_000, required=False, allow_blank=True, default="",
        help_text="Markdown", style={"base_template": "textarea.html", "rows": 16},
    )  # fmt: skip
    owner = Person(
        required=False,
        allow_null=True,
        help_text="a user name: who keeps it true; empty: whoever writes this",
    )

    class Meta:
        model = Article
        fields = ("id", "number", *_SET, "ticket", *(t for t in _TOLD if t != "number"))
        read_only_fields = ("id", "ticket", *_TOLD)
        extra_kwargs = {
            "review_on": {"help_text": "when its owner is reminded to look whether it still holds"},
            "team": {"help_text": "the team that reads it, where it is written for one team"},
            "items": {"help_text": "what it is about: it is offered on their tickets"},
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError: an article for one team names it, others name none."""
        audience, team = (attrs.get(n, getattr(self.instance, n, None)) for n in ("audience", "team"))
        if audience == rules.TEAM and team is None:
            raise serializers.ValidationError({"team": ["Say which team it is written for."]})
        if audience and audience != rules.TEAM and team is not None:
            raise serializers.ValidationError({"team": ["Only what is written for one team names a team."]})
        return attrs


def _create(actor: Actor, data: dict[str, Any]) -> Article:
    items = data.pop("items", [])
    article = Article(**data)
    article.owner = article.owner or actor.person
    article.save()
    article.items.set(items)
    versions.keep(article, actor)
    reminding.later(article)
    return article


def _change(actor: Actor, article: Article, data: dict[str, Any]) -> Article:
    items = data.pop("items", None)
    for name, value in data.items():
        setattr(article, name, value)
    article.save()
    if items is not None:
        article.items.set(items)
    versions.keep(article, actor)
    reminding.later(article)
    return article


registry.add(
    Resource(
        model=Article,
        path="articles",
        name="article",
        description="What somebody knows, written down for others: read by those for whom it is written.",
        fields=ArticleSerializer.Meta.fields,
        columns=(
            Column("number", link=True),
            Column("title"),
            Column("status", show=Show.STATE),
            Column("get_audience_display", "Written for"),
            Column("owner"),
            Column("review_on", "To be reviewed"),
            Column("helpful", "Helped", Show.COUNT),
            Column("changed_at", "Changed", Show.TIME),
        ),
        filters={
            "status": ["exact", "in"],
            "audience": ["exact", "in"],
            "team": ["exact", "isnull"],
            "owner__username": ["exact", "in"],
            "review_on": ["lte", "gte", "isnull"],
            "items": ["exact"],
            "ticket": ["exact", "isnull"],
            "helpful": ["gte"],
            "changed_at": ["gte", "lte"],
        },
        search=("number", "title", "body"),
        ordering=("-changed_at", "-id"),
        orderable=("number", "title", "status", "review_on", "helpful", "changed_at"),
        writable=_SET,
        allow=frozenset({"create", "change", "remove"}),
        serializer=ArticleSerializer,
        prepare=lambda found: found.select_related("owner", "team", "ticket").prefetch_related("items"),
        create=_create,
        change=_change,
        policy_attributes=("status", "audience", "team__name", "owner__username"),
        related={"article-versions": lambda article: article.versions.all()},
        default_filters={"status__in": f"{rules.DRAFT},{rules.IN_REVIEW},{rules.PUBLISHED}"},
        actions=(HELPED, HELPED_NOT, USE, *MOVES),
    )
)
versions.declare(
    ArticleVersion,
    "article-versions",
    "article version",
    "article",
    "articles",
    "What an article said at one time.",
)
