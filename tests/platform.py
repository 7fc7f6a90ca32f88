"""A whole running Watchkeeper for tests: `watchkeeper serve` in a folder of its own, on free ports."""

from __future__ import annotations

import atexit
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from tests.support import PATIENCE, eventually
from watchkeeper.app import process
from watchkeeper.telemetry.store import Store

COMMAND = str(Path(sys.executable).with_name("watchkeeper"))


@cache
def migrated() -> Path:
    """Records as a first start makes them, once for all tests of this process."""
    folder = Path(tempfile.mkdtemp(prefix="watchkeeper-migrated-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    env = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
    env |= {"WATCHKEEPER_DATA": str(folder), "DJANGO_SETTINGS_MODULE": "watchkeeper.app.settings"}
    make = (
        "import django; django.setup(); from watchkeeper.domains import backups; backups.bring_up_to_date()"
    )
    subprocess.run([sys.executable, "-c", make], env=env, check=True, capture_output=True)
    return folder / "records.db"


@dataclass
class Answer:
    """What came back: status, headers in lower case, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass
class Platform:
    """Start it with `start`, end it with `stop`; `env` may carry further settings. It begins with records that are made
    already, unless it is `fresh`."""

    data: Path
    env: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    url: str = ""
    link: str = ""
    first_key: str = ""
    _key: str = ""
    _token: str = ""
    fresh: bool = False

    def __post_init__(self) -> None:
        """Put the records there, where it is to have its own and there are none."""
        if not self.fresh and "DATABASE_URL" not in self.env and not self.data.exists():
            self.data.mkdir(parents=True, mode=0o700)
            shutil.copy(migrated(), self.data / "records.db")

    @property
    def environment(self) -> dict[str, str]:
        """What the platform and its commands run with."""
        listen = self.url.removeprefix("http://") or "127.0.0.1:0"
        own = {"WATCHKEEPER_DATA": str(self.data), "WATCHKEEPER_LISTEN": listen}
        outer = {
            k: v for k, v in os.environ.items() if k != "DATABASE_URL"
        }  # that one is of the tests' own records
        # several run at once
        names = ("SYSLOG", "SYSLOG_TLS", "HTTPS", "OTLP_GRPC", "OTLP_GRPC_TLS", "SNMP", "NETFLOW")
        ports = {f"WATCHKEEPER_{name}": "off" for name in names}
        return {**outer, **ports, **own, **self.env}

    def start(self, within: float = 60.0) -> Platform:
        """Serve; returns when it says that it is ready."""
        self.data.mkdir(parents=True, exist_ok=True)
        log = self.data.parent / f"{self.data.name}.log"
        with log.open("ab") as out:
            begin = out.tell()
            self.process = subprocess.Popen([COMMAND, "serve"], env=self.environment, stdout=out, stderr=out)
        said = eventually(lambda: self._said(log, begin), within)
        self.url = re.search(r"serves (http://\S+)", said)[1]  # type: ignore[index]
        link, key = re.search(r"once with: +(\S+)", said), re.search(r"Intake key: +(\S+)", said)
        self.link, self.first_key = link[1] if link else "", key[1] if key else self.first_key
        return self

    def _said(self, log: Path, begin: int) -> str:
        text = log.read_bytes()[begin:].decode()
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"it ended with {self.process.returncode}:\n{text[-3000:]}")
        return text if "serves http" in text and ("Ctrl-C" in text) else ""

    def __enter__(self) -> Platform:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left running, also after a failure."""
        if self.process is not None and self.process.poll() is None:
            self.kill_all()

    def said(self) -> str:
        """All that it has said since its first start."""
        return (self.data.parent / f"{self.data.name}.log").read_text()

    def telemetry(self) -> Store:
        """The store behind it, as any ClickHouse client can ask it; the secret is that of this start."""
        env = eventually(lambda: self.processes().get("analyse"), 20).environ()
        secret, address = env[process.SECRET], env[process.TELEMETRY]
        return Store(f"http://watchkeeper:{secret}@{address}/{process.DATABASE}")

    def stop(self) -> int:
        """Ctrl-C, and wait; its exit status."""
        if self.process is None or self.process.poll() is not None:
            return 0
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30 * PATIENCE)

    def processes(self) -> dict[str, psutil.Process]:
        """The running processes by name."""
        assert self.process is not None
        found = {}
        for child in psutil.Process(self.process.pid).children():
            with_name = [a.rpartition(".")[2] for a in child.cmdline() if a.startswith("watchkeeper.app.")]
            if with_name:
                found[with_name[0]] = child
        return found

    def kill_all(self) -> None:
        """kill -9 to the supervisor and every process, at once."""
        assert self.process is not None
        children = list(self.processes().values())
        for p in (psutil.Process(self.process.pid), *children):
            try:
                p.kill()
            except psutil.NoSuchProcess:
                continue
        self.process.wait()
        psutil.wait_procs(children, timeout=10)

    def run(self, *words: str) -> str:
        """A command of the platform; what it printed."""
        done = subprocess.run(
            [COMMAND, *words], env=self.environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout.strip()

    @property
    def key(self) -> str:
        """An intake key: the first start's, or one made now."""
        self._key = self._key or self.first_key or self.run("intake-key", "create", f"test-{time.time_ns()}")
        return self._key

    @property
    def token(self) -> str:
        """An API token with administrator rights."""
        self._token = self._token or self.run("token", "create", "test")
        return self._token

    def call(
        self, method: str, path: str, body: bytes | None = None, timeout: float = 30, **headers: str
    ) -> Answer:
        """One HTTP request, whatever its status."""
        named = {k.replace("_", "-"): v for k, v in headers.items()}
        request = urllib.request.Request(self.url + path, data=body, method=method, headers=named)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as r:
                return Answer(r.status, {k.lower(): v for k, v in r.headers.items()}, r.read())
        except urllib.error.HTTPError as e:
            return Answer(e.code, {k.lower(): v for k, v in e.headers.items()}, e.read())

    def get(self, path: str) -> Any:
        """The JSON of an API address, with a token."""
        answer = self.call("GET", path, Authorization=f"Bearer {self.token}")
        assert answer.status == 200, f"{path}: {answer.status} {answer.body[:500]!r}"
        return answer.json()

    def do(self, path: str, data: Any = None, method: str = "POST") -> Answer:
        """Change something through the API, with a token."""
        body = json.dumps(data or {}).encode()
        return self.call(
            method, path, body, Authorization=f"Bearer {self.token}", Content_Type="application/json"
        )

    def send(self, path: str, body: bytes, kind: str = "application/json", **headers: str) -> Answer:
        """Send signals, with an intake key."""
        return self.call("POST", path, body, Authorization=f"Bearer {self.key}", Content_Type=kind, **headers)

    def alerts(self, *alerts: dict[str, Any]) -> Answer:
        """Post alerts as Prometheus does."""
        return self.send("/api/v2/alerts", json.dumps(alerts).encode())
