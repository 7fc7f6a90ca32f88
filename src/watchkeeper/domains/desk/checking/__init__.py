"""Checklists of tickets: steps, who ticked them and when."""
