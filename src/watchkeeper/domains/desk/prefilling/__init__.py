"""Ticket templates: tickets that are opened again and again, filled in but for a word or two."""
