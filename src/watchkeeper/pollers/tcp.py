"""TCP: whether something listens and, where that is asked for, says what is expected."""

from __future__ import annotations

import re2

from watchkeeper.model.polled import Probe
from watchkeeper.pollers.outcome import Outcome
from watchkeeper.pollers.reach import Reach, Unreachable
from watchkeeper.pollers.tls import connect

_MOST = 64 * 1024  # bytes in which the expected has to be


async def probe(probe: Probe, target: str, reach: Reach) -> Outcome:
    """Connect, send and wait for what is expected. Raises Unreachable."""
    reader, writer = await connect(reach, target, 0)
    try:
        if probe.send:
            writer.write(probe.send.replace("\\r", "\r").replace("\\n", "\n").encode())
        if probe.expect:
            pattern, seen = re2.compile(probe.expect.encode()), b""
            while not pattern.search(seen):
                more = await reader.read(4096)
                if not more or len(seen) > _MOST:
                    raise Unreachable(f"says {_shown(seen)}, which does not match {probe.expect!r}")
                seen += more
    except OSError as error:
        raise Unreachable("breaks the connection off") from error
    finally:
        writer.transport.abort()
    return Outcome()


def _shown(seen: bytes) -> str:
    return repr(seen[:80].decode("utf-8", "replace")) if seen else "nothing"
