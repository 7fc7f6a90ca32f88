"""What the next step of an escalation is: whom it tells, and when the one after it follows. Reads what that needs for a
batch of them at once, and sets their fields; nothing is saved here."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from watchkeeper.domains.identity.models import User
from watchkeeper.domains.oncall.models import READ, Schedule
from watchkeeper.domains.oncall.paging import rules
from watchkeeper.domains.oncall.paging.models import Escalation, EscalationStep
from watchkeeper.domains.oncall.paging.reaching import Told, Ways
from watchkeeper.domains.oncall.paging.rules import Place
from watchkeeper.kernel.fields import milliseconds
from watchkeeper.model.verdicts import Severity

BY_HAND = dt.timedelta(minutes=30)  # that people who were paged by hand have to answer
State = Escalation.State


@dataclass(frozen=True, slots=True)
class Plan:
    """What one step does: who is told and why, and by what; `step` is None of one by hand. A person without a way is told by
    none, which is seen on the page."""

    escalation: Escalation
    place: Place
    step: EscalationStep | None
    people: dict[int, str]
    told: dict[int, list[Told]]


class Steps:
    """The steps of these escalations' policies, and who is on call now."""

    def __init__(self, escalations: Sequence[Escalation], now: dt.datetime) -> None:
        self._now, self._ms = now, milliseconds(now)
        self._of: dict[int, list[EscalationStep]] = defaultdict(list)
        found = EscalationStep.objects.filter(policy__in={e.policy_id for e in escalations if e.policy_id})
        found = (
            found.select_related("calendar", "policy").defer("address", "secret").order_by("position", "pk")
        )
        on_call = [f"schedules__{name}" for name in READ]
        for step in found.prefetch_related("responders", "teams__members", "schedules", *on_call):
            self._of[step.policy_id].append(step)
        self._asked = {n for e in escalations for n in e.asked}
        self._repeat = {s.policy_id: s.policy.repeat for steps in self._of.values() for s in steps}
        self._on_call: dict[int, str] = {}
        people = User.objects.filter(is_active=True, username__in=self._names())
        self._users = {u.username: u for u in people}
        self._ways = Ways(self._users.values())
        self._whom: dict[int, dict[int, str]] = {}

    def _names(self) -> set[str]:
        names = set(self._asked)
        for step in (s for steps in self._of.values() for s in steps):
            names.update(u.username for u in step.responders.all())
            names.update(u.username for team in step.teams.all() for u in team.members.all())
            names.update(filter(None, (self._who(schedule) for schedule in step.schedules.all())))
        return names

    def _who(self, schedule: Schedule) -> str:
        if schedule.pk not in self._on_call:
            self._on_call[schedule.pk] = schedule.shifts(self._ms, self._ms + 1)[0].person
        return self._on_call[schedule.pk]

    def _people(self, step: EscalationStep) -> dict[int, str]:
        """Keys of those whom a step tells, and why them; known of a step for the whole batch."""
        if step.pk not in self._whom:
            named = [
                (u.username, f"step {step.position} of {step.policy} names you")
                for u in step.responders.all()
            ]
            for schedule in step.schedules.all():
                named.append((self._who(schedule), f"you are on call in {schedule}"))
            for team in step.teams.all():
                named += [(u.username, f"you are in the team {team}") for u in team.members.all()]
            known: dict[int, str] = {}
            for name, why in named:
                if name in self._users:
                    known.setdefault(self._users[name].pk, why[:200])
            self._whom[step.pk] = known
        return self._whom[step.pk]

    def next(self, escalation: Escalation) -> list[Plan]:
        """The next step that reaches somebody, after those that do not; by it the escalation's fields are set."""
        if escalation.policy_id is None:
            return self._by_hand(escalation)
        steps = self._of[escalation.policy_id]
        meant = [self._is_meant(step, escalation) for step in steps]
        repeat = self._repeat.get(escalation.policy_id, 0)
        plans: list[Plan] = []
        place = rules.after(Place(escalation.round, escalation.position), meant, repeat)
        while place is not None:
            step = steps[place.index]
            if len(plans) >= sum(meant):  # a whole round, and nobody could be told: not again at once
                escalation.round, escalation.position = place.round, place.index - 1
                escalation.due_at = self._now + dt.timedelta(minutes=max(1, step.minutes))
                return plans
            plan = self._plan(escalation, place, step)
            plans.append(plan)
            if any(plan.told.values()):
                self._wait(escalation, plan, dt.timedelta(minutes=step.minutes))
                return plans
            escalation.note = f"Step {step.position}: nobody could be reached."
            place = rules.after(place, meant, repeat)
        self._unanswered(escalation, "" if any(meant) else "The policy has no step for it.")
        return plans

    def _is_meant(self, step: EscalationStep, escalation: Escalation) -> bool:
        open_at = step.calendar.working_time.open_at if step.calendar else None
        grave = Severity(escalation.severity).rank >= Severity(step.min_severity).rank
        return grave and rules.in_hours(step.hours, open_at, self._ms)

    def _plan(self, escalation: Escalation, place: Place, step: EscalationStep) -> Plan:
        people = self._people(step)
        told = {pk: self._ways.of(pk, escalation.urgency, self._now) for pk in people}
        return Plan(escalation, place, step, people, told)

    def _by_hand(self, escalation: Escalation) -> list[Plan]:
        if escalation.position >= 0 or not escalation.asked:
            self._unanswered(escalation, "" if escalation.asked else "Its policy was removed.")
            return []
        users = [self._users[name] for name in escalation.asked if name in self._users]
        people = {u.pk: "somebody has asked for you" for u in users}
        told = {pk: self._ways.of(pk, escalation.urgency, self._now) for pk in people}
        plan = Plan(escalation, Place(0, 0), None, people, told)
        if not any(told.values()):
            self._unanswered(escalation, "Nobody could be reached.")
        else:
            self._wait(escalation, plan, BY_HAND)
        return [plan]

    def _wait(self, escalation: Escalation, plan: Plan, answer: dt.timedelta) -> None:
        """They have so long to answer from when the first of them is told."""
        first = min((t.at for told in plan.told.values() for t in told), default=self._now)
        escalation.round, escalation.position = plan.place.round, plan.place.index
        escalation.due_at = max(self._now, first) + answer

    def _unanswered(self, escalation: Escalation, note: str) -> None:
        escalation.state, escalation.due_at, escalation.ended_at = State.UNANSWERED, None, self._now
        escalation.note = note or escalation.note
