"""When telemetry is asked about a situation: once its first alert has gone on for a minute, and again when it has grown
by half; a few times at most. Only asks: the answer comes back through the journal as an act."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from watchkeeper.analysis.causes.impact import Impact
from watchkeeper.analysis.causes.question import MOST_ITEMS, Question, chosen, relations
from watchkeeper.analysis.pipeline import Work
from watchkeeper.analysis.stages.correlate_living import LivingSituation
from watchkeeper.model.verdicts import Alert

SETTLE_MS = 60_000  # until the trouble shows in metrics
AGAIN_MS = 120_000
GROWN = 1.5
MOST_ASKED = 5  # times of one situation
AT_ONCE = 5  # questions of one Work


class Asking:
    """What has been asked of each living situation."""

    def __init__(self, alerts_of: Callable[[LivingSituation], Sequence[Alert]]) -> None:
        self._alerts_of = alerts_of
        self._impact = Impact()
        self._waiting: dict[str, int] = {}  # situation → not before
        self._asked: dict[str, tuple[int, int, int]] = {}  # situation → times, alerts it had, and when

    def hear(self, living: LivingSituation, now_ms: int) -> None:
        """A situation has changed."""
        id_, size = living.situation.id, len(living.members)
        times, had, at = self._asked.get(id_, (0, 0, 0))
        if id_ in self._waiting or times >= MOST_ASKED or size < GROWN * had:
            return
        if times:
            self._waiting[id_] = at + AGAIN_MS
        else:
            began = min((a.starts_ms for a in self._alerts_of(living)), default=now_ms)
            self._waiting[id_] = min(began, now_ms) + SETTLE_MS

    def forget(self, situation: str) -> None:
        """It is over."""
        self._waiting.pop(situation, None)
        self._asked.pop(situation, None)

    def ask(self, work: Work, find: Callable[[str], LivingSituation | None]) -> None:
        """Put what is due into `work.questions`."""
        due = [i for i, at in self._waiting.items() if at <= work.now_ms][:AT_ONCE]
        for id_ in due:
            del self._waiting[id_]
            living = find(id_)
            if living is None or not living.live:
                continue
            times = self._asked.get(id_, (0, 0, 0))[0]
            self._asked[id_] = (times + 1, len(living.members), work.now_ms)
            question = self._question(living, work)
            if question is not None:
                work.questions.append(question)

    def _question(self, living: LivingSituation, work: Work) -> Question | None:
        alerts = [a for a in self._alerts_of(living) if a.item]
        if not alerts:
            return None
        struck = dict.fromkeys(a.item for a in sorted(alerts, key=lambda a: (a.starts_ms, a.fingerprint)))
        items = self._near(struck, work)
        known = {i: [s for n in work.series_of(i) if (s := work.series.get(n))] for i in items}
        series = chosen(items, known)
        if not series:
            return None
        return Question(
            living.situation.id, min(a.starts_ms for a in alerts), work.now_ms, tuple(series),
            tuple(relations(items, work.topology)), {i: work.topology.name(i) for i in items},
        )  # fmt: skip

    def _near(self, struck: Iterable[str], work: Work) -> list[str]:
        """The items in trouble, and what can be behind it, by how near it is."""
        self._impact.follow(work.topology)
        force: dict[str, float] = {}
        for item in list(struck)[:MOST_ITEMS]:
            for x, f in self._impact.behind(item).items():
                force[x] = max(f, force.get(x, 0.0))
        return sorted(force, key=lambda x: (-force[x], x))[:MOST_ITEMS]
