"""Before the processes start: migrate the records, write down what is scheduled, and on a first start make what a
person begins with. Prints one JSON object: `link` while nobody has ever signed in, `intake_key` when it was made now."""

from __future__ import annotations

import json
import os
import sys


def main() -> None:
    """Entry point of the process."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "watchkeeper.app.settings")
    from watchkeeper.domains.loading import load

    load()
    from watchkeeper.domains import backups, identity
    from watchkeeper.jobs import port as jobs
    from watchkeeper.model.errors import WatchkeeperError

    try:
        copy = backups.bring_up_to_date(starting=True)
    except WatchkeeperError as error:
        sys.stderr.write(f"watchkeeper: {error.detail}\n")
        raise SystemExit(1) from error
    if copy:
        sys.stderr.write(f"The records as they were before this upgrade are in {copy}\n")
    jobs.schedule()
    out = {"link": identity.first_run_link() or "", "intake_key": identity.first_intake_key() or ""}
    sys.stdout.write(json.dumps(out))


if __name__ == "__main__":
    main()
