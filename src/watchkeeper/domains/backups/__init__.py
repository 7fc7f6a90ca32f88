"""A copy of everything that an installation knows, taken while it runs, and an installation made of one.

The order makes it whole: the journal first, then what was made of it. Whatever was acknowledged before it began is in
the copy of the journal, or was taken over by records and telemetry already, which are copied after it. `restoring`
then lets each go on in the journal where its own copy stands.
"""

from watchkeeper.domains.backups.restoring import restore
from watchkeeper.domains.backups.taking import folder, take
from watchkeeper.domains.backups.upgrading import bring_up_to_date

__all__ = ["bring_up_to_date", "folder", "restore", "take"]
