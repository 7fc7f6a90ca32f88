"""Loads Django with every domain, for the processes and for the commands."""

from __future__ import annotations

import gc


def load() -> None:
    """Make every kind of record known. What this makes stays, half a million objects: the collector is spared them, while
    they are made, which takes a quarter of the time, and later."""
    gc.disable()
    import django

    django.setup()
    gc.freeze()
    gc.enable()
