"""Agreements about service: what is promised to whom, in which hours, and how much of the time is left.

`working.WorkingTime` counts the working time between two instants, `clock.Clock` the time of a promise with its pauses;
both are pure.
"""
