"""REST for every declared kind of record: one viewset from a Resource, and what all of them can do. Nothing here knows
a kind; what REST and console have in common is in the kernel."""
