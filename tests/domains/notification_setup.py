"""Makes a database with a rule and a situation to be told: `python -m tests.domains.notification_setup URL`."""

from __future__ import annotations

import sys

import django


def main(url: str) -> None:
    """Migrate, a rule to the URL, one situation."""
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from tests.domains.analysis_structs import NOW, alert, situation
    from watchkeeper.domains.outgoing.webhooks import new_secret
    from watchkeeper.domains.situations import AnalysisWriter
    from watchkeeper.domains.situations.models import NotificationRule

    NotificationRule.objects.create(name="all", address=url, secret=new_secret())
    opened = situation("s", ("a",), opened_ms=4_000_000_000_000)
    AnalysisWriter().write({"a": alert("a")}, {"s": opened}, offset=1, now_ms=NOW)


if __name__ == "__main__":
    main(sys.argv[1])
