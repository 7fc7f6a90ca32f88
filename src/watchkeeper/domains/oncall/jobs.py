"""Finds the handlers of this domain's effects, and its jobs."""

from watchkeeper.domains.oncall.paging import confirming, delivering, retention  # noqa: F401  (they register)
