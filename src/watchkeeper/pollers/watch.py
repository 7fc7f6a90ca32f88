"""What was complained about often enough in a row to be told, and when it is over. Pure: time is passed in.

A condition of a target is one alert, known by its key alone, so that telling it again after a restart changes nothing.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from watchkeeper.model.polled import PROBE, SCRAPE, Firing
from watchkeeper.model.series import labels_json
from watchkeeper.model.verdicts import DEDUP_KEY
from watchkeeper.pollers.outcome import CERTIFICATE, DOWN, SLOW, Complaint, Outcome

_NAMES = {
    (SCRAPE, DOWN): "Scrape target down",
    (PROBE, DOWN): "Probe failed",
    (PROBE, SLOW): "Slow answer",
    (PROBE, CERTIFICATE): "Certificate ends soon",
}
_OVER = {DOWN: "answers as expected again", SLOW: "answers fast again",
         CERTIFICATE: "has a certificate that ends late enough"}  # fmt: skip
_NO_LONGER = "is no longer polled"


class Asked(NamedTuple):
    """Who was asked, and from which complaint in a row on that is told."""

    door: str
    record: str
    target: str
    labels: dict[str, str]
    failures: int

    def key(self, condition: str) -> str:
        """The alert's."""
        return f"{self.door}/{self.record}/{condition}/{self.target}"


class Watch:
    """`firing` is what a former process has told; it is told again once, in case that did not arrive."""

    def __init__(self, firing: dict[str, Firing] | None = None) -> None:
        self.firing: dict[str, Firing] = dict(firing or {})
        self._ending: dict[str, Firing] = {}
        self._untold = set(self.firing)
        self._row: Counter[str] = Counter()

    def judge(self, asked: Asked, found: Outcome, now_ms: int) -> list[dict[str, object]]:
        """Rows of EVENTS that this outcome makes."""
        rows = []
        for condition, complaint in found.complaints.items():
            key = asked.key(condition)
            if complaint is None:
                self._row.pop(key, None)
                if key in self.firing:
                    rows.append(self._over(key, _OVER[condition], now_ms))
                continue
            self._row[key] += 1
            if self._tells(key, asked, complaint):
                rows.append(self._begun(key, asked, complaint, now_ms))
        return rows

    def leave(self, keys: set[str], now_ms: int) -> list[dict[str, object]]:
        """End the alerts with these keys, whose targets are no longer asked."""
        for key in keys & self._row.keys():
            del self._row[key]
        return [self._over(key, _NO_LONGER, now_ms) for key in sorted(keys & self.firing.keys())]

    def kept(self) -> dict[str, Firing]:
        """What a successor has to know: what fires, and what is over and not yet `settled`."""
        return {**self._ending, **self.firing}

    def settle(self) -> None:
        """All rows so far are in the journal."""
        self._ending.clear()

    def _tells(self, key: str, asked: Asked, complaint: Complaint) -> bool:
        fires = self.firing.get(key)
        if fires is None:
            return self._row[key] >= asked.failures
        return key in self._untold or fires.severity != complaint.severity

    def _begun(self, key: str, asked: Asked, complaint: Complaint, now_ms: int) -> dict[str, object]:
        fires = self.firing.get(key)
        since = fires.since_ms if fires else now_ms
        self._untold.discard(key)
        self.firing[key] = told = Firing(since, asked.labels, complaint.severity, asked.target)
        words = f"{asked.target} {complaint.words}{_in_a_row(self._row[key])}"
        return _row(key, told, "firing", words, 0, now_ms)

    def _over(self, key: str, words: str, now_ms: int) -> dict[str, object]:
        told = self._ending[key] = self.firing.pop(key)
        self._untold.discard(key)
        return _row(key, told, "resolved", f"{told.target} {words}", now_ms, now_ms)


def _row(key: str, told: Firing, status: str, words: str, ends_ms: int, now_ms: int) -> dict[str, object]:
    door, _, condition, _ = key.split("/", 3)
    return {
        "id": f"{key}:{told.since_ms}:{status}:{told.severity}", "kind": "alert", "status": status,
        "name": _NAMES[door, condition], "severity": told.severity, "summary": words, "starts_ms": told.since_ms,
        "ends_ms": ends_ms, "received_ms": now_ms, "labels": labels_json({**told.labels, DEDUP_KEY: key}),
        "annotations": "{}", "url": "", "door": door,
    }  # fmt: skip


def _in_a_row(times: int) -> str:
    """
    >>> _in_a_row(1), _in_a_row(3), _in_a_row(22)
    ('', ', third time in a row', ', 22nd time in a row')
    """
    if times < 2:
        return ""
    words = {2: "second", 3: "third", 4: "fourth", 5: "fifth"}
    ending = "th" if 10 < times % 100 < 20 else {1: "st", 2: "nd", 3: "rd"}.get(times % 10, "th")
    return f", {words.get(times, f'{times}{ending}')} time in a row"
