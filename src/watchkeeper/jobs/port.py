"""Long work in the background: a kind of job is declared once, started by its name, and carried out step by step by
whoever app chose, in another process. Only what is written down survives a kill: results of steps, and the Job.

    @job("audit-verify", "Verify the audit trail", needs=("read", "audit"))
    def verify(run: Run) -> dict[str, Any]:
        return run.step("verify", lambda: walk(told=run.progress))

    jobs.start("audit-verify", {}, actor, id="audit-verify-2030-01-01")
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol, TypeVar

from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.module_loading import autodiscover_modules
from rest_framework.serializers import BaseSerializer

from watchkeeper.jobs.models import Job, JobState
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import SYSTEM, Actor, ActorKind, Scope
from watchkeeper.kernel.outbox import TryAgain
from watchkeeper.kernel.permissions import require
from watchkeeper.kernel.problems import Invalid, Refused, told
from watchkeeper.kernel.resource import registry
from watchkeeper.model.errors import WatchkeeperError

T = TypeVar("T")
_ID = re.compile(r"[^\s/]{0,200}")
LINES = 200  # of a job's log; the first ones go
TELL_EVERY = dt.timedelta(seconds=0.7)  # between two writes of how far it is


class Cancelled(WatchkeeperError):
    """Somebody wants it to stop. What a step has done in a transaction is taken back."""

    reason = "cancelled"


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a step is tried that raises TryAgain, OSError or OperationalError, and the seconds before the second
    time; they double."""

    attempts: int = 6
    seconds: float = 1.0


class Steps(Protocol):
    """Remembers a step's result, which is JSON, and gives it back instead of doing it again."""

    def __call__(self, name: str, do: Callable[[], Any], retry: Retry) -> Any:
        """Raises what the last attempt raised."""
        ...


@dataclass(frozen=True)
class JobKind:
    """A declared kind of job. `needs`: an act and the path of a kind of record, which the starter has to be allowed.
    `fields`: a REST framework serializer class for its arguments. `at_once`: how many run at a time. `every`: a cron
    expression in UTC by which the platform starts it. `offered_on`: path of the list whose page offers it."""

    name: str
    label: str
    run: Callable[[Run], Any]
    fields: type[BaseSerializer[Any]] | None = None
    needs: tuple[str, str] | None = None
    at_once: int = 1
    every: str = ""
    offered_on: str = ""

    @property
    def takes(self) -> frozenset[str]:
        """The names of its arguments."""
        return frozenset(getattr(self.fields(), "fields", ())) if self.fields is not None else frozenset()

    def checked(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments as it takes them. Raises Invalid naming the one that is wrong."""
        if unknown := sorted(set(arguments) - self.takes):
            takes = ", ".join(sorted(self.takes)) or "none"
            raise Invalid(f"{self.name} takes no {unknown[0]!r}; it takes: {takes}", "arguments")
        if self.fields is None:
            return {}
        given = self.fields(data=dict(arguments))
        if not given.is_valid():
            raise Invalid("; ".join(f"{n}: {d}" for n, d in told(given.errors)), "arguments")
        checked: dict[str, Any] = audit.plain(given.validated_data)
        return checked


_kinds: dict[str, JobKind] = {}


def job(name: str, label: str, **more: Any) -> Callable[[Callable[[Run], Any]], Callable[[Run], Any]]:
    """Declare a kind of job in a domain's `jobs` module; `more` goes into the JobKind. Its function is called anew
    after a kill, so whatever it does besides steps has to be the same each time."""

    def register(function: Callable[[Run], Any]) -> Callable[[Run], Any]:
        _kinds[name] = JobKind(name, label, function, **more)
        return function

    return register


@lru_cache(maxsize=1)
def kinds() -> Mapping[str, JobKind]:
    """Every declared kind of job, by its name."""
    autodiscover_modules("jobs")
    return _kinds


def start(name: str, arguments: Mapping[str, Any] | None = None, actor: Actor = SYSTEM, *, id: str = "", label: str = "",
          due_at: dt.datetime | None = None) -> Job:  # fmt: skip
    """Write a job down, in the caller's transaction; it begins when that is committed and `due_at` has come. One with
    this id that is there already is returned as it is. Raises Invalid naming the argument, Forbidden, or Refused
    when the id is another kind's."""
    found, made = written(name, arguments or {}, actor, id=id, label=label, due_at=due_at)
    if made:
        audit.record(actor, "job.start", found, after={"kind": name, "arguments": found.arguments})
    return found


def written(name: str, arguments: Mapping[str, Any], actor: Actor, *, id: str = "", label: str = "",
            due_at: dt.datetime | None = None) -> tuple[Job, bool]:  # fmt: skip
    """As `start`, not audited; whether it is new."""
    kind = kinds().get(name)
    if kind is None:
        raise Invalid(f"there is no job {name!r}; there are: {', '.join(sorted(kinds()))}", "kind")
    if kind.needs is not None:
        require(actor, kind.needs[0], registry[kind.needs[1]])
    if not _ID.fullmatch(id):
        raise Invalid(f"{id!r}: up to 200 characters without blanks and slashes", "id")
    now = timezone.now()
    found, made = Job.objects.get_or_create(
        id=id or str(uuid.uuid4()),
        defaults={
            "kind": name, "label": (label or kind.label)[:200], "arguments": kind.checked(arguments),
            "actor_kind": actor.kind, "actor": actor.name[:200], "actor_id": actor.id, "scope": actor.scope,
            "address": actor.address, "request_id": actor.request_id, "user": actor.person,
            "created_at": now, "due_at": due_at or now,
        },
    )  # fmt: skip
    if found.kind != name:
        raise Refused(f"id: {id!r} is a job of another kind, {found.kind}")
    return found, made


@dataclass
class Run:
    """One job being carried out: what it is to do, for whom, and how it tells how far it is."""

    id: str
    attempt: int
    arguments: dict[str, Any]
    actor: Actor
    steps: Steps
    _due: dt.datetime = field(default=dt.datetime.min.replace(tzinfo=dt.UTC), repr=False)

    def step(self, name: str, do: Callable[[], Any], retry: Retry = Retry()) -> Any:
        """What `do` returned, which JSON can hold, at the first time that it came to an end. Between its end and the
        note of it lies a moment in which a kill makes it run again. Raises Cancelled, Refused for any final error of
        ours, or what was raised the last time."""

        def once() -> dict[str, Any]:
            # What is said here is remembered as JSON, so an error is too.
            try:
                self.check()
                return {"is": do()}
            except TryAgain:
                raise
            except Cancelled:
                return {"cancelled": True}
            except WatchkeeperError as error:
                return {"refused": error.detail}

        said = self.steps(name, once, retry)
        if "cancelled" in said:
            raise Cancelled("cancelled")
        if "refused" in said:
            raise Refused(said["refused"])
        return said["is"]

    def commit(self, name: str, do: Callable[[T], Any], ready: Callable[[], T]) -> Any:
        """A step whose effects are in the records: done in one transaction together with the note that it was, and so
        once, whatever is killed, and all or none. What `ready` has made before the transaction is given to it."""

        def committed() -> dict[str, Any]:
            found: dict[str, Any] = Job.objects.values_list("committed", flat=True).get(pk=self.id)
            return found

        def once() -> Any:
            if name in (known := committed()):
                return known[name]
            made = ready()
            with transaction.atomic():
                known = {**committed(), name: audit.plain(do(made))}
                if not self._mine().update(committed=known):
                    raise Cancelled("cancelled")
            return known[name]

        return self.step(name, once)

    def check(self) -> None:
        """Raises Cancelled when somebody wants it to stop, or it was given up meanwhile."""
        if not self._mine().filter(cancel_asked=False).exists():
            raise Cancelled("cancelled")

    def _mine(self) -> QuerySet[Job]:
        """Its row, while it is this attempt that runs."""
        return Job.objects.filter(pk=self.id, attempt=self.attempt, state=JobState.RUNNING)

    def progress(self, done: int, total: int | None = None, unit: str = "", message: str = "") -> None:
        """Tell how far it is, at most about once a second; cheap enough for every row. Raises Cancelled."""
        now = timezone.now()
        if now < self._due or connection.in_atomic_block:
            return
        self._due = now + TELL_EVERY
        told = {"done": done, "total": total, "unit": unit, **({"message": message[:300]} if message else {})}
        Job.objects.filter(pk=self.id).update(**told)
        self.check()

    def say(self, message: str, **told: Any) -> None:
        """What it does now, as one line of its log; `told` are done, total and unit."""
        log = Job.objects.values_list("log", flat=True).get(pk=self.id)
        log.append([timezone.now().isoformat(timespec="seconds"), message])
        Job.objects.filter(pk=self.id).update(log=log[-LINES:], message=message[:300], **told)


def carry_out(pk: str, attempt: int, steps: Steps) -> None:
    """Do what a job says, from the first step that is not remembered, and write down how it ended."""
    found = steps("begin", lambda: _begun(pk, attempt), Retry(20))
    if found is None:
        return
    job = Job.objects.select_related("user").get(pk=pk)
    kind = kinds().get(job.kind)
    try:
        if kind is None:
            raise Refused(f"nothing here carries out {job.kind!r}")
        result = kind.run(Run(pk, attempt, job.arguments, _actor(job), steps))
    except Cancelled:
        ended = (JobState.CANCELLED, "", None)
    except WatchkeeperError as error:
        ended = (JobState.FAILED, error.detail, None)
    except (OSError, OperationalError) as error:
        ended = (JobState.FAILED, str(error) or repr(error), None)
    else:
        ended = (JobState.DONE, "", audit.plain(result))
    steps("end", lambda: end(pk, attempt, *ended), Retry(20))


def _begun(pk: str, attempt: int) -> bool | None:
    return Job.objects.filter(pk=pk, attempt=attempt).exists() or None


def end(pk: str, attempt: int, state: str, error: str = "", result: Any = None) -> None:
    """Write down how it ended, unless that is written or it was begun anew."""
    ended = Job.objects.filter(pk=pk, attempt=attempt, state=JobState.RUNNING)
    ended.update(state=state, error=error[:2000], result=result, finished_at=timezone.now(), cancel_asked=False,
                 message="")  # fmt: skip


def _actor(job: Job) -> Actor:
    """Who started it, with the rights that they have now. Raises Refused for one who may not sign in any more."""
    if job.user is not None and not job.user.is_active:
        raise Refused(f"{job.user} may not sign in any more")
    return Actor(ActorKind(job.actor_kind), job.actor, job.actor_id, Scope(job.scope), job.address, job.request_id,
                 job.user)  # fmt: skip


def cancel(actor: Actor, job: Job) -> None:
    """Stop it: at once if it waits, else where its kind next looks whether it shall."""
    waiting = Job.objects.filter(pk=job.pk, state=JobState.WAITING)
    if not waiting.update(state=JobState.CANCELLED, finished_at=timezone.now()):
        Job.objects.filter(pk=job.pk, state=JobState.RUNNING).update(
            cancel_asked=True, message=f"stopping, as {actor.name} wants"
        )


def again(job: Job) -> None:
    """Begin a job that failed or was cancelled anew; what it has committed stays done."""
    Job.objects.filter(pk=job.pk, state__in=(JobState.FAILED, JobState.CANCELLED)).update(
        state=JobState.WAITING, attempt=job.attempt + 1, due_at=timezone.now(), cancel_asked=False, error="",
        message="", result=None, done=0, total=None, started_at=None, finished_at=None, runner="",
    )  # fmt: skip


def troubled(message: str) -> None:
    """Say of everything that waits or runs what is in its way."""
    Job.objects.filter(state__in=(JobState.WAITING, JobState.RUNNING)).update(message=message[:300])


def due() -> bool:
    """Whether something waits or runs; a glance into a small index."""
    states = (JobState.WAITING, JobState.RUNNING)
    return Job.objects.filter(state__in=states, due_at__lte=timezone.now()).exists()


def claim(runner: str) -> list[tuple[str, int]]:
    """Take what is due and has a place among those of its kind: ids and attempts, now running."""
    taken = []
    for job in Job.objects.filter(state=JobState.WAITING, due_at__lte=timezone.now()).order_by("due_at")[:50]:
        kind = kinds().get(job.kind)
        running = Job.objects.filter(kind=job.kind, state=JobState.RUNNING).count()
        if kind is not None and running >= kind.at_once:
            continue
        waiting = Job.objects.filter(pk=job.pk, attempt=job.attempt, state=JobState.WAITING)
        now = timezone.now()
        if waiting.update(state=JobState.RUNNING, runner=runner, started_at=now, seen_at=now):
            taken.append((job.pk, job.attempt))
    return taken


def schedule() -> None:
    """Write down the next run of every kind that has a schedule, where it is not yet."""
    from croniter import croniter

    for kind in kinds().values():
        if kind.every:
            at = croniter(kind.every, timezone.now()).get_next(dt.datetime)
            written(kind.name, {}, SYSTEM, id=f"{kind.name}@{at:%Y-%m-%dT%H:%M}", due_at=at)
