"""Findings of what log lines hold and of their course: sentences with the numbers, and the query that shows the lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchkeeper.analysis.stages import detect_words as words
from watchkeeper.analysis.stages.detect_log_courses import Missing, Patternless
from watchkeeper.analysis.stages.detect_log_values import Unusual
from watchkeeper.model.reason import Reason, ReasonKind
from watchkeeper.model.topology import Topology
from watchkeeper.model.verdicts import Finding, Severity

QUERY = "log_query"
"""The annotation that holds the query of the log search."""

VALUE, VANISHED, PATTERNLESS = "log_value", "vanished_template", "log_patternless"
KINDS = (VALUE, VANISHED, PATTERNLESS)


def unusual(
    u: Unusual, wording: str, row: Mapping[str, Any], active: bool, time_ms: int, topology: Topology
) -> Finding:
    """A line with a value that its template has not had before; `row`: its item, source, host and body."""
    where, source = _where(row, topology), row["source"]
    if u.kind == "measure":
        name = f"Unusually large value in a log message from {source}"
        text = f"{source} on {where} wrote “{row['body'][:200]}” with {u.value}; in {u.lines} lines before it was {u.usual}."
    else:
        what = "user" if u.kind == "user" else "word"
        name = f"New {what} in a log message from {source}"
        text = (
            f"{source} on {where} wrote “{row['body'][:200]}”: never before has {u.value} stood there; in {u.lines} "
            f"lines it was {u.usual}."
        )
    if not active:
        text = f"{source} on {where} has written no such value for half an hour."
    data = {**u._asdict(), "template": f"{u.template:016x}", **{k: row[k] for k in ("source", "host")}}
    return _finding(VALUE, f"{u.template:016x}|{u.place}", active, text, data, wording, u.template, name,
                    Severity.INFO if u.kind == "word" else Severity.WARNING, row, time_ms)  # fmt: skip


def missing(m: Missing, wording: str, now_ms: int, topology: Topology) -> Finding:
    """A message that came regularly and does not, or does again."""
    row = m._asdict()
    where = _where(row, topology)
    text = (
        f"{m.source} on {where} has not written “{wording[:200]}” for {words.duration(now_ms - m.last_ms)}; it was never "
        f"away longer than {words.duration(m.gap_ms)} before, and {m.source} goes on to write other lines."
    )
    if not m.active:
        text = f"{m.source} on {where} writes “{wording[:200]}” again, or nobody expects it any more."
    data = {
        "template": f"{m.template:016x}",
        "source": m.source,
        "host": m.host,
        "gap_ms": m.gap_ms,
        "last_ms": m.last_ms,
    }
    return _finding(VANISHED, f"{m.template:016x}", m.active, text, data, wording, m.template,
                    f"Regular log message from {m.source} does not come", Severity.WARNING, row,
                    m.last_ms if m.active else now_ms)  # fmt: skip


def patternless(p: Patternless, now_ms: int) -> Finding:
    """A source whose lines no template fits, or that is over."""
    share = round(100 * p.new / max(1, p.lines))
    text = (
        f"{p.source} writes lines without a pattern: {p.new} of its last {p.lines} lines ({share} %) are like no other. "
        "What such lines say cannot be watched; messages of other sources are not affected."
    )
    if not p.active:
        text = f"{p.source} writes lines with patterns again."
    key = f"{PATTERNLESS}|{p.source}"
    data = {"key": key, "source": p.source, "lines": p.lines, "new": p.new}
    because = (Reason(ReasonKind.NEW_TEMPLATE, text, 1.0, data),)
    quoted = p.source.replace("\\", "\\\\").replace('"', '\\"')
    return Finding(
        key=key, kind=PATTERNLESS, item="", active=p.active, severity=Severity.WARNING,
        name=f"Log source {p.source} writes lines without a pattern", summary=text, time_ms=now_ms, score=0.9,
        because=because, labels={"service.name": p.source},
        annotations={QUERY: f'service:"{quoted}" OR source:"{quoted}" OR host:"{quoted}"'},
    )  # fmt: skip


def missing_of(data: Mapping[str, Any], item: str) -> Missing:
    """The missing message that a reason was made from."""
    return Missing(
        int(data["template"], 16), item, data["source"], data["host"], data["gap_ms"], data["last_ms"]
    )


def unusual_of(data: Mapping[str, Any]) -> Unusual:
    """The unusual value that a reason was made from."""
    return Unusual(
        int(data["template"], 16), data["place"], data["kind"], data["value"], data["usual"], data["lines"]
    )


def _where(row: Mapping[str, Any], topology: Topology) -> str:
    return topology.name(row["item"]) if row["item"] else row["host"] or row["source"]


def _finding(kind: str, key: str, active: bool, text: str, data: dict[str, Any], wording: str, template: int, name: str,
             severity: Severity, row: Mapping[str, Any], time_ms: int) -> Finding:  # fmt: skip
    labels = {"host.name": row["host"], "service.name": row["source"]}
    because = (
        Reason(
            ReasonKind.NEW_TEMPLATE, text, 1.0, {**data, "key": f"{kind}|{key}", "wording": wording[:500]}
        ),
    )
    return Finding(
        key=f"{kind}|{key}", kind=kind, active=active, summary=text, item=row["item"], name=name, severity=severity,
        time_ms=time_ms, score=0.8, because=because,
        labels={k: v for k, v in labels.items() if v}, annotations={QUERY: f"template:{template}"},
    )  # fmt: skip
