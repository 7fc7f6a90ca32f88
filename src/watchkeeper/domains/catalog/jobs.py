"""The handlers of the outbox of this domain; see tasks, leases and delivering."""

from watchkeeper.domains.catalog import delivering, leases, tasks  # noqa: F401  (they register)
