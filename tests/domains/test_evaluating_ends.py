"""The program that evaluates conditions does not outlive whoever started it, however that one ended."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil

STARTS_IT = """
import os, subprocess, sys, time
command = [sys.executable, "-m", "watchkeeper.domains.automation.evaluating", str(os.getpid())]
child = subprocess.Popen(command, stdin=int(sys.argv[1]), stdout=subprocess.DEVNULL)
print(child.pid, flush=True)
time.sleep(600)
"""


def test_it_ends_with_its_parent_though_its_input_stays_open() -> None:
    reads, writes = os.pipe()  # the end that is written to stays open here
    parent = subprocess.Popen(
        [sys.executable, "-c", STARTS_IT, str(reads)], pass_fds=(reads,), stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    try:
        parent.kill()
        parent.wait()
        gone, _ = psutil.wait_procs([child], timeout=20)
        assert gone, "it stays behind"
    finally:
        parent.stdout.close()
        os.close(reads)
        os.close(writes)
        if child.is_running():
            child.kill()
