"""Files of series as the lab takes them: a column `timestamp` and one or more of values, blank for a gap."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Unreadable(Exception):
    """The file is not what the command takes; the message says where and why."""


def columns(rows: Iterator[list[str]]) -> tuple[list[str], int]:
    """The header, and which of its columns is the timestamp. Raises Unreadable."""
    header = next(rows, [])
    if "timestamp" not in header or len(header) < 2:
        raise Unreadable("the first line must name a column timestamp and at least one value column")
    return header, header.index("timestamp")


def numbers(
    chunk: list[list[str]], at: int, width: int, line: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Milliseconds, a row each, and values of shape (rows, series), NaN for a gap. `line` is that before the first row.
    Raises Unreadable."""
    import numpy as np

    times = np.empty(len(chunk), np.int64)
    values = np.empty((len(chunk), width - 1))
    for i, row in enumerate(chunk):
        if len(row) != width:
            raise Unreadable(f"line {line + i + 1} has {len(row)} columns, the header {width}")
        try:
            times[i] = milliseconds(row[at])
            values[i] = [float(x) if x.strip() else math.nan for k, x in enumerate(row) if k != at]
        except (ValueError, OverflowError) as error:
            raise Unreadable(f"line {line + i + 1}: {error}") from error
    return times, values


def milliseconds(text: str) -> int:
    """As `seconds`, with blanks around it. Raises ValueError.

    >>> milliseconds("60.5"), milliseconds("1970-01-01 00:01")
    (60500, 60000)
    """
    return round(seconds(text.strip()) * 1000)


def seconds(text: str) -> float:
    """A finite number, or RFC 3339 or zoneless (UTC) text, as Unix seconds. Raises ValueError.

    >>> seconds("1970-01-01T00:01:00Z"), seconds("60")
    (60.0, 60.0)
    """
    try:
        number = float(text)
    except ValueError:
        when = datetime.fromisoformat(text)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    if not math.isfinite(number):
        raise ValueError(f"{text!r} is no time")
    return number
