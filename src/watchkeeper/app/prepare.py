"""Before the processes start: migrate the records, write down what is scheduled, and on a first start make what a
person begins with. Prints one JSON object: `link` while nobody has ever signed in, `intake_key` when it was made now."""

from __future__ import annotations

import json
import os
import sys


def main() -> None:
    """Entry point of the process."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "watchkeeper.app.settings")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    from watchkeeper.domains import identity
    from watchkeeper.jobs import port as jobs

    jobs.schedule()
    out = {"link": identity.first_run_link() or "", "intake_key": identity.first_intake_key() or ""}
    sys.stdout.write(json.dumps(out))


if __name__ == "__main__":
    main()
