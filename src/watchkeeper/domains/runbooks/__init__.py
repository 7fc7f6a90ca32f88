"""Runbooks: what to do, step by step, with questions that lead on and actions that can be carried out; and where each run
of one is."""
