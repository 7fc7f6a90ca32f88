"""What every process of the platform does the same: log, stop on a signal or when the supervisor is gone."""

from __future__ import annotations

import importlib.abc
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from watchkeeper.app.marks import Marks

#: run when the web process asks for them, by their first letters, and end by themselves
ON_DEMAND = ("jobs", "poll")
PARENT = "WATCHKEEPER_PARENT"  # descriptor of a pipe that ends when the supervisor does
PREPARED = "WATCHKEEPER_INNER_PREPARED"  # descriptor of a pipe that ends when the records are prepared
WORK = "WATCHKEEPER_INNER_WORK"  # descriptor of a pipe by which the web process asks for a process on demand
MARKS = "WATCHKEEPER_INNER_MARKS"  # descriptor of the page of marks.Marks
SECRET = "WATCHKEEPER_INNER_SECRET"  # known to the processes of one installation only
WEB = "WATCHKEEPER_INNER_WEB"  # host:port of the web process
TELEMETRY = "WATCHKEEPER_INNER_TELEMETRY"  # host:port of the embedded telemetry endpoint
DATABASE = "watchkeeper"


class NoPandas(importlib.abc.MetaPathFinder):
    """pyarrow loads pandas, which chDB brings along, to see whether it is given a data frame: 60 MB and a second a
    process, for nothing. To our processes it is not there."""

    def find_spec(self, fullname: str, *_: object) -> None:
        """Raises ModuleNotFoundError for pandas; leaves everything else to the others."""
        if fullname == "pandas":
            raise ModuleNotFoundError("No module named 'pandas'", name="pandas")


def start(name: str) -> threading.Event:
    """Set logging up and return the event that says this process shall end: SIGTERM, SIGINT, or no supervisor."""
    sys.meta_path.insert(0, NoPandas())
    level = os.environ.get("WATCHKEEPER_LOG", "INFO").upper()
    logging.basicConfig(level=level, format=f"%(asctime)s {name:<8} %(levelname)-7s %(name)s: %(message)s")
    for noisy in ("aiohttp.access", "uvicorn", "urllib3", "clickhouse_connect", "numba", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    threading.excepthook = _thread_failed
    sys.excepthook = _failed
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if PARENT in os.environ:
        pipe = int(os.environ[PARENT])
        threading.Thread(target=_watch_parent, args=(pipe, stop.set), daemon=True, name="parent").start()
    return stop


def _watch_parent(pipe: int, gone: Callable[[], None]) -> None:
    while os.read(pipe, 1):
        pass
    gone()
    # The end is orderly if it comes soon; a supervisor that was killed is being replaced by one that waits.
    threading.Timer(8.0, os._exit, args=(1,)).start()


def await_records() -> None:
    """Return when the records are migrated. Processes begin beside that work, and need its result only here."""
    if PREPARED in os.environ:
        pipe = int(os.environ.pop(PREPARED))
        while os.read(pipe, 1):
            pass
        os.close(pipe)


def marks() -> Marks:
    """The page on which the processes of this installation say that they go on."""
    return Marks(int(os.environ[MARKS]))


def guard(target: Callable[[], None], name: str, stop: threading.Event) -> threading.Thread:
    """Run `target` in a thread; when it fails the whole process ends, and the supervisor starts it anew."""

    def run() -> None:
        try:
            target()
        except BaseException:
            logging.getLogger(__name__).exception("%s failed; this process ends and is started anew", name)
            os._exit(70)
        finally:
            stop.set()

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread


def _thread_failed(failed: threading.ExceptHookArgs) -> None:
    """A thread that is no daemon, as those of the doors, is a part of the process as one under guard is."""
    if failed.thread is not None and failed.thread.daemon:
        threading.__excepthook__(failed)
    else:
        _failed(failed.exc_type, failed.exc_value, failed.exc_traceback)


def _failed(*error: Any) -> None:
    """End at once: an end in good order waits for every thread that goes on."""
    logging.getLogger(__name__).error("this process failed; it ends and is started anew", exc_info=error)
    os._exit(70)


def inner_secret() -> str:
    """The secret of this start, from the supervisor."""
    return os.environ[SECRET]


def telemetry_dsn(configured: str) -> str:
    """Where telemetry is: the configured cluster, or the endpoint that our analyse process serves."""
    if configured:
        return configured
    return f"http://watchkeeper:{quote(inner_secret())}@{os.environ[TELEMETRY]}/{DATABASE}"


def host_port(address: str) -> tuple[str, int]:
    """`host:port` in two parts."""
    parts = urlsplit(f"//{address}")
    return parts.hostname or "127.0.0.1", parts.port or 0


def private_folder(path: Path) -> Path:
    """Make a folder that only this user can enter."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def front_url(path: str) -> str:
    """Where this machine reaches the public front."""
    return f"http://{reached(*host_port(os.environ.get('WATCHKEEPER_LISTEN', '')))}{path}"


def reached(host: str, port: int) -> str:
    """host:port by which this machine reaches what listens there.

    >>> reached("0.0.0.0", 8080), reached("::1", 8080)
    ('127.0.0.1:8080', '[::1]:8080')
    """
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
