"""The service desk: tickets (incidents and service requests), their queues, and what is promised about them.

`opening.open_incident` makes one of a situation, `promising.reckon` finds out anew when what was promised is due.
"""
