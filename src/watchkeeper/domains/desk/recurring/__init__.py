"""Tickets that come again: opened from a template at each occurrence of a rule, once each."""
