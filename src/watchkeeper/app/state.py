"""What the pipeline has learned, kept in one file over restarts. Plain data and numpy arrays as MessagePack:
reading it runs no code, and a file that is torn, foreign or of another version is as good as none."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

VERSION = 1
_ARRAY = 1
_log = logging.getLogger(__name__)


def save(path: Path, state: dict[str, Any]) -> int:
    """Write synced and in one step; return the bytes written. Raises OSError, leaving the old file as it was."""
    data = msgspec.msgpack.encode({"version": VERSION, "state": state}, enc_hook=_encode)
    new = path.with_suffix(".new")
    with new.open("wb") as f:
        f.write(data)
        f.flush()
        os.fsync(f.fileno())
    new.replace(path)
    return len(data)


def load(path: Path) -> dict[str, Any]:
    """What `save` wrote last, or an empty dict."""
    try:
        found = msgspec.msgpack.decode(path.read_bytes(), ext_hook=_decode)
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError, ValueError) as error:
        _log.warning("what was learned cannot be read and is learned again (%s: %s)", path, error)
        return {}
    if not isinstance(found, dict) or found.get("version") != VERSION:
        return {}
    state: dict[str, Any] = found["state"]
    return state


def _encode(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            raise TypeError("an array of Python objects is not plain data")
        parts = (value.dtype.str, value.shape, np.ascontiguousarray(value).tobytes())
        return msgspec.msgpack.Ext(_ARRAY, msgspec.msgpack.encode(parts))
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is not plain data")


def _decode(code: int, data: memoryview) -> Any:
    if code != _ARRAY:
        raise ValueError(f"unknown extension {code}")
    kind, shape, raw = msgspec.msgpack.decode(data)
    return np.frombuffer(raw, dtype=np.dtype(kind)).reshape(shape).copy()
