"""Queries made at random, from the metrics of the world: the same ones for the same seed."""

from __future__ import annotations

from random import Random

# What equal values or the order of additions would make differ, is left out.
_SERIES = (
    "http_requests_total", 'http_requests_total{code="200"}', 'http_requests_total{instance!="web-3"}', "up", "limit",
    'cpu{mode="idle"}', 'cpu{mode!="user"}', "node_info", "temperature", 'temperature{place="roof"}',
    "duration_seconds_bucket", '{__name__=~"up|temperature"}',
)  # fmt: skip
_LABELS = ("instance", "host", "job", "mode", "code", "method", "place", "le")
_RANGES = ("1m", "90s", "5m", "11m", "29m")
_OVER = ("rate", "increase", "delta", "irate", "idelta", "changes", "resets", "avg_over_time", "sum_over_time",
         "min_over_time", "max_over_time", "count_over_time", "last_over_time", "present_over_time")  # fmt: skip
_MATHS = ("abs", "ceil", "floor", "sqrt", "exp", "ln", "sgn", "round", "-", "timestamp", "absent", "sort")
_GROUPED = ("sum", "avg", "min", "max", "count", "group")
_ARITHMETIC = ("+", "-", "*", "/")
_COMPARISONS = ("==", "!=", ">", "<", ">=", "<=")
_SETS = ("and", "or", "unless")


def query(random: Random, depth: int = 3) -> str:
    """A query of series, nested at most so deep."""
    if depth == 0:
        return _selector(random)
    kinds = (_selector, _over, _maths, _grouped, _with_number, _between, _subquery)
    kind = random.choices(kinds, (1, 4, 2, 4, 2, 4, 1))[0]
    return _selector(random) if kind is _selector else kind(random, depth - 1)


def _selector(random: Random) -> str:
    return random.choice(_SERIES) + random.choice(
        ("", "", "", " offset 4m", " offset -90s", " @ end()", " @ start()")
    )


def _over(random: Random, _: int) -> str:
    return f"{random.choice(_OVER)}({random.choice(_SERIES)}[{random.choice(_RANGES)}]{_offset(random)})"


def _offset(random: Random) -> str:
    return random.choice(("", "", "", " offset 3m", " @ end()"))


def _maths(random: Random, depth: int) -> str:
    return f"{random.choice(_MATHS)}({query(random, depth)})"


def _grouped(random: Random, depth: int) -> str:
    by = ", ".join(random.sample(_LABELS, random.randrange(3)))
    return f"{random.choice(_GROUPED)} {random.choice(('by', 'without'))} ({by}) ({query(random, depth)})"


def _with_number(random: Random, depth: int) -> str:
    operator = random.choice((*_ARITHMETIC, *_COMPARISONS, *(f"{c} bool" for c in _COMPARISONS)))
    sides = [f"({query(random, depth)})", random.choice(("0", "1.5", "40", "time()", "-7"))]
    random.shuffle(sides)
    return f"{sides[0]} {operator} {sides[1]}"


def _between(random: Random, depth: int) -> str:
    left, right = query(random, depth), query(random, depth)
    if random.random() < 0.3:
        operator = f"{random.choice(_SETS)} {_matching(random)}"
    else:
        compares = random.random() < 0.4
        operator = (
            random.choice(_COMPARISONS) + random.choice(("", " bool"))
            if compares
            else random.choice(_ARITHMETIC)
        )
        operator += f" {_matching(random)} {random.choice(('', 'group_left()', 'group_right()'))}"
        if "group" in operator and "on" not in operator and "ignoring" not in operator:
            operator = operator.replace("group", "ignoring(mode) group")
    return f"({left}) {operator} ({right})"


def _matching(random: Random) -> str:
    by = ", ".join(random.sample(_LABELS, random.randrange(1, 3)))
    return random.choice(("", f"on({by})", f"ignoring({by})"))


def _subquery(random: Random, depth: int) -> str:
    function = random.choice([f for f in _OVER if f not in ("irate", "idelta")])
    return (
        f"{function}(({query(random, depth)})[{random.choice(_RANGES)}:{random.choice(('1m', '47s', ''))}])"
    )
