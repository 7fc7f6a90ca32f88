"""Tickets that belong together: merged into one, split in two, parents and their children."""
