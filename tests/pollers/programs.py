"""Small real programs that poller tests start: they listen, or talk, until they are stopped."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.platform import Platform

ESTABLISHED = 62.0  # seconds a program has to have run for the host poller to miss it

SERVER = """
import socket, sys, threading
def serve(listener):
    kept = []
    while True:
        kept.append(listener.accept()[0])
where = sys.argv[1]
if where.startswith("/"):
    listener = socket.socket(socket.AF_UNIX); listener.bind(where); listener.listen()
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
    where = "0"
listener = socket.create_server(("127.0.0.1", int(where)))
print(listener.getsockname()[1], flush=True)
serve(listener)
"""

TALKER = """
import socket, sys, time
kept = []
for target in sys.argv[2:]:
    s = socket.socket(socket.AF_UNIX if target.startswith("/") else socket.AF_INET)
    s.connect(target if target.startswith("/") else ("127.0.0.1", int(target)))
    kept.append(s)
if sys.argv[1] != "none":
    kept.append(socket.create_server(("127.0.0.1", int(sys.argv[1]))))
print("ready", flush=True)
time.sleep(6 * 3600)
"""


@contextlib.contextmanager
def running(
    folder: Path, name: str, source: str, *arguments: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A program called `name`, started; it and the first line that it printed."""
    script = folder / f"{name}.py"
    script.write_text(source)
    with subprocess.Popen(
        [sys.executable, "-I", str(script), *arguments], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def grow_old(process: subprocess.Popen[str]) -> None:
    """Wait until a program is one that the host poller would miss."""
    time.sleep(max(0.0, ESTABLISHED - (time.time() - psutil.Process(process.pid).create_time())))


def related(platform: Platform, source: str, target: str) -> bool:
    """Whether the graph knows that the item of the one name needs that of the other."""
    return any(
        relation["target_name"] == target
        for item in platform.get(f"/api/items/?name={source}")["results"]
        for relation in platform.get(f"/api/relations/?source={item['id']}")["results"]
    )
