"""The program that renders one template and ends: JSON in, text out; 3 and a sentence when it cannot. It knows nothing
of the platform, and may use little time and memory."""

from __future__ import annotations

import json
import resource
import sys
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

MEMORY = 1024**3
OUTPUT = 32 * 1024**2


class Wrong(Exception):
    """What is wrong, in a sentence."""


def line_of(error: BaseException) -> str:
    """Where in the template it happened: Jinja gives the frames of a template its line numbers."""
    number, frame = 0, error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_filename == "<template>":
            number = frame.tb_lineno
        frame = frame.tb_next
    return f"line {number}: " if number else ""


def rendered(told: dict[str, Any]) -> bytes:
    """The text. Raises Wrong."""
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, autoescape=told["escapes"], trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True,
    )  # fmt: skip
    out, size = list[bytes](), 0
    try:
        for piece in environment.from_string(told["text"]).generate(told["known"]):
            out.append(piece.encode("utf-8", "replace"))
            size += len(out[-1])
            if size > OUTPUT:
                raise Wrong(f"it writes more than {OUTPUT // 1024**2} MiB")
    except TemplateSyntaxError as error:
        raise Wrong(f"line {error.lineno}: {error.message}") from error
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        raise Wrong(f"{line_of(error)}{error or type(error).__name__}") from error
    except MemoryError as error:
        raise Wrong(f"{line_of(error)}it needs more memory than there is") from error
    except RecursionError as error:
        raise Wrong(f"{line_of(error)}it calls itself without end") from error
    return b"".join(out)


if __name__ == "__main__":
    told = json.load(sys.stdin.buffer)
    resource.setrlimit(resource.RLIMIT_CPU, (told["seconds"], told["seconds"]))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        text = rendered(told)
    except Wrong as wrong:
        sys.stderr.write(" ".join(str(wrong).split()))
        sys.exit(3)
    sys.stdout.buffer.write(text)
