"""On-call: who answers for what at which time.

`rotations.shifts` is the pure part; a schedule's page, its calendar and escalations ask it.
"""
