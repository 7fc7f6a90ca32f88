"""Records the demo's outage: `python -m tools.outage.record OUT [--steady 600 --fault 150 --after 180]`.

Starts Redis, PostgreSQL, four services, Prometheus with alert rules, and Watchkeeper in front of them; sends
visits; kills Redis; starts it again; and keeps every journal entry of that time.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from watchkeeper.journal import recording
from watchkeeper.journal.sqlite import SqliteJournal

SERVICES = ("catalogue", "cart", "checkout", "frontend")
TITLE = "A shop loses its cart"
DESCRIPTION = (
    "Four services, PostgreSQL and Redis on one host, with steady visits. Redis is killed; carts and then orders "
    "fail until it is started again. Recorded from real processes through the real doors."
)
RULES = """
groups:
- name: shop
  rules:
  - alert: HighErrorRate
    expr: sum by (service_name, host_name) (rate(http_requests_total{code="503"}[30s]))
      / sum by (service_name, host_name) (rate(http_requests_total[30s])) > 0.2
    for: 10s
    labels: {severity: critical}
    annotations: {summary: "{{ $labels.service_name }} fails {{ $value | humanizePercentage }} of its requests"}
  - alert: TargetDown
    expr: up == 0
    for: 15s
    labels: {severity: error}
    annotations: {summary: "{{ $labels.service_name }} does not answer Prometheus"}
"""


def free_ports(names: tuple[str, ...]) -> dict[str, int]:
    """A free loopback port for each name."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in names]
    ports = {name: s.getsockname()[1] for name, s in zip(names, held, strict=True)}
    for s in held:
        s.close()
    return ports


class Shop:
    """All the processes, started in order and stopped together."""

    def __init__(self, folder: Path) -> None:
        names = (*SERVICES, "redis", "postgres", "prometheus", "http", "syslog")
        self.folder, self.ports, self.running = folder, free_ports(names), contextlib.ExitStack()
        self.data = folder / "data"
        self.env = {**os.environ, "WATCHKEEPER_DATA": str(self.data),
                    "WATCHKEEPER_LISTEN": f"127.0.0.1:{self.ports['http']}",
                    "WATCHKEEPER_SYSLOG": f"127.0.0.1:{self.ports['syslog']}",
                    "WATCHKEEPER_OTLP_GRPC": "off", "WATCHKEEPER_SNMP": "off",
                    "WATCHKEEPER_NETFLOW": "off"}  # fmt: skip

    def start(self, *command: str, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start a process that is stopped with the shop."""
        log = (self.folder / "processes.log").open("ab")
        running = subprocess.Popen(command, env=env or self.env, stdout=log, stderr=log)
        self.running.callback(log.close)
        self.running.callback(running.wait)
        self.running.callback(running.terminate)
        return running

    def watchkeeper(self) -> str:
        """Start the platform; the secret of a fresh intake key."""
        command = str(Path(sys.executable).with_name("watchkeeper"))
        self.start(command, "serve")
        wait_for(f"http://127.0.0.1:{self.ports['http']}/readyz")
        made = subprocess.run(
            [command, "intake-key", "create", "shop"], env=self.env, capture_output=True, check=True
        )
        return made.stdout.decode().strip()

    def redis(self) -> subprocess.Popen[bytes]:
        """Start Redis, keeping nothing on disk."""
        return self.start(
            "redis-server", "--port", str(self.ports["redis"]), "--save", "", "--bind", "127.0.0.1"
        )

    def postgres(self) -> None:
        """Make and start a PostgreSQL cluster as the user postgres, and fill the catalogue."""
        home = self.folder / "pg"
        home.mkdir()
        shutil.chown(home, "postgres")
        self.folder.chmod(0o755)
        binaries = max(Path("/usr/lib/postgresql").glob("*/bin"))
        as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
        subprocess.run([*as_postgres, str(binaries / "initdb"), "-D", str(home), "-A", "trust"], check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip
        options = f"-c listen_addresses=127.0.0.1 -c unix_socket_directories={home}"
        self.start(*as_postgres, str(binaries / "postgres"), "-D", str(home), "-p", str(self.ports["postgres"]),
                   *options.split())  # fmt: skip
        fill = (
            "create table products as select id, 'product ' || id as name from generate_series(1, 1000) id",
        )
        where = ["-h", "127.0.0.1", "-p", str(self.ports["postgres"]), "-U", "postgres", "-c", *fill]
        for _ in range(50):
            if subprocess.run(["psql", *where], capture_output=True).returncode == 0:
                return
            time.sleep(0.2)
        raise SystemExit("PostgreSQL did not start")

    def services(self, key: str) -> None:
        """Start the four services."""
        env = {**self.env, "SHOP_PORTS": json.dumps(self.ports), "SHOP_SYSLOG": f"127.0.0.1:{self.ports['syslog']}",
               "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.ports['http']}",
               "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Bearer {key}"}  # fmt: skip
        for name in SERVICES:
            self.start(sys.executable, "-m", "tools.outage.shop", name, env=env)

    def prometheus(self, key: str) -> None:
        """Start Prometheus: it scrapes the services, alerts, and writes to Watchkeeper."""
        labels = {"host_name": socket.gethostname()}
        targets = [{"targets": [f"127.0.0.1:{self.ports[s]}"], "labels": {**labels, "service_name": s}}
                   for s in SERVICES]  # fmt: skip
        here = f"127.0.0.1:{self.ports['http']}"
        bearer = {"credentials": key}
        config = {
            "global": {"scrape_interval": "5s", "evaluation_interval": "5s"},
            "rule_files": [str(self.folder / "rules.yml")],
            "scrape_configs": [{"job_name": "shop", "static_configs": targets}],
            "remote_write": [{"url": f"http://{here}/api/v1/write", "authorization": bearer}],
            "alerting": {
                "alertmanagers": [{"static_configs": [{"targets": [here]}], "authorization": bearer}]
            },
        }
        (self.folder / "rules.yml").write_text(RULES)
        (self.folder / "prometheus.yml").write_text(json.dumps(config))
        self.start("prometheus", f"--config.file={self.folder}/prometheus.yml",
                   f"--storage.tsdb.path={self.folder}/tsdb",
                   f"--web.listen-address=127.0.0.1:{self.ports['prometheus']}")  # fmt: skip


def visits(port: int, stop: threading.Event) -> None:
    """About eight visits a second, as people come: at random."""
    while not stop.wait(random.expovariate(8)):
        with contextlib.suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10).read()


def wait_for(url: str, seconds: float = 60) -> None:
    """Return when the address answers 200. Raises SystemExit."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(url, timeout=2):
            return
        time.sleep(0.2)
    raise SystemExit(f"{url} does not answer")


def tap(journal: SqliteJournal, stop: threading.Event) -> Iterator[recording.Recorded]:
    """Every entry from now on until `stop`; the journal keeps what this reader has not passed."""
    offset = journal.end()
    journal.commit("recorder", offset)
    while not stop.is_set():
        if not journal.wait(offset, 0.5):
            continue
        for entry in journal.read(offset):
            offset = entry.offset
            yield recording.Recorded(int(time.time() * 1000), entry.stream, recording.rows(entry.batch))
        journal.commit("recorder", offset)


def main() -> None:
    """Run the story and write the recording."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    for name, default in (("steady", 600), ("fault", 150), ("after", 180)):
        parser.add_argument(f"--{name}", type=float, default=default, help="seconds")
    arguments = parser.parse_args()
    stop, kept = threading.Event(), []
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(Path(folder))
        with shop.running:
            key = shop.watchkeeper()
            journal = SqliteJournal(shop.data / "journal.db", consumers=("telemetry", "analysis", "recorder"))
            reader = threading.Thread(target=lambda: kept.extend(tap(journal, stop)))
            reader.start()
            begins = int(time.time() * 1000)
            redis = shop.redis()
            shop.postgres()
            shop.services(key)
            shop.prometheus(key)
            wait_for(f"http://127.0.0.1:{shop.ports['frontend']}/")
            threading.Thread(target=visits, args=(shop.ports["frontend"], stop), daemon=True).start()
            for text, seconds in (
                ("steady", arguments.steady),
                ("fault", arguments.fault),
                ("after", arguments.after),
            ):
                if text == "fault":
                    redis.kill()
                if text == "after":
                    shop.redis()
                print(f"{text}: {seconds:g} s", flush=True)
                time.sleep(seconds)
            stop.set()
            reader.join()
            journal.close()
    ends = int(time.time() * 1000)
    header = recording.Header(
        recording.VERSION, TITLE, DESCRIPTION, begins, ends, int(arguments.steady * 1000), len(kept)
    )
    recording.write(arguments.out, header, iter(kept))
    print(f"{len(kept)} entries, {arguments.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
