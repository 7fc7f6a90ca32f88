"""The handlers of the outbox of this domain; see tasks, calling, leases and delivering."""

from watchkeeper.domains.catalog import calling, delivering, leases, tasks  # noqa: F401  (they register)
