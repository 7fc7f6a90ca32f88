"""What says of a backup what is in it: written last, read and held against the files first."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from watchkeeper.kernel.problems import Refused

FILE = "manifest.json"
FORMAT = 1


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """`files`: path → its size and SHA-256. `telemetry_passed`: the journal's offset up to which telemetry had stored
    everything when the journal was copied. `elsewhere`: what the settings keep outside of this machine, and so is not
    in it."""

    format: int = FORMAT
    version: str
    taken_at: str
    records: str  # sqlite, postgresql
    telemetry_passed: int
    elsewhere: tuple[str, ...] = ()
    files: dict[str, tuple[int, str]] = {}


def write(folder: Path, manifest: Manifest) -> None:
    """Synced, so that a folder with a manifest is whole."""
    with (folder / FILE).open("wb") as out:
        out.write(msgspec.json.format(msgspec.json.encode(manifest), indent=1))
        out.flush()
        os.fsync(out.fileno())


def read(folder: Path, told: Callable[[int, int], None]) -> Manifest:
    """The manifest, after every file was held against it; `told` of bytes done and in all. Raises Refused."""
    path = folder / FILE
    if not path.is_file():
        raise Refused(f"{folder} is no backup, or one that was never finished: it has no {FILE}")
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except msgspec.DecodeError as error:
        raise Refused(f"{path} cannot be read: {error}") from error
    if manifest.format > FORMAT:
        raise Refused(f"{folder} is of a newer Watchkeeper ({manifest.version}): restore it with that one")
    total, done = sum(size for size, _ in manifest.files.values()), 0
    for name, (size, digest) in manifest.files.items():
        file = folder / name
        if not file.is_file() or file.stat().st_size != size or sha256(file) != digest:
            raise Refused(f"{file} is missing, or not as it was written: this backup cannot be trusted")
        done += size
        told(done, total)
    return manifest


def listed(folder: Path) -> dict[str, tuple[int, str]]:
    """Every file under a folder, synced: its size and digest."""
    out = {}
    for path in files(folder):
        with path.open("rb") as file:
            os.fsync(file.fileno())
        out[str(path.relative_to(folder))] = (path.stat().st_size, sha256(path))
    return out


def files(folder: Path) -> Iterator[Path]:
    """The files under a folder, in order."""
    yield from (p for p in sorted(folder.rglob("*")) if p.is_file() and p != folder / FILE)


def sha256(path: Path) -> str:
    """Of a file, in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
