"""Bytes that nobody meant for any decoder: atheris makes them from the captures, `python -m tests.fuzz` runs it."""
