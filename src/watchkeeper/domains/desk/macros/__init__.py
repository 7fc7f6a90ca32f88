"""Macros: what agents do again and again to tickets, as one act."""
