"""`watchkeeper lab templates`: log lines in, template ids and wordings out, by the miner of the pipeline."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from watchkeeper.analysis.templates import TemplateMiner

_CHUNK = 1 << 20
_LONGEST = 1 << 16  # bytes of a line that are kept; the miner looks at fewer


def templates(
    source: Annotated[Path, typer.Argument(metavar="IN.txt", help="One message a line, UTF-8.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT.csv", help="line,template_id,template")],
    as_json: Annotated[bool, typer.Option("--json", help="Print a summary as JSON.")] = False,
) -> None:
    """Find the templates of log lines. Ids and wordings are as they stand after the last line."""
    from watchkeeper.analysis.templates import TemplateMiner
    from watchkeeper.cli.progress import bar

    miner = TemplateMiner()
    try:
        with (
            source.open("rb") as lines, out.open("w", encoding="utf-8", newline="") as rows,
            tempfile.TemporaryFile() as kept, bar("templates", source.stat().st_size) as advance,
        ):  # fmt: skip
            for chunk in _whole_lines(lines):
                kept.write(_learn(miner, chunk).tobytes())
                advance(len(chunk))
            kept.seek(0)
            count = _write(rows, kept, miner)
    except OSError as error:
        typer.echo(f"watchkeeper lab templates: {error}", err=True)
        raise typer.Exit(1) from error
    if as_json:
        json.dump({"lines": count, "templates": len(miner)}, sys.stdout)
        sys.stdout.write("\n")


def _whole_lines(file: IO[bytes]) -> Iterator[bytes]:
    """The file in pieces that end with a line."""
    rest = b""
    while data := file.read(_CHUNK):
        end = data.rfind(b"\n") + 1
        if not end:
            rest = (rest + data)[:_LONGEST]
            continue
        yield rest + data[:end]
        rest = data[end:]
    if rest:
        yield rest + b"\n"


def _learn(miner: TemplateMiner, chunk: bytes) -> NDArray[np.uint64]:
    import numpy as np

    data = np.frombuffer(chunk, np.uint8)
    ends = np.flatnonzero(data == 10)
    starts = np.concatenate(([0], ends[:-1] + 1))
    return miner.learn_bytes(data, starts, ends)


def _write(rows: IO[str], kept: IO[bytes], miner: TemplateMiner) -> int:
    """Second pass: every line's id and wording, after all merges. Returns the number of lines."""
    import numpy as np

    rows.write("line,template_id,template\n")
    line = 0
    tails: dict[int, str] = {0: ",,\n"}
    while data := kept.read(_CHUNK):
        ids = miner.canonical(np.frombuffer(data, np.uint64)).tolist()
        for i in set(ids) - tails.keys():
            quoted = miner.text(i).replace('"', '""')
            tails[i] = f',{i:016x},"{quoted}"\n'
        rows.writelines(f"{line + k}{tails[i]}" for k, i in enumerate(ids, 1))
        line += len(ids)
    return line
