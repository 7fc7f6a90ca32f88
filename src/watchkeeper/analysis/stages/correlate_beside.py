"""The version in the shade of the one that decides which alerts belong together: a correlator of its own that is given the
same alerts. What it makes of a situation's alerts is compared each time that the situation has grown by a quarter, and when
it is over. It begins with the groups as they are, and what it learned is not kept over a restart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from watchkeeper.analysis.correlators.arrival import Arrival, Correlator, Member
from watchkeeper.analysis.correlators.graph_time import GraphTime
from watchkeeper.analysis.shade import Compared, Shade
from watchkeeper.analysis.stages.correlate_acts import kept_by_a_person
from watchkeeper.analysis.stages.correlate_living import LivingSituation
from watchkeeper.analysis.stages.correlate_rules import ruled
from watchkeeper.model.act import Act
from watchkeeper.model.correlation import Parameters
from watchkeeper.model.topology import Topology
from watchkeeper.model.versions import CORRELATION

GROWN = 1.25
FORGET_MS = 7_200_000  # groups of the shade without an alert for so long
_SWEEP_MS = 600_000


class Beside:
    """Follows the choice of versions, and compares."""

    def __init__(self, deciding: Correlator) -> None:
        self.shade = Shade(CORRELATION)
        self._deciding = deciding
        self._shaded: GraphTime | None = None
        self._compared: dict[
            str, tuple[int, bool]
        ] = {}  # situation → alerts when it was compared, whether it was over
        self._swept_ms = 0

    def hear(self, acts: Iterable[Act], living: Iterable[LivingSituation], topology: Topology) -> None:
        """Take another choice of versions. Groups stay as they are, and those of the shade begin as they are."""
        if not self.shade.hear(acts):
            return
        self._deciding.use(self.shade.decides)
        self._shaded, self._compared = None, {}
        if self.shade.shade:
            self._shaded = GraphTime()
            self._shaded.use(self.shade.shade)
            self._shaded.choose(self._deciding.parameters)
            for situation in living:
                group = self._deciding.group(situation.group)
                if group is not None and group.members and situation.live:
                    self._shaded.adopt(list(group.members.values()), topology, kept=False)

    def choose(self, parameters: Parameters) -> None:
        """Use these parameters as the deciding one does."""
        if self._shaded is not None:
            self._shaded.choose(parameters)

    def place(self, arrivals: Iterable[Arrival], topology: Topology) -> None:
        """Group these as well."""
        if self._shaded is None:
            return
        arrivals = list(arrivals)
        for arrival in arrivals:
            self._shaded.release(arrival.id)
        self._shaded.place(arrivals, topology)

    def compare(self, changed: Iterable[LivingSituation], now_ms: int) -> list[Compared]:
        """What both make of these situations, where that is worth a comparison."""
        if self._shaded is None:
            return []
        self._sweep(self._shaded, now_ms)
        return [found for living in changed if (found := self._look(living, self._shaded)) is not None]

    def _look(self, living: LivingSituation, shaded: GraphTime) -> Compared | None:
        situation, size = living.situation, len(living.members)
        before, over = self._compared.get(situation.id, (0, False))
        if not size or over or (living.live and before and size < GROWN * before):
            return None
        group = self._deciding.group(living.group)
        members: list[Member] = [] if group is None else list(group.members.values())
        if kept_by_a_person(situation) or ruled(members):
            return None
        self._compared[situation.id] = (size, not living.live)
        said = _beside(shaded, living)
        if not living.live:
            for number in {shaded.where(f) for f in living.members} - {0}:
                shaded.close(number)
        return self.shade.compared(situation.id, situation.title, _alerts(size), said)

    def _sweep(self, shaded: GraphTime, now_ms: int) -> None:
        if now_ms - self._swept_ms < _SWEEP_MS:
            return
        self._swept_ms = now_ms
        for number in shaded.idle(now_ms - FORGET_MS):
            shaded.forget(number)
        if len(self._compared) > 10_000:
            self._compared = dict(list(self._compared.items())[-5000:])


def _beside(shaded: GraphTime, living: LivingSituation) -> str:
    """What the shade makes of a situation's alerts: the deciding version's words when it is the same."""
    homes = Counter(shaded.where(f) for f in living.members)
    homes.pop(0, None)  # alerts from before the shade began
    if not homes:
        return ""
    number, most = homes.most_common(1)[0]
    group = shaded.group(number)
    others = sum(f not in living.members for f in group.members) if group is not None else 0
    if len(homes) > 1:
        sizes = ", ".join(str(n) for _, n in homes.most_common(5))
        return f"{len(homes)} situations, with {sizes}{' …' if len(homes) > 5 else ''} of them"
    if others:
        return f"{_alerts(most)} with {others} of other situations"
    return _alerts(len(living.members))


def _alerts(n: int) -> str:
    return f"{n} alert{'' if n == 1 else 's'}"
