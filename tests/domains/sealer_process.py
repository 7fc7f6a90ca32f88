"""A process that seals the audit trail until SIGTERM, then stops as the web process does:
`python -m tests.domains.sealer_process`."""

from __future__ import annotations

import signal
import sys
import threading

import django


def main() -> None:
    """Say "sealing" and seal."""
    django.setup()
    from django.conf import settings

    from watchkeeper.domains.audit import Checkpoints, Sealer

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    sealer = Sealer(Checkpoints(settings.AUDIT_CHECKPOINTS), poll=0.02)
    sys.stdout.write("sealing\n")
    sys.stdout.flush()
    sealer.run(stop)
    sealer.finish()


if __name__ == "__main__":
    main()
