"""Declares no kind; a record that is gone is not managed any more."""

from __future__ import annotations

from watchkeeper.domains.configuration import managing
from watchkeeper.kernel import extras

extras.when_gone.append(managing.forget)
