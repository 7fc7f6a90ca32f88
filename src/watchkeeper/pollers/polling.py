"""The polling itself: asks every target when it is due, hands over what came, and tells how everything stands. One event
loop; what takes long is bounded in time by its own limit, and a target that is still being asked is left out."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.model.polled import SCRAPE, Firing, Polled, PollTarget, Probe, ScrapeJob, Standing
from watchkeeper.pollers import targets
from watchkeeper.pollers.delivery import Delivery, SeriesIds
from watchkeeper.pollers.discovery import Discovery
from watchkeeper.pollers.entries import Entries, Entry, Way
from watchkeeper.pollers.exposition import Samples
from watchkeeper.pollers.outcome import Measured, Outcome
from watchkeeper.pollers.probing import Prober
from watchkeeper.pollers.reach import Reach
from watchkeeper.pollers.schedule import Schedule
from watchkeeper.pollers.scrape import NOTHING
from watchkeeper.pollers.watch import Watch
from watchkeeper.pollers.web import Web

TICK = 0.1
FOLLOW_EVERY = 1.0  # seconds between two looks at what is declared and at files
FLUSH_EVERY = 1.0
SAVE_EVERY = 2.0
AT_ONCE = 500  # targets that are being asked
_log = logging.getLogger(__name__)


class Polling:
    """Inert until `run`. `state` is the file for `model.polled.Standing`; `stats` gives the doors' numbers for it."""

    def __init__(
        self,
        declared: Polled,
        series: SeriesIds,
        delivery: Delivery,
        reach: Reach,
        state: Path,
        stats: Callable[[], dict[str, dict[str, object]]],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._declared, self._series, self._delivery = declared, series, delivery
        self._state, self._stats, self._clock = state, stats, clock
        self._web = Web(reach)
        self._prober = Prober(reach, self._web)
        self._entries = Entries(series, self._web)
        self._schedule = Schedule()
        self._discoveries: dict[str, Discovery] = {}
        self._followed: object = None
        self._left_out: dict[str, int] = {}
        self._watch = Watch(_told(state))
        self._orphans = set(self._watch.firing)
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(AT_ONCE)

    @property
    def idle(self) -> bool:
        """Whether nothing is polled and everything is told."""
        return not (self._entries.all or self._discoveries or self._watch.kept() or self._delivery.tells)

    async def run(self, stop: Callable[[], bool]) -> None:
        """Poll until `stop` says so; what has come by then is handed over."""
        await self._web.start()
        loop = asyncio.get_running_loop()
        following = flushed = saved = 0.0
        while not stop():
            now = loop.time()
            if now >= following:
                following = now + FOLLOW_EVERY
                await self._follow(now)
            for key in self._schedule.due(now):
                self._begin(self._entries.all[key])
            if now >= flushed:
                flushed = now + FLUSH_EVERY
                await self._flush()
            if now >= saved:
                saved = now + SAVE_EVERY
                self._save()
            await asyncio.sleep(TICK)
        await self._end()

    async def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._flush()
        self._save()
        self._prober.close()
        await self._web.stop()

    async def _follow(self, now: float) -> None:
        """Bring the entries in step with what is declared and found."""
        jobs, probes = self._declared.scrape_jobs(), self._declared.probes()
        finding = {job.id: job for job in jobs if job.files or job.discovery_url}
        for gone in self._discoveries.keys() - finding.keys():
            del self._discoveries[gone]
        await asyncio.gather(*(
            self._discoveries.setdefault(key, Discovery()).look(job, self._web, now) for key, job in finding.items()
        ))  # fmt: skip
        followed = jobs, probes, [d.targets for d in self._discoveries.values()]
        if followed == self._followed:
            return
        self._followed = followed
        self._left_out.clear()
        ways: list[tuple[Way, tuple[PollTarget, ...]]] = [(job, self._chosen(job)) for job in jobs]
        changed, gone_entries, renamed = self._entries.follow([*ways, *((p, p.targets) for p in probes)])
        for key in changed:
            self._schedule.put(key, self._entries.all[key].way.interval, now)
        for entry in (*gone_entries, *renamed):
            self._delivery.ended(entry.asked.door, entry.show([]), self._now())
        self._leave(gone_entries)
        self._tell_troubles()

    def _chosen(self, job: ScrapeJob) -> tuple[PollTarget, ...]:
        found = self._discoveries.get(job.id)
        chosen, self._left_out[job.id] = targets.chosen(
            job, (*job.targets, *(found.targets if found else ()))
        )
        return chosen

    def _leave(self, gone: list[Entry]) -> None:
        """Ask these no more. Alerts of a former process end too when their targets are not there any more, unless that
        is because they cannot be found."""
        ended = set[str]()
        for entry in gone:
            self._schedule.drop(entry.key)
            ended |= entry.alerts
        there = {key for entry in self._entries.all.values() for key in entry.alerts}
        lost = self._troubles().keys()
        left = {key for key in self._orphans - there if key.split("/")[1] not in lost}
        self._orphans -= left | there
        self._delivery.events(self._watch.leave(ended | left, self._now()))

    def _troubles(self) -> dict[str, str]:
        """By the id of a scrape job, what keeps its targets from being found or asked."""
        found = {key: d.trouble for key, d in self._discoveries.items() if d.trouble}
        return found | {u.id: u.why for u in self._declared.unread().get(SCRAPE, ())}

    def _tell_troubles(self) -> None:
        names = {job.id: job.name for job in self._declared.scrape_jobs()}
        names |= {u.id: u.name for u in self._declared.unread().get(SCRAPE, ())}
        troubles = {names[key]: why for key, why in self._troubles().items() if key in names}
        if self._entries.refused:
            troubles["targets"] = f"{self._entries.refused} more than can be polled"
        self._delivery.doors[SCRAPE].troubles = troubles

    def _begin(self, entry: Entry) -> None:
        if entry.running:
            entry.standing.skipped += 1
            self._delivery.doors[entry.asked.door].reject("skipped")
            return
        entry.running = True
        task = asyncio.get_running_loop().create_task(self._in_turn(entry))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _in_turn(self, entry: Entry) -> None:
        try:
            async with self._room:
                await self._ask(entry)
        finally:
            entry.running = False

    async def _ask(self, entry: Entry) -> None:
        now_ms = self._now()
        if entry.scraper is not None:
            outcome, samples, size = await entry.scraper.ask()
            self._take(entry, outcome, now_ms, samples, size)
        elif isinstance(entry.way, Probe):
            outcome = await self._prober.ask(entry.way, entry.target.address, now_ms)
            self._take(entry, outcome, now_ms, NOTHING, 0)

    def _take(self, entry: Entry, found: Outcome, now_ms: int, own: Samples, size: int) -> None:
        """Hand over what came, judge it, and note how the target stands."""
        if self._entries.all.get(entry.key) is not entry:
            return  # it has changed, or is not polled any more
        door = entry.asked.door
        try:
            measured = [self._id(entry, m) for m in found.measured]
        except WatchkeeperError as error:  # no room for more series
            self._delivery.doors[door].reject(error.reason, len(found.measured))
            measured = []
        ids = [*own.ids, *measured]
        times = [*(t or now_ms for t in own.times_ms), *(now_ms for _ in measured)]
        values = [*own.values, *(m.value for m in found.measured[: len(measured)])]
        self._delivery.samples(door, ids, times, values, size)
        # As Prometheus does, only what comes without a time of its own can end.
        has = [*(i for i, t in zip(own.ids, own.times_ms, strict=True) if not t), *measured]
        if gone := entry.show(has):
            self._delivery.ended(door, gone, now_ms)
        if not found.ok:
            self._delivery.doors[door].reject("failed")
        self._delivery.events(self._watch.judge(entry.asked, found, now_ms))
        self._note(entry, found, now_ms, len(ids), self._schedule.when(entry.key))

    def _note(self, entry: Entry, found: Outcome, now_ms: int, samples: int, due: float) -> None:
        standing = entry.standing
        standing.up, standing.last_ms, standing.seconds = found.ok, now_ms, found.seconds
        standing.samples = samples
        standing.error = "; ".join(c.words for c in found.complaints.values() if c is not None)
        standing.next_ms = now_ms + round((due - asyncio.get_running_loop().time() + found.seconds) * 1000)

    def _id(self, entry: Entry, measured: Measured) -> int:
        """The id of what is measured about a target; of one that has been forgotten, anew."""
        key = measured.name + "".join(measured.labels.values())
        known = entry.ids.get(key)
        if known is not None and not self._series.touch((known,)):
            return known
        unit = "seconds" if measured.name.endswith(("_seconds", "_expiry")) else ""
        labels = {**entry.labels, **measured.labels}
        found = entry.ids[key] = self._series.lookup(measured.name, labels, "gauge", unit, entry.asked.door)
        return found

    async def _flush(self) -> None:
        if self._delivery.tells:
            self._save()  # so that a successor ends what is told now
        if await self._delivery.flush(self._now()):
            self._watch.settle()

    def _save(self) -> None:
        self._tell_troubles()
        standing = Standing(
            written_ms=self._now(),
            doors=self._stats(),
            targets=[e.standing for e in self._entries.all.values()],
            left_out={key: count for key, count in self._left_out.items() if count},
            troubles={f"{SCRAPE} {key}": why for key, why in self._troubles().items()},
            firing=self._watch.kept(),
        )
        new = self._state.with_suffix(".new")
        try:
            new.write_bytes(msgspec.json.encode(standing))
            new.replace(self._state)
        except OSError as error:
            _log.warning("how the targets stand could not be kept: %s", error)

    def _now(self) -> int:
        return round(self._clock() * 1000)


def _told(state: Path) -> dict[str, Firing]:
    """What a former process has told and not ended."""
    try:
        return msgspec.json.decode(state.read_bytes(), type=Standing).firing
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.MsgspecError) as error:
        _log.warning("what fires is found anew: %s", error)
        return {}
