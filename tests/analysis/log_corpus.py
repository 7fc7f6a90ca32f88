"""Log lines made up for tests, of systems that do not exist, with the template of each line.

`SYSTEMS` has the formats of each: one a line, the more frequent first; `{name}` is a value of `VALUES` and is a value
in the truth too. `make` draws lines; `score` compares groups and wordings with the truth as the literature does.
"""

from __future__ import annotations

import random
import re
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

MARK = "<*>"
FORMATS = Path(__file__).with_name("log_corpus.txt")
_NAMES = (
    "ann", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "mallory", "niaj", "olivia",
    "peggy", "rupert", "sybil", "trent", "victor", "walter", "zoe", "jürgen", "m.rossi", "svc-backup", "k_meyer",
)  # fmt: skip
_WORDS = (
    "orders", "billing", "catalog", "search", "ledger", "invoices", "parcels", "tickets", "media", "thumbs", "audit",
    "events", "metrics", "profiles", "sessions", "reports", "quotas", "vouchers", "stock", "prices", "labels", "maps",
    "feeds", "mails", "chat", "calls", "votes", "polls", "notes", "tasks",
)  # fmt: skip
Draw = Callable[[random.Random], str]


def _pick(values: Sequence[str], r: random.Random) -> str:
    return r.choice(values)


def _hex(n: int, r: random.Random) -> str:
    return "".join(r.choices("0123456789abcdef", k=n))


def _ip(r: random.Random) -> str:
    return ".".join(str(r.randrange(1, 255)) for _ in range(4))


def _ip6(r: random.Random) -> str:
    if r.random() < 0.5:
        return f"fe80::{_hex(4, r)}:{_hex(3, r)}:{_hex(4, r)}:{_hex(4, r)}"
    return f"2001:db8:{_hex(4, r)}::{r.randrange(1, 99)}"


def _path(r: random.Random) -> str:
    parts = [r.choice(_WORDS) for _ in range(r.randint(2, 4))]
    return (
        r.choice(("/var/lib", "/srv", "/opt/app", "/home"))
        + "/"
        + "/".join(parts)
        + r.choice(("", ".log", ".dat", ".2.gz"))
    )


def _list(draw: Draw, sep: str, r: random.Random) -> str:
    return sep.join(draw(r) for _ in range(r.randint(1, 6)))


def _long(r: random.Random) -> str:
    return " ".join(_hex(32, r) for _ in range(60))


def _host(r: random.Random) -> str:
    return f"{r.choice(('web', 'db', 'node', 'cache', 'mx'))}{r.randrange(1, 60):02d}"


def _fqdn(r: random.Random) -> str:
    return (
        f"{_host(r)}.{r.choice(('example.com', 'corp.example.net', 'lab.example.org', 'shop.example.co.uk'))}"
    )


def _time(r: random.Random) -> str:
    day, time = (r.randint(1, 12), r.randint(1, 28)), (r.randrange(24), r.randrange(60), r.randrange(60))
    clock = ":".join(f"{x:02d}" for x in time)
    return f"2025-{day[0]:02d}-{day[1]:02d}T{clock}.{r.randrange(1000):03d}Z"


VALUES: dict[str, Draw] = {
    "n": lambda r: str(r.randrange(10 ** r.randint(1, 7))),
    "s": lambda r: str(r.randrange(0, 10)),
    "neg": lambda r: str(r.randrange(-500, 500)),
    "f": lambda r: f"{r.random() * 10 ** r.randint(0, 4):.{r.randint(1, 6)}f}",
    "pod": lambda r: f"{r.choice(_WORDS)}-{_hex(9, r)}4-{r.randrange(10**4)}",
    "pg": lambda r: f"{r.randrange(90)}.{r.randrange(10)}{_hex(1, r)}",
    "client": lambda r: f"client.{r.randrange(10**4)}.{r.randrange(9)}",
    "ip": _ip,
    "ip6": _ip6,
    "mac": lambda r: ":".join(_hex(2, r) for _ in range(6)),
    "uuid": lambda r: str(uuid.UUID(int=r.getrandbits(128), version=4)),
    "hex": lambda r: "0x" + _hex(r.choice((4, 8, 16)), r),
    "sha": partial(_hex, 40),
    "id": lambda r: _hex(12, r) + "9a",
    "path": _path,
    "win": lambda r: "C:\\" + "\\".join(r.choice(_WORDS).title() for _ in range(3)) + ".exe",
    "host": _host,
    "fqdn": _fqdn,
    "rest": lambda r: f"{_fqdn(r)}/{r.choice(_WORDS)}/{r.randrange(10**4)}?page={r.randrange(9)}",
    "route": lambda r: f"/v2/{_hex(32, r)}/{r.choice(_WORDS)}/{uuid.UUID(int=r.getrandbits(128))}",
    "user": partial(_pick, _NAMES),
    "word": partial(_pick, _WORDS),
    "class": lambda r: f"com.example.{r.choice(_WORDS)}.{r.choice(_WORDS).title()}Service",
    "time": _time,
    "size": lambda r: f"{r.randrange(1, 1000)}{r.choice(('KB', 'MB', 'GB'))}",
    "ms": lambda r: f"{r.randrange(1, 90000)}ms",
    "bool": partial(_pick, ("true", "false")),
    "ints": partial(_list, lambda r: str(r.randrange(100)), ", "),
    "hosts": partial(_list, _host, " "),
    "words": partial(_list, partial(_pick, _WORDS), ","),
    "long": _long,
    "umlaut": partial(_pick, ("Köln", "Łódź", "São Paulo", "東京", "Москва", "Zürich")),
    # a value that is not always there
    "remark": lambda r: r.choice(("", f" ({r.randrange(1, 90)}.{r.randrange(10)} KB)")),
    "ver": lambda r: f"{r.randrange(9)}.{r.randrange(20)}.{r.randrange(99)}",
}  # fmt: skip
_FIELD = re.compile(r"\{(\w+)\}")


def _formats() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in FORMATS.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            current = found.setdefault(line[3:], [])
        elif line and not line.startswith("# "):
            current.append(line)
    return found


SYSTEMS = _formats()


def make(system: str, count: int = 2000, seed: int = 7) -> tuple[list[str], list[str]]:
    """Lines of one system and the template of each."""
    formats = SYSTEMS[system]
    r = random.Random(f"{system} {seed}")
    weights = [1 / (k + 1.5) for k in range(len(formats))]
    chosen = r.choices(formats, weights, k=count)
    lines = [_FIELD.sub(lambda m: VALUES[m[1]](r), f) for f in chosen]
    return lines, [_FIELD.sub(MARK, f) for f in chosen]


def score(ids: Sequence[object], texts: Sequence[str], truth: Sequence[str]) -> dict[str, float]:
    """GA: share of lines in a group that is exactly right; FGA: F1 of groups; PA: share of lines worded right; FTA:
    F1 of groups right and worded right (Khan et al. 2022, "Guidelines for Assessing the Accuracy of Log Message
    Template Identification Techniques"; Jiang et al. 2024, "A Large-Scale Evaluation for Log Parsing Techniques").
    """
    true: dict[str, list[int]] = defaultdict(list)
    found: dict[object, list[int]] = defaultdict(list)
    for i, (t, f) in enumerate(zip(truth, ids, strict=True)):
        true[t].append(i)
        found[f].append(i)
    groups = {tuple(v): k for k, v in true.items()}
    right = [v for v in found.values() if tuple(v) in groups]
    worded = [v for v in right if same(texts[v[0]]) == same(groups[tuple(v)])]
    both = len(true) + len(found)
    return {
        "GA": sum(map(len, right)) / len(truth), "FGA": 2 * len(right) / both,
        "PA": sum(same(a) == same(b) for a, b in zip(texts, truth, strict=True)) / len(truth),
        "FTA": 2 * len(worded) / both,
    }  # fmt: skip


def same(template: str) -> str:
    """A wording with marks that touch, or have only a space between them, taken for one."""
    text, before = re.sub(r"\s+", " ", template).strip(), ""
    while text != before:
        before, text = text, text.replace("<*> <*>", MARK).replace("<*><*>", MARK)
    return text


def faults(ids: Sequence[object], texts: Sequence[str], truth: Sequence[str]) -> list[str]:
    """What is grouped otherwise than the truth has it, or worded otherwise, for people to read."""
    by: dict[str, Counter[tuple[object, str]]] = defaultdict(Counter)
    of: dict[object, set[str]] = defaultdict(set)
    for i, x, t in zip(ids, texts, truth, strict=True):
        by[t][i, x] += 1
        of[i].add(t)
    out = []
    for t, found in by.items():
        if len(found) > 1 or len(of[next(iter(found))[0]]) > 1:
            out.append(
                f"GROUP {sum(found.values()):5d} {t!r}\n"
                + "".join(f"        {n:5d} {x!r}\n" for (_, x), n in found.most_common(6))
            )
        elif same(next(iter(found))[1]) != same(t):
            out.append(f"WORDS {sum(found.values()):5d} {t!r}\n              {next(iter(found))[1]!r}\n")
    return out
