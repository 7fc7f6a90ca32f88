"""The program that evaluates conditions in CEL, in a process of its own: a condition cannot hold up, crash or fill the
process that asks. Reads questions from standard input, a JSON document a line, and answers each condition with a line.

A condition that needs more than its share of processor time ends the process by signal: the library holds Python's
lock while it evaluates, so nothing inside the process could. See conditions for the other end.
"""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import sys
import threading
import time
import types
from collections.abc import Sequence
from typing import Any

SECONDS = 0.25  # of processor time for one condition on one event
MEMORY = 1024**3  # bytes of addresses
VARIABLES = ("event", "record", "before", "after", "actor")
_TIMES = (
    "FullYear",
    "Month",
    "DayOfMonth",
    "Date",
    "DayOfWeek",
    "DayOfYear",
    "Hours",
    "Minutes",
    "Seconds",
    "Milliseconds",
)
_MACROS = ("all", "exists", "exists_one", "map", "filter")
FUNCTIONS = frozenset(
    (
        *("size", "contains", "startsWith", "endsWith", "matches", "has", *_MACROS),
        *("string", "int", "uint", "double", "bytes", "timestamp", "duration", "type", "dyn"),
        *(f"get{part}" for part in _TIMES),
    )
)
_AT = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")


def main(parent: int) -> None:
    """Answer until the input ends, or the process that asks is gone."""
    threading.Thread(target=_end_with, args=(parent,), daemon=True, name="parent").start()
    # The package brings a command line along, which would load thirty megabytes of terminal libraries.
    sys.modules["cel.cli"] = types.ModuleType("cel.cli")
    import cel

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGVTALRM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    programs: dict[str, Any] = {}
    for line in sys.stdin:
        question = json.loads(line)
        for text in question["conditions"]:
            signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
            try:
                if len(programs) > 1000:
                    programs.clear()
                program = programs.get(text) or programs.setdefault(text, cel.compile(text))
                known = question.get("variables", VARIABLES)
                answer = (
                    checked(text, program, known) if question["check"] else said(program, question["event"])
                )
            except (ValueError, LookupError, TypeError, RuntimeError, ArithmeticError) as error:
                answer = where(str(error)) if question["check"] else why(error)
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()


def _end_with(parent: int) -> None:
    """A parent that was killed closes its end of the input; another process may still hold that open."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


def said(program: Any, event: dict[str, Any]) -> bool | str:
    """What a condition says of an event, or why it says nothing."""
    found = program.execute(event)
    return (
        found if isinstance(found, bool) else f"it gives {str(found)[:80]!r}, which is neither true nor false"
    )


def why(error: Exception) -> str:
    """Why a condition says nothing of an event."""
    if isinstance(error, KeyError):
        return f"there is no {error.args[0]!r} here; has(…) asks whether there is"
    return str(error).partition(". ")[0][:300]


def checked(text: str, program: Any, variables: Sequence[str]) -> list[Any]:
    """[line, column, what is wrong] of a name that is not known here; nothing when it is good."""
    for name in program.variables():
        if name not in variables and not _bound(name, text):
            there = f"there are {', '.join(variables)}" if len(variables) > 1 else f"there is {variables[0]}"
            return [
                *_place(rf"(?<![\w.]){re.escape(name)}\b", text),
                f"{name!r} is not known; {there}",
            ]
    for name in program.functions():
        if name.isidentifier() and name not in FUNCTIONS:
            return [*_place(rf"\b{re.escape(name)}\s*\(", text), f"there is no function {name!r}"]
    return []


def _bound(name: str, text: str) -> bool:
    """Whether a macro of the condition makes this name, as in tags.exists(t, …)."""
    return bool(re.search(rf"\.({'|'.join(_MACROS)})\(\s*{re.escape(name)}\s*,", text))


def _place(pattern: str, text: str) -> tuple[int, int]:
    # What is in quotes is no name; it is blanked, so that places stay.
    bare = re.sub(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"", lambda m: " " * len(m.group()), text)
    found = re.search(pattern, bare)
    before = bare[: found.start()] if found else ""
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def where(message: str) -> list[Any]:
    """[line, column, what is wrong] of a text that is no CEL."""
    found = _AT.search(message)
    if not found:
        return [1, 1, message[:300]]
    line, column, what = found.groups()
    what = what.removeprefix("Syntax error: ").partition(" expecting ")[0]
    return [int(line), int(column), what.replace("'<EOF>'", "the end")[:300]]


if __name__ == "__main__":
    main(int(sys.argv[1]))
    os._exit(0)  # at once: the library has threads of its own, which an orderly end would wait for
