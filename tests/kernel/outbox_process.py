"""A process with an outbox worker, to be killed; `--once` ends when nothing is due:
`python -m tests.kernel.outbox_process`."""

from __future__ import annotations

import sys
import threading

import django


def main() -> None:
    """Carry out what is due until killed."""
    django.setup()
    from watchkeeper.kernel.outbox import OutboxWorker

    worker = OutboxWorker(threads=2, poll=0.05)
    if "--once" in sys.argv:
        while worker.step():
            pass
        return
    worker.run(threading.Event())


if __name__ == "__main__":
    main()
