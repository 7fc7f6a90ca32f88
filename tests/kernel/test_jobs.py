"""Jobs as they are written down and carried out, without the engine: tests/system/test_jobs.py has that."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F
from django.test import Client
from django.utils import timezone

from watchkeeper.domains.identity.models import User
from watchkeeper.domains.inventory.models import Item
from watchkeeper.jobs import port as jobs
from watchkeeper.jobs.models import Job
from watchkeeper.jobs.watch import Watch
from watchkeeper.kernel.acting import SYSTEM, Actor, ActorKind, Scope
from watchkeeper.kernel.models import AuditEntry
from watchkeeper.kernel.problems import Forbidden, Invalid, Refused

pytestmark = pytest.mark.django_db
PAGE = (Path(__file__).parents[2] / "docs/how-to/jobs.md").read_text()


class Lost(Exception):
    """The store of the steps has lost what it was told."""


def at_once(name: str, do: Callable[[], Any], retry: jobs.Retry) -> Any:  # noqa: ARG001
    """Steps that nothing remembers."""
    return do()


def forgetful(name: str, do: Callable[[], Any], retry: jobs.Retry) -> Any:  # noqa: ARG001
    """The step is done, and before that is noted the process is gone."""
    done = do()
    if name == "make":
        raise Lost
    return done


def run(job: Job, steps: jobs.Steps = at_once) -> Job:
    claimed = dict(jobs.claim("here"))
    jobs.carry_out(job.pk, claimed.get(job.pk, job.attempt), steps)
    job.refresh_from_db()
    return job


@pytest.mark.django_db(transaction=True)
def test_the_page_can_be_followed() -> None:
    """docs/how-to/jobs.md: its example is declared, started and carried out."""
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    exec(code, {})
    now = timezone.now()
    Item.objects.bulk_create(
        Item(id=f"i{n}", kind="server", name=f"s{n}", first_seen_at=now, last_seen_at=now) for n in range(3)
    )
    job = run(jobs.start("count-items", {"kind": "server"}))
    assert (job.state, job.result) == ("done", {"summary": "3 items"})
    assert (job.done, job.total, job.unit) == (1, 3, "items"), "told at the first row, and then once a second"


def test_one_id_is_one_job() -> None:
    first, again = (jobs.start("audit-verify", {}, id="x-1") for _ in range(2))
    assert first.pk == again.pk == "x-1" and Job.objects.count() == 1
    assert AuditEntry.objects.filter(act="job.start", record="x-1").count() == 1
    with pytest.raises(Refused, match="another kind"):
        jobs.start("forget", {}, id="x-1")
    for wrong in ("a/b", "a b", "x" * 201):
        with pytest.raises(Invalid, match="id"):
            jobs.start("audit-verify", {}, id=wrong)


def test_arguments_are_checked_when_it_is_started() -> None:
    with pytest.raises(Invalid, match="make-tea"):
        jobs.start("make-tea")
    with pytest.raises(Invalid, match="colour"):
        jobs.start("audit-verify", {"colour": "red"})
    with pytest.raises(Invalid, match="arguments: path"):
        jobs.start("export", {"path": "nothing", "written": "csv"})
    with pytest.raises(Forbidden):
        jobs.start("audit-verify", {}, Actor(ActorKind.TOKEN, "t", scope=Scope.WRITE))
    assert not Job.objects.exists()


def test_what_is_not_due_waits_and_of_a_kind_only_so_many_run() -> None:
    later = timezone.now() + dt.timedelta(hours=1)
    jobs.start("forget", {}, id="later", due_at=later)
    jobs.start("audit-verify", {}, id="one")
    jobs.start("audit-verify", {}, id="two")
    assert jobs.due()
    assert jobs.claim("here") == [("one", 1)]
    assert jobs.claim("here") == []
    jobs.carry_out("one", 1, at_once)
    assert jobs.claim("here") == [("two", 1)]


def test_schedules_are_rows_each_once() -> None:
    jobs.schedule()
    jobs.schedule()
    rows = {j.kind: j for j in Job.objects.all()}
    assert Job.objects.count() == len(rows) == sum(bool(k.every) for k in jobs.kinds().values())
    assert rows["forget"].due_at > timezone.now() and not jobs.due()
    assert (rows["forget"].due_at.hour, rows["forget"].due_at.minute) == (3, 20)


def test_whoever_may_not_sign_in_any_more_runs_nothing() -> None:
    user = User.objects.create_user("ann", "correct horse battery", is_administrator=True)
    ann = Actor(ActorKind.PERSON, "ann", str(user.pk), Scope.ADMIN, person=user)
    job = jobs.start("audit-verify", {}, ann)
    User.objects.update(is_active=False)
    assert run(job).state == "failed" and "ann may not sign in" in job.error


def test_cancelled_before_it_began() -> None:
    job = jobs.start("audit-verify")
    jobs.cancel(SYSTEM, job)
    job.refresh_from_db()
    assert job.state == "cancelled" and jobs.claim("here") == []


def test_what_is_committed_is_not_done_again() -> None:
    """Not after a kill between the transaction and the note of the step, and not when it is tried again."""

    @jobs.job("make-items", "Make items")
    def make_items(run: jobs.Run) -> Any:
        def make(count: int) -> int:
            now = timezone.now()
            for n in range(count):
                Item.objects.create(
                    id=f"{run.id}-{n}", kind="x", name="x", first_seen_at=now, last_seen_at=now
                )
            return count

        return run.commit("make", make, lambda: 3)

    job = jobs.start("make-items", {}, id="m")
    with pytest.raises(Lost):
        run(job, forgetful)
    jobs.end("m", 1, "failed", "its store was lost")
    job.refresh_from_db()
    jobs.again(job)
    assert (run(job).state, job.attempt, job.result, Item.objects.count()) == ("done", 2, 3, 3)


class Folder:
    """The process of a data folder, as to whether it is there. `now` is a clock that nobody sets, in seconds."""

    def __init__(self, name: str) -> None:
        self.now = 0.0
        self.watch = Watch(name, lambda: self.now)

    def look(self, minutes: float) -> int:
        """Look as often as a process does, for so long; how many jobs of others went on at the last look."""
        for _ in range(int(2 * minutes)):
            self.now += 30
            left = self.watch.look()
        return left


def test_a_job_of_a_folder_that_does_not_come_back_fails_and_keeps_no_other_from_its_kind() -> None:
    jobs.start("audit-verify", {}, id="lost")
    jobs.start("forget", {}, id="unwanted")
    assert len(jobs.claim("gone")) == 2
    jobs.cancel(SYSTEM, Job.objects.get(pk="unwanted"))
    jobs.start("audit-verify", {}, id="next")
    here = Folder("here")
    assert here.look(5) == 2 and jobs.claim("here") == []
    assert here.look(6) == 0
    lost, unwanted = Job.objects.get(pk="lost"), Job.objects.get(pk="unwanted")
    assert lost.state == "failed" and "has been silent" in lost.error and lost.finished_at
    assert unwanted.state == "cancelled"
    assert jobs.claim("here") == [("next", 1)]


def test_whoever_is_there_keeps_its_jobs_whatever_its_clock_says() -> None:
    jobs.start("audit-verify", {}, id="slow")
    jobs.claim("there")
    here, there = Folder("here"), Folder("there")
    for _ in range(10):
        assert here.look(9) == 1
        there.look(0.5)
        Job.objects.update(seen_at=F("seen_at") - dt.timedelta(days=1))
    here.now += 3600  # it could not look, and perhaps nobody could say anything
    assert here.look(9) == 1
    there.look(0.5)
    here.look(1)
    assert Job.objects.get().state == "running"


def test_a_job_that_was_taken_away_does_nothing_more() -> None:
    """Its process had only been away, and does not know."""

    @jobs.job("away", "Away for long")
    def away(run: jobs.Run) -> Any:
        def make(_: int) -> None:
            Item.objects.create(id=run.id, kind="x", name="x", first_seen_at=now, last_seen_at=now)

        run.commit("make", make, lambda: Folder("elsewhere").look(12))

    now = timezone.now()
    job = jobs.start("away", {}, id="a")
    assert run(job).state == "failed" and not Item.objects.exists()
    jobs.again(job)
    Job.objects.update(state="running", runner="elsewhere")
    jobs.carry_out("a", 1, at_once)
    assert Job.objects.get().state == "running" and not Item.objects.exists()


def test_what_the_platform_does_by_its_schedule_is_not_started_over_rest(api: Callable[..., Client]) -> None:
    answer = api().post("/api/jobs/", {"kind": "clear-away"}, "application/json")
    assert answer.status_code == 403 and "the platform itself" in str(answer.json()["because"])
    assert api().post("/api/jobs/", {"kind": "audit-verify"}, "application/json").status_code == 201
    assert list(Job.objects.values_list("kind", flat=True)) == ["audit-verify"]
