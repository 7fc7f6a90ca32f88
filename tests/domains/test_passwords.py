"""What passwords may not be: the offline list of breached ones, made from a file as Have I Been Pwned gives it."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.platform import COMMAND
from tests.support import PATIENCE
from watchkeeper.domains.identity.breaches import Filter, build
from watchkeeper.domains.identity.models import User
from watchkeeper.domains.identity.passwords import require_good
from watchkeeper.kernel.problems import Invalid

PASSWORD = "correct horse battery"


def line(password: str, times: int = 3) -> bytes:
    return f"{hashlib.sha1(password.encode()).hexdigest().upper()}:{times}\r\n".encode()


def test_every_listed_password_is_found_and_hardly_any_other(tmp_path: Path) -> None:
    listed = [f"listed {n}" for n in range(5000)]
    count = build(sorted(map(line, listed)), tmp_path / "list", 5000)
    found = Filter.open(tmp_path / "list")
    assert (count, found.passwords) == (5000, 5000)
    assert all(p in found for p in listed)
    assert sum(f"other {n}" in found for n in range(20_000)) < 60  # one in a thousand is expected
    assert (tmp_path / "list").stat().st_size < 5000 * 2 + 5000


def test_rarely_seen_ones_can_be_left_out(tmp_path: Path) -> None:
    assert build([line("often", 90), line("once", 1)], tmp_path / "list", 2, at_least=10) == 1
    found = Filter.open(tmp_path / "list")
    assert "often" in found
    assert "once" not in found


@pytest.mark.parametrize(
    "bad", [b"no hash:1\n", b"ABCD:1\n", line("x").replace(b":3", b":many"), b"\xff\xfe:1\n"]
)
def test_a_line_that_is_no_hash_is_named(tmp_path: Path, bad: bytes) -> None:
    with pytest.raises(Invalid, match="line 2"):
        build([line("a"), bad], tmp_path / "list", 2)
    assert not (tmp_path / "list").exists()


def test_a_file_that_was_cut_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list"
    build([line("a")], path, 1000)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(Invalid, match="cut short"):
        Filter.open(path)
    path.write_bytes(b"something else")
    with pytest.raises(Invalid, match="not a list"):
        Filter.open(path)


@pytest.mark.django_db
def test_nobody_chooses_a_breached_password(tmp_path: Path, settings: Any) -> None:
    """At the console, the API and by an administrator; also with a list that came while we run."""
    settings.BREACHED_PASSWORDS = tmp_path / "list"
    require_good("quite unusual words", None)
    build([line("quite unusual words")], settings.BREACHED_PASSWORDS, 1)
    with pytest.raises(Invalid, match="data breach"):
        require_good("quite unusual words", None)
    User.objects.create_user("ann", PASSWORD, is_administrator=True)
    browser = Client()
    browser.post("/sign-in/", {"username": "ann", "password": PASSWORD})
    told = browser.post("/password/", {"old": PASSWORD, "new": "quite unusual words"})
    assert told.status_code == 400
    assert "data breach" in told.content.decode()
    for weak, why in (("short", "short"), ("password1234", "common"), ("ann@ann@ann", "similar")):
        with pytest.raises(Invalid, match=why):
            require_good(weak, User(username="ann@ann"))


def test_the_command_makes_the_list(tmp_path: Path) -> None:
    source = tmp_path / "pwned.txt"
    source.write_bytes(b"".join(line(f"pw {n}") for n in range(100)))
    env = {"WATCHKEEPER_DATA": str(tmp_path / "var"), "PATH": "/usr/bin:/bin"}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COMMAND, "passwords", *words], env=env, capture_output=True, text=True, timeout=60 * PATIENCE
        )

    assert "No list is imported" in run("status").stdout
    assert "100 passwords" in run("import", str(source)).stdout
    assert "100 passwords are refused" in run("status").stdout
    source.write_text("nonsense\n")
    failed = run("import", str(source))
    assert failed.returncode == 1
    assert "line 1" in failed.stderr
    assert "100 passwords are refused" in run("status").stdout
