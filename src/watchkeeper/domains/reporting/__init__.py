"""Monthly reports about service: tickets, promises kept and broken, objectives and availability; for everything, an
agreement, a customer or a service.

`gathering` makes the numbers, `rules` and `writing` are pure, `jobs` makes the files.
"""
