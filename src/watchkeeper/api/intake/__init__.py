"""Doors that read or write records, and so live here and not in receivers."""
