"""A backup is taken under load and restored elsewhere: what was acknowledged before it began is there, once. Killed and
spoilt backups are told from whole ones."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.platform import COMMAND, Platform
from tests.support import eventually, require

MANIFEST = "manifest.json"


class Load:
    """Posts alerts and log lines one after another, and remembers what was acknowledged."""

    def __init__(self, platform: Platform, name: str) -> None:
        self.platform, self.name, self.acknowledged = platform, name, 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._stop.is_set():
            n = self.acknowledged
            body = [{"labels": {"alertname": f"{self.name}-{n}", "instance": f"host-{n % 7}"}}]
            answer = self.platform.call(
                "POST", "/api/v2/alerts", json.dumps(body).encode(), content_type="application/json",
                authorization=f"Bearer {self.platform.key}",
            )  # fmt: skip
            if answer.status == 200:
                self.acknowledged = n + 1

    def __enter__(self) -> Load:
        assert self.platform.key
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def get(platform: Platform, path: str) -> Any:
    answer = platform.call("GET", path, authorization=f"Bearer {platform.token}")
    assert answer.status == 200, answer.body
    return answer.json()


def names(platform: Platform, prefix: str) -> set[str]:
    """The alerts of a load that are in the records."""
    found, page = set(), f"/api/alerts/?search={prefix}&limit=1000&fields=name"
    while page:
        answer = get(platform, page)
        found |= {a["name"] for a in answer["results"]}
        page = (answer["next"] or "").removeprefix(platform.url)
    return found


@contextmanager
def restored(backup: Path, folder: Path, env: dict[str, str] | None = None) -> Iterator[Platform]:
    """An installation made of a backup, running."""
    platform = Platform(folder, env or {}, fresh=True)
    platform.run("restore", str(backup))
    with platform.start() as started:
        yield started


def refused(platform: Platform, *words: str) -> str:
    done = subprocess.run(
        [COMMAND, *words], env=platform.environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1, done.stdout
    return done.stderr


@pytest.mark.timeout(300)
def test_what_was_acknowledged_before_a_backup_is_in_it_once(tmp_path: Path) -> None:
    with Platform(tmp_path / "var").start() as platform:
        made = platform.call("POST", "/api/sites/", b'{"name": "Zurich"}', content_type="application/json",
                             authorization=f"Bearer {platform.token}")  # fmt: skip
        assert made.status == 201
        with Load(platform, "under") as load:
            eventually(lambda: load.acknowledged > 100, 60)
            before = load.acknowledged
            said = platform.run("backup", "--name", "one")
            assert load.acknowledged > before, "it went on meanwhile"
        backup = Path(said.split(",")[0].splitlines()[-1])
        assert backup == platform.data / "backups" / "one"
        platform.kill_all()
        wanted = {f"under-{n}" for n in range(before)}
        with restored(backup, tmp_path / "new") as again:
            again._token, again._key = platform.token, platform.key
            eventually(lambda: wanted <= names(again, "under-"), 30)
            assert [s["name"] for s in get(again, "/api/sites/")["results"]] == ["Zurich"]
            store = again.telemetry()

            def stored() -> Counter[str]:
                rows = store.rows("SELECT name FROM events WHERE name LIKE 'under-%'")
                return Counter(r["name"] for r in rows)

            eventually(lambda: wanted <= set(stored()), 30)
            assert set(stored().values()) == {1}, "none is there twice"
            with Load(again, "later") as later:  # and it goes on
                eventually(lambda: later.acknowledged > 20, 60)
            eventually(lambda: {f"later-{n}" for n in range(20)} <= names(again, "later-"), 30)
            eventually(
                lambda: store.rows("SELECT count() AS n FROM events WHERE name LIKE 'later-%'")[0]["n"] >= 20,
                30,
            )
            jobs = get(again, "/api/jobs/?kind=backup")["results"]
            assert [j["state"] for j in jobs] == ["cancelled"], "the job that took it does not go on here"
            assert again.stop() == 0


@pytest.mark.timeout(300)
def test_backups_are_counted_named_once_and_checked(tmp_path: Path) -> None:
    with Platform(tmp_path / "var").start() as platform:
        for name in ("a", "b", "c"):
            platform.run("backup", "--name", name, "--keep", "2")
        folder = platform.data / "backups"
        assert sorted(p.name for p in folder.iterdir()) == ["b", "c"]
        assert "never written over" in refused(platform, "backup", "--name", "c")
        weak = platform.run("token", "create", "weak", "--scope", "write")
        asked = platform.call("POST", "/api/jobs/", b'{"kind": "backup"}', content_type="application/json",
                              authorization=f"Bearer {weak}")  # fmt: skip
        assert asked.status == 403, "it holds every secret"
        assert "name:" in refused(platform, "backup", "--name", "../x")
        assert platform.stop() == 0
    assert "a copy of that folder" in refused(platform, "backup")
    new = Platform(tmp_path / "new", fresh=True)
    assert "is not empty" in refused(platform, "restore", str(folder / "b"))
    (folder / "b" / MANIFEST).unlink()
    assert "never finished" in refused(new, "restore", str(folder / "b"))
    with (folder / "c" / "records.db").open("r+b") as spoilt:
        spoilt.seek(5000)
        spoilt.write(b"x")
    assert "cannot be trusted" in refused(new, "restore", str(folder / "c"))
    assert not new.data.exists() or {p.name for p in new.data.iterdir()} <= {"secret-key"}


@pytest.mark.timeout(300)
def test_a_backup_that_is_killed_is_none_and_is_taken_again(tmp_path: Path) -> None:
    with Platform(tmp_path / "var").start() as platform:
        command = subprocess.Popen([COMMAND, "backup", "--name", "one"], env=platform.environment,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        part = platform.data / "backups" / "one.part"
        eventually(part.exists, 30, every=0.002)
        platform.processes()["jobs"].kill()
        assert not (part.with_suffix("") / MANIFEST).exists()
        eventually(lambda: (platform.data / "backups/one" / MANIFEST).exists(), 90)
        assert command.wait(60) == 0, "it went on by itself"
        assert not part.exists()
        assert platform.stop() == 0


@pytest.mark.timeout(300)
def test_records_in_postgresql_are_dumped_and_loaded(tmp_path: Path, database: str, another: str) -> None:
    require(shutil.which("pg_dump"), "pg_dump is not installed")
    with Platform(tmp_path / "var", {"DATABASE_URL": database}).start() as platform:
        made = platform.call("POST", "/api/sites/", b'{"name": "Zurich"}', content_type="application/json",
                             authorization=f"Bearer {platform.token}")  # fmt: skip
        assert made.status == 201
        backup = Path(platform.run("backup", "--name", "one").split(",")[0].splitlines()[-1])
        assert platform.stop() == 0
    assert "is not empty" in refused(platform, "restore", str(backup))
    with restored(backup, tmp_path / "new", {"DATABASE_URL": another}) as again:
        again._token = platform.token
        assert [s["name"] for s in get(again, "/api/sites/")["results"]] == ["Zurich"]
        assert again.stop() == 0
