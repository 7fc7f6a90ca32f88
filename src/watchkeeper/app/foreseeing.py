"""The arithmetic of forecasts, in a process of its own for as long as a round of `domains.capacity` or `domains.objectives`
lasts: it takes memory
and a core, and neither shall be missing where pages are answered. A question and its answer are a length and so many bytes
of MessagePack; the process ends when nobody can ask it any more."""

from __future__ import annotations

import signal
import struct
import subprocess
import sys
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self

import msgspec

from watchkeeper.model.errors import WatchkeeperError
from watchkeeper.model.outlook import Outlook

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LENGTH = struct.Struct("!I")


class Question(msgspec.Struct, array_like=True):
    """Hours as the bytes of 64-bit floats, the limit, and whether they are shares. With a window they are errors, and the
    limit is the objective; see analysis.forecasts.spending."""

    hours: bytes
    limit: float
    share: bool
    window: int = 0
    horizon: int = 0


class Foreseeing:
    """`with Foreseeing() as foresee: foresee(hours, limit, share)`. The process starts with the first question."""

    def __init__(self) -> None:
        self._program: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._program is not None:
            self._program.kill()  # it keeps nothing
            self._program.communicate()

    def __call__(self, hours: NDArray[np.float64], limit: float, share: bool) -> Outlook:
        """What `analysis.forecasts.outlook` says. Raises WatchkeeperError when the process is gone."""
        return self._ask(Question(hours.tobytes(), limit, share))

    def spending(self, errors: NDArray[np.float64], objective: float, window: int, horizon: int) -> Outlook:
        """What `analysis.forecasts.spending` says. Raises WatchkeeperError when the process is gone."""
        return self._ask(Question(errors.tobytes(), objective, True, window, horizon))

    def _ask(self, question: Question) -> Outlook:
        if self._program is None:
            command = [sys.executable, "-m", "watchkeeper.app.foreseeing"]
            self._program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._program.stdin is not None and self._program.stdout is not None
        try:
            _send(self._program.stdin, msgspec.msgpack.encode(question))
            return msgspec.msgpack.decode(_received(self._program.stdout), type=Outlook)
        except (OSError, EOFError) as error:
            raise WatchkeeperError("the process that foresees has ended") from error


def _send(pipe: IO[bytes], message: bytes) -> None:
    pipe.write(_LENGTH.pack(len(message)) + message)
    pipe.flush()


def _received(pipe: IO[bytes]) -> bytes:
    """The next message. Raises EOFError when there is none."""
    head = pipe.read(_LENGTH.size)
    message = pipe.read(_LENGTH.unpack(head)[0]) if len(head) == _LENGTH.size else b""
    if not message:
        raise EOFError
    return message


def main() -> None:
    """Answer until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asks decides when it ends
    import numpy as np

    from watchkeeper.analysis.forecasts.outlook import outlook
    from watchkeeper.analysis.forecasts.spending import spending

    while True:
        try:
            asked = msgspec.msgpack.decode(_received(sys.stdin.buffer), type=Question)
        except EOFError:
            return
        hours = np.frombuffer(asked.hours)
        if asked.window:
            found = spending(hours, asked.limit, asked.window, asked.horizon)
        else:
            found = outlook(hours, asked.limit, asked.share)
        _send(sys.stdout.buffer, msgspec.msgpack.encode(found))


if __name__ == "__main__":
    main()
