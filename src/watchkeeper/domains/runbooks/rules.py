"""What a runbook may look like: every step leads on or ends it, none leads in a circle. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

TELLING, ASKING, DOING, END = "instruction", "question", "action", "end"
SORTS = {
    TELLING: "an instruction",
    ASKING: "a question",
    DOING: "an action that is carried out",
    END: "the end",
}
DRAFT, IN_USE, RETIRED = "draft", "in_use", "retired"
STATES = {DRAFT: "draft", IN_USE: "in use", RETIRED: "retired"}
UNDER_WAY, FINISHED, STOPPED = "under_way", "finished", "stopped"
RUN_STATES = {UNDER_WAY: "under way", FINISHED: "finished", STOPPED: "stopped"}


@dataclass(frozen=True)
class Step:
    """A step: its number, its sort, and where it leads. `answers`: of a question, answer → number of the next step;
    `then`: of the others, the number of the next step."""

    number: int
    sort: str
    answers: Mapping[str, int]
    then: int | None = None
    does: str = ""

    @property
    def leads_to(self) -> list[int]:
        """The numbers of the steps that may come next."""
        if self.sort == ASKING:
            return list(self.answers.values())
        return [self.then] if self.then is not None and self.sort != END else []


def wrong(steps: Iterable[Step]) -> list[str]:
    """What is wrong with these steps, in sentences; nothing, where they can be used.

    >>> wrong([Step(1, "question", {"yes": 2, "no": 1}), Step(2, "end", {})])
    ['Step 1 leads back to itself: 1 → 1']
    """
    known = {s.number: s for s in steps}
    if not known:
        return ["It has no steps yet"]
    out = [said for s in known.values() for said in _wrong_with(s, known)]
    first = min(known)
    if circle := _circle(known, first):
        way = " → ".join(map(str, circle))
        to = "itself" if len(circle) == 2 else f"step {circle[0]}"
        out.append(f"Step {circle[-2]} leads back to {to}: {way}")
    reached = _reached(known, first)
    out += [f"No step leads to step {n}" for n in known if n not in reached]
    return out


def _wrong_with(step: Step, known: Mapping[int, Step]) -> Iterable[str]:
    if step.sort == ASKING and len(step.answers) < 2:
        yield f"Step {step.number} is a question with fewer than two answers"
    if step.sort in (TELLING, DOING) and step.then is None:
        yield f"Step {step.number} leads nowhere: say which step comes next, or make it an end"
    if step.sort == DOING and not step.does:
        yield f"Step {step.number} is an action and does not say what is carried out"
    for number in dict.fromkeys(step.leads_to):
        if number not in known:
            yield f"Step {step.number} leads to step {number}, which there is not"


def _circle(known: Mapping[int, Step], first: int) -> list[int]:
    """The numbers along a way that comes back to where it was, with that number at both ends; [] without one."""
    way: list[int] = []
    left: list[list[int]] = [[first]]
    done: set[int] = set()
    while left:
        if not left[-1]:
            left.pop()
            if way:
                done.add(way.pop())
            continue
        number = left[-1].pop()
        if number in way:
            return [*way[way.index(number) :], number]
        if number in known and number not in done:
            way.append(number)
            left.append(known[number].leads_to)
    return []


def _reached(known: Mapping[int, Step], first: int) -> set[int]:
    reached, left = set[int](), [first]
    while left:
        number = left.pop()
        if number in known and number not in reached:
            reached.add(number)
            left += known[number].leads_to
    return reached
