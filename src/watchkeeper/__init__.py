"""Watchkeeper: one graph of everything an organisation runs, its signals, situations and the work on them."""

__version__ = "0.1.0"
