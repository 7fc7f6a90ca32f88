"""Runbooks, their steps and their runs, declared."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from watchkeeper.domains.runbooks import deeds, rules
from watchkeeper.domains.runbooks.models import Run, Runbook, RunStep, Step
from watchkeeper.domains.runbooks.running import BEGIN, LEADING
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.derive import plain
from watchkeeper.kernel.problems import Invalid, Refused
from watchkeeper.kernel.resource import Column, Resource, Show, registry
from watchkeeper.kernel.rest import Choice, RecordSerializer
from watchkeeper.kernel.states import Transition, machine

_SAID = 5  # of what is wrong with a runbook


def _wrong(runbook: Runbook) -> str:
    """What is in the way of using it; "" where nothing is."""
    said = rules.wrong(s.rule for s in runbook.steps.all())
    for step in runbook.steps.filter(sort=rules.DOING).exclude(does=""):
        try:
            deeds.check(step.does, step.values)
        except Invalid as error:
            said.append(f"Step {step.number}: {error.detail}")
    more = f"; and {len(said) - _SAID} more" if len(said) > _SAID else ""
    return "; ".join(said[:_SAID]) + more


MOVES = machine(
    "status",
    Transition("use", "Put into use", (rules.DRAFT, rules.RETIRED), rules.IN_USE, guard=_wrong),
    Transition(
        "rework",
        "Rework",
        (rules.IN_USE,),
        rules.DRAFT,
        confirm="Nobody begins it until it is in use again; runs under way go on.",
    ),
    Transition(
        "retire", "Retire", (rules.DRAFT, rules.IN_USE), rules.RETIRED, confirm="It is not offered any more."
    ),
)


class ForkSerializer(serializers.Serializer[Any]):
    """An answer, and the step that it leads to."""

    answer = serializers.CharField(max_length=200)
    step = serializers.IntegerField(min_value=1, max_value=999)


class RunbookStepSerializer(RecordSerializer):
    """Where it leads is said by `then`, or by the answers of a question."""

    number = serializers.IntegerField(min_value=1, max_value=999, help_text="the lowest is the first step")
    then = serializers.IntegerField(min_value=1, max_value=999, required=False, allow_null=True, label="Next step",
                                    help_text="its number; of a question, the answers say it")  # fmt: skip
    answers = ForkSerializer(
        many=True, required=False, help_text="of a question: each with the number of the step that follows"
    )
    values = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=2000),
        required=False,
        label="With",
        help_text="what the action is given, by the names of its fields",
    )

    class Meta:
        model = Step
        fields = ("id", "runbook", "number", "sort", "text", "then", "answers", "does", "values", "approval")
        read_only_fields = ("id",)
        validators: tuple[Any, ...] = ()  # _add and _change name the field
        extra_kwargs = {"text": {"max_length": 20_000, "help_text": "Markdown: what to do, or what is asked"}}

    def get_fields(self) -> dict[str, Any]:
        """What can be carried out is known when all kinds and jobs are."""
        fields = super().get_fields()
        fields["does"] = Choice(
            choices=deeds.choices(), required=False, allow_blank=True, default="", label="What is carried out",
            help_text="of an action: on the ticket or situation that the runbook is gone through for, or a job",
        )  # fmt: skip
        return fields

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError: each sort has what it needs, and nothing that it does not."""
        now = {
            n: attrs.get(n, getattr(self.instance, n, None))
            for n in ("sort", "then", "answers", "does", "values")
        }
        sort = now["sort"] or rules.TELLING
        if now["answers"] and sort != rules.ASKING:
            raise serializers.ValidationError({"answers": ["Only a question has answers."]})
        answers = [a["answer"] for a in now["answers"] or ()]
        if len(set(answers)) < len(answers):
            raise serializers.ValidationError({"answers": ["Two answers are the same."]})
        if now["then"] is not None and sort in (rules.ASKING, rules.END):
            raise serializers.ValidationError(
                {"then": ["Answers lead on from a question, and nothing from the end."]}
            )
        if now["does"] and sort != rules.DOING:
            raise serializers.ValidationError({"does": ["Only an action carries something out."]})
        if now["values"] and not now["does"]:
            raise serializers.ValidationError({"values": ["Only what is carried out is given something."]})
        try:
            if now["does"]:
                deeds.check(now["does"], now["values"] or {})
        except Invalid as error:
            raise serializers.ValidationError(error.more["errors"]) from error
        return attrs


def _changeable(runbook: Runbook) -> None:
    if runbook.status == rules.IN_USE:
        raise Refused(
            f"{runbook} is in use: rework it first, and put it into use again when its steps are right"
        )


def _add(_: Actor, data: dict[str, Any]) -> Step:
    _changeable(data["runbook"])
    if Step.objects.filter(runbook=data["runbook"], number=data["number"]).exists():
        raise serializers.ValidationError({"number": ["There is a step of this number already."]})
    return Step.objects.create(**data)


def _change(_: Actor, step: Step, data: dict[str, Any]) -> Step:
    _changeable(step.runbook)
    others = Step.objects.filter(runbook=step.runbook).exclude(pk=step.pk)
    if others.filter(number=data.get("number", step.number)).exists():
        raise serializers.ValidationError({"number": ["There is a step of this number already."]})
    for name, value in data.items():
        setattr(step, name, value)
    step.save()
    return step


def _remove(_: Actor, step: Step) -> None:
    _changeable(step.runbook)
    step.delete()


plain(
    Runbook, "runbook", "runbooks", "name status team", description="What to do when something is wrong, step by step.",
    fields=("id", "name", "description", "status", "team", "items"), search=("name", "description"),
    writable=("name", "description", "team", "items"), orderable=("status",), actions=(BEGIN, *MOVES),
    related={"runbook-steps": lambda r: r.steps.all(), "runbook-runs": lambda r: r.runs.all()},
    filters={"name": ["exact", "icontains"], "status": ["exact", "in"], "team": ["exact", "isnull"], "items": ["exact"]},
    policy_attributes=("name", "status", "team__name"),
)  # fmt: skip
plain(
    Step, "runbook step", "runbook-steps", "__str__:Step runbook sort then:Next_step does:Carried_out",
    serializer=RunbookStepSerializer, fields=RunbookStepSerializer.Meta.fields, search=("text",), ordering=("number", "id"),
    orderable=("sort",), writable=("number", "sort", "text", "then", "answers", "does", "values", "approval"),
    create_only=("runbook",), create=_add, change=_change, remove=_remove,
    filters={"runbook": ["exact", "in"], "sort": ["exact", "in"], "does": ["exact"], "number": ["exact"]},
)  # fmt: skip
registry.add(
    Resource(
        model=Run,
        path="runbook-runs",
        name="runbook run",
        description="Runbooks that are gone through for a ticket or a situation: where each is, and what was done.",
        fields=("id", "kind", "record", "runbook", "name", "status", "step", "said", "steps", "approved_by", "started_by",
                "started_at", "ended_at"),
        columns=(
            Column("name", "Runbook", link=True),
            Column("status", show=Show.STATE),
            Column("step", "At step"),
            Column("started_by", "Begun by"),
            Column("started_at", "Began", Show.TIME),
            Column("ended_at", "Ended", Show.TIME),
        ),
        filters={"kind": ["exact", "in"], "record": ["exact"], "runbook": ["exact"], "status": ["exact", "in"],
                 "started_by": ["exact"], "started_at": ["gte", "lte"]},
        search=("name",),
        ordering=("-started_at", "-id"),
        prepare=lambda found: found.select_related("runbook"),
        related={"runbook-run-steps": lambda run: run.done.all()},
        actions=LEADING,
    )
)  # fmt: skip
registry.add(
    Resource(
        model=RunStep,
        path="runbook-run-steps",
        name="runbook run step",
        description="What was done at a step of a run.",
        fields=("id", "run", "number", "text", "answer", "note", "result", "failed", "by", "at"),
        columns=(
            Column("__str__", "Step", link=True),
            Column("note"),
            Column("result", "What came of it"),
            Column("by"),
            Column("at", "When", Show.TIME),
        ),
        filters={
            "run": ["exact"],
            "number": ["exact"],
            "by": ["exact"],
            "failed": ["exact"],
            "at": ["gte", "lte"],
        },
        ordering=("id",),
        prepare=lambda found: found.select_related("run"),
    )
)
