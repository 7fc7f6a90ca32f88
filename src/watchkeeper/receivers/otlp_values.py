"""What metrics, logs and traces of OTLP share: attributes as labels, ids as hex, what was refused and why."""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from watchkeeper.receivers.dead_letters import Letter

NAME = "otlp"
MAX_NS = 2**63 - 1
_LETTERS = 20  # of one request
_DEPTH = 16  # of a value within a value
_HEX = re.compile(r"[0-9a-fA-F]*", re.ASCII)
#: of a resource, what describes it without telling it from others; kept with logs and spans, not in series
DESCRIPTIVE = frozenset((
    "telemetry.sdk.language", "telemetry.sdk.name", "telemetry.sdk.version", "telemetry.auto.version",
    "telemetry.distro.name", "telemetry.distro.version", "process.command", "process.command_args",
    "process.command_line", "process.executable.path", "process.runtime.description", "process.runtime.name",
    "process.runtime.version", "process.owner", "os.description", "os.version",
))  # fmt: skip

Message = Any
"""A protobuf message, or the struct of otlp_json with the same attributes."""


def text(value: Message) -> str:
    """An AnyValue as a string: numbers and booleans as JSON writes them, lists and maps as JSON, bytes as
    base64, "" for none."""
    which = value.WhichOneof("value") if value is not None else None
    if which == "string_value":
        return clean(value.string_value)
    if which is None:
        return ""
    plain = _plain(value, which, 0)
    return plain if isinstance(plain, str) else msgspec.json.encode(plain).decode()


def clean(string: str) -> str:
    """Without NUL, which no record database holds."""
    return string.replace("\0", "\ufffd") if "\0" in string else string


def labels(attributes: Iterable[Message] | None) -> dict[str, str]:
    """Attributes as labels; of a key that comes twice the last counts, empty values are none."""
    out: dict[str, str] = {}
    for pair in attributes or ():
        value = pair.value
        if value is not None:
            which = value.WhichOneof("value")
            string = clean(value.string_value) if which == "string_value" else text(value)
            if string:
                out[clean(pair.key)] = string
    return out


def resource_labels(group: Message) -> dict[str, str]:
    """The attributes of the resource of a ResourceMetrics, ResourceLogs or ResourceSpans."""
    return labels(group.resource.attributes)


def alone(
    request: Message, group: Message, scoped: Message, names: tuple[str, str, str], item: Message
) -> Message:
    """A request like this one that holds one item only, with its scope and resource. `names` are the fields
    from the outside in, such as resource_spans, scope_spans, spans."""
    inner = type(scoped)(scope=scoped.scope, **{names[2]: [item]})
    outer = type(group)(resource=group.resource, **{names[1]: [inner]})
    return type(request)(**{names[0]: [outer]})


def host_of(known: Mapping[str, str]) -> str:
    """The host that labels name, or ""."""
    return known.get("host.name") or known.get("host.id") or known.get("k8s.node.name") or ""


def hex_id(given: bytes | str, size: int) -> str | None:
    """A trace's or span's id of `size` bytes as lower-case hex; "" when it is empty or all zero; None when it
    is no such id."""
    digits = given.hex() if isinstance(given, bytes) else given.lower()
    if not digits.strip("0") and len(digits) in (0, 2 * size):
        return ""
    return digits if len(digits) == 2 * size and _HEX.fullmatch(digits) else None


def number(given: int | str, names: Mapping[str, int]) -> int:
    """An enum's number, also where JSON gives its name; 0 for a name that is not known."""
    if isinstance(given, int):
        return given
    return int(given) if given.isdecimal() else names.get(given, 0)


def _plain(value: Message, which: str, depth: int) -> Any:
    """An AnyValue that is set, as JSON's types."""
    if depth > _DEPTH:
        return "…"
    inner = getattr(value, which)
    if which == "array_value":
        return [_nested(v, depth) for v in inner.values or ()]
    if which == "kvlist_value":
        return {clean(p.key): _nested(p.value, depth) for p in inner.values or ()}
    if isinstance(inner, bytes):
        return base64.b64encode(inner).decode()
    if isinstance(inner, str):
        return clean(inner)
    return inner if inner == inner and inner not in (float("inf"), float("-inf")) else str(inner)


def _nested(value: Message, depth: int) -> Any:
    which = value.WhichOneof("value") if value is not None else None
    return None if which is None else _plain(value, which, depth + 1)


class Refused:
    """What was refused of one request: how many by reason, and a letter for the first of them."""

    def __init__(self, noun: str, dump: Callable[[Message], bytes]) -> None:
        self.counts: Counter[str] = Counter()
        self.letters: list[Letter] = []
        self._first: dict[str, str] = {}
        self._noun = noun
        self._dump = dump

    def add(self, reason: str, detail: str, request: Message, count: int = 1) -> None:
        """Refuse `count` rows; `request` holds no more than what they were in (see `alone`)."""
        self.counts[reason] += count
        self._first.setdefault(reason, detail)
        if len(self.letters) < _LETTERS:
            self.letters.append(Letter(reason, detail, self._dump(request)))

    def message(self) -> str:
        """To the sender; "" when nothing was refused."""
        if not self.counts:
            return ""
        parts = (f"{n} {reason} ({self._first[reason]})" for reason, n in self.counts.items())
        return f"{self.counts.total()} {self._noun} refused: " + "; ".join(parts)
