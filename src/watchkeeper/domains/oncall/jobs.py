"""Finds the handlers of this domain's effects."""

from watchkeeper.domains.oncall.paging import confirming, delivering  # noqa: F401  (they register)
