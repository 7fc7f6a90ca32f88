"""Problems, their causes with evidence, and their actions, declared."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from watchkeeper.domains.identity.naming import Person
from watchkeeper.domains.problems import due, recurring_resources, report_resources, rules  # noqa: F401  (they declare)
from watchkeeper.domains.problems.models import Cause, Evidence, Problem, ProblemAction
from watchkeeper.domains.problems.moving import DOING, JUDGING, MOVES
from watchkeeper.domains.problems.workarounds import USE
from watchkeeper.domains.problems.writing import WRITE
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.derive import lookups, own_fields, plain
from watchkeeper.kernel.problems import Refused
from watchkeeper.kernel.resource import Column, Resource, Show, registry
from watchkeeper.kernel.rest import RecordSerializer
from watchkeeper.telemetry import promql

_SET = ("title", "description", "priority", "owner", "team", "incidents", "situations", "items", "known_error",
        "workaround")  # fmt: skip
_TOLD = ("number", "status", "resolution", "left_open", "opened_at", "known_at", "resolved_at", "closed_at")
_MANY = ("incidents", "situations", "items")
_MARKDOWN = {"help_text": "Markdown", "max_length": 20_000}


class ProblemSerializer(RecordSerializer):
    """Its state is changed by actions."""

    owner = Person(required=False, allow_null=True, help_text="a user name; empty: whoever writes this")

    class Meta:
        model = Problem
        fields = ("id", "number", *_SET, *(t for t in _TOLD if t != "number"))
        read_only_fields = ("id", *_TOLD)
        extra_kwargs = {
            "description": _MARKDOWN,
            "known_error": {**_MARKDOWN, "help_text": "what is wrong, in Markdown"},
            "workaround": {
                **_MARKDOWN,
                "help_text": "how one helps oneself until it is gone, in Markdown: offered on open tickets and situations",
            },
        }


def _create(actor: Actor, data: dict[str, Any]) -> Problem:
    many = {name: data.pop(name) for name in _MANY if name in data}
    problem = Problem(**data)
    problem.owner = problem.owner or actor.person
    problem.save()
    _set(problem, many)
    return problem


def _change(_: Actor, problem: Problem, data: dict[str, Any]) -> Problem:
    many = {name: data.pop(name) for name in _MANY if name in data}
    for name, value in data.items():
        setattr(problem, name, value)
    problem.save()
    _set(problem, many)
    return problem


def _set(problem: Problem, many: dict[str, Any]) -> None:
    for name, records in many.items():
        getattr(problem, name).set(records)


class CauseSerializer(RecordSerializer):
    """Whether it is the cause is said by actions."""

    class Meta:
        model = Cause
        fields = ("id", "problem", "parent", "what", "item", "verdict", "why", "by", "at")
        read_only_fields = ("id", "verdict", "why", "by", "at")
        extra_kwargs = {
            "what": {"help_text": "one sentence: the shop was slow because the disk was full"},
            "parent": {
                "help_text": "the cause of which this says why; empty: it explains the problem itself"
            },
            "item": {"help_text": "where it lies, if it lies at one item"},
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError: a cause explains one of its own problem, and no circle."""
        parent, problem = (attrs.get(n, getattr(self.instance, n, None)) for n in ("parent", "problem"))
        if parent is not None and problem is not None and parent.problem_id != problem.pk:
            raise serializers.ValidationError({"parent": ["It is a cause of another problem."]})
        above = parent
        while above is not None:
            if self.instance is not None and above.pk == self.instance.pk:
                raise serializers.ValidationError({"parent": ["A cause cannot be its own why."]})
            above = above.parent
        return attrs


class EvidenceSerializer(RecordSerializer):
    """It says or names something."""

    class Meta:
        model = Evidence
        fields = ("id", "cause", "against", "text", "alert", "situation", "query", "seen_at", "by", "at")
        read_only_fields = ("id", "by", "at")
        extra_kwargs = {
            "text": {"help_text": "in words", "max_length": 20_000},
            "situation": {"help_text": "what analysis found as the cause of this situation"},
            "query": {"help_text": "a metric that shows it, as PromQL", "style": {"input": "metric"}},
            "seen_at": {"help_text": "when it was seen: the metric is shown around then"},
        }

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError."""
        named = (
            attrs.get(n, getattr(self.instance, n, None)) for n in ("text", "alert", "situation", "query")
        )
        if query := attrs.get("query"):
            _readable(query)
        if not any(named):
            raise serializers.ValidationError(
                {"text": ["Say what shows it, or name an alert, a situation or a metric."]}
            )
        return attrs


def _readable(query: str) -> None:
    try:
        promql.kind_of(query)
    except promql.QueryError as error:
        raise serializers.ValidationError({"query": [error.detail]}) from error


class ActionSerializer(RecordSerializer):
    """Done by an action; `state` is open, overdue or done."""

    owner = Person(
        required=False, allow_null=True, help_text="a user name: who does it; empty: the problem's owner"
    )
    state = serializers.CharField(read_only=True)

    class Meta:
        model = ProblemAction
        fields = ("id", "problem", "what", "owner", "due_on", "state", "done_at", "outcome")
        read_only_fields = ("id", "done_at", "outcome")
        extra_kwargs = {"due_on": {"help_text": "its owner is told the day after, if it is not done"}}


def _said(model: Any) -> Any:
    def create(actor: Actor, data: dict[str, Any]) -> Any:
        return model.objects.create(by=actor.name[:200], **data)

    return create


def _plan(_: Actor, data: dict[str, Any]) -> ProblemAction:
    if data["problem"].status == rules.CLOSED:
        raise Refused(f"{data['problem'].number} is closed")
    made = ProblemAction.objects.create(**data)
    due.later(made)
    return made


def _replan(_: Actor, action: ProblemAction, data: dict[str, Any]) -> ProblemAction:
    for name, value in data.items():
        setattr(action, name, value)
    action.save()
    due.later(action)
    return action


registry.add(
    Resource(
        model=Problem,
        path="problems",
        name="problem",
        description="What is behind incidents: its causes, a workaround until it is gone, and what is done about it.",
        fields=ProblemSerializer.Meta.fields,
        columns=(
            Column("number", link=True),
            Column("title"),
            Column("status", show=Show.STATE),
            Column("priority", show=Show.COUNT),
            Column("owner"),
            Column("team"),
            Column("opened_at", "Opened", Show.TIME),
        ),
        filters={
            "status": ["exact", "in"],
            "priority": ["exact", "lte", "gte"],
            "owner": ["isnull"],
            "owner__username": ["exact", "in"],
            "team": ["exact", "isnull"],
            "incidents": ["exact"],
            "situations": ["exact"],
            "items": ["exact"],
            "opened_at": ["gte", "lte"],
        },
        search=("number", "title", "description", "known_error", "workaround", "resolution"),
        ordering=("priority", "-id"),
        orderable=("number", "status", "opened_at"),
        writable=_SET,
        allow=frozenset({"create", "change", "remove"}),
        serializer=ProblemSerializer,
        prepare=lambda found: found.select_related("owner", "team").prefetch_related(*_MANY),
        create=_create,
        change=_change,
        policy_attributes=("status", "team__name", "owner__username"),
        default_filters={"status__in": ",".join(rules.OPEN)},
        related={
            "problem-causes": lambda p: p.causes.all(),
            "problem-actions": lambda p: p.actions.all(),
            "tickets": lambda p: p.incidents.all(),
            "situations": lambda p: p.situations.all(),
        },
        actions=(*MOVES, USE, WRITE["problems"]),
    )
)
plain(
    Cause, "problem cause", "problem-causes", "what problem parent:Is_why verdict item by:Said_by",
    serializer=CauseSerializer, fields=CauseSerializer.Meta.fields, create=_said(Cause), actions=JUDGING,
    writable=("parent", "what", "item"), create_only=("problem",), ordering=("id",), search=("what",),
    related={"problem-evidence": lambda cause: cause.evidence.all(), "problem-causes": lambda cause: cause.whys.all()},
    orderable=("what", "verdict"), filters={**lookups(own_fields(Cause)), "verdict": ["exact", "in"]},
)  # fmt: skip
plain(
    Evidence, "evidence", "problem-evidence", "__str__:Evidence cause against alert situation by:Added_by",
    description=str(Evidence.__doc__), serializer=EvidenceSerializer, fields=EvidenceSerializer.Meta.fields,
    create=_said(Evidence), writable=("against", "text", "alert", "situation", "query", "seen_at"),
    create_only=("cause",), ordering=("id",), search=("text", "query"), orderable=("against",),
)  # fmt: skip
plain(
    ProblemAction, "problem action", "problem-actions", "what problem owner due_on state",
    serializer=ActionSerializer, fields=ActionSerializer.Meta.fields, create=_plan, change=_replan, actions=DOING,
    writable=("what", "owner", "due_on"), create_only=("problem",), ordering=("due_on", "id"),
    orderable=("what", "due_on", "done_at"), search=("what", "outcome"),
    filters={"problem": ["exact", "in"], "owner__username": ["exact", "in"], "owner": ["isnull"],
             "due_on": ["lte", "gte", "isnull"], "done_at": ["isnull", "gte", "lte"]},
    default_filters={"done_at__isnull": "true"},
)  # fmt: skip
