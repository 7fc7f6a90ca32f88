"""Reads the table of processes: from /proc where there is one, else through psutil.

Reading `/proc/<pid>/stat` takes a tenth of what psutil.process_iter does; what never changes about a process
(its command, user and unit) is read once, when the process is new.
"""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import Protocol

import psutil

from watchkeeper.pollers.host_reading import Process

MAX_COMMAND = 4096  # bytes of a command line that are looked at
_STATUS = {"R": "running", "T": "stopped", "t": "stopped", "Z": "defunct", "X": "defunct"}
_MILLISECOND = 1000
_KTHREADD = 2  # parent of all kernel threads, which never have a command


class Processes(Protocol):
    """The table of processes, and the descriptors of one."""

    def read(self) -> dict[int, Process]:
        """Every process by its pid. Those we may see less of have less in them."""
        ...

    def open_files(self, pid: int) -> int | None:
        """How many files a process has open; None when we may not know or it is gone."""
        ...


class ProcProcesses:
    """Processes from /proc of Linux."""

    def __init__(self, proc: Path, booted_ms: int) -> None:
        self._proc = str(proc)
        self._booted_ms = booted_ms
        self._known: dict[int, Process] = {}
        self._tick = os.sysconf("SC_CLK_TCK")
        self._page = os.sysconf("SC_PAGE_SIZE")

    def read(self) -> dict[int, Process]:
        """See Processes."""
        now: dict[int, Process] = {}
        for entry in os.listdir(self._proc):  # noqa: PTH208 - a Path object a process is what we avoid
            if entry.isdigit():
                process = self._one(int(entry))
                if process is not None:
                    now[process.pid] = process
        self._known = now
        return dict(now)

    def _one(self, pid: int) -> Process | None:
        raw = _contents(f"{self._proc}/{pid}/stat", 1024)
        # the name stands in parentheses and may hold anything, parentheses and spaces too
        opening, closing = raw.find(b"("), raw.rfind(b")")
        if closing < 0:
            return None
        rest = raw[closing + 2 :].split()
        started = self._booted_ms + int(rest[19]) * _MILLISECOND // self._tick
        known = self._known.get(pid)
        if known is None or known.started_ms != started:
            name = raw[opening + 1 : closing].decode(errors="replace")
            known = self._meet(pid, name, started)
        elif not known.command and known.parent != _KTHREADD:  # it may have been met between fork and exec
            known.command = self._command(pid)
        known.parent = int(rest[1])
        known.status = _STATUS.get(rest[0].decode(), "sleeping")
        known.cpu_seconds = (int(rest[11]) + int(rest[12])) / self._tick
        known.threads = int(rest[17])
        known.memory_bytes = int(rest[21]) * self._page
        return known

    def _meet(self, pid: int, name: str, started_ms: int) -> Process:
        try:
            user = _user_name(os.stat(f"{self._proc}/{pid}").st_uid)  # noqa: PTH116
        except OSError:
            user = ""
        unit = _unit(_contents(f"{self._proc}/{pid}/cgroup", MAX_COMMAND).decode(errors="replace"))
        return Process(pid, 0, started_ms, name, self._command(pid), user, unit)

    def _command(self, pid: int) -> tuple[str, ...]:
        raw = _contents(f"{self._proc}/{pid}/cmdline", MAX_COMMAND).rstrip(b"\0 ")
        return tuple(raw.decode(errors="replace").split("\0")) if raw else ()

    def open_files(self, pid: int) -> int | None:
        """See Processes."""
        try:
            return len(os.listdir(f"{self._proc}/{pid}/fd"))  # noqa: PTH208
        except OSError:
            return None


class PsutilProcesses:
    """Processes through psutil, where there is no /proc of Linux."""

    def read(self) -> dict[int, Process]:
        """See Processes."""
        found = {}
        for p in psutil.process_iter(_PSUTIL_ATTRIBUTES, ad_value=None):
            i = p.info
            cpu, memory = i["cpu_times"], i["memory_info"]
            found[p.pid] = Process(
                pid=p.pid,
                parent=i["ppid"] or 0,
                started_ms=int((i["create_time"] or 0) * _MILLISECOND),
                name=i["name"] or "",
                command=tuple(i["cmdline"] or ()),
                user=i["username"] or "",
                status=_PSUTIL_STATUS.get(i["status"], "sleeping"),
                cpu_seconds=cpu.user + cpu.system if cpu else 0.0,
                memory_bytes=memory.rss if memory else 0,
                threads=i["num_threads"] or 0,
            )
        return found

    def open_files(self, pid: int) -> int | None:
        """See Processes."""
        try:
            return int(psutil.Process(pid).num_fds())
        except psutil.Error:
            return None


_PSUTIL_ATTRIBUTES = [
    "ppid", "name", "cmdline", "username", "create_time", "status", "cpu_times", "memory_info", "num_threads",
]  # fmt: skip
_PSUTIL_STATUS = {
    psutil.STATUS_RUNNING: "running",
    psutil.STATUS_STOPPED: "stopped",
    psutil.STATUS_ZOMBIE: "defunct",
    psutil.STATUS_DEAD: "defunct",
}


def processes(proc: Path = Path("/proc"), booted_ms: int | None = None) -> Processes:
    """The reader that fits this system."""
    if (proc / "self" / "stat").exists():
        return ProcProcesses(proc, int(psutil.boot_time() * _MILLISECOND) if booted_ms is None else booted_ms)
    return PsutilProcesses()


def _contents(path: str, most: int) -> bytes:
    """The beginning of a file of /proc; nothing when it is gone or closed to us."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(descriptor, most)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def _unit(cgroups: str) -> str:
    """The systemd service in the lines of /proc/<pid>/cgroup; "" for sessions, slices and containers.

    >>> _unit("0::/system.slice/nginx.service"), _unit("0::/user.slice/user-1000.slice/session-2.scope")
    ('nginx.service', '')
    """
    for line in cgroups.splitlines():
        for name in reversed(line.rpartition(":")[2].split("/")):
            # user@1000.service is the whole session of a user, not a service of its own
            if name.endswith(".service") and not name.startswith("user@"):
                return name
    return ""


def _user_name(number: int) -> str:
    name = _users.get(number)
    if name is None:
        try:
            name = pwd.getpwuid(number).pw_name
        except KeyError:
            name = str(number)
        _users[number] = name
    return name


_users: dict[int, str] = {}
