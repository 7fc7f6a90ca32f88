"""Where things lie in memory, and asking for them early: a compiled loop over thousands of states would wait for memory half
of its time."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, overload

LINE = 64  # bytes that memory brings at once


def offset(record: np.dtype[Any], field: str) -> int:
    """Bytes from the beginning of a record to a field of it. Raises KeyError.

    >>> offset(np.dtype([("a", "f4"), ("b", "f8")]), "b")
    4
    """
    assert record.fields is not None
    return int(record.fields[field][1])


def prefetch(address: int) -> None:
    """In compiled code: have memory bring the line at this address, which is read a little later. It waits for nothing, and
    an address that is not ours does no harm. In plain Python it does nothing."""


@intrinsic
def _prefetch(_context: Any, _address: Any) -> Any:
    """LLVM's llvm.prefetch."""
    inserted: Any = cgutils.get_or_insert_function

    def code(target: Any, builder: Any, _signature: Any, given: Any) -> Any:
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        wanted = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        function = inserted(builder.module, wanted, "llvm.prefetch.p0")
        how = [word(0), word(3), word(1)]  # to be read, to be kept near, data
        builder.call(function, [builder.inttoptr(given[0], byte), *how])
        return target.get_dummy_value()

    return types.void(types.uintp), code


@overload(prefetch)
def _in_compiled_code(address: Any) -> Any:  # noqa: ARG001
    """What `prefetch` is there."""
    bring: Any = _prefetch

    def bringing(address: Any) -> None:
        bring(address)

    return bringing
