"""A process of which a part has failed ends, so that the supervisor starts it anew: it does not go on in part."""

from __future__ import annotations

import subprocess
import sys

import pytest

#: a door whose thread fails while the process waits; and a process that fails while a door goes on
FAILING = {
    "a thread": "waiting.start(); threading.Event().wait(60)",
    "itself": "waiting._threads.pop(); waiting.start(); raise OSError",
}
PROGRAM = """
import socket, threading
from watchkeeper.app import process
from watchkeeper.receivers.door_stats import DoorCounters
from watchkeeper.receivers.waiting import Waiting

process.start("door")
bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
bound.bind(("127.0.0.1", 0))
waiting = Waiting("netflow", bound, DoorCounters("netflow"), lambda: [][0])
"""


@pytest.mark.parametrize("what", FAILING)
def test_a_process_ends_when_a_part_of_it_fails(what: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM + FAILING[what]], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 70, done.stderr
    assert "ends and is started anew" in done.stderr and "Error" in done.stderr
