"""The fields of many syslog messages at once, compiled: where in the buffer each begins and ends, for the two
shapes that nearly all senders write. All else is left to syslog_message, with which this agrees.

    <34>Oct 11 22:14:15 host program[123]: text        also with an RFC 3339 time, as rsyslog forwards
    <34>1 2023-10-11T22:14:15.003Z host program 123 ID - text        also with structured data
"""

# numba infers the types of what it compiles
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

F = TypeVar("F", bound=Callable[..., Any])
HOST, SOURCE, BODY, PID, MSGID, DATA = range(0, 12, 2)
"""Columns of `spans`: where a field begins; where it ends is in the next column."""

TOKEN, QUOTABLE, NAME, TAG, LETTER = 1, 2, 4, 8, 16
_NONE = np.int64(-(2**62))
_MONTHS = np.frombuffer(b"JanFebMarAprMayJunJulAugSepOctNovDec", np.uint8).reshape(12, 3)
_DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


def compiled(function: F) -> F:
    """`function` as machine code, cached on disk; gives the GIL back while it runs."""
    return cast(F, numba.njit(cache=True, nogil=True)(function))


def _classes() -> NDArray[np.uint8]:
    table = np.zeros(256, np.uint8)
    table[33:127] |= TOKEN | QUOTABLE
    table[list(b'"\\')] &= ~np.uint8(QUOTABLE)
    for byte in b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ":
        table[byte] |= NAME | TAG | LETTER
    for byte in b"0123456789._-":
        table[byte] |= NAME | TAG
    for byte in b"/()+@,":
        table[byte] |= TAG
    return table


_CLASS = _classes()


@compiled
def parse(data, starts, ends, ascii_only, zone_s, year, latest, earliest, newest, times, priorities, spans):
    """Fill times (Unix ns), priorities and spans of those messages that have a shape known here; the result
    says which. Times must lie between `earliest` and `newest`, in seconds; those without a year or zone are
    `zone_s` east of Greenwich, and the latest of `year` and the year before that is not after `latest`
    (seconds, local)."""
    known = np.zeros(len(starts), np.bool_)
    for i in range(len(starts)):
        at, stop = starts[i], ends[i]
        if stop < len(data) and (data[stop] & 0xC0) == 0x80:
            continue  # ends within a character
        while stop > at and (data[stop - 1] == 10 or data[stop - 1] == 13 or data[stop - 1] == 0):
            stop -= 1
        if ascii_only and _beyond_ascii(data, at, stop):
            continue
        priority, at = _priority(data, at, stop)
        if priority < 0 or stop - at < 17:
            continue
        priorities[i] = priority
        newer = data[at] == 49 and data[at + 1] == 32
        at += 2 * newer
        if data[at] >= 65 and not newer:
            seconds, nanos, at = _bsd_time(data, at, stop, zone_s, year, latest), 0, at + 15
        else:
            seconds, nanos, at = _iso_time(data, at, stop)
        if seconds < earliest or seconds >= newest or at >= stop or data[at] != 32:
            continue
        times[i] = seconds * 1_000_000_000 + nanos
        known[i] = _rfc5424(data, at + 1, stop, spans[i]) if newer else _bsd(data, at + 1, stop, spans[i])
    return known


@compiled
def _beyond_ascii(data, at, stop):
    while at < stop and data[at] < 128:
        at += 1
    return at < stop


@compiled
def _priority(data, at, stop):
    """The number between < and >, and what is behind; -1 when it is none."""
    if stop - at < 4 or data[at] != 60:
        return -1, at
    value = 0
    for i in range(at + 1, at + 5):
        if i < stop and data[i] == 62 and i > at + 1 and value <= 191:
            return value, i + 1
        if i >= stop or data[i] < 48 or data[i] > 57:
            return -1, at
        value = value * 10 + data[i] - 48
    return -1, at


@compiled
def _digits(data, at, count):
    """The number of this many digits, or a negative one."""
    value = np.int64(0)
    for i in range(at, at + count):
        if data[i] < 48 or data[i] > 57:
            return _NONE
        value = value * 10 + data[i] - 48
    return value


@compiled
def _clock(data, at):
    """Seconds since midnight of hh:mm:ss, or a negative number."""
    hour, minute, second = _digits(data, at, 2), _digits(data, at + 3, 2), _digits(data, at + 6, 2)
    if data[at + 2] != 58 or data[at + 5] != 58 or hour > 23 or minute > 59 or second > 60:
        return _NONE
    if hour < 0 or minute < 0 or second < 0:
        return _NONE
    return hour * 3600 + minute * 60 + second


@compiled
def _midnight(year, month, day):
    """Unix seconds when the day began, or a negative number below all when there is no such day.
    Source: Howard Hinnant, "chrono-compatible low-level date algorithms", days_from_civil."""
    if year < 1970 or month < 1 or month > 12 or day < 1:
        return _NONE
    leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
    if day > _DAYS[month - 1] + (leap and month == 2):
        return _NONE
    y = year - (month <= 2)
    of_era = y % 400
    of_year = (153 * (month + (9 if month <= 2 else -3)) + 2) // 5 + day - 1
    days = y // 400 * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year
    return (days - 719468) * 86400


@compiled
def _bsd_time(data, at, stop, zone_s, year, latest):
    """Unix seconds of `Oct 11 22:14:15`, or a negative number."""
    if stop - at < 16 or data[at + 3] != 32 or data[at + 6] != 32:
        return _NONE
    month = 0
    for m in range(12):
        if data[at] == _MONTHS[m, 0] and data[at + 1] == _MONTHS[m, 1] and data[at + 2] == _MONTHS[m, 2]:
            month = m + 1
    day = _digits(data, at + 5, 1) if data[at + 4] == 32 else _digits(data, at + 4, 2)
    clock = _clock(data, at + 7)
    if clock < 0 or month == 0:
        return _NONE
    for y in (year, year - 1):
        midnight = _midnight(y, month, day)
        if midnight >= 0 and midnight + clock <= latest:
            return midnight + clock - zone_s
    return _NONE


@compiled
def _iso_time(data, at, stop):
    """Unix seconds, nanoseconds and end of an RFC 3339 time with its zone; negative seconds if it is none."""
    if stop - at < 21 or data[at + 4] != 45 or data[at + 7] != 45 or data[at + 10] != 84:
        return _NONE, 0, at
    midnight = _midnight(_digits(data, at, 4), _digits(data, at + 5, 2), _digits(data, at + 8, 2))
    clock = _clock(data, at + 11)
    at += 19
    nanos, digits = np.int64(0), 0
    if data[at] == 46:
        at += 1
        while at < stop and 48 <= data[at] <= 57 and digits < 10:
            nanos = nanos * 10 + data[at] - 48
            digits += 1
            at += 1
        if digits == 0 or digits > 9:
            return _NONE, 0, at
        for _ in range(9 - digits):
            nanos *= 10
    if midnight < 0 or clock < 0 or at >= stop:
        return _NONE, 0, at
    if data[at] == 90:
        return midnight + clock, nanos, at + 1
    if stop - at < 6 or (data[at] != 43 and data[at] != 45) or data[at + 3] != 58:
        return _NONE, 0, at
    hours, minutes = _digits(data, at + 1, 2), _digits(data, at + 4, 2)
    if hours < 0 or minutes < 0:
        return _NONE, 0, at
    offset = (hours * 60 + minutes) * 60
    return midnight + clock - (offset if data[at] == 43 else -offset), nanos, at + 6


@compiled
def _token(data, at, stop, kind):
    """Where the run of bytes of this kind ends, at most 255 of them."""
    end = min(stop, at + 255)
    while at < end and _CLASS[data[at]] & kind:
        at += 1
    return at


@compiled
def _is_host(data, at, end):
    """Not what may be a year or a zone behind the time."""
    if not _CLASS[data[at]] & LETTER and not 48 <= data[at] <= 57:
        return False
    lower = end - at > 4
    for i in range(at, end):
        lower = lower or 97 <= data[i] <= 122
    return lower


@compiled
def _bsd(data, at, stop, span):
    """`host program[123]: text` into the span; false when it is not that."""
    end = _token(data, at, stop, NAME)
    if end == at or end - at >= 255 or end + 1 >= stop or data[end] != 32 or not _is_host(data, at, end):
        return False
    span[HOST], span[HOST + 1] = at, end
    at = end + 1
    if not _CLASS[data[at]] & LETTER:
        return False
    end = _token(data, at, min(stop, at + 128), TAG)
    if end >= stop:
        return False
    span[SOURCE], span[SOURCE + 1] = at, end
    span[PID] = span[PID + 1] = span[MSGID] = span[MSGID + 1] = 0
    if data[end] == 91:
        at = end + 1
        end = _token(data, at, min(stop, at + 64), NAME)
        if end == at or end + 1 >= stop or data[end] != 93:
            return False
        span[PID], span[PID + 1] = at, end
        end += 1
    if (
        data[end] != 58
        or (end + 1 < stop and data[end + 1] != 32)
        or (end + 2 < stop and data[end + 2] == 37)
    ):
        return False
    span[BODY], span[BODY + 1] = min(end + 2, stop), stop
    return True


@compiled
def _structured(data, at, stop):
    """Where structured data ends: every [ has its ], but for what is in quotes; `at` when it does not."""
    begin, quoted = at, False
    while at < stop and data[begin] == 91:
        byte = data[at]
        if quoted:
            at += byte == 92
            quoted = byte != 34
        elif byte == 93 and (at + 1 >= stop or data[at + 1] != 91):
            return at + 1
        else:
            quoted = byte == 34
        at += 1
    return begin


@compiled
def _rfc5424(data, at, stop, span):
    """`host program 123 ID - text` into the span; false when it is not that."""
    for field in (HOST, SOURCE, PID, MSGID):
        end = _token(data, at, stop, TOKEN if field <= SOURCE else QUOTABLE)
        if end == at or end - at >= 255 or end + 1 >= stop or data[end] != 32:
            return False
        nil = end == at + 1 and data[at] == 45
        span[field], span[field + 1] = at, at if nil else end
        at = end + 1
    end = at + 1 if data[at] == 45 else _structured(data, at, stop)
    if end == at or (end < stop and data[end] != 32):
        return False
    if data[at] != 45:
        span[DATA], span[DATA + 1] = at, end
    at = min(end + 1, stop)
    if stop - at >= 3 and data[at] == 0xEF and data[at + 1] == 0xBB and data[at + 2] == 0xBF:
        at += 3
    span[BODY], span[BODY + 1] = at, stop
    if at == stop:  # all that is said is in the structured data
        span[BODY], span[BODY + 1] = span[DATA], span[DATA + 1]
    return True
