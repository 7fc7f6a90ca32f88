"""Protobuf's wire format, compiled: numbers and fields found in a buffer, and nothing ever read outside of what is said to
be its end. What fields mean is for others. https://protobuf.dev/programming-guides/encoding/

Positions are uint64: numba then spares the test for negative indices, and makes no float of mixed signs.
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
U = np.uint64
Positions = NDArray[np.uint64]

FAULTS = {
    1: "a number or length runs past the end of its message",
    2: "a field has a wire type that it cannot have",
    3: "a field number is 0",
}


def compiled(function: F) -> F:
    """`function` as machine code, cached beside the source or, where that cannot be written, in the user's
    cache folder. Gives the GIL back while it runs."""
    return cast(F, numba.njit(cache=True, nogil=True)(function))


def inlined(function: F) -> F:
    """`function` as a part of the compiled ones that call it."""
    return cast(F, numba.njit(inline="always")(function))


@inlined
def varint(data, at, end):
    """The varint at `at`, where it ends, and whether it does."""
    if at < end and data[at] < 128:
        return U(data[at]), at + U(1), True
    value = shift = U(0)
    while at < end and shift < U(64):
        byte = U(data[at])
        at += U(1)
        value |= (byte & U(127)) << shift
        if byte < U(128):
            return value, at, True
        shift += U(7)
    return value, at, False


@compiled
def field(data, at, end):
    """Fault, tag, and begin and end of the value of the field at `at`. The end never lies beyond `end`."""
    tag, at, whole = varint(data, at, end)
    if not whole:
        return U(1), tag, at, at
    if tag >> U(3) == U(0):
        return U(3), tag, at, at
    wire = tag & U(7)
    if wire == U(2):
        size, at, whole = varint(data, at, end)
        if not whole or size > end - at:
            return U(1), tag, at, at
        return U(0), tag, at, at + size
    if wire == U(0):
        begin = at
        _, at, whole = varint(data, at, end)
        return U(0) if whole else U(1), tag, begin, at
    size = U(8) if wire == U(1) else U(4)
    if wire != U(1) and wire != U(5):
        return U(2), tag, at, at
    if size > end - at:
        return U(1), tag, at, at
    return U(0), tag, at, at + size
