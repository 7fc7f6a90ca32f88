"""Paging: who is told of what is wrong, in which order, until somebody says that they have it.

`rules` is pure; `climbing.Pager` works off the timers, `hearing` begins and ends escalations, `again` says
when they begin once more, `delivering` sends.
"""
