"""The handlers of the outbox: promises that run out, tickets that nobody could take yet, and recurring ones."""

from watchkeeper.domains.desk import reminding  # noqa: F401  (it registers)
from watchkeeper.domains.desk.assigning import giving  # noqa: F401
from watchkeeper.domains.desk.recurring import opening  # noqa: F401
