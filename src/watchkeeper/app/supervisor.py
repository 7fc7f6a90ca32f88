"""`watchkeeper serve`: binds the sockets, prepares the records, runs three processes and keeps them running, and
two more while there is long work or something to poll.

It handles no signal of the network itself and imports nothing heavy, so that it outlives what it watches.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import select
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO

from watchkeeper.app import process, sockets
from watchkeeper.app.config import Config, ConfigError
from watchkeeper.app.marks import Marks, shared_page

#: process → the sockets it inherits. Stopped in this order: first what takes signals in.
PROCESSES = {
    "poll": (),
    "receive": ("http", *sockets.OF_DOORS),
    "analyse": ("telemetry",),
    "web": ("web",),
    "jobs": (),
}
CALM = 10.0  # seconds a process has to run for its next failure to count as the first
LONGEST_WAIT = 10.0
STOP_WITHIN = 15.0


@dataclass
class Child:
    """One supervised process and when it may start again."""

    name: str
    command: list[str]
    env: dict[str, str]
    descriptors: tuple[int, ...]
    marks: Marks
    running: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    wait: float = 0.0
    due: float = 0.0
    wanted: bool = True

    def launch(self) -> None:
        """Start it."""
        self.started = time.monotonic()
        self.running = subprocess.Popen(
            self.command,
            env=self.env,
            pass_fds=self.descriptors,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    def tend(self) -> None:
        """Start it again when it has ended, sooner the longer it had run."""
        now = time.monotonic()
        if self.running is not None and self.running.poll() is not None:
            self.marks.clear(self.name)
            if self.name in process.ON_DEMAND and self.running.returncode == 0:
                self.running, self.wanted = None, False
                return
            calm = now - self.started > CALM
            say(f"{self.name} ended ({_ending(self.running.returncode)}); starting it again")
            self.running = None
            self._wait(now, calm=calm)
        if self.running is None and self.wanted and now >= self.due:
            try:
                self.launch()
            except OSError as error:  # no memory or no process to be had now: there may be soon
                self._wait(now, calm=False)
                say(f"{self.name} cannot be started, trying again: {error}")

    def _wait(self, now: float, *, calm: bool) -> None:
        """For longer each time, unless it had run calmly."""
        self.wait = 0.0 if calm else min(LONGEST_WAIT, max(0.25, self.wait * 2))
        self.due = now + self.wait


@dataclass
class Supervisor:
    """Configuration and what came of it; `run` returns the exit status when all has stopped."""

    config: Config
    children: list[Child] = field(default_factory=list)
    stopping: bool = False
    marks: Marks = field(init=False)
    work: int = -1  # becomes readable when the web process asks for a process on demand

    def run(self) -> int:
        """Serve until SIGINT or SIGTERM. Raises ConfigError when it cannot begin."""
        began = time.monotonic()
        process.private_folder(self.config.data)
        with _only_one(self.config) as lock:
            bound = sockets.bind_all(self.config)
            print(f"http://{_address(bound['http'])}", file=lock, flush=True)  # cli.running reads it
            alive, held = os.pipe()
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, self._stop)
            env = self._environment(bound, alive)
            waiting, prepared = os.pipe()
            page = shared_page()
            self.marks = Marks(page)
            self.work, work = os.pipe()
            env |= {process.PREPARED: str(waiting), process.WORK: str(work), process.MARKS: str(page)}
            inherited = (alive, lock.fileno(), waiting, work, page)
            self.children = [self._child(name, bound, env, inherited) for name in PROCESSES]
            try:
                try:
                    first = self._prepare(env)
                finally:
                    os.close(prepared)
                self._tend_until_ready(bound["http"], began, first)
                while not self.stopping:
                    self._tend()
            finally:
                self._end()
            for pipe in (held, alive, waiting, self.work, work, page):
                os.close(pipe)
            for s in bound.values():
                s.close()
        return 0

    def _stop(self, *_: object) -> None:
        self.stopping = True

    def _environment(self, bound: dict[str, socket.socket], alive: int) -> dict[str, str]:
        host, port = bound["http"].getsockname()[:2]
        env = dict(os.environ)
        env.update({
            "WATCHKEEPER_DATA": str(self.config.data),
            "WATCHKEEPER_LISTEN": f"{host}:{port}",
            process.PARENT: str(alive),
            process.SECRET: secrets.token_urlsafe(32),
            process.WEB: _address(bound["web"]),
            "PYTHONUNBUFFERED": "1",
        })  # fmt: skip
        if "telemetry" in bound:
            env[process.TELEMETRY] = _address(bound["telemetry"])
        return env

    def _prepare(self, env: dict[str, str]) -> dict[str, str]:
        """Migrate the records and make what a first start needs, in a process of its own."""
        command = [sys.executable, "-m", "watchkeeper.app.prepare"]
        done = subprocess.run(command, env=env, stdout=subprocess.PIPE, start_new_session=True)
        if done.returncode:
            raise ConfigError("the records could not be prepared; the reason is above")
        out: dict[str, str] = json.loads(done.stdout)
        return out

    def _child(
        self, name: str, bound: dict[str, socket.socket], env: dict[str, str], extra: tuple[int, ...]
    ) -> Child:
        mine = {k: bound[k] for k in PROCESSES[name] if k in bound}
        child = Child(
            name,
            [sys.executable, "-m", f"watchkeeper.app.{name}"],
            {**env, sockets.VARIABLE: sockets.pack(mine)},
            (*(s.fileno() for s in mine.values()), *extra),
            self.marks,
            wanted=name not in process.ON_DEMAND,
        )
        if child.wanted:
            child.launch()
        return child

    def _tend(self) -> None:
        self.marks.note("supervisor")
        for child in self.children:
            child.tend()
        if select.select([self.work], [], [], 0.1)[0]:
            asked = os.read(self.work, 4096).decode()
            for child in self.children:
                child.wanted = child.wanted or child.name[0] in asked

    def _tend_until_ready(self, http: socket.socket, began: float, first: dict[str, str]) -> None:
        url = "http://" + _address(http)
        while not self.stopping and not _ready(http):
            self._tend()
        if self.stopping:
            return
        lines = [f"Watchkeeper serves {url} (ready after {time.monotonic() - began:.1f} s). Ctrl-C stops it."]
        if first.get("link"):
            lines.append(f"Sign in once with:  {url}{first['link']}")
        if key := first.get("intake_key"):
            lines.append(f"Intake key:         {key}   (shown this once; watchkeeper intake-key makes more)")
        say("\n".join(lines))  # in one write: who waits for the first line finds the others

    def _end(self) -> None:
        self.marks.clear("supervisor")  # what is silent from now on is so on purpose
        deadline = time.monotonic() + STOP_WITHIN
        for child in self.children:
            if child.running is None:
                continue
            child.running.terminate()
            try:
                child.running.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                say(f"{child.name} did not stop in time and is killed")
                child.running.kill()
                child.running.wait()
        say("Stopped.")


def say(text: str) -> None:
    """A line to whoever started us, who may have gone or have a full disk: that ends nothing."""
    with suppress(OSError):
        print(text, flush=True)  # noqa: T201


def _address(s: socket.socket) -> str:
    return process.reached(*s.getsockname()[:2])


def _ready(http: socket.socket) -> bool:
    """Ask /readyz as any load balancer would."""
    host, port = process.host_port(_address(http))
    try:
        with socket.create_connection((host, port), timeout=2) as s:
            s.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return s.recv(16).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"status {code}"


def _only_one(config: Config) -> IO[str]:
    """Hold the data folder; the processes inherit the lock, so a successor waits for all of them to end.
    Its file is empty."""
    lock = (config.data / "lock").open("a")
    for _ in range(100):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.1)
        else:
            lock.truncate(0)
            return lock
    lock.close()
    raise ConfigError(
        f"{config.data} is in use by another Watchkeeper; set WATCHKEEPER_DATA to another folder"
    )
