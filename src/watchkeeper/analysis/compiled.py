"""Compiles the few loops that run once a point or once a byte, with numba; the machine code is kept on disk.

The functions stay plain Python over numpy arrays: without the decorator they give the same answers, slower.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """`function` as machine code, made at its first call and cached beside the source file (or, where that
    cannot be written, in the user's cache folder). Releases the GIL while it runs; divides by zero as numpy."""
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy")(function))


def inlined(function: F) -> F:
    """A part of compiled functions that Python itself never calls: quicker to compile, kept with its callers."""
    bare: Any = numba.njit  # its stubs do not know the last two options
    options = {"nogil": True, "error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast(F, bare(**options)(function))
