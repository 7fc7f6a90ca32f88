"""Fuzz one decoder, or all of them, one a processor at a time: `python -m tests.fuzz [NAME…]`.

They share WATCHKEEPER_FUZZ_SECONDS (200) of a processor, with what each needs to begin.
A crash is kept in tests/captures/fuzz, where the test finds it.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import atheris

SECONDS = 200
_BEGINNING = 2  # seconds in which a decoder is loaded
_SLOW = 10  # seconds that an input may take
_MEMORY = 2048  # MiB
_LONGEST = 64 * 1024  # bytes of an input
#: What numba compiles looks where it is told to, also outside of an array. Here it raises IndexError instead; such code is
#: kept apart from that which serves.
_CHECKED = {
    "NUMBA_BOUNDSCHECK": "1",
    "NUMBA_CACHE_DIR": str(Path(tempfile.gettempdir()) / f"watchkeeper-fuzz-compiled-{os.getuid()}"),
}


def main(names: list[str]) -> int:
    """0 when nothing was found."""
    from tests.fuzz.targets import targets

    known = targets()
    if unknown := set(names) - set(known):
        print(f"no such decoder: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
        return 2
    chosen = names or list(known)
    seconds = max(1, int(os.environ.get("WATCHKEEPER_FUZZ_SECONDS", SECONDS)) // len(chosen) - _BEGINNING)
    with ThreadPoolExecutor(os.cpu_count() or 1) as several:  # each is a process of its own
        clean = several.map(lambda name: _clean(name, seconds), chosen)
        found = [name for name, was in zip(chosen, clean, strict=True) if not was]
    print(f"fuzzed {len(chosen)} decoders; faults in {', '.join(found) or 'none'}")
    return 1 if found else 0


def _clean(name: str, seconds: int) -> bool:
    from tests.fuzz import seeds

    with tempfile.TemporaryDirectory(prefix="watchkeeper-fuzz-") as folder:
        command = [sys.executable, "-m", "tests.fuzz", "--one", name, folder, f"-max_total_time={seconds}"]
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ | _CHECKED)
        crashed = sorted(Path(folder).glob("found-*"))
        kept = [_keep(seeds.FOUND, name, crash.read_bytes()) for crash in crashed]
    clean = done.returncode == 0 and not kept
    ran = [line for line in done.stderr.splitlines() if line.startswith("Done ")]
    print(f"{name}: {ran[0] if ran and clean else ', '.join(map(str, kept)) or 'failed'}", flush=True)
    if not clean:
        print("\n".join(done.stderr.splitlines()[-60:]))
    return clean


def _keep(where: Path, name: str, data: bytes) -> Path:
    where.mkdir(exist_ok=True)
    file = where / f"{name}.{hashlib.sha256(data).hexdigest()[:12]}"
    file.write_bytes(data)
    return file


def one(name: str, folder: str, options: list[str]) -> None:
    """Fuzz a decoder in this process, which ends with it."""
    # What numba compiles cannot carry atheris' counters; it is called, and not looked into.
    compiled = ["known_series", "otlp_metrics_wire", "otlp_weight", "remote_write_canonical", "remote_write_v2",
                "remote_write_wire", "syslog_columns", "syslog_fields", "wire"]  # fmt: skip
    with atheris.instrument_imports(
        include=["watchkeeper.receivers", "watchkeeper.model"],
        exclude=[f"watchkeeper.receivers.{module}" for module in compiled],
    ):
        from tests.fuzz.targets import targets
    target = targets()[name]
    corpus = Path(folder) / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(target.seeds):
        (corpus / str(number)).write_bytes(seed)
        target(seed)  # what numba compiles is compiled before the clock runs
    limits = [f"-timeout={_SLOW}", f"-rss_limit_mb={_MEMORY}", f"-max_len={_LONGEST}"]
    atheris.Setup([name, *limits, f"-artifact_prefix={folder}/found-", *options, str(corpus)], target)
    atheris.Fuzz()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], sys.argv[3], sys.argv[4:])
    else:
        sys.exit(main(sys.argv[1:]))
