"""Contents of files, in a folder and under their SHA-256: written beside, synced and moved into place, so that what has a
name is whole; removed when no record refers to it any more."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from watchkeeper.model.errors import DiskFull, TooLarge

_PIECE = 256 * 1024
_HALF = ".part"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True)
class Content:
    """What was stored."""

    sha256: str
    size: int


class Writing:
    """One content on its way in. `take` its pieces, then `keep` it; or `give_up`."""

    def __init__(self, folder: Path, most: int) -> None:
        self._folder, self._most = folder, most
        self._hash, self._size = hashlib.sha256(), 0
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, name = tempfile.mkstemp(dir=folder, suffix=_HALF)
        except OSError as error:
            raise _full(error) from error
        self._file, self._path = os.fdopen(handle, "wb"), Path(name)

    def take(self, piece: bytes) -> None:
        """Raises TooLarge or DiskFull; then nothing is left of it."""
        self._size += len(piece)
        if self._size > self._most:
            self.give_up()
            raise TooLarge(f"the file is larger than {self._most // 1024**2} MiB")
        self._hash.update(piece)
        try:
            self._file.write(piece)
        except OSError as error:
            self.give_up()
            raise _full(error) from error

    def keep(self) -> Content:
        """It is on disk when this returns. Raises DiskFull."""
        digest = self._hash.hexdigest()
        place = path_of(self._folder, digest)
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            place.parent.mkdir(exist_ok=True, mode=0o700)
            self._path.replace(place)
            _sync(place.parent)
        except OSError as error:
            self.give_up()
            raise _full(error) from error
        return Content(digest, self._size)

    def give_up(self) -> None:
        """Nothing is left of it."""
        with suppress(OSError):
            self._file.close()
        self._path.unlink(missing_ok=True)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """While a file begins to refer to a content, or a content that none refers to is removed, nobody does either."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def path_of(folder: Path, sha256: str) -> Path:
    """Where a content lies."""
    return folder / sha256[:2] / sha256


def pieces(path: Path) -> Iterator[bytes]:
    """A content, piece by piece. Raises OSError."""
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def forget(folder: Path, sha256: str) -> None:
    """Remove a content."""
    path_of(folder, sha256).unlink(missing_ok=True)


def old(folder: Path, seconds: float) -> Iterable[str]:
    """Contents that have lain there for so long; halves that nobody finished are removed on the way."""
    before = time.time() - seconds
    for path in folder.glob("**/*"):
        with suppress(FileNotFoundError):
            if path.parent == folder and path.suffix != _HALF:
                continue  # the lock, and the folders
            if not path.is_file() or path.stat().st_mtime > before:
                continue
            if path.suffix == _HALF:
                path.unlink()
            else:
                yield path.name


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _full(error: OSError) -> Exception:
    """DiskFull where there is no room, else the error itself."""
    if error.errno in _FULL:
        return DiskFull("there is no room for the file where files are kept; nothing of it was stored")
    return error
