"""Silences: matchers as Alertmanager's (four kinds, expressions anchored at both ends), and which alerts
they hold back now. Expressions are run by RE2, whose time is linear in the text whatever a user writes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from watchkeeper.model.act import Act
from watchkeeper.model.errors import Malformed
from watchkeeper.model.verdicts import Alert

MAX_EXPRESSION = 1024  # characters
MAX_MATCHERS = 64
MAX_VALUE = 1024  # characters of a label that an expression looks at


class Matcher(msgspec.Struct, frozen=True, rename={"is_regex": "isRegex", "is_equal": "isEqual"}):
    """One condition on a label; a label that is absent counts as empty."""

    name: str
    value: str
    is_regex: bool = False
    is_equal: bool = True

    def matches(self, labels: dict[str, str]) -> bool:
        """Whether these labels satisfy the condition."""
        value = labels.get(self.name, "")
        same = _expression_matches(self.value, value[:MAX_VALUE]) if self.is_regex else value == self.value
        return same is self.is_equal


class Silence(msgspec.Struct, frozen=True):
    """A set of matchers that must all hold, from one time to another (milliseconds, the end excluded)."""

    id: str
    matchers: tuple[Matcher, ...]
    starts_ms: int
    ends_ms: int

    def matches(self, labels: dict[str, str]) -> bool:
        """Whether an alert with these labels is held back while the silence is active."""
        return all(m.matches(labels) for m in self.matchers)


def parse_matchers(found: Any) -> tuple[Matcher, ...]:
    """Matchers as Alertmanager's API writes them. Raises Malformed: none, too many, an expression that is
    too long or cannot be compiled, or a set that would match every alert.

    >>> parse_matchers([{"name": "job", "value": "db.*", "isRegex": True}])[0].matches({"job": "db-1"})
    True
    """
    try:
        matchers = msgspec.convert(found, tuple[Matcher, ...])
    except msgspec.ValidationError as error:
        raise Malformed(f"matchers: {error}") from error
    if not 0 < len(matchers) <= MAX_MATCHERS:
        raise Malformed(f"a silence needs 1 to {MAX_MATCHERS} matchers")
    for m in matchers:
        if not m.name or len(m.value) > MAX_EXPRESSION:
            raise Malformed(f"a matcher needs a name and a value of at most {MAX_EXPRESSION} characters")
        if m.is_regex:
            try:
                _expression_matches(m.value, "")
            except pa.ArrowInvalid as error:
                raise Malformed(f"matcher {m.name}: {error}") from error
    if all(m.matches({}) for m in matchers):
        raise Malformed("these matchers hold for alerts without any label, so for every alert")
    return matchers


def labels_of(alert: Alert) -> dict[str, str]:
    """What matchers look at: the alert's labels, with its name as `alertname` if it has no such label."""
    return alert.labels if "alertname" in alert.labels else {**alert.labels, "alertname": alert.name}


class Silences:
    """The silences there are; `first` is quick for many silences and alerts because a silence is looked at
    only for alerts that carry one label it wants exactly, if it wants any."""

    def __init__(self) -> None:
        self._all: dict[str, Silence] = {}
        self._active: list[Silence] = []
        self._by_label: dict[tuple[str, str], list[Silence]] = {}
        self._anywhere: list[Silence] = []
        self._next_ms = 0  # when a silence next starts or ends; 0: now

    def add(self, act: Act) -> None:
        """Take a SILENCE act. Raises Malformed."""
        matchers = parse_matchers(act.data.get("matchers"))
        starts, ends = act.data.get("starts_ms", 0), act.data.get("ends_ms")
        if not isinstance(starts, int) or not isinstance(ends, int) or ends <= starts:
            raise Malformed("a silence needs ends_ms after starts_ms")
        self._all[act.target] = Silence(act.target, matchers, starts, ends)
        self._next_ms = 0

    def remove(self, silence: str) -> None:
        """Take an UNSILENCE act; an unknown silence is none."""
        self._all.pop(silence, None)
        self._next_ms = 0

    def advance(self, now_ms: int) -> bool:
        """Let time pass; True when the active silences changed, so that alerts must be looked at again."""
        if now_ms < self._next_ms:
            return False
        before = self._active
        self._all = {k: s for k, s in self._all.items() if s.ends_ms > now_ms}
        self._active = sorted((s for s in self._all.values() if s.starts_ms <= now_ms), key=lambda s: s.id)
        self._next_ms = min(
            (t for s in self._all.values() for t in (s.starts_ms, s.ends_ms) if t > now_ms), default=2**62
        )
        self._index()
        return self._active != before

    def _index(self) -> None:
        self._by_label, self._anywhere = {}, []
        for s in self._active:
            exact = next((m for m in s.matchers if m.is_equal and not m.is_regex and m.value), None)
            if exact:
                self._by_label.setdefault((exact.name, exact.value), []).append(s)
            else:
                self._anywhere.append(s)

    def first(self, alert: Alert) -> str:
        """`silence:<id>` of the first active silence (by id) that holds this alert back, or ""."""
        if not self._active:
            return ""
        labels = labels_of(alert)
        found = [s.id for s in self._candidates(labels) if s.matches(labels)]
        return f"silence:{min(found)}" if found else ""

    def _candidates(self, labels: dict[str, str]) -> Iterator[Silence]:
        yield from self._anywhere
        for pair in labels.items():
            yield from self._by_label.get(pair, ())


@lru_cache(maxsize=8192)
def _expression_matches(expression: str, value: str) -> bool:
    found: bool = pc.match_substring_regex(pa.array([value]), f"^(?s:{expression})$")[0].as_py()
    return found
