"""Whole incidents as small text stories with virtual time, run through the real pipeline."""
