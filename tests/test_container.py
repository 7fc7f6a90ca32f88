"""The container file, as far as it can be looked at without an engine: what it copies is there, every door that can listen
without a certificate does so for what is published, and its health check speaks to a running platform."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.platform import Platform
from watchkeeper.app.config import LISTENERS, Config

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "deploy/Containerfile").read_text().replace("\\\n", " ")
ENVIRONMENT = dict(re.findall(r"(WATCHKEEPER_\w+)=(\S+)", TEXT))


def test_what_is_published_is_reached() -> None:
    config = Config.from_env(ENVIRONMENT)
    plain = {name for name, x in LISTENERS.items() if not x.secured and x.default != "off"}
    assert {name: config.listeners[name][0] for name in plain} == dict.fromkeys(plain, "0.0.0.0")  # type: ignore[index]
    assert config.listen[0] == "0.0.0.0"
    exposed = re.search(r"^EXPOSE (.*)$", TEXT, re.M)[1].split()  # type: ignore[index]
    ports = {int(p.partition("/")[0]) for p in exposed}
    assert ports == {config.listen[1], *(config.listeners[name][1] for name in plain)}  # type: ignore[index]


def test_the_user_is_a_number_and_owns_the_data() -> None:
    user = re.search(r"^USER (\d+)$", TEXT, re.M)
    assert user and f"--uid {user[1]} " in TEXT
    assert ENVIRONMENT["WATCHKEEPER_DATA"] == re.search(r"^VOLUME (\S+)$", TEXT, re.M)[1]  # type: ignore[index]


def test_the_health_check_speaks_to_a_platform(tmp_path: Path) -> None:
    command = json.loads(re.search(r"^HEALTHCHECK.*?CMD (\[.*\])$", TEXT, re.M)[1])  # type: ignore[index]
    assert command[0] == "python"
    with Platform(tmp_path / "var").start() as platform:
        code = command[2].replace("http://127.0.0.1:8080", platform.url)
        assert code != command[2]
        assert subprocess.run([sys.executable, command[1], code]).returncode == 0
        assert platform.stop() == 0
    assert subprocess.run([sys.executable, command[1], code], capture_output=True).returncode != 0
