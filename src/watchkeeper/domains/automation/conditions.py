"""Asks the evaluating program: whether a text is a condition, and what conditions say of an event. The program is
started when the first is asked and started anew when one has ended it; see evaluating for its limits."""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from watchkeeper.domains.automation.evaluating import SECONDS, VARIABLES
from watchkeeper.kernel.problems import Invalid

LENGTH = 2000  # characters of a condition
SIZE = 256 * 1024  # bytes of an event
TOO_MUCH = f"it takes more than {SECONDS * 1000:.0f} ms, or too much memory"


class Evaluator:
    """The program, for all threads of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._program: subprocess.Popen[str] | None = None

    def check(self, text: str, variables: Sequence[str] = VARIABLES) -> None:
        """Raises Invalid, with the place of the error: no CEL, or about something else than these."""
        if len(text) > LENGTH:
            raise Invalid(f"it has {len(text)} characters; {LENGTH} are allowed")
        [found] = self._ask([text], {"check": True, "variables": variables})
        if isinstance(found, str):
            raise Invalid(f"it cannot be read: {found}")
        if found:
            line, column, what = found
            raise Invalid(f"line {line}, column {column}: {what}")

    def ask(self, conditions: Sequence[str], event: Mapping[str, Any]) -> list[bool | str]:
        """What each of them says of an event: true, false, or in words why neither."""
        question = {"check": False, "event": event}
        if len(json.dumps(question)) > SIZE:
            return [f"the event is larger than {SIZE // 1024} KiB"] * len(conditions)
        return self._ask(conditions, question)

    def _ask(self, conditions: Sequence[str], question: dict[str, Any]) -> list[Any]:
        answers: list[Any] = []
        with self._lock:
            while len(answers) < len(conditions):
                program = self._started()
                if program.stdin is None or program.stdout is None:
                    raise OSError("the evaluating program has no pipes")
                rest = conditions[len(answers) :]
                try:
                    program.stdin.write(json.dumps({**question, "conditions": rest}) + "\n")
                    program.stdin.flush()
                except BrokenPipeError:
                    self._end()  # it had ended since it was asked last
                    continue
                for line in program.stdout:
                    answers.append(json.loads(line))
                    if len(answers) == len(conditions):
                        return answers
                # The condition that it was at has ended it, unless somebody else has.
                if self._end() != -signal.SIGKILL:
                    answers.append(TOO_MUCH)
        return answers

    def _started(self) -> subprocess.Popen[str]:
        if self._program is None:
            self._program = subprocess.Popen(
                [sys.executable, "-m", "watchkeeper.domains.automation.evaluating", str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            atexit.register(self._end)
        return self._program

    def _end(self) -> int:
        """The status with which it ends, or has ended."""
        program, self._program = self._program, None
        if program is None:
            return 0
        atexit.unregister(self._end)
        if program.stdin is not None:
            with suppress(BrokenPipeError):
                program.stdin.close()  # which ends it, if nothing has
        status = program.wait()
        if program.stdout is not None:
            program.stdout.close()
        return status


evaluator = Evaluator()
