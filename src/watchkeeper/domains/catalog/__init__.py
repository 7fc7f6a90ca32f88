"""The service catalogue: what people may order, what they have ordered, the tasks by which it is fulfilled, and what
somebody has for a time (leases).

`ordering.order` places an order, `tasks.add` gives a ticket tasks, `acts.act` declares what a task can do by itself,
`leases.lend` notes that somebody has something.
"""
