"""Company: what kinds of alert tend to come in batches stamped with one instant (an evaluation loop looks at
many rules at once), learned online with decaying counts. One of a kind that comes in company, now alone
while such loners are common, has probably a life of its own."""

from __future__ import annotations

from typing import Any

ENOUGH = 20.0  # alerts of a name before it is judged
USUAL = 0.3  # share in company from which company is a habit
LONERS = 0.1  # share of loners from which a loner is taken for one
BEAT_MS = 5000  # intervals of evaluation loops are multiples of this
_KEEP = 10_000  # names
_HALVE_AT = 2000.0


class Company:
    """Counts of alerts by name, in company and alone."""

    def __init__(self) -> None:
        self._counts: dict[str, list[float]] = {}

    def learn(self, name: str, in_company: bool) -> None:
        """Count one alert, once its instant is over."""
        counts = self._counts.get(name)
        if counts is None:
            if len(self._counts) >= _KEEP:
                del self._counts[next(iter(self._counts))]
            counts = self._counts[name] = [0.0, 0.0]
        counts[in_company] += 1.0
        if sum(counts) > _HALVE_AT:
            counts[0], counts[1] = counts[0] / 2, counts[1] / 2

    def habit(self, name: str) -> bool:
        """Whether alerts of this name usually come in company."""
        alone, together = self._counts.get(name, (0.0, 0.0))
        return alone + together >= ENOUGH and together > USUAL * (alone + together)

    def loner(self, name: str) -> bool:
        """Whether one that comes alone, of a name that usually has company, is likely to stand for
        itself."""
        alone, together = self._counts.get(name, (0.0, 0.0))
        return self.habit(name) and alone > LONERS * (alone + together)

    def snapshot(self) -> dict[str, list[float]]:
        """Plain data for `restore`."""
        return self._counts

    def restore(self, state: Any) -> None:
        """Take a snapshot back."""
        self._counts = {str(k): [float(v[0]), float(v[1])] for k, v in dict(state).items()}


def on_beat(time_ms: int, instants: list[int]) -> bool:
    """Whether a time lies whole beats after one of these instants, so that one loop may have stamped
    both."""
    return any((time_ms - x) % BEAT_MS == 0 for x in instants)
